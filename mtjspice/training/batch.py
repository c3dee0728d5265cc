"""Batch accumulation: the gradient is summed over samples in digital memory, then written stochastically.

G = sum of x delta over a batch has a smaller E|G| beside its mean than single samples have, which is what holds the
per-sample rule back. The price is a digital accumulator for every weight, and writes column by column: a column's cells
need levels of their own, so that nothing is left of the write of a whole array at once.
"""

import numpy as np

from mtjspice.cards.training import Batch, Switching
from mtjspice.junction.compiled import compiled
from mtjspice.surrogate.ideal_array import write_column, write_device
from mtjspice.surrogate.ideal_energy import write_energy_j
from mtjspice.training.crossbars import new_array, set_state
from mtjspice.training.layers import driven_rows, new_signals
from mtjspice.training.reading import reading_energy_j
from mtjspice.training.rule import Hardware, Price, Problem, Tally
from mtjspice.training.software import batch_gradient

_ACCUMULATOR_BITS = 16
_SHORTEST = 1e-9
"""|delta| that stands for the shortest pulse: a column with delta = 0 is not written."""


class BatchRule:
    """A network of 1T1R arrays that learns from accumulated gradients.

    Args:
        problem: what is learnt.
        hardware: of 1T1R cells.
        settings: of the rule.
        rng: draws the start: states, and resistances where they vary.
    """

    def __init__(self, problem: Problem, hardware: Hardware, settings: Batch, rng: np.random.Generator) -> None:
        self._problem, self._hardware, self._settings = problem, hardware, settings
        network = problem.network
        self._device = write_device(hardware.model)
        self._arrays = [
            new_array(hardware, self._device, rng.integers(0, 2, shape), rng)[1] for shape in network.shapes
        ]
        self._ideal = hardware.switching is Switching.IDEAL
        self._gains = np.array(network.by_layer(settings.eta if self._ideal else settings.gain))
        self._epochs = 0
        self._signals = new_signals(network.shapes)
        columns = max(columns for _, columns in network.shapes)
        self.price = Price(
            write_phases=columns / settings.batch,
            write_s=columns / settings.batch * hardware.phase_s,
            junctions=1,
            digital_bits=_ACCUMULATOR_BITS,
            remark="columns are written one after another, at levels of their own for each cell; "
            "the accumulator's bits are assumed, and not rounded to",
        )

    def epoch(self, order: np.ndarray, rng: np.random.Generator) -> Tally:
        """See `Rule`."""
        problem, batch = self._problem, self._settings.batch
        tally = Tally()
        gains = self._gains * self._settings.decay**self._epochs
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            gradients, clipped = batch_gradient(
                self.weights(), problem.scales, problem.x[chosen], problem.targets[chosen]
            )
            tally.clipped += clipped
            levels = [self._levels(gradient, gain) for gradient, gain in zip(gradients, gains, strict=True)]
            if start == 0:
                tally.energy_j.append(self._step_energy_j(int(chosen[0]), levels, len(chosen)))
            for array, level in zip(self._arrays, levels, strict=True):
                tally.written += int(level.any(axis=1).sum())
                tally.flips += _write(rng, self._device, array, level, self._settings.width, self._ideal)
        self._epochs += 1
        return tally

    def weights(self) -> list[np.ndarray]:
        """See `Rule`."""
        return [array.weight for array in self._arrays]

    def cell_states(self) -> list[np.ndarray]:
        """See `Rule`."""
        return [array.state.T for array in self._arrays]

    def state(self) -> dict[str, np.ndarray]:
        """See `Rule`."""
        return {"epochs": np.array(self._epochs)} | {f"state_{n}": a.state for n, a in enumerate(self._arrays)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """See `Rule`."""
        self._epochs = int(state["epochs"])
        for n, array in enumerate(self._arrays):
            set_state(array, state[f"state_{n}"])

    def _levels(self, gradient: np.ndarray, gain: float) -> np.ndarray:
        """Return signed levels, (columns, rows), for a gradient, (rows, columns)."""
        levels = np.clip(gain * gradient.T.astype(float), -1, 1)
        # Of ideal switching they are probabilities, which have no floor.
        least = 0.0 if self._ideal else self._settings.least_level
        return np.where(np.abs(levels) > least, levels, 0.0)

    def _step_energy_j(self, sample: int, levels: list[np.ndarray], count: int) -> float:
        """Return what reading one sample takes, and its share of the writes of `count`, in the present states."""
        model, problem = self._hardware.model, self._problem
        weights = tuple(array.weight for array in self._arrays)
        energy_j = reading_energy_j(model, weights, problem, sample, self._signals)
        for array, level in zip(self._arrays, levels, strict=True):
            one_column = np.zeros(len(level))
            for j in np.flatnonzero(level.any(axis=1)):
                one_column[:] = 0.0
                one_column[j] = max(self._settings.width, _SHORTEST)
                energy_j += write_energy_j(model, self._device, array, level[j], one_column) / count
        return energy_j


@compiled()
def _write(rng, device, array, levels, width, ideal):  # type: ignore[no-untyped-def]
    """Write every column at its cells' own levels, (columns, rows), -1 to 1, and return the flips.

    Of ideal switching |level| is the probability.
    """
    rows, flips = np.empty(levels.shape[1], np.int64), 0
    for j in range(levels.shape[0]):
        # A positive gradient lowers the weight, which P (1) is left for.
        positive, negative = driven_rows(levels[j], 0.0, rows)
        d_abs, eta = (1.0, 1.0) if ideal else (width, 0.0)
        flips += write_column(rng, device, array, j, positive, levels[j], d_abs, 1, eta)
        flips += write_column(rng, device, array, j, negative, levels[j], d_abs, 0, eta)
    return flips
