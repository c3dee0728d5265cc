"""The cells of an array: states, resistances that vary from cell to cell, and defects."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Self

import numpy as np

from mtjspice.errors import InputError
from mtjspice.junction.parameters import MacrospinParameters

_CUT_SIGMA = 3.0


class Defect(IntEnum):
    """What is wrong with a cell."""

    NONE = 0
    STUCK = 1
    """Keeps its state, whatever is written."""
    OPEN = 2
    """Conducts nothing."""
    SHORT = 3
    """A resistance of the array card's r_short_ohm in the junction's place."""


@dataclass(frozen=True)
class Cells:
    """Junctions of one card, each with its own resistance.

    Args:
        state: (rows, columns), 1 parallel, 0 antiparallel.
        r_p_ohm: (rows, columns).
        tmr0: (rows, columns), R_AP = R_P (1 + tmr0) at no voltage.
        v_h_v: voltage that halves the TMR.
        defect: (rows, columns) of `Defect`.
        r_short_ohm: of shorted cells.
    """

    state: np.ndarray
    r_p_ohm: np.ndarray
    tmr0: np.ndarray
    v_h_v: float
    defect: np.ndarray
    r_short_ohm: float

    @classmethod
    def nominal(cls, parameters: MacrospinParameters, state: np.ndarray, r_short_ohm: float) -> Self:
        """Return equal junctions in the given states, (rows, columns).

        Raises:
            InputError: a state that is neither 0 nor 1, or not a matrix.
        """
        given = np.asarray(state)
        if given.ndim != 2 or given.size == 0:
            raise InputError("states must be a matrix of rows by columns", given=f"an array of shape {given.shape}")
        if not np.isin(given, (0, 1)).all():
            wrong = given[~np.isin(given, (0, 1))].flat[0]
            raise InputError("a state is neither 0 nor 1", given=wrong, allowed="1 parallel, 0 antiparallel")
        shape = given.shape
        return cls(
            state=given.astype(np.uint8),
            r_p_ohm=np.full(shape, parameters.r_p_ohm),
            tmr0=np.full(shape, parameters.tmr0),
            v_h_v=parameters.v_h_v,
            defect=np.zeros(shape, dtype=np.uint8),
            r_short_ohm=r_short_ohm,
        )

    def varied(self, percent: float, rng: np.random.Generator) -> Self:
        """Return cells whose R_P and R_AP are independently Gaussian, sigma `percent` %, cut at 3 sigma.

        Raises:
            InputError: a spread below 0, or one that could make a resistance negative.
        """
        require_spread(percent)
        r_ap = self.r_p_ohm * (1 + self.tmr0) * _spread(percent, self.state.shape, rng)
        r_p = self.r_p_ohm * _spread(percent, self.state.shape, rng)
        return replace(self, r_p_ohm=r_p, tmr0=r_ap / r_p - 1)

    def with_defects(
        self,
        stuck: Iterable[tuple[int, int]] = (),
        opens: Iterable[tuple[int, int]] = (),
        shorts: Iterable[tuple[int, int]] = (),
    ) -> Self:
        """Return cells of which those at (row, column), from 0, are defective; a stuck one keeps its state.

        Raises:
            InputError: a cell outside the array, or with two defects.
        """
        defect = self.defect.copy()
        for kind, places in ((Defect.STUCK, stuck), (Defect.OPEN, opens), (Defect.SHORT, shorts)):
            for row, column in places:
                rows, columns = defect.shape
                if not (0 <= row < rows and 0 <= column < columns):
                    raise InputError(
                        "there is no such cell",
                        given=f"row {row + 1}, column {column + 1}",
                        allowed=f"rows 1 to {rows}, columns 1 to {columns}",
                    )
                if defect[row, column] not in (Defect.NONE, kind):
                    was = Defect(defect[row, column]).name.lower()
                    raise InputError(
                        f"a cell is both {was} and {kind.name.lower()}",
                        where=f"row {row + 1}, column {column + 1}",
                        allowed="one defect a cell",
                    )
                defect[row, column] = kind
        return replace(self, defect=defect)

    def with_state(self, state: np.ndarray) -> Self:
        """Return the same cells in other states, (rows, columns)."""
        return replace(self, state=state.astype(np.uint8))

    @property
    def switches(self) -> np.ndarray:
        """(rows, columns) bool: cells that can be written."""
        return self.defect == Defect.NONE

    def conductance_s(self, v_v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return G(V) and the tangent d(G V)/dV, (rows, columns) siemens, at `v_v` over each junction."""
        g_p = 1 / self.r_p_ohm
        # With d = v_h^2/(v_h^2 + v^2): G_AP = G_P/(1 + tmr0 d), dG_AP/dV = 2 v tmr0 d^2/v_h^2 G_AP^2/G_P.
        d = 1 / (1 + (v_v / self.v_h_v) ** 2)
        g_ap = g_p / (1 + self.tmr0 * d)
        slope = 2 * v_v * self.tmr0 * d**2 / self.v_h_v**2 * g_ap**2 / g_p
        parallel = self.state == 1
        g = np.where(parallel, g_p, g_ap)
        tangent = np.where(parallel, g_p, g_ap + v_v * slope)
        short = self.defect == Defect.SHORT
        if short.any():
            g, tangent = np.where(short, 1 / self.r_short_ohm, g), np.where(short, 1 / self.r_short_ohm, tangent)
        is_open = self.defect == Defect.OPEN
        if is_open.any():
            g, tangent = np.where(is_open, 0.0, g), np.where(is_open, 0.0, tangent)
        return g, tangent


def require_spread(percent: float) -> None:
    """Require a spread of resistances that makes none negative.

    Raises:
        InputError: it is out of range.
    """
    if not 0 <= percent < 100 / _CUT_SIGMA:
        raise InputError("the spread of resistances is out of range", given=f"{percent:g} %", allowed="0 to below 33 %")


def _spread(percent: float, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return factors around 1; draws beyond the cut are drawn again."""
    z = rng.standard_normal(shape)
    while (beyond := np.abs(z) > _CUT_SIGMA).any():
        z[beyond] = rng.standard_normal(int(beyond.sum()))
    return 1 + percent / 100 * z
