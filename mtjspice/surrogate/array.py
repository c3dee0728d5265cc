"""`SurrogateArray`: a crossbar that is read and written without SPICE.

Up to 32 x 32 cells it is solved exactly. Beyond that a write is `large_write`'s. A read is one of linear cells, at the
conductance that they have at the read voltage, each in series with its transistor or its share of its lines'; wires are
exact. Reads in the other direction are always such ones.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.network import Network, Operation
from mtjspice.crossbar.wired_read import effective_conductance_s
from mtjspice.errors import InputError
from mtjspice.schedule import Phase, read_phase, write_schedule
from mtjspice.surrogate.exact_write import LARGEST_SIDE, ExactWriter, WriteOutcome, gate_energy_j
from mtjspice.surrogate.large_write import LargeWriter
from mtjspice.surrogate.model import ArrayModel


@dataclass
class Ledger:
    """What an array has spent since it was made."""

    read_j: float = 0.0
    write_j: float = 0.0
    read_s: float = 0.0
    write_s: float = 0.0
    reads: int = 0
    writes: int = 0
    flips: int = 0


@dataclass(frozen=True)
class ReadOutcome:
    """One read.

    Args:
        i_column_a: (columns,) into the sense amplifiers.
        i_reference_a: of the reference column.
        weighted: (columns,) sum_i W_ij x_i with W = +1 parallel and -1 antiparallel, as the circuit has it.
        energy_j: drawn from all sources.
    """

    i_column_a: np.ndarray
    i_reference_a: float
    weighted: np.ndarray
    energy_j: float


class SurrogateArray:
    """An array with its network.

    Args:
        model: the calibrated cell and the array around it.
        cells: states, resistances, defects.
        rng: decides which cells flip.
    """

    def __init__(self, model: ArrayModel, cells: Cells, rng: np.random.Generator) -> None:
        self.model, self.cells, self.ledger = model, cells, Ledger()
        self._rng = rng
        self._network: Network | None = None
        self._writer: ExactWriter | LargeWriter
        shape = cells.state.shape
        if max(shape) <= LARGEST_SIDE:
            self._network = Network(model.architecture, model.array, shape, model.table)
            self._writer = ExactWriter(model, shape)
        else:
            self._writer = LargeWriter(model)
        self._effective_s: np.ndarray | None = None

    @classmethod
    def random(cls, model: ArrayModel, shape: tuple[int, int], rng: np.random.Generator) -> Self:
        """Return an array of (rows, columns) nominal cells in random states."""
        return cls(model, Cells.nominal(model.parameters, rng.integers(0, 2, shape), model.array.r_short_ohm), rng)

    @property
    def state(self) -> np.ndarray:
        """(rows, columns), 1 parallel, 0 antiparallel."""
        return self.cells.state

    def read(self, x: np.ndarray) -> ReadOutcome:
        """Return the outcome of reading inputs `x`, (rows,) in [-1, 1].

        Raises:
            InputError: an input out of range, or of another length.
        """
        rows, columns = self.state.shape
        phase = read_phase(x, columns, self.model.array, 0.0)
        self._require(len(phase.row_v), rows, "inputs", "rows")
        if self._network is None:
            return self._spent(self._linear_read(phase, self._effective()), phase)
        solution = self._network.solve(self.cells, Operation(phase.row_v, phase.row_on, phase.column_on_s > 0))
        return self._spent(read_outcome(self.model, phase, solution.i_row_a, solution.i_column_a), phase)

    def read_transposed(self, delta: np.ndarray) -> ReadOutcome:
        """Return the outcome of driving columns at `delta`, (columns,) in [-1, 1], and sensing the rows.

        By reciprocity the effective conductances are those of a read, transposed. What is per column in the outcome is
        per row here.

        Raises:
            InputError: an error out of range, or another length.
        """
        rows, columns = self.state.shape
        phase = read_phase(delta, rows, self.model.array, 0.0)
        self._require(len(phase.row_v), columns, "errors", "columns")
        return self._spent(self._linear_read(phase, self._effective().T), phase)

    def _linear_read(self, phase: Phase, effective_s: np.ndarray) -> ReadOutcome:
        """Return a read's outcome, of whose energy currents from driver to driver are left out."""
        v = phase.row_v
        return read_outcome(self.model, phase, v * effective_s.sum(axis=1), v @ effective_s)

    def _effective(self) -> np.ndarray:
        """Return the effective conductances, (rows, columns), that a read sees in this state."""
        if self._effective_s is None:
            r_segment_ohm = self.model.array.wires.r_segment_ohm
            g_s = self.model.conductance_s(self.cells)
            self._effective_s = effective_conductance_s(g_s, r_segment_ohm, r_segment_ohm)
        return self._effective_s

    def _spent(self, outcome: ReadOutcome, phase: Phase) -> ReadOutcome:
        self.ledger.read_j += outcome.energy_j
        self.ledger.read_s += phase.duration_s
        self.ledger.reads += 1
        return outcome

    def write(self, x: np.ndarray, delta: np.ndarray, phases: int | None = None) -> WriteOutcome:
        """Write inputs `x`, (rows,), and errors `delta`, (columns,), both in [-1, 1], and return what happened.

        Raises:
            InputError: a value out of range, another length, or phases that the architecture does not have.
        """
        model = self.model
        phases = phases or model.architecture.phases[0]
        if isinstance(self._writer, LargeWriter):
            outcome = self._writer.write(x, delta, phases, self.cells, self._rng)
        else:
            schedule = write_schedule(x, delta, model.drive, model.architecture, model.array, phases)
            self._require(schedule.shape[0], self.state.shape[0], "inputs", "rows")
            self._require(schedule.shape[1], self.state.shape[1], "errors", "columns")
            outcome = self._writer.write(schedule, self.cells, self._rng)
        if outcome.flips.any():
            self.cells = self.cells.with_state(outcome.state)
            self._effective_s = None
        self.ledger.write_j += outcome.energy_j
        self.ledger.write_s += outcome.duration_s
        self.ledger.writes += 1
        self.ledger.flips += int(outcome.flips.sum())
        return outcome

    @staticmethod
    def _require(given: int, allowed: int, what: str, lines: str) -> None:
        if given != allowed:
            raise InputError(f"the {what} do not fit the array", given=f"{given} {what}", allowed=f"{allowed} {lines}")


def read_outcome(model: ArrayModel, phase: Phase, i_row_a: np.ndarray, i_column_a: np.ndarray) -> ReadOutcome:
    """Return a read's outcome from its currents: what the sense amplifiers make of them, and the energy."""
    g_p, g_ap = model.cell_conductances_s
    i_reference_a = float(phase.row_v.sum() * model.reference_s)
    return ReadOutcome(
        i_column_a=i_column_a,
        i_reference_a=i_reference_a,
        weighted=(i_column_a - i_reference_a) / (model.array.read.v_read_v * (g_p - g_ap) / 2),
        energy_j=energy_of_read_j(model, phase, i_row_a),
    )


def energy_of_read_j(model: ArrayModel, phase: Phase, i_row_a: np.ndarray) -> float:
    """Return what a read takes of drivers that give `i_row_a`, (rows,), to the array; the reference comes on top."""
    power_w = float(phase.row_v @ i_row_a + (phase.row_v**2).sum() * model.reference_s)
    reference_m = model.array.switches.select_width_m * len(phase.row_v)
    # An edge of linear voltage at either end: a third of its time at full power, instead of half of it.
    lost_s = model.array.timing.edge_s / 3
    return power_w * (phase.duration_s - lost_s) + gate_energy_j(model, phase) + model.table.cycle_j_per_m * reference_m
