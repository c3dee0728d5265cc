"""Pulses for wanted probabilities, and what they come to at each junction.

A pulse's strength is one number for its level and its width. From 0 to 1 the width grows from t0 to t0 + t1 at I0; from
1 to 2 the current grows from I0 to I0 + I1 at the longest width. Both directions share the strength, each with its own
coefficients; the probability of a strength is the mean of the two. All that is known comes from the voltage surface of
the calibrated cell.

The functions take numpy's arrays, or those of another module with its names: `xp`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from mtjspice.calibration.drive import CellDrive
from mtjspice.cards.conventions import Direction
from mtjspice.errors import InputError, ModelError
from mtjspice.surrogate.ideal_array import LARGEST_RATIO, LEAST_RATIO, WriteDevice, write_device
from mtjspice.surrogate.model import ArrayModel

NO_PULSE = -1.0
"""The strength of none."""
STRONGEST = 2.0
_REQUESTS = 513
"""Knots of strength by probability."""


class PulseTables(NamedTuple):
    """Strengths and probabilities; rates are -log(1 - P), and their fourth roots nearly straight lines."""

    strength: Any
    """(requests,) at equally spaced fourth roots of a wanted rate."""
    first: float
    """Fourth root of the least rate, which the shortest pulse has."""
    last: float
    """Of the largest, which the strongest has."""
    root: Any
    """(2, strengths) fourth root of a nominal junction's rate out of AP (0) and P (1), at equally spaced strengths."""
    roots: Any
    """(2, ratios, strengths) the same of junctions that carry another current, at equally spaced ratios."""
    bend: Any
    """(2,) of `WriteDevice`."""
    widths: int
    """How many there are, at I0; 0 for any width, and any current above I0."""

    def converted(self, convert: Callable[[np.ndarray], Any]) -> "PulseTables":
        """Return the tables with other arrays."""
        arrays = {name: convert(getattr(self, name)) for name in ("strength", "root", "roots", "bend")}
        return self._replace(**arrays)


def pulse_tables(model: ArrayModel, widths: int | None = None, device: WriteDevice | None = None) -> PulseTables:
    """Return the tables of a 1T1R model.

    Args:
        model: of the cells.
        widths: how many widths the driver has, in the middles of equal parts of t0 to t0 + t1; None for any.
        device: of the model, if it is at hand.

    Raises:
        InputError: fewer than one width.
    """
    if widths is not None and widths < 1:
        raise InputError("a driver has a width or more", given=widths, allowed="1, 2, 4, ..., or none given for any")
    found = device or write_device(model)
    levels, coarse = found.root.shape[1], found.roots.shape[2]
    # As many knots of current as of width, so that strengths are equally spaced.
    root = _path(found.root, found.root.shape[2], levels)
    roots = _path(found.roots, found.roots.shape[3], coarse)
    mean = -np.expm1(-(root**4)).mean(axis=0)
    knots = (-np.log1p(-mean)) ** 0.25
    strengths = np.linspace(0, STRONGEST, len(knots))
    wanted = np.linspace(knots[0], knots[-1], _REQUESTS)
    return PulseTables(
        strength=np.interp(wanted, knots, strengths),
        first=float(knots[0]),
        last=float(knots[-1]),
        root=root,
        roots=roots,
        bend=found.bend,
        widths=widths or 0,
    )


def _path(table: np.ndarray, widths: int, levels: int) -> np.ndarray:
    """Return (..., 2 widths - 1) of (..., levels, widths): widths at the lowest level, then levels at the longest."""
    step = (levels - 1) // (widths - 1)
    return np.concatenate((table[..., 0, :], table[..., step::step, -1]), axis=-1).astype(float)


@dataclass(frozen=True, eq=False)
class PulseProgrammer:
    """The driver's side: from a probability to a width and to currents.

    Args:
        drive: calibrated.
        tables: of its pulses.
    """

    drive: CellDrive
    tables: PulseTables

    @classmethod
    def of(cls, model: ArrayModel, widths: int | None = None) -> Self:
        """Return the programmer of a 1T1R model; arguments and errors as for `pulse_tables`."""
        return cls(model.drive, pulse_tables(model, widths))

    @property
    def probability_range(self) -> tuple[float, float]:
        """The least and the largest mean probability of pulses of any width and level."""
        return -float(np.expm1(-(self.tables.first**4))), -float(np.expm1(-(self.tables.last**4)))

    def pulses(self, probability: np.ndarray | float) -> "Pulses":
        """Return the pulses for wanted probabilities, any shape.

        Raises:
            InputError: one that is none.
            ModelError: one that no pulse reaches, or that is below what the shortest one has.
        """
        given = np.asarray(probability, dtype=float)
        least, largest = self.probability_range
        if not ((given >= 0) & (given <= 1)).all():
            raise InputError(
                "a probability is out of range", given=f"{given.min():g} to {given.max():g}", allowed="0 to 1"
            )
        if not ((given >= least * (1 - 1e-9)) & (given <= largest * (1 + 1e-9))).all():
            raise ModelError(
                "no calibrated pulse switches with this probability",
                given=f"{given.min():.3g} to {given.max():.3g}",
                allowed=f"{least:.3g} to {largest:.3g}",
                next_step="training gives weaker updates no pulse, and stronger ones the strongest",
            )
        strength = pulse_strength(self.tables, given.clip(least, largest))
        x = (strength - 1).clip(0, 1)
        return Pulses(
            strength,
            self.drive.t0_s + self.drive.t1_s * strength.clip(0, 1),
            {direction: coefficients.current_a(x) for direction, coefficients in self.drive.coefficients.items()},
        )


class Pulses(NamedTuple):
    """Of one shape; both directions share width and strength."""

    strength: np.ndarray
    width_s: np.ndarray
    current_a: Mapping[Direction, np.ndarray]
    """Magnitudes, in the initial state."""


def pulse_strength(tables: PulseTables, probability: Any, xp: Any = np) -> Any:
    """Return the strengths for wanted probabilities below 1, any shape; `NO_PULSE` below the range.

    Above the range, the strongest. A driver with a few widths gives the one in whose part the right width lies.
    """
    root = (-xp.log1p(-probability)) ** 0.25
    last = len(tables.strength) - 1
    position = xp.clip((root - tables.first) * (last / (tables.last - tables.first)), 0.0, last)
    strength = _between(tables.strength, position, xp)
    if tables.widths:
        part = xp.clip(xp.floor(strength * tables.widths), 0.0, tables.widths - 1.0)
        strength = (part + 0.5) / tables.widths
    return xp.where(root < tables.first, NO_PULSE, strength)


def switching_probability(
    tables: PulseTables, state: Any, strength: Any, low: Any = None, high: Any = None, *, xp: Any = np
) -> Any:
    """Return the probability that pulses drive junctions out of `state`; arguments as for `switching_rate`."""
    return -xp.expm1(-switching_rate(tables, state, strength, low, high, xp=xp))


def switching_rate(
    tables: PulseTables, state: Any, strength: Any, low: Any = None, high: Any = None, *, xp: Any = np
) -> Any:
    """Return -log(1 - P) of pulses that drive junctions out of `state`; arrays of one shape.

    Args:
        tables: of the pulses.
        state: 0 AP, 1 P.
        strength: 0 to 2; `NO_PULSE` switches nothing.
        low: resistance at I0 in units of a nominal junction's, as in `IdealArray.resistance`; None for nominal ones.
        high: the same at I0 + I1.
        xp: numpy, or the module of the arrays.
    """
    share = xp.clip(strength, 0.0, STRONGEST) / STRONGEST
    if low is None:
        root = _between(tables.root, share * (tables.root.shape[1] - 1), xp, (state,))
    else:
        x = xp.clip(strength - 1.0, 0.0, 1.0)
        ratio = 1.0 / (low + x * (1.0 + tables.bend[state] * (1.0 - x)) * (high - low))
        ratios = tables.roots.shape[1]
        place = xp.clip((ratio - LEAST_RATIO) * ((ratios - 1) / (LARGEST_RATIO - LEAST_RATIO)), 0.0, ratios - 1.0)
        k = xp.clip(xp.asarray(place, dtype=xp.int64), 0, ratios - 2)
        position = share * (tables.roots.shape[2] - 1)
        below, above = (_between(tables.roots, position, xp, (state, n)) for n in (k, k + 1))
        root = below + (place - k) * (above - below)
    return xp.where(strength < 0.0, 0.0, root**4)


def _between(table: Any, position: Any, xp: Any, index: tuple[Any, ...] = ()) -> Any:
    """Return the value at positions between the knots of the table's last axis."""
    k = xp.clip(xp.asarray(position, dtype=xp.int64), 0, table.shape[-1] - 2)
    below = table[(*index, k)]
    return below + (position - k) * (table[(*index, k + 1)] - below)
