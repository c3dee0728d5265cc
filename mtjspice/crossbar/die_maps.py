"""Dies from measured maps: what each cell is, told by its two readings.

A reading is of a cell as a read sees it: R_P or R_AP of the junction at the read voltage, and what is in series.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from mtjspice.crossbar.cells import Cells, Defect
from mtjspice.crossbar.die_map_table import MapTable, Shapes, read_table
from mtjspice.crossbar.dies import Die
from mtjspice.errors import DataError, InputError
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import antiparallel_resistance_ohm

SHORT_SHARE = 0.25
"""Of the nominal R_P; a junction with a reading below it is shorted. Midway, in logarithms, from a short of 250 ohm to
a junction of some kilo-ohms; 5 sigma of 10 % below the median of a die at half of the nominal R_P is 0.3."""
OPEN_TIMES = 4.0
"""The nominal R_AP; a junction with a reading above it is open. The short's share the other way round."""
ALIKE_SHARE = 0.25
"""Of the nominal ln(R_AP/R_P); readings that differ by less are of one state. Healthy cells, whose TMR varies by 5 %,
and stuck ones, whose readings differ by the meter's error, are both far from it."""
CARD_FACTOR = 2.0
"""Between a die's median R_P and the nominal one; beyond it the die is of another card. A process keeps R_P within some
ten per cent, and up to here the other thresholds tell defects from junctions."""

_HEALTHY, _SHORT, _OPEN, _STUCK_P, _STUCK_AP = range(5)
_DEFECT = np.array([Defect.NONE, Defect.SHORT, Defect.OPEN, Defect.STUCK, Defect.STUCK], dtype=np.uint8)


def read_maps(
    path: Path,
    parameters: MacrospinParameters,
    *,
    v_read_v: float,
    in_series_ohm: float,
    r_short_ohm: float,
    shapes: Shapes | None = None,
) -> tuple[Die, ...]:
    """Read a CSV of cells: die, array, row, column, and r_p_ohm and r_ap_ohm, or g_p_s and g_ap_s.

    Arrays, rows and columns count from 1; without a column `array` a die is one array. A reading of inf ohm, or of 0 S,
    is an open cell's. Healthy and stuck cells conduct in a read as they were measured. Shorts get `r_short_ohm`. What a
    map does not tell, the TMR of stuck cells and both resistances of shorted and open ones, is nominal.

    Args:
        parameters: the nominal junction.
        v_read_v: at which the cells were measured.
        in_series_ohm: in each reading beside its junction.
        r_short_ohm: of shorted junctions.
        shapes: (rows, columns) of each array; as the largest row and column say without.

    Returns:
        The dies in the order in which the table first names them.

    Raises:
        DataError: the table cannot be used; faulty lines are named.
        InputError: a resistance in series that is negative or not finite.
    """
    if not 0 <= in_series_ohm < np.inf:
        raise InputError(
            "the resistance in series is out of range", given=f"{in_series_ohm:g} ohm", allowed="0 or more"
        )
    table, shapes = read_table(path, shapes)
    _require_card(table, parameters, in_series_ohm)
    nominal_ap_ohm = float(antiparallel_resistance_ohm(parameters, v_read_v))
    r_p_ohm, r_ap_ohm = (table.cells[name].to_numpy() - in_series_ohm for name in ("r_p_ohm", "r_ap_ohm"))
    kind = _kinds(table, r_p_ohm, r_ap_ohm, parameters.r_p_ohm, nominal_ap_ohm)
    healthy, stuck = kind == _HEALTHY, kind >= _STUCK_P
    # Of a stuck cell's one state, by both readings.
    only_ohm = np.sqrt(np.where(stuck, r_p_ohm, 1.0) * np.where(stuck, r_ap_ohm, 1.0))
    tmr = np.divide(r_ap_ohm, r_p_ohm, out=np.ones(len(kind)), where=healthy) - 1
    fields = {
        "state": (kind == _STUCK_P).astype(np.uint8),
        "r_p_ohm": np.select(
            [healthy, kind == _STUCK_P, kind == _STUCK_AP],
            [r_p_ohm, only_ohm, only_ohm * parameters.r_p_ohm / nominal_ap_ohm],
            parameters.r_p_ohm,
        ),
        # TMR(V) = tmr0/(1 + (V/V_h)^2).
        "tmr0": np.where(healthy, tmr * (1 + (v_read_v / parameters.v_h_v) ** 2), parameters.tmr0),
        "defect": _DEFECT[kind],
    }
    names = table.cells["die"].cat.categories
    by_die = {field: values.reshape(len(names), -1) for field, values in fields.items()}
    return tuple(
        Die(name, _arrays({field: values[number] for field, values in by_die.items()}, shapes, parameters, r_short_ohm))
        for number, name in enumerate(names)
    )


def _require_card(table: MapTable, parameters: MacrospinParameters, in_series_ohm: float) -> None:
    """Require of every die that its median R_P is about the nominal one."""
    cells, nominal = table.cells, parameters.r_p_ohm
    finite = cells["r_p_ohm"].where(np.isfinite(cells["r_p_ohm"]))
    middle_ohm = finite.groupby(cells["die"], observed=True).median().fillna(np.inf) - in_series_ohm
    wrong = middle_ohm[~middle_ohm.between(nominal / CARD_FACTOR, nominal * CARD_FACTOR)]
    if len(wrong):
        others = f", and of {len(wrong) - 1} more dies" if len(wrong) > 1 else ""
        raise DataError(
            "the junctions are not those of the card",
            where=table.path,
            given=f"a median R_P of {wrong.iloc[0]:.4g} ohm of die {wrong.index[0]}{others}",
            allowed=f"{nominal / CARD_FACTOR:.4g} to {nominal * CARD_FACTOR:.4g} ohm; the card's is {nominal:.4g} ohm",
            next_step="give the card of these junctions, and check what is in series with them: "
            f"{in_series_ohm:.4g} ohm were taken off each reading",
        )


def _kinds(
    table: MapTable, r_p_ohm: np.ndarray, r_ap_ohm: np.ndarray, nominal_p_ohm: float, nominal_ap_ohm: float
) -> np.ndarray:
    """Return what each cell is, (cells,).

    A broken barrier stays broken, and nobody knows which reading came first: one of them is enough for a short or an
    open cell. Which state a cell is stuck in is told by its die's healthy ones, so that a factor common to the die does
    not matter.
    """
    short = np.minimum(r_p_ohm, r_ap_ohm) < SHORT_SHARE * nominal_p_ohm
    is_open = ~short & (np.maximum(r_p_ohm, r_ap_ohm) > OPEN_TIMES * nominal_ap_ohm)
    junction = ~(short | is_open)
    ln_p, ln_ap = (
        pd.Series(np.log(r_ohm, out=np.full(len(r_ohm), np.nan), where=junction), table.cells.index)
        for r_ohm in (r_p_ohm, r_ap_ohm)
    )
    alike = ALIKE_SHARE * np.log(nominal_ap_ohm / nominal_p_ohm)
    table.refuse(
        ((row, f"R_AP is below R_P in {table.cell(row)}") for row in table.cells.index[ln_ap - ln_p < -alike]),
        "measure these cells again, or give both readings as inf ohm, or 0 S, for them to count as open",
    )
    both, stuck = ln_p + ln_ap, (ln_ap - ln_p).abs() < alike
    middle = both.where(~stuck).groupby(table.cells["die"], observed=True).transform("median")
    parallel = both < middle.fillna(np.log(nominal_p_ohm * nominal_ap_ohm))
    return np.select([short, is_open, stuck & parallel, stuck], [_SHORT, _OPEN, _STUCK_P, _STUCK_AP], _HEALTHY)


def _arrays(
    fields: dict[str, np.ndarray], shapes: Shapes, parameters: MacrospinParameters, r_short_ohm: float
) -> tuple[Cells, ...]:
    """Return a die's arrays; its cells are one after the other in every field."""
    ends = np.cumsum([rows * columns for rows, columns in shapes])[:-1]
    parts = {field: np.split(values, ends) for field, values in fields.items()}
    return tuple(
        Cells(
            **{field: values[number].reshape(shape) for field, values in parts.items()},
            v_h_v=parameters.v_h_v,
            r_short_ohm=r_short_ohm,
        )
        for number, shape in enumerate(shapes)
    )
