"""`CellSurface`: the probability that a pulse switches a junction behind a series resistance."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from mtjspice.cards.conventions import Direction
from mtjspice.errors import InputError, ModelError
from mtjspice.npz import load_npz, save_npz
from mtjspice.switching.cell_kernels import CEILING, SMALLEST, Tables, axis_of, lookup_each, time_to_each
from mtjspice.switching.link import link

SCHEMA = 1


@dataclass(frozen=True)
class CellSurface:
    """P(series resistance, voltage, width) of one direction, computed on a grid.

    Args:
        direction: of switching.
        voltages_v: (n,) increasing from 0; magnitudes of the voltage over the junction in its initial state.
        widths_s: (m,) increasing from 0, seconds.
        scale_ohm: the surface is interpolated in the share r/(r + scale_ohm) of a series resistance r.
        probability: (k, n, m), rising with voltage and width, at k equally spaced shares from 0, voltage drive, to 1,
            current drive.
        provenance: whatever describes the run; plain data.
    """

    direction: Direction
    voltages_v: np.ndarray
    widths_s: np.ndarray
    scale_ohm: float
    probability: np.ndarray
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.probability.ndim != 3 or self.probability.shape[1:] != (len(self.voltages_v), len(self.widths_s)):
            raise ValueError("probabilities must have the shape of shares by voltages by widths")
        for axis in (self.voltages_v, self.widths_s):
            if not (axis[0] == 0 and (np.diff(axis) > 0).all()):
                raise ValueError("voltages and widths must increase from 0")
        if not all((np.diff(self.probability, axis=axis) >= 0).all() for axis in (1, 2)):
            raise ValueError("probabilities must not fall as voltage or width grows")

    @property
    def series_ohm(self) -> np.ndarray:
        """(k,) the grid's series resistances, from 0 to infinity."""
        return shared_series_ohm(self.scale_ohm, len(self.probability))

    def at(self, v_v: np.ndarray | float, t_s: np.ndarray | float, r_ohm: np.ndarray | float) -> np.ndarray:
        """Return P between the grid's points; the arguments broadcast. P = 0 at zero volts or seconds and below.

        Linear in voltage, width and share on the scale of `link`: never falls as voltage or width grows.

        Raises:
            ModelError: above the largest voltage or width; nothing is extrapolated.
            InputError: a resistance that is negative or not a number.
        """
        t_s = _within("width", "s", t_s, self.widths_s[-1])
        return self._each(lookup_each, v_v, t_s, r_ohm)

    def time_s(self, v_v: np.ndarray | float, probability: np.ndarray | float, r_ohm: np.ndarray | float) -> np.ndarray:
        """Return the width at which P reaches `probability`, the inverse of `at`; the arguments broadcast.

        0 for probability 0; infinity where even the longest width does not reach it.

        Raises:
            ModelError: above the largest voltage, or a probability above 1.
            InputError: a resistance that is negative or not a number.
        """
        probability = _within("probability", "", probability, 1.0)
        return self._each(time_to_each, v_v, probability, r_ohm)

    def _each(
        self,
        kernel: Callable[..., np.ndarray],
        v_v: np.ndarray | float,
        other: np.ndarray,
        r_ohm: np.ndarray | float,
    ) -> np.ndarray:
        r_ohm = np.asarray(r_ohm, dtype=float)
        if not (r_ohm >= 0).all():
            raise InputError("a series resistance is not negative", given=f"{r_ohm.min()} ohm", allowed="0 ohm or more")
        v_v = _within("voltage", "V", v_v, self.voltages_v[-1])
        arrays = np.broadcast_arrays(v_v, other, r_ohm)
        return kernel(self.tables, *(array.flatten() for array in arrays)).reshape(arrays[0].shape)

    @cached_property
    def tables(self) -> Tables:
        """The surface for `cell_kernels.lookup` and `cell_kernels.time_to` inside other kernels."""
        return Tables(
            intervals=len(self.probability) - 1,
            scale_ohm=self.scale_ohm,
            voltage=axis_of(self.voltages_v),
            width=axis_of(self.widths_s),
            links=np.ascontiguousarray(link(self.probability.clip(SMALLEST, CEILING))),
        )

    def save(self, path: Path) -> None:
        """Write an npz file (schema 1), whole or not at all."""
        header = {"direction": self.direction.value, "scale_ohm": self.scale_ohm, "provenance": self.provenance}
        arrays = {"voltages_v": self.voltages_v, "widths_s": self.widths_s, "probability": self.probability}
        save_npz(path, SCHEMA, header, arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            DataError: missing, damaged or of another schema.
        """
        return load_npz(
            path,
            SCHEMA,
            "switching surface of a cell",
            lambda header, arrays: cls(
                direction=Direction(header["direction"]),
                scale_ohm=header["scale_ohm"],
                provenance=header["provenance"],
                **arrays,
            ),
        )


def shared_series_ohm(scale_ohm: float, count: int) -> np.ndarray:
    """Return the series resistances whose share r/(r + scale_ohm) is 0 ... 1 in equal steps, (count,)."""
    shares = np.linspace(0, 1, count)[:-1]
    return np.append(scale_ohm * shares / (1 - shares), np.inf)


def _within(name: str, unit: str, given: np.ndarray | float, largest: float) -> np.ndarray:
    """Return `given` as an array; `ModelError` where it is above `largest`, but for rounding, or not a number."""
    given = np.asarray(given, dtype=float)
    if not (given <= largest * (1 + 1e-9)).all():
        raise ModelError(
            f"the {name} lies outside the switching surface",
            given=f"{given.max():.4g} {unit}".rstrip(),
            allowed=f"up to {largest:.4g} {unit}".rstrip(),
            next_step="make a surface over a wider range; nothing is extrapolated",
        )
    return np.minimum(given, largest)
