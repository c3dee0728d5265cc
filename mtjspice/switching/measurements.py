"""The `measured` engine: a user's own table of pulses."""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.errors import DataError
from mtjspice.switching.points import Counts, Point
from mtjspice.switching.surface import level_column

_COMMON = ("direction", "width_s", "trials", "switched")
_LARGEST = {Drive.CURRENT: 0.1, Drive.VOLTAGE: 10.0}
"""A magnitude above these is a unit taken for another: microamperes or millivolts written as A or V."""
_LONGEST_S = 1.0
_MOST_TRIALS = 1e12
_FAULTS_SHOWN = 10


def read_measurements(path: Path) -> list[Counts]:
    """Read a CSV of pulses: direction, current_a or voltage_v, width_s, trials, switched.

    Repeated rows of one pulse are added up. Signs of current and voltage are dropped; the direction carries them.

    Returns:
        One entry for each direction, level and set of widths, in increasing order of level.

    Raises:
        DataError: with every faulty line named.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        table = pd.read_csv(io.StringIO(text), skipinitialspace=True, comment="#")
    except (OSError, ValueError) as error:  # pandas' own errors are kinds of ValueError
        raise DataError("cannot read the measurements", where=path, given=error) from error
    if not isinstance(table.index, pd.RangeIndex):
        raise DataError("the measurements have lines longer than their header", where=path)
    drive = _drive(table, path)
    if table.empty:
        raise DataError("there are no measurements below the header", where=path)
    column = level_column(drive)
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.partition("#")[0].strip()]
    faults = [f"line {lines[row + 1]}: {fault}" for row, fault in _faults(table, drive)]
    if faults:
        more = f"\n  - and {len(faults) - _FAULTS_SHOWN} more" if len(faults) > _FAULTS_SHOWN else ""
        raise DataError(
            f"the measurements have {len(faults)} fault{'s' if len(faults) > 1 else ''}:\n"
            + "\n".join(f"  - {fault}" for fault in faults[:_FAULTS_SHOWN])
            + more,
            where=path,
            allowed=f"direction ap_to_p or p_to_ap, {column} and width_s in SI units, 0 <= switched <= trials",
        )
    table[column] = table[column].abs()
    pulses = table.groupby(["direction", column, "width_s"], sort=True)[["trials", "switched"]].sum().reset_index()
    # Widths of one level may have been tried unequally often; each number of trials is a point of its own.
    groups: dict[tuple[str, float, int], list[tuple[float, int]]] = {}
    for direction, level, width_s, trials, switched in pulses.itertuples(index=False, name=None):
        groups.setdefault((direction, level, int(trials)), []).append((width_s, int(switched)))
    return [
        Counts(
            Point(Direction(direction), drive, level, tuple(width for width, _ in rows), trials),
            np.array([switched for _, switched in rows]),
            trials,
            {},
        )
        for (direction, level, trials), rows in groups.items()
    ]


def _drive(table: pd.DataFrame, path: Path) -> Drive:
    drives = [drive for drive in Drive if level_column(drive) in table.columns]
    missing = [column for column in _COMMON if column not in table.columns]
    if missing or len(drives) != 1:
        raise DataError(
            "the measurements lack a column" if missing or not drives else "current_a and voltage_v exclude each other",
            where=path,
            given=", ".join(map(str, table.columns)),
            allowed=f"{', '.join(_COMMON)} and either current_a or voltage_v, separated by commas",
        )
    return drives[0]


def _faults(table: pd.DataFrame, drive: Drive) -> list[tuple[int, str]]:
    """Return the row and the kind of every fault, in the order of the rows."""
    column = level_column(drive)
    faults = []
    for name in (column, "width_s", "trials", "switched"):
        numbers = pd.to_numeric(table[name], errors="coerce")
        faults += [(i, f"{name} = {table[name][i]} is not a number") for i in np.flatnonzero(numbers.isna())]
        table[name] = numbers
    wrong = ~table["direction"].isin([d.value for d in Direction])
    faults += [(i, f"direction = {table['direction'][i]} is unknown") for i in np.flatnonzero(wrong)]
    checks = {
        f"{column} must be in SI units, not 0 and at most {_LARGEST[drive]:g} {drive.unit}": (
            (table[column].abs() > _LARGEST[drive]) | (table[column] == 0)
        ),
        f"width_s must lie between 0 and {_LONGEST_S:g} s": (table["width_s"] <= 0) | (table["width_s"] > _LONGEST_S),
        f"trials must be a whole number from 1 to {_MOST_TRIALS:.0e}": (
            ~table["trials"].between(1, _MOST_TRIALS) | (table["trials"] % 1 != 0)
        ),
        "switched must be a whole number of at least 0": (table["switched"] < 0) | (table["switched"] % 1 != 0),
        "more switched than trials": table["switched"] > table["trials"],
    }
    for text, bad in checks.items():
        faults += [(i, text) for i in np.flatnonzero(bad)]
    return sorted((int(row), text) for row, text in faults)
