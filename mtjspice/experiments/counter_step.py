"""The chopped counter (`training.counter`) step by step on crossbars that are read and written as circuits.

Here every junction is a cell of an array that takes inputs and errors: `SurrogateArray`, or ngspice's `SpiceArray`.
Accumulator and counter bits are arrays of the synapses' shape.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np

from mtjspice.cosim.spice_array import SpiceArray
from mtjspice.crossbar.cells import Cells
from mtjspice.errors import InputError
from mtjspice.experiments.patterns import TrainedArray
from mtjspice.surrogate.array import ReadOutcome
from mtjspice.surrogate.model import ArrayModel


class CellArray(TrainedArray, Protocol):
    """What the counter needs of an array: `SurrogateArray` and `SpiceArray` have it."""

    cells: Cells


NewArray = Callable[[ArrayModel, Cells, int], CellArray]
"""Makes an array of cells from its model and its number, from 0, among the arrays of the synapses."""


class SharingSpiceArray(SpiceArray):
    """A `SpiceArray` beside others in one process: its deck is loaded for the length of a read only."""

    def read(self, x: np.ndarray) -> ReadOutcome:
        """See `SpiceArray.read`."""
        with self:
            return super().read(x)


class CounterSynapses:
    """Synapses of an accumulator A and a counter h of `bits` bits, -L ... L - 1 with L = 2^(bits - 1).

    Args:
        new_array: makes the arrays.
        model: of 1T1R cells.
        counters: (rows, columns) h at the start; nothing is noted yet.
        bits: of a counter.
        t_strong_s: width of the pulses that set and reset junctions.

    Raises:
        InputError: a counter out of range.
    """

    def __init__(
        self, new_array: NewArray, model: ArrayModel, counters: np.ndarray, bits: int, t_strong_s: float
    ) -> None:
        self._half = 2 ** (bits - 1)
        held = np.asarray(counters) + self._half
        if not ((held >= 0) & (held < 2 * self._half)).all():
            raise InputError(
                "a counter is out of range",
                given=f"{np.min(counters)} to {np.max(counters)}",
                allowed=f"{-self._half} to {self._half - 1} in {bits} bits",
            )
        strong = strong_model(model, t_strong_s)
        blank = Cells.nominal(model.parameters, np.zeros(held.shape), model.array.r_short_ohm)
        self._bits = [new_array(strong, blank.with_state(held >> bit & 1), bit) for bit in range(bits)]
        self._noting = new_array(model, blank, bits)
        # A's junctions once more, behind drivers of strong pulses.
        self._clearing = new_array(strong, blank, bits + 1)
        self.chop = np.ones(held.shape[1], int)
        """(columns,) +1 or -1: the sign of the updates that are noted."""

    @property
    def noted(self) -> np.ndarray:
        """(rows, columns) states of A, 1 where an update is noted."""
        return self._noting.state

    @property
    def counters(self) -> np.ndarray:
        """(rows, columns) h, as the states of its bits have it."""
        return sum((array.state.astype(int) << bit for bit, array in enumerate(self._bits)), -self._half)

    def note(self, x: np.ndarray, delta: np.ndarray) -> None:
        """Write A from AP to P where -x delta has the sign of the column's chop: rows of x > 0, then those of x < 0.

        Args:
            x: (rows,) inputs in [-1, 1].
            delta: (columns,) errors in [-1, 1].

        Raises:
            MtjspiceError: whatever a write raises.
        """
        for sign in (1, -1):
            rows, columns = sign * x > 0, sign * delta * self.chop < 0
            if rows.any() and columns.any():
                # Whatever the signs, the drivers are given those that raise a weight.
                self._noting.write(np.where(rows, np.abs(x), 0.0), np.where(columns, -np.abs(delta), 0.0))

    def transfer(self, column: int) -> None:
        """Count what a column has noted, reset its A, and chop.

        Raises:
            MtjspiceError: whatever a read or a write raises.
        """
        noted = _digital_read(self._noting, column)
        held = sum(_digital_read(array, column).astype(int) << bit for bit, array in enumerate(self._bits))
        aimed = np.clip(held + self.chop[column] * noted, 0, 2 * self._half - 1)
        for bit, array in enumerate(self._bits):
            changes, goal = (held ^ aimed) >> bit & 1 == 1, aimed >> bit & 1 == 1
            _pulse(array, changes & goal, column, -1.0)
            _pulse(array, changes & ~goal, column, 1.0)
        self._clearing.cells = self._noting.cells
        _pulse(self._clearing, noted, column, 1.0)
        self._noting.cells = self._clearing.cells
        self.chop[column] *= -1


def strong_model(model: ArrayModel, t_strong_s: float) -> ArrayModel:
    """Return the model with drivers whose every pulse takes `t_strong_s`."""
    coefficients = {
        direction: replace(found, t0_s=t_strong_s, t1_s=0.0) for direction, found in model.drive.coefficients.items()
    }
    return replace(model, drive=replace(model.drive, coefficients=coefficients))


def _digital_read(array: CellArray, column: int) -> np.ndarray:
    """Return whether a column's junctions are parallel, (rows,): one read for each row, against the reference."""
    return np.array([array.read(row).weighted[column] > 0 for row in np.eye(len(array.state))])


def _pulse(array: CellArray, rows: np.ndarray, column: int, delta: float) -> None:
    """Pulse a column's junctions in the rows marked, at the level of |x| = 1; `delta` -1 sets them, 1 resets."""
    if rows.any():
        array.write(rows.astype(float), np.where(np.arange(array.state.shape[1]) == column, delta, 0.0))
