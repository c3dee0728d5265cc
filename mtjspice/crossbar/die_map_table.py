"""A CSV of measured cells as a checked table: readings in ohm, and every cell of every array there once."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mtjspice.errors import DataError

RESISTANCES = ("r_p_ohm", "r_ap_ohm")
CONDUCTANCES = ("g_p_s", "g_ap_s")
SI_OHM = 1.0
"""A column of smaller resistances holds siemens: no junction has 1 ohm, and none has 1 S."""

_PLACE = ["die", "array", "row", "column"]
_LARGEST = 4096
"""Number of an array, a row or a column; a larger one is no place."""
_LONGEST_NAME = 30
_FAULTS_SHOWN = 10

Shapes = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class MapTable:
    """Readings, and the text that they are from.

    Args:
        path: of the file.
        text: in it.
        cells: die, array, row, column (from 1), r_p_ohm and r_ap_ohm; the index counts the lines below the header.
    """

    path: Path
    text: str
    cells: pd.DataFrame

    def refuse(self, faults: Iterable[tuple[int, str]], next_step: str | None = None) -> None:
        """Raise a `DataError` that names faulty rows, by the index of `cells`, by their lines, if there are any."""
        faults = sorted(faults)
        if not faults:
            return
        lines = [number for number, line in enumerate(self.text.splitlines(), 1) if line.partition("#")[0].strip()]
        shown = [f"\n  - line {lines[row + 1]}: {fault}" for row, fault in faults[:_FAULTS_SHOWN]]
        more = f"\n  - and {len(faults) - _FAULTS_SHOWN} more" if len(faults) > _FAULTS_SHOWN else ""
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise DataError(f"the maps have {count}:{''.join(shown)}{more}", where=self.path, next_step=next_step)

    def cell(self, row: int) -> str:
        """Return the place of a row's cell in words."""
        die, array, line, column = self.cells.loc[row, _PLACE]
        return f"die {die}, array {array}, row {line}, column {column}"


def read_table(path: Path, shapes: Shapes | None) -> tuple[MapTable, Shapes]:
    """Return the readings of a file, and the shapes of its arrays.

    Cells come in the order of arrays, rows and columns, die by die as the file first names them.

    Args:
        shapes: (rows, columns) that each array must have; as the largest row and column say without.

    Raises:
        DataError: the file cannot be used; faulty lines are named.
    """
    found, columns = _read(path)
    _require_values(found, columns)
    _to_ohm(found, columns)
    if shapes is None:
        shapes = _largest(found)
    else:
        _require_inside(found, shapes)
    _require_all(found, shapes)
    cells = found.cells.astype({"die": pd.CategoricalDtype(list(found.cells["die"].unique()))})
    return MapTable(path, found.text, cells.sort_values(_PLACE)), shapes


def _read(path: Path) -> tuple[MapTable, tuple[str, str]]:
    """Return the table as it stands, and the columns that hold its readings."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        table = pd.read_csv(io.StringIO(text), skipinitialspace=True, comment="#", dtype={"die": str})
    except (OSError, ValueError) as error:  # pandas' own errors are kinds of ValueError
        raise DataError("cannot read the maps", where=path, given=error) from error
    if not isinstance(table.index, pd.RangeIndex):
        raise DataError("the maps have lines longer than their header", where=path)
    pairs = [pair for pair in (RESISTANCES, CONDUCTANCES) if all(name in table for name in pair)]
    missing = not {"die", "row", "column"} <= set(table)
    if missing or len(pairs) != 1:
        raise DataError(
            "the maps lack a column" if missing or not pairs else "resistances and conductances exclude each other",
            where=path,
            given=", ".join(map(str, table.columns)),
            allowed="die, array (where dies have several), row, column, r_p_ohm and r_ap_ohm (or g_p_s and g_ap_s)",
        )
    if table.empty:
        raise DataError("there are no cells below the header", where=path)
    if "array" not in table:
        table["array"] = 1
    return MapTable(path, text, table[[*_PLACE, *pairs[0]]].copy()), pairs[0]


def _require_values(found: MapTable, columns: tuple[str, str]) -> None:
    """Require names, whole numbers from 1, and readings of 0 or more."""
    table = found.cells
    names = table["die"].fillna("").str.strip()
    nameless = (names == "") | (names.str.len() > _LONGEST_NAME) | ~names.map(str.isprintable)
    faults = [(row, f"a die has a name of 1 to {_LONGEST_NAME} characters") for row in table.index[nameless]]
    table["die"] = names
    for name in (*_PLACE[1:], *columns):
        numbers = pd.to_numeric(table[name], errors="coerce")
        faults += [(row, f"{name} = {table[name][row]} is not a number") for row in table.index[numbers.isna()]]
        if name in columns:
            wrong, allowed = numbers < 0, "0 or more"
        else:
            wrong = ((numbers < 1) | (numbers > _LARGEST) | (numbers % 1 != 0)) & numbers.notna()
            allowed = f"a whole number from 1 to {_LARGEST}"
        faults += [(row, f"{name} = {numbers[row]:g} must be {allowed}") for row in table.index[wrong]]
        table[name] = numbers
    found.refuse(faults)
    table[_PLACE[1:]] = table[_PLACE[1:]].astype(int)


def _to_ohm(found: MapTable, columns: tuple[str, str]) -> None:
    """Add columns in ohm; require that readings are what their columns say."""
    table = found.cells
    for name, ohm in zip(columns, RESISTANCES, strict=True):
        middle, siemens = float(table[name].median()), name in CONDUCTANCES
        # A median of 0 is an open cell's conductance, or a short's resistance, and says nothing of units.
        if middle > 1 / SI_OHM if siemens else 0 < middle < SI_OHM:
            is_like, is_called = ("ohm", "siemens") if siemens else ("siemens", "ohm")
            raise DataError(
                f"{name} looks like {is_like}, not like {is_called}",
                where=found.path,
                given=f"a median of {middle:.4g}",
                allowed="r_p_ohm and r_ap_ohm in ohm, or g_p_s and g_ap_s in siemens",
                next_step="rename the columns, or convert them",
            )
        with np.errstate(divide="ignore"):
            table[ohm] = 1 / table[name] if siemens else table[name].astype(float)
    p_ohm, ap_ohm = (float(table[ohm].median()) for ohm in RESISTANCES)
    if ap_ohm < p_ohm:
        raise DataError(
            "R_AP is below R_P",
            where=found.path,
            given=f"medians of {ap_ohm:.4g} and {p_ohm:.4g} ohm",
            next_step="exchange the names of both columns, if that is what happened",
        )


def _largest(found: MapTable) -> Shapes:
    """Return the arrays' shapes as the largest row and column say."""
    sides = found.cells.groupby("array")[["row", "column"]].max()
    if len(sides) != sides.index[-1]:
        missing = min(set(range(1, len(sides) + 1)) - set(sides.index))
        raise DataError("arrays are numbered from 1", where=found.path, given=f"no cell of array {missing}")
    return tuple((int(rows), int(columns)) for rows, columns in sides.to_numpy())


def _require_inside(found: MapTable, shapes: Shapes) -> None:
    table = found.cells
    known = table["array"] <= len(shapes)
    rows, columns = np.array(shapes)[np.where(known, table["array"], 1) - 1].T
    outside = ~known | (table["row"] > rows) | (table["column"] > columns)
    found.refuse(
        ((row, f"{found.cell(row)} is outside {_sizes(shapes)}") for row in table.index[outside]),
        "check the network that the sizes are of, and that rows and columns are not exchanged",
    )


def _require_all(found: MapTable, shapes: Shapes) -> None:
    """Require every cell of every die once."""
    table = found.cells
    twice = table.index[table.duplicated(_PLACE)]
    found.refuse(
        ((row, f"{found.cell(row)} is there already") for row in twice),
        "keep one line for each cell; where a die has several arrays, number them in a column `array`",
    )
    total = sum(rows * columns for rows, columns in shapes)
    counts = table.groupby("die", sort=False).size()
    lacking = counts.index[counts < total]
    if len(lacking):
        first, others = lacking[0], f"; {len(lacking)} dies lack cells" if len(lacking) > 1 else ""
        raise DataError(
            "a die lacks cells",
            where=found.path,
            given=f"die {first}: {counts[first]:,} of {total:,} cells, "
            f"{_first_missing(table[table['die'] == first], shapes)}{others}",
            allowed=f"in every die {_sizes(shapes)}, whole",
            next_step="give inf ohm, or 0 S, for cells without a reading, so that they count as open",
        )


def _first_missing(cells: pd.DataFrame, shapes: Shapes) -> str:
    """Return the first place without a cell, of a die that lacks one."""
    places = ((array, *shape) for array, shape in enumerate(shapes, 1))
    for array, rows, columns in places:
        there = np.zeros((rows, columns), dtype=bool)
        of_array = cells[cells["array"] == array]
        there[of_array["row"] - 1, of_array["column"] - 1] = True
        if of_array.empty:
            return f"none of array {array}"
        if not there.all():
            row, column = np.argwhere(~there)[0] + 1
            return f"not array {array}, row {row}, column {column}"
    raise AssertionError("no cell is missing")


def _sizes(shapes: Shapes) -> str:
    arrays = " and ".join(f"{rows} x {columns}" for rows, columns in shapes)
    return f"{'an array' if len(shapes) == 1 else 'arrays'} of {arrays} cells"
