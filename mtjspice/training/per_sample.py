"""The paper's rule: after every sample all cells are written at once (Mondal & Srivastava, section 4).

A sample's inputs set the rows' levels, its errors the columns' pulse widths, and all layers are written in the phases
of Table 1. The literal rule has gains of 1 and leaves out nothing but x = 0 and delta = 0.
"""

from typing import Any, NamedTuple

import numpy as np

from mtjspice.cards.training import PerSample, Switching
from mtjspice.junction.compiled import compiled
from mtjspice.surrogate.ideal_array import write_column, write_device
from mtjspice.surrogate.ideal_energy import write_energy_j
from mtjspice.training.crossbars import new_array, set_state
from mtjspice.training.layers import backward, driven_rows, forward, new_signals
from mtjspice.training.reading import reading_energy_j, sampled_every
from mtjspice.training.rule import Hardware, Price, Problem, Tally


class Knobs(NamedTuple):
    """The settings, as the kernel takes them."""

    gain_x: float
    gain_delta: float
    least_x: float
    least_delta: float
    eta: Any
    """(layers,) of ideal switching; 0 for the junctions' own."""


class PerSampleRule:
    """A network of 1T1R arrays that learns by the paper's rule.

    Args:
        problem: what is learnt.
        hardware: of 1T1R cells.
        settings: of the rule.
        rng: draws the start: states, and resistances where they vary.
    """

    def __init__(self, problem: Problem, hardware: Hardware, settings: PerSample, rng: np.random.Generator) -> None:
        self._problem, self._hardware, self._settings = problem, hardware, settings
        network = problem.network
        self._device = write_device(hardware.model)
        self._arrays = tuple(
            new_array(hardware, self._device, rng.integers(0, 2, shape), rng)[1] for shape in network.shapes
        )
        ideal = hardware.switching is Switching.IDEAL
        eta = np.array(network.by_layer(settings.eta)) if ideal else np.zeros(len(network.shapes))
        self._knobs = Knobs(settings.gain_x, settings.gain_delta, settings.least_x, settings.least_delta, eta)
        self._signals = new_signals(network.shapes)
        self.price = Price(
            write_phases=hardware.phases,
            write_s=hardware.phases * hardware.phase_s,
            junctions=1,
            digital_bits=0,
            remark="",
        )

    def epoch(self, order: np.ndarray, rng: np.random.Generator) -> Tally:
        """See `Rule`."""
        problem = self._problem
        weights = tuple(array.weight for array in self._arrays)
        energy_j = [self._step_energy_j(k) for k in order[:: sampled_every(order)]]
        flips, written, clipped = _train(
            rng,
            self._device,
            self._arrays,
            weights,
            problem.scales,
            self._knobs,
            problem.x,
            problem.targets,
            order,
            self._signals,
        )
        return Tally(flips=flips, written=written, clipped=clipped, energy_j=energy_j)

    def weights(self) -> list[np.ndarray]:
        """See `Rule`."""
        return [array.weight for array in self._arrays]

    def cell_states(self) -> list[np.ndarray]:
        """See `Rule`."""
        return [array.state.T for array in self._arrays]

    def state(self) -> dict[str, np.ndarray]:
        """See `Rule`."""
        return {f"state_{n}": array.state for n, array in enumerate(self._arrays)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """See `Rule`."""
        for n, array in enumerate(self._arrays):
            set_state(array, state[f"state_{n}"])

    def _step_energy_j(self, sample: int) -> float:
        """Return what reading and writing one sample takes in the present state."""
        problem, settings, model = self._problem, self._settings, self._hardware.model
        weights = tuple(array.weight for array in self._arrays)
        energy_j = reading_energy_j(model, weights, problem, sample, self._signals)
        for x, delta, array in zip(self._signals.x, self._signals.delta, self._arrays, strict=True):
            x, delta = np.clip(settings.gain_x * x, -1, 1), np.clip(settings.gain_delta * delta, -1, 1)
            x = np.where(np.abs(x) > settings.least_x, x, 0.0)
            delta = np.where(np.abs(delta) > settings.least_delta, delta, 0.0)
            energy_j += write_energy_j(model, self._device, array, x, delta)
        return energy_j


@compiled()
def _train(rng, device, arrays, weights, scales, knobs, x, targets, order, signals):  # type: ignore[no-untyped-def]
    """Train on the samples `order`; return flips, columns written and errors clipped."""
    levels = [np.empty(rows.size) for rows in signals.x]
    rows = [np.empty(rows.size, np.int64) for rows in signals.x]
    flips, written, clipped = 0, 0, 0
    for k in order:
        forward(weights, scales, x[k], signals)
        clipped += backward(weights, scales, targets[k], signals)
        for layer in range(len(arrays)):
            counts = _write(
                rng, device, arrays[layer], signals.x[layer], signals.delta[layer], knobs, knobs.eta[layer],
                levels[layer], rows[layer],
            )  # fmt: skip
            flips += counts[0]
            written += counts[1]
    return flips, written, clipped


@compiled()
def _write(rng, device, array, x, delta, knobs, eta, level, rows):  # type: ignore[no-untyped-def]
    """Write a layer after a sample; return flips and columns written."""
    if not np.any(knobs.gain_delta * np.abs(delta) > knobs.least_delta):
        return 0, 0
    for i in range(level.size):
        level[i] = min(max(knobs.gain_x * x[i], -1.0), 1.0)
    positive, negative = driven_rows(level, knobs.least_x, rows)
    flips, written = 0, 0
    for j in range(delta.size):
        d_abs = min(knobs.gain_delta * abs(delta[j]), 1.0)
        if d_abs <= knobs.least_delta:
            continue
        written += 1
        # Table 1: x delta > 0 lowers the weight, which P (1) is left for.
        lowers = 1 if delta[j] > 0.0 else 0
        flips += write_column(rng, device, array, j, positive, level, d_abs, lowers, eta)
        flips += write_column(rng, device, array, j, negative, level, d_abs, 1 - lowers, eta)
    return flips, written
