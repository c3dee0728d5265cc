"""Sneak paths of a write: what the cells see that are not meant, and what other ways to hold the lines would do.

A cell is selected in a phase where its row is driven and its column selected. All others carry what sneaks through
floating lines (Mondal & Srivastava, section 4.4), or what a bias on the unselected lines leaves them.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from mtjspice.cards.array import Architecture
from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.network import Network, Operation, Solution
from mtjspice.crossbar.switches import SwitchTable
from mtjspice.errors import InputError
from mtjspice.schedule import Phase, write_schedule
from mtjspice.surrogate.exact_write import LARGEST_SIDE
from mtjspice.surrogate.history import nominal_equivalent
from mtjspice.surrogate.model import ArrayModel

_NO_RESISTANCE_OHM = 1e-3
"""Of the paper's ideal switches: a millionth of a junction."""


class Bias(StrEnum):
    """What holds the lines that a phase of a 1R write does not select."""

    FLOATING = "floating"
    HALF = "v/2"
    """All at half of the write voltage V."""
    THIRD = "v/3"
    """Rows at V/3, columns at 2 V/3."""

    @property
    def label(self) -> str:
        """The bias as it is printed."""
        return self.value.replace("v", "V")


_SHARES = {Bias.HALF: (1 / 2, 1 / 2), Bias.THIRD: (1 / 3, 2 / 3)}
"""Levels of unselected rows and columns over V."""


class Kind(StrEnum):
    """How a cell is not selected."""

    ROW = "row"
    COLUMN = "column"
    NEITHER = "neither"

    @property
    def label(self) -> str:
        """The kind as it is printed."""
        return {
            Kind.ROW: "selected row, unselected column",
            Kind.COLUMN: "unselected row, selected column",
            Kind.NEITHER: "both unselected",
        }[self]


@dataclass(frozen=True)
class KindSummary:
    """The unselected cells of one kind.

    Args:
        kind: of the cells.
        cells: how many there are, at least 1.
        mean_v: of |V|.
        worst_v: the largest |V|.
        expected_false_flips: the sum of their probabilities.
    """

    kind: Kind
    cells: int
    mean_v: float
    worst_v: float
    expected_false_flips: float


@dataclass(frozen=True)
class SneakReport:
    """What every cell sees at the beginning of a phase.

    Args:
        phase: its name.
        bias: of unselected lines.
        level_v: the phase's largest driver level, a magnitude; 0 where nothing is driven.
        v_v: (rows, columns) over each junction, pinned minus free.
        i_a: (rows, columns) from row to column.
        row_selected: (rows,) bool.
        column_selected: (columns,) bool.
        probability: (rows, columns) that an unselected cell flips if it sees this during the whole phase; 0 for
            selected cells, and for those that cannot flip.
    """

    phase: str
    bias: Bias
    level_v: float
    v_v: np.ndarray
    i_a: np.ndarray
    row_selected: np.ndarray
    column_selected: np.ndarray
    probability: np.ndarray

    @property
    def selected(self) -> np.ndarray:
        """(rows, columns) bool."""
        return np.logical_and.outer(self.row_selected, self.column_selected)

    @property
    def unselected_v(self) -> np.ndarray:
        """(n,) |V| of the unselected cells."""
        return np.abs(self.v_v[~self.selected])

    @property
    def mean_v(self) -> float:
        """Mean |V| over the unselected cells; 0 without any."""
        return float(self.unselected_v.mean()) if self.unselected_v.size else 0.0

    @property
    def worst_v(self) -> float:
        """Largest |V| of an unselected cell; 0 without any."""
        return float(self.unselected_v.max(initial=0.0))

    @property
    def expected_false_flips(self) -> float:
        """Sum of the probabilities."""
        return float(self.probability.sum())

    @property
    def kinds(self) -> tuple[KindSummary, ...]:
        """Unselected cells by kind; a kind without cells is left out."""
        rows, columns = self.row_selected, self.column_selected
        found = []
        for kind, chosen in (
            (Kind.ROW, np.logical_and.outer(rows, ~columns)),
            (Kind.COLUMN, np.logical_and.outer(~rows, columns)),
            (Kind.NEITHER, np.logical_and.outer(~rows, ~columns)),
        ):
            if chosen.any():
                volts = np.abs(self.v_v[chosen])
                flips = float(self.probability[chosen].sum())
                found.append(KindSummary(kind, volts.size, float(volts.mean()), float(volts.max()), flips))
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "phase": self.phase,
            "bias": self.bias.value,
            "level_v": self.level_v,
            "mean_v": self.mean_v,
            "worst_v": self.worst_v,
            "expected_false_flips": self.expected_false_flips,
            "kinds": [asdict(summary) | {"kind": summary.kind.value} for summary in self.kinds],
            "v_v": self.v_v.tolist(),
            "i_a": self.i_a.tolist(),
            "selected": self.selected.tolist(),
            "probability": self.probability.tolist(),
        }


@dataclass(frozen=True)
class SchemeResult:
    """A whole write of one scheme, its states frozen.

    Args:
        phases: of the write.
        bias: of unselected lines.
        mean_ratio: of |V| to the phase's largest level, mean over the unselected cells of all phases that drive a row.
        worst_ratio: the largest one.
        expected_false_flips: of the write, in the sense of `SneakReport.probability`.
        energy_j: from the line drivers, mean over the phases; gates and edges left out.
    """

    phases: int
    bias: Bias
    mean_ratio: float
    worst_ratio: float
    expected_false_flips: float
    energy_j: float

    @property
    def label(self) -> str:
        """The scheme as it is printed."""
        return f"{self.phases} phases, {self.bias.label}"

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self) | {"bias": self.bias.value}


@dataclass(frozen=True)
class PaperCase:
    """A statement of section 4.4 beside what the network says.

    Args:
        phases: of the write.
        case: ``worst`` or ``average``.
        direction: in which false flips are looked at.
        expression: the paper's voltage, as it writes it.
        paper_v: its magnitude.
        measured_v: |V| of the worst unselected cell, or the mean over all of them.
        parts_v: the same of their parts, in the average case: for two phases the cells with V > 0 and V < 0, for four
            those of each `Kind`. With half of the lines selected the parts are equal in number, and their voltages add
            up along a loop: that `measured_v` is the paper's value says no more than that, the parts do.
        probability: of a false flip of that cell, or the mean over all of them.
    """

    phases: int
    case: str
    direction: Direction
    expression: str
    paper_v: float
    measured_v: float
    parts_v: tuple[float, ...]
    probability: float

    @property
    def ratio(self) -> float:
        """Measured over published."""
        return self.measured_v / self.paper_v

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        changed = {"direction": self.direction.value, "parts_v": list(self.parts_v), "ratio": self.ratio}
        return asdict(self) | changed


def sneak_report(model: ArrayModel, cells: Cells, phase: Phase, bias: Bias = Bias.FLOATING) -> SneakReport:
    """Return what every cell of `cells` sees at the beginning of `phase`.

    Probabilities hold for a network that stays as it is until the phase ends; columns that switch off before that, and
    cells that flip, change it. `ExactWriter` finds several times fewer false flips with four phases, about as many with
    two.

    Raises:
        InputError: lines of another number than the phase's; an array too large for its wires to be solved; a bias on
            1T1R, where a cell without its gate sees nothing, or in a phase that drives rows with both signs.
        ModelError: a voltage or a duration beyond the switching surface, or a switch's voltage beyond its table.
    """
    return _report(model, _network(model, cells, phase), cells, phase, bias)


def biasing_comparison(model: ArrayModel, cells: Cells, x: np.ndarray, delta: np.ndarray) -> tuple[SchemeResult, ...]:
    """Return what a write of inputs `x`, (rows,), and errors `delta`, (columns,), does to unselected cells.

    Schemes: two phases and four with floating lines, as in the paper; four with V/2, and with V/3 on unselected lines.

    Raises:
        InputError: not a 1R array; a value beyond 1; otherwise as `sneak_report`.
        ModelError: as `sneak_report`.
    """
    _require_one_r(model)
    schemes = ((2, Bias.FLOATING), (4, Bias.FLOATING), (4, Bias.HALF), (4, Bias.THIRD))
    return tuple(_scheme(model, cells, x, delta, phases, bias) for phases, bias in schemes)


def paper_comparison(model: ArrayModel, rng: np.random.Generator, side: int = 32) -> tuple[PaperCase, ...]:
    """Return section 4.4's worst and average cases beside an exact network without wires and with perfect switches.

    The array has `side` rows and columns, and all inputs and errors are 1 or -1. Average: half of them each, random
    states. Worst: one row of the other sign than all others, one unselected column, and parallel cells but the one
    where they cross, which is in the state that is at risk. V_P and V_AP are those of the model's card.

    Raises:
        InputError: not a 1R array, or a side that is not even, or below 2.
    """
    _require_one_r(model)
    if side < 2 or side % 2:
        raise InputError("the array must have halves", given=f"a side of {side}", allowed="2, 4, 6, ...")
    ideal = _without_resistances(model)
    v_v = {direction: float(c.voltage_v(np.ones(1))[0]) for direction, c in model.drive.coefficients.items()}
    v_p, v_ap = v_v[Direction.P_TO_AP], v_v[Direction.AP_TO_P]
    halves = np.where(np.arange(side) < side // 2, 1.0, -1.0)
    random_state = rng.integers(0, 2, (side, side))
    all_but_last = np.where(np.arange(side) < side - 1, 1.0, -1.0)

    def worst(phases: int, direction: Direction, expression: str, paper_v: float) -> PaperCase:
        x = np.full(side, -float(direction.current_sign))
        x[0] = direction.current_sign
        state = np.ones((side, side), dtype=int)
        state[0, -1] = _initial_state(direction)
        report = _first_report(ideal, state, x, all_but_last, phases, direction)
        probability = float(report.probability[0, -1])
        return PaperCase(phases, "worst", direction, expression, paper_v, report.worst_v, (), probability)

    def average(phases: int, direction: Direction, expression: str, paper_v: float) -> PaperCase:
        report = _first_report(ideal, random_state, halves, halves, phases, direction)
        v = report.v_v[~report.selected]
        by_sign = (float(v[v > 0].mean()), float(-v[v < 0].mean()))
        parts_v = by_sign if phases == 2 else tuple(summary.mean_v for summary in report.kinds)
        probability = report.expected_false_flips / v.size
        return PaperCase(phases, "average", direction, expression, paper_v, report.mean_v, parts_v, probability)

    to_ap, to_p = Direction.P_TO_AP, Direction.AP_TO_P
    return (
        worst(2, to_ap, "V_P - V_AP", v_p + v_ap),
        worst(2, to_p, "V_AP - V_P", v_p + v_ap),
        average(2, to_ap, "(V_P - V_AP)/2", (v_p + v_ap) / 2),
        worst(4, to_ap, "V_P", v_p),
        worst(4, to_p, "V_AP", v_ap),
        average(4, to_ap, "V_P/3", v_p / 3),
        average(4, to_p, "V_AP/3", v_ap / 3),
    )


def _report(model: ArrayModel, network: Network, cells: Cells, phase: Phase, bias: Bias) -> SneakReport:
    solution = network.solve(cells, _operation(model, phase, bias, 0.0), thevenin=True)
    row_selected, column_selected = _rows_selected(phase), phase.column_on_s > 0
    unselected = ~np.logical_and.outer(row_selected, column_selected)
    return SneakReport(
        phase=phase.name,
        bias=bias,
        level_v=float(np.abs(phase.row_v[row_selected]).max(initial=0.0)),
        v_v=solution.v_junction_v,
        i_a=solution.i_cell_a,
        row_selected=row_selected,
        column_selected=column_selected,
        probability=np.where(unselected, _probability(model, cells, solution, phase.duration_s), 0.0),
    )


def _rows_selected(phase: Phase) -> np.ndarray:
    """Return the rows, (rows,) bool, that are driven; one held at the common mode for x = 0 is not."""
    return phase.row_on & (phase.row_v != 0)


def _operation(model: ArrayModel, phase: Phase, bias: Bias, now_s: float) -> Operation:
    """Return the lines' state at `now_s` from the phase's start."""
    column_on = phase.column_on_s > now_s
    if bias is Bias.FLOATING:
        return Operation(phase.row_v, phase.row_on, column_on)
    _require_one_r(model)
    row_selected = _rows_selected(phase)
    driven_v = phase.row_v[row_selected]
    lowest_v, highest_v = driven_v.min(initial=0.0), driven_v.max(initial=0.0)
    if lowest_v < 0 < highest_v:
        raise InputError(
            f"{bias.label} needs rows of one sign",
            where=f"phase {phase.name}",
            given=f"rows at {lowest_v:.3g} V and {highest_v:.3g} V",
            next_step="write in four phases",
        )
    row_share, column_share = _SHARES[bias]
    v_v = lowest_v + highest_v
    return Operation(
        row_v=np.where(row_selected, phase.row_v, row_share * v_v),
        row_on=np.ones_like(row_selected),
        column_on=np.ones_like(column_on),
        column_v=np.where(column_on, 0.0, column_share * v_v),
    )


def _probability(model: ArrayModel, cells: Cells, solution: Solution, t_s: float) -> np.ndarray:
    """Return P of a flip, (rows, columns), of every cell within `t_s`."""
    volts, ohms = nominal_equivalent(model, cells, solution)
    found = np.zeros(volts.shape)
    for direction in Direction:
        driven = cells.switches & (cells.state == _initial_state(direction)) & (volts * direction.current_sign > 0)
        v_v = np.abs(volts[driven])
        found[driven] = model.surfaces[direction].at(v_v, np.full_like(v_v, t_s), ohms[driven])
    return found


def _initial_state(direction: Direction) -> int:
    return (1 + direction.initial_mz) // 2


def _scheme(model: ArrayModel, cells: Cells, x: np.ndarray, delta: np.ndarray, phases: int, bias: Bias) -> SchemeResult:
    schedule = write_schedule(x, delta, model.drive, model.architecture, model.array, phases)
    network = _network(model, cells, schedule.phases[0])
    ratios, flips, energy_j = [np.zeros(0)], 0.0, 0.0
    for phase in schedule.phases:
        report = _report(model, network, cells, phase, bias)
        if report.level_v:
            ratios.append(report.unselected_v / report.level_v)
            flips += report.expected_false_flips
            energy_j += _energy_j(model, network, cells, phase, bias)
    ratio = np.concatenate(ratios)
    return SchemeResult(
        phases=phases,
        bias=bias,
        mean_ratio=float(ratio.mean()) if ratio.size else 0.0,
        worst_ratio=float(ratio.max(initial=0.0)),
        expected_false_flips=flips,
        energy_j=energy_j / phases,
    )


def _energy_j(model: ArrayModel, network: Network, cells: Cells, phase: Phase, bias: Bias) -> float:
    """Return what the lines' drivers give in a phase; columns switch off one after another, no cell flips."""
    energy_j = 0.0
    for start_s, end_s in _segments(phase):
        operation = _operation(model, phase, bias, start_s)
        solution = network.solve(cells, operation)
        power_w = (operation.row_v * solution.i_row_a).sum() - (operation.column_v * solution.i_column_a).sum()
        energy_j += float(power_w) * (end_s - start_s)
    return energy_j


def _segments(phase: Phase) -> Iterator[tuple[float, float]]:
    """Yield (start, end) between which no column switches."""
    times = np.unique(np.concatenate(([0.0, phase.duration_s], phase.column_on_s)))
    yield from zip(times[:-1].tolist(), times[1:].tolist(), strict=True)


def _network(model: ArrayModel, cells: Cells, phase: Phase) -> Network:
    shape = cells.state.shape
    lines = (len(phase.row_v), len(phase.column_on_s))
    if shape != lines:
        raise InputError(
            "the phase does not fit the array",
            given=f"{lines[0]} x {lines[1]} lines",
            allowed=f"{shape[0]} x {shape[1]}",
        )
    if model.array.wires.r_segment_ohm and max(shape) > LARGEST_SIDE:
        raise InputError(
            "the array is too large for the exact network",
            given=f"{shape[0]} x {shape[1]}",
            allowed=f"up to {LARGEST_SIDE} x {LARGEST_SIDE} with wires",
            next_step="set r_segment_ohm to 0 in the array card",
        )
    return Network(model.architecture, model.array, lines, model.table)


def _require_one_r(model: ArrayModel) -> None:
    if model.architecture is not Architecture.ONE_R:
        raise InputError(
            "only a 1R array has sneak paths",
            given=model.architecture.value,
            allowed=Architecture.ONE_R.value,
        )


def _without_resistances(model: ArrayModel) -> ArrayModel:
    """Return the model without wires, and with perfect switches."""
    wires = model.array.wires.model_copy(update={"r_segment_ohm": 0.0})
    array = model.array.model_copy(update={"wires": wires})
    table = SwitchTable.ideal(_NO_RESISTANCE_OHM * array.switches.select_width_m)
    return replace(model, array=array, table=table, drive=replace(model.drive, array=array, table=table))


def _first_report(
    model: ArrayModel, state: np.ndarray, x: np.ndarray, delta: np.ndarray, phases: int, direction: Direction
) -> SneakReport:
    """Return the report of the phase with delta > 0 that writes in `direction`."""
    schedule = write_schedule(x, delta, model.drive, model.architecture, model.array, phases)
    # Table 4: rows of x > 0, which go P -> AP, come first.
    phase = schedule.phases[1 if phases == 4 and direction is Direction.AP_TO_P else 0]
    return sneak_report(model, Cells.nominal(model.parameters, state, model.array.r_short_ohm), phase)
