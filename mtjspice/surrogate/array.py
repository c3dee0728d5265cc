"""`SurrogateArray`: a crossbar that is read and written without SPICE."""

from dataclasses import dataclass

import numpy as np

from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.network import Network, Operation
from mtjspice.errors import InputError
from mtjspice.schedule import Phase, read_phase, write_schedule
from mtjspice.surrogate.exact_write import LARGEST_SIDE, ExactWriter, WriteOutcome, gate_energy_j
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
    """An array of up to 32 x 32 cells with its exact network.

    Args:
        model: the calibrated cell and the array around it.
        cells: states, resistances, defects.
        rng: decides which cells flip.

    Raises:
        InputError: a larger array.
    """

    def __init__(self, model: ArrayModel, cells: Cells, rng: np.random.Generator) -> None:
        rows, columns = cells.state.shape
        if max(rows, columns) > LARGEST_SIDE:
            raise InputError(
                "the array is too large for the exact network",
                given=f"{rows} x {columns}",
                allowed=f"up to {LARGEST_SIDE} x {LARGEST_SIDE}",
            )
        self.model, self.cells, self.ledger = model, cells, Ledger()
        self._rng = rng
        self._network = Network(model.architecture, model.array, (rows, columns), model.table)
        self._writer = ExactWriter(model, (rows, columns))

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
        solution = self._network.solve(self.cells, Operation(phase.row_v, phase.row_on, phase.column_on_s > 0))
        outcome = read_outcome(self.model, phase, solution.i_row_a, solution.i_column_a)
        self.ledger.read_j += outcome.energy_j
        self.ledger.read_s += phase.duration_s
        self.ledger.reads += 1
        return outcome

    def write(self, x: np.ndarray, delta: np.ndarray, phases: int | None = None) -> WriteOutcome:
        """Write inputs `x`, (rows,), and errors `delta`, (columns,), both in [-1, 1], and return what happened.

        Raises:
            InputError: a value out of range, another length, or phases that the architecture does not have.
        """
        rows, columns = self.state.shape
        model = self.model
        schedule = write_schedule(
            x, delta, model.drive, model.architecture, model.array, phases or model.architecture.phases[0]
        )
        self._require(schedule.shape[0], rows, "inputs", "rows")
        self._require(schedule.shape[1], columns, "errors", "columns")
        outcome = self._writer.write(schedule, self.cells, self._rng)
        self.cells = self.cells.with_state(outcome.state)
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
    power_w = float(phase.row_v @ i_row_a + (phase.row_v**2).sum() * model.reference_s)
    reference_m = model.array.switches.select_width_m * len(phase.row_v)
    # An edge of linear voltage at either end: a third of its time at full power, instead of half of it.
    lost_s = model.array.timing.edge_s / 3
    return ReadOutcome(
        i_column_a=i_column_a,
        i_reference_a=i_reference_a,
        weighted=(i_column_a - i_reference_a) / (model.array.read.v_read_v * (g_p - g_ap) / 2),
        energy_j=power_w * (phase.duration_s - lost_s)
        + gate_energy_j(model, phase)
        + model.table.cycle_j_per_m * reference_m,
    )
