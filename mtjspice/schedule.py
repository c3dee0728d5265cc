"""When which line is driven, and how: the phases of a read, a write and a whole step, as plain data.

Netlist and surrogate are made from the same schedule. Levels are against the common mode, the potential of idle lines.
A phase starts and a pulse ends where their edges are at 50 %.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mtjspice.cards.array import Architecture, ArrayCard
from mtjspice.cards.conventions import Direction
from mtjspice.errors import InputError

Points = tuple[tuple[float, float], ...]
"""(time, level) corners of a waveform, s and V."""


class Drive(Protocol):
    """A calibrated cell, as a schedule needs it."""

    @property
    def t0_s(self) -> float:
        """Shortest pulse (eq. 6)."""

    @property
    def t1_s(self) -> float:
        """What |delta| = 1 adds to it."""

    def row_voltage_v(self, direction: Direction, x_abs: np.ndarray) -> np.ndarray:
        """Return the signed driver levels, (rows,) V, that write with |x| in `direction`."""


@dataclass(frozen=True)
class Phase:
    """One phase: constant levels, and columns that are switched off one after another.

    Args:
        name: for people and for measurements, lower case.
        start_s: where the edges that begin it are at 50 %.
        duration_s: from there to the 50 % of the rows' return.
        row_v: (rows,) driver levels, V.
        row_on: (rows,) whether a 1R row is connected to its driver; otherwise it floats.
        column_on_s: (columns,) for how long a column is selected; 0: never.
    """

    name: str
    start_s: float
    duration_s: float
    row_v: np.ndarray
    row_on: np.ndarray
    column_on_s: np.ndarray

    @property
    def end_s(self) -> float:
        """Where the rows' return is at 50 %."""
        return self.start_s + self.duration_s


@dataclass(frozen=True)
class Schedule:
    """A sequence of phases on an array of (rows, columns) cells."""

    architecture: Architecture
    edge_s: float
    gap_s: float
    phases: tuple[Phase, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return len(self.phases[0].row_v), len(self.phases[0].column_on_s)

    @property
    def stop_s(self) -> float:
        """Where the last phase's gap ends."""
        return self.phases[-1].end_s + self.gap_s

    def row_waveform(self, row: int) -> Points:
        """Return the driver's corners: to a phase's level and back to the common mode."""
        pulses = [(p.start_s, p.end_s, float(p.row_v[row])) for p in self.phases if p.row_v[row] != 0]
        return _waveform(pulses, 0.0, self.edge_s)

    def row_enable_waveform(self, row: int, off_v: float, on_v: float) -> Points:
        """Return the corners of a 1R row's gate e_i (Table 4); it opens when the driver is back at the common mode."""
        pulses = [(p.start_s, p.end_s + 1.5 * self.edge_s, on_v) for p in self.phases if p.row_on[row]]
        return _waveform(pulses, off_v, self.edge_s)

    def column_waveform(self, column: int, off_v: float, on_v: float) -> Points:
        """Return the corners of a column's gate c_j (eq. 10, Table 4)."""
        pulses = [
            (p.start_s, p.start_s + float(p.column_on_s[column]), on_v)
            for p in self.phases
            if p.column_on_s[column] > 0
        ]
        return _waveform(pulses, off_v, self.edge_s)


def read_phase(x: np.ndarray, columns: int, array: ArrayCard, start_s: float) -> Phase:
    """Return the read of inputs `x`, (rows,) in [-1, 1]: every row driven at x v_read, every column selected.

    Raises:
        InputError: an input beyond 1, or not a vector.
    """
    x = _checked("x", x)
    t_read_s = array.read.t_read_s
    on = np.ones(len(x), dtype=bool)
    return Phase("read", start_s, t_read_s, x * array.read.v_read_v, on, np.full(columns, t_read_s))


def read_schedule(x: np.ndarray, columns: int, architecture: Architecture, array: ArrayCard) -> Schedule:
    """Return a read alone; raises as `read_phase` does."""
    timing = array.timing
    return Schedule(architecture, timing.edge_s, timing.gap_s, (read_phase(x, columns, array, timing.edge_s),))


def write_schedule(
    x: np.ndarray, delta: np.ndarray, drive: Drive, architecture: Architecture, array: ArrayCard, phases: int
) -> Schedule:
    """Return the write phases alone, of inputs `x`, (rows,), and errors `delta`, (columns,), both in [-1, 1].

    Two phases: columns with delta > 0, then those with delta < 0 (eqs. 10 and 11). Four: each of them with the rows of
    x > 0, then of x < 0 (Table 4). A column with delta = 0 is never selected; a row with x = 0 stays at the common
    mode, or floats in the four-phase scheme.

    Raises:
        InputError: a value beyond 1, not a vector, or phases that the architecture does not have.
    """
    timing = array.timing
    found = _write_phases(x, delta, drive, architecture, array, phases, timing.edge_s)
    return Schedule(architecture, timing.edge_s, timing.gap_s, found)


def step_schedule(
    x: np.ndarray, delta: np.ndarray, drive: Drive, architecture: Architecture, array: ArrayCard, phases: int
) -> Schedule:
    """Return a whole training step, the read and then the write phases (Fig. 4b); raises as `write_schedule` does."""
    timing = array.timing
    read = read_phase(x, len(np.atleast_1d(delta)), array, timing.edge_s)
    writes = _write_phases(x, delta, drive, architecture, array, phases, read.end_s + timing.gap_s)
    return Schedule(architecture, timing.edge_s, timing.gap_s, (read, *writes))


def _write_phases(
    x: np.ndarray,
    delta: np.ndarray,
    drive: Drive,
    architecture: Architecture,
    array: ArrayCard,
    phases: int,
    start_s: float,
) -> tuple[Phase, ...]:
    x, delta = _checked("x", x), _checked("delta", delta)
    if phases not in architecture.phases:
        raise InputError(
            f"{architecture} has no write of {phases} phases",
            given=phases,
            allowed=" or ".join(map(str, architecture.phases)),
        )
    t_wr_s = drive.t0_s + drive.t1_s * np.abs(delta)
    duration_s = drive.t0_s + drive.t1_s
    rows: Sequence[tuple[str, Callable[[np.ndarray], np.ndarray]]]
    if phases == 2:
        # A row with x = 0 is driven to the common mode.
        rows = [("", lambda values: np.ones(values.shape, dtype=bool))]
    else:
        rows = [("_x_pos", lambda values: values > 0), ("_x_neg", lambda values: values < 0)]
    found = []
    for delta_name, delta_sign in (("delta_pos", 1), ("delta_neg", -1)):
        for row_name, chosen in rows:
            row_on = chosen(x)
            # Table 1: x delta > 0 lowers the weight, P -> AP.
            row_v = np.zeros(len(x))
            for direction, sign in ((Direction.P_TO_AP, 1), (Direction.AP_TO_P, -1)):
                cells = row_on & (np.sign(x) * delta_sign == sign)
                row_v[cells] = drive.row_voltage_v(direction, np.abs(x[cells]))
            found.append(
                Phase(
                    f"{delta_name}{row_name}",
                    start_s,
                    duration_s,
                    row_v,
                    row_on,
                    np.where(np.sign(delta) == delta_sign, t_wr_s, 0.0),
                )
            )
            start_s += duration_s + array.timing.gap_s
    return tuple(found)


def _checked(name: str, values: np.ndarray) -> np.ndarray:
    vector = np.asarray(values, dtype=float)
    if vector.ndim != 1 or vector.size == 0:
        raise InputError(f"{name} must be a vector", given=f"an array of shape {vector.shape}")
    if not (np.abs(vector) <= 1).all():
        worst = vector[int(np.argmax(np.where(np.isnan(vector), np.inf, np.abs(vector))))]
        raise InputError(
            f"{name} is out of range",
            given=f"{worst:g}",
            allowed="-1 to 1",
            next_step="training clips to this range; scale or clip what you pass here",
        )
    return vector


def _waveform(pulses: Sequence[tuple[float, float, float]], idle_v: float, edge_s: float) -> Points:
    """Return corners of pulses (start, end, level), each measured at 50 % of its edges.

    A pulse that starts where the one before it ends at the same level is one with it.
    """
    half = edge_s / 2
    points: list[tuple[float, float]] = [(0.0, idle_v)]
    for start, end, level in pulses:
        points += [(start - half, idle_v), (start + half, level), (end - half, level), (end + half, idle_v)]
    return tuple(points)
