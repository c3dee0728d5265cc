"""The paper's rule on crossbars without transistors: cells that are not selected may switch falsely (section 4.4).

All events of a write are gone through as `surrogate.large_write` does: columns that switch off one after another, and
lines that float. A layer may lie on several arrays, `cut_layers`, each with its own lines.
"""

from typing import Any, NamedTuple

import numpy as np

from mtjspice.cards.training import PerSample, Switching
from mtjspice.errors import InputError
from mtjspice.junction.compiled import compiled
from mtjspice.surrogate.large_write import LargeDevice, large_device, not_converged_reported, write_cells
from mtjspice.surrogate.weights import read_weights
from mtjspice.training.crossbars import new_cells
from mtjspice.training.cut_layers import CutLayer, array_of, cut_layer, set_states, states_of
from mtjspice.training.layers import backward, forward, new_signals
from mtjspice.training.reading import reading_energy_j, sampled_every
from mtjspice.training.rule import Hardware, Price, Problem, Tally


class _Layer(NamedTuple):
    device: LargeDevice
    arrays: CutLayer
    weight: Any
    """(rows, columns) float32 what a read sees."""
    weight_of: Any
    """(2, rows, columns) float32 by state."""


class PerSampleOneRRule:
    """A network of 1R arrays that learns by the paper's rule.

    Args:
        problem: what is learnt.
        hardware: of 1R cells.
        settings: of the rule.
        rng: draws the start: states, and resistances where they vary.

    Raises:
        InputError: ideal switching, which leaves no room for sneak paths.
    """

    def __init__(self, problem: Problem, hardware: Hardware, settings: PerSample, rng: np.random.Generator) -> None:
        if hardware.switching is Switching.IDEAL:
            raise InputError(
                "ideal switching knows nothing of sneak paths", given="--switching ideal", allowed="--arch 1t1r with it"
            )
        self._problem, self._hardware, self._settings = problem, hardware, settings
        self._layers = tuple(self._new_layer(rng.integers(0, 2, shape), rng) for shape in problem.network.shapes)
        self._signals = new_signals(problem.network.shapes)
        self.price = Price(
            write_phases=hardware.phases,
            write_s=hardware.phases * hardware.phase_s,
            junctions=1,
            digital_bits=0,
            remark="no transistors in cells",
        )

    def _new_layer(self, state: np.ndarray, rng: np.random.Generator) -> _Layer:
        model = self._hardware.model
        cells = new_cells(self._hardware, state, rng)
        weight_of = read_weights(model, cells)
        weight = np.where(state == 1, weight_of[1], weight_of[0])
        arrays = cut_layer(cells, self._hardware.array_rows)
        return _Layer(large_device(model, cells), arrays, weight, weight_of)

    def epoch(self, order: np.ndarray, rng: np.random.Generator) -> Tally:
        """See `Rule`."""
        problem, hardware, settings = self._problem, self._hardware, self._settings
        weights = tuple(layer.weight for layer in self._layers)
        every = sampled_every(order)
        model, signals = hardware.model, self._signals
        reads_j = [reading_energy_j(model, weights, problem, int(k), signals) for k in order[::every]]
        with not_converged_reported():
            flips, false_flips, written, clipped, write_j = _train(
                rng,
                self._layers,
                weights,
                problem.scales,
                settings.gain_x,
                settings.gain_delta,
                settings.least_x,
                settings.least_delta,
                hardware.phases,
                hardware.mean_field,
                problem.x,
                problem.targets,
                order,
                every,
                signals,
            )
        energy_j = [read_j + write_j / len(reads_j) for read_j in reads_j]
        return Tally(flips=flips, false_flips=false_flips, written=written, clipped=clipped, energy_j=energy_j)

    def weights(self) -> list[np.ndarray]:
        """See `Rule`."""
        return [layer.weight for layer in self._layers]

    def cell_states(self) -> list[np.ndarray]:
        """See `Rule`."""
        return [states_of(layer.arrays) for layer in self._layers]

    def state(self) -> dict[str, np.ndarray]:
        """See `Rule`."""
        return {f"state_{n}": states_of(layer.arrays).T for n, layer in enumerate(self._layers)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """See `Rule`."""
        for n, layer in enumerate(self._layers):
            found = state[f"state_{n}"].T
            set_states(layer.arrays, found)
            layer.weight[:] = np.where(found == 1, layer.weight_of[1], layer.weight_of[0])


@compiled()
def _train(  # type: ignore[no-untyped-def]
    rng, layers, weights, scales, gain_x, gain_delta, least_x, least_delta, phases, mean_field, x, targets, order,
    every, signals,
):  # fmt: skip
    """Train on the samples `order`.

    Returns:
        Flips that were asked for, false ones, columns written, errors clipped, and the energy of every `every`th write.
    """
    levels = [np.empty(rows.size) for rows in signals.x]
    widths = [np.empty(columns.size) for columns in signals.delta]
    flips, false_flips, written, clipped, energy_j = 0, 0, 0, 0, 0.0
    for n in range(order.size):
        forward(weights, scales, x[order[n]], signals)
        clipped += backward(weights, scales, targets[order[n]], signals)
        for k in range(len(layers)):
            layer, level, width = layers[k], levels[k], widths[k]
            _asked(signals.x[k], gain_x, least_x, level)
            written += _asked(signals.delta[k], gain_delta, least_delta, width)
            starts = layer.arrays.starts
            for part in range(starts.size - 1):
                cells, first, end = array_of(layer.arrays, part), starts[part], starts[part + 1]
                places, drawn_j = write_cells(
                    rng, layer.device, cells, level[first:end], width, phases, mean_field, n % every == 0
                )
                energy_j += drawn_j
                for m in range(len(places)):
                    i, j = places[m, 0], places[m, 1]
                    layer.weight[first + i, j] = layer.weight_of[cells.state[j, i], first + i, j]
                    false_flips += places[m, 2]
                    flips += 1 - places[m, 2]
    return flips, false_flips, written, clipped, energy_j


@compiled()
def _asked(given, gain, least, asked):  # type: ignore[no-untyped-def]
    """Set what is asked of lines, -1 to 1, and return of how many anything is."""
    lines = 0
    for k in range(given.size):
        value = min(max(gain * given[k], -1.0), 1.0)
        asked[k] = value if abs(value) > least else 0.0
        lines += 1 if asked[k] != 0.0 else 0
    return lines
