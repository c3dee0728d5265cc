"""`SwitchingSurface`: the probability that a pulse of given level and width switches a junction."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.interpolate import RegularGridInterpolator
from scipy.optimize import isotonic_regression

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.errors import ModelError
from mtjspice.npz import load_npz, save_npz
from mtjspice.switching.intervals import exact_interval
from mtjspice.switching.link import inverse_link, link

SCHEMA = 1
_FLOOR = 1e-10
"""Probabilities below this are zero: the Fokker-Planck expansion leaves up to 8e-11 of a pulse that does nothing."""


@dataclass(frozen=True)
class SwitchingSurface:
    """P(level, width) of one direction, measured or computed on a grid.

    Args:
        direction: of switching.
        drive: what the pulse holds constant; levels are magnitudes of it.
        levels: (n,) increasing, A or V.
        widths_s: (m,) increasing, seconds.
        probability: (n, m).
        trials: (n, m) simulated or measured pulses; None where the engine is deterministic.
        switched: (n, m) of them that switched; None with `trials`.
        engine: which engine made it.
        provenance: whatever describes the run; plain data.
    """

    direction: Direction
    drive: Drive
    levels: np.ndarray
    widths_s: np.ndarray
    probability: np.ndarray
    engine: str
    trials: np.ndarray | None = None
    switched: np.ndarray | None = None
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = (len(self.levels), len(self.widths_s))
        grids = (self.probability, self.trials, self.switched)
        if any(grid is not None and grid.shape != shape for grid in grids):
            raise ValueError(f"grids must have the shape of levels by widths, {shape}")
        for axis in (self.levels, self.widths_s):
            if not (np.diff(axis) > 0).all():
                raise ValueError("levels and widths must increase")

    @classmethod
    def from_counts(
        cls,
        direction: Direction,
        drive: Drive,
        levels: np.ndarray,
        widths_s: np.ndarray,
        switched: np.ndarray,
        trials: np.ndarray,
        engine: str,
    ) -> Self:
        """Return the surface of `switched` out of `trials`, (n, m) integers; P is NaN where nothing was tried."""
        probability = np.divide(switched, trials, out=np.full(trials.shape, np.nan), where=trials > 0)
        return cls(direction, drive, levels, widths_s, probability, engine, trials, switched)

    @property
    def low95(self) -> np.ndarray:
        """Lower end of the exact 95 % interval, (n, m); the probability itself for deterministic engines."""
        return self._interval[0]

    @property
    def high95(self) -> np.ndarray:
        """Upper end of the exact 95 % interval, (n, m)."""
        return self._interval[1]

    @cached_property
    def _interval(self) -> tuple[np.ndarray, np.ndarray]:
        if self.trials is None or self.switched is None:
            return self.probability, self.probability
        return exact_interval(self.switched, self.trials)

    def at(self, level: np.ndarray | float, width_s: np.ndarray | float) -> np.ndarray:
        """Return P between the grid's points; `level` and `width_s` broadcast.

        Bilinear on the scale of `link`, through the grid made monotone: never leaves [0, 1] and never falls as level or
        width grows.

        Raises:
            ModelError: outside the grid; nothing is extrapolated.
        """
        level, width_s = np.broadcast_arrays(np.asarray(level, dtype=float), np.asarray(width_s, dtype=float))
        for name, unit, given, grid in (
            ("level", self.drive.unit, level, self.levels),
            ("width", "s", width_s, self.widths_s),
        ):
            slack = 1e-9 * grid[-1]
            if given.size and not (given.min() >= grid[0] - slack and given.max() <= grid[-1] + slack):
                raise ModelError(
                    f"the {name} lies outside the switching surface",
                    given=f"{given.min():.4g} to {given.max():.4g} {unit}",
                    allowed=f"{grid[0]:.4g} to {grid[-1]:.4g} {unit}",
                    next_step="make a surface over a wider range; nothing is extrapolated",
                )
        points = np.stack(
            (level.clip(self.levels[0], self.levels[-1]), width_s.clip(self.widths_s[0], self.widths_s[-1])), axis=-1
        )
        value = inverse_link(self._interpolator(points)).reshape(level.shape)
        # The ends of the scale stand for certainty.
        return np.where(value <= 1.001 * _FLOOR, 0.0, np.where(value >= 1 - 1e-15, 1.0, value))

    @cached_property
    def _interpolator(self) -> RegularGridInterpolator:
        bounded = self.monotone.clip(_FLOOR, 1 - 2**-53)
        return RegularGridInterpolator((self.levels, self.widths_s), link(bounded), method="linear")

    @cached_property
    def monotone(self) -> np.ndarray:
        """(n, m) probabilities that rise with level and width, nearest in weighted least squares (Dykstra).

        Equal to `probability` where that is monotone already, as deterministic engines' are.
        """
        weights = np.ones(self.probability.shape) if self.trials is None else np.maximum(self.trials, 1e-6)
        values = np.nan_to_num(self.probability, nan=0.5).copy()
        corrections = [np.zeros_like(values), np.zeros_like(values)]
        for _ in range(500):
            before = values.copy()
            for axis in (0, 1):
                shifted = values + corrections[axis]
                values = _isotonic_along(shifted, weights, axis)
                corrections[axis] = shifted - values
            if np.abs(values - before).max() < 1e-12:
                break
        # Dykstra converges from outside; a running maximum removes the last rounding.
        return np.maximum.accumulate(np.maximum.accumulate(values, axis=0), axis=1)

    def table(self) -> pd.DataFrame:
        """Return one row a grid point: direction, current_a or voltage_v, width_s, trials, switched, probability, ...

        The first columns are those that the `measured` engine reads.
        """
        level, width = np.meshgrid(self.levels, self.widths_s, indexing="ij")
        columns: dict[str, Any] = {
            "direction": self.direction.value,
            level_column(self.drive): level.ravel(),
            "width_s": width.ravel(),
        }
        if self.trials is not None and self.switched is not None:
            columns |= {"trials": self.trials.ravel(), "switched": self.switched.ravel()}
        columns |= {
            "probability": self.probability.ravel(),
            "low95": self.low95.ravel(),
            "high95": self.high95.ravel(),
        }
        return pd.DataFrame(columns)

    def save(self, path: Path) -> None:
        """Write an npz file (schema 1), whole or not at all."""
        header = {
            "direction": self.direction.value,
            "drive": self.drive.value,
            "engine": self.engine,
            "provenance": self.provenance,
        }
        arrays = {"levels": self.levels, "widths_s": self.widths_s, "probability": self.probability}
        if self.trials is not None and self.switched is not None:
            arrays |= {"trials": self.trials, "switched": self.switched}
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
            "switching surface",
            lambda header, arrays: cls(
                direction=Direction(header["direction"]),
                drive=Drive(header["drive"]),
                engine=header["engine"],
                provenance=header["provenance"],
                **arrays,
            ),
        )


def level_column(drive: Drive) -> str:
    """Return the name of a table's column of levels."""
    return "current_a" if drive is Drive.CURRENT else "voltage_v"


def _isotonic_along(values: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
    lines, line_weights = np.moveaxis(values, axis, -1), np.moveaxis(weights, axis, -1)
    fitted = [isotonic_regression(v, weights=w).x for v, w in zip(lines, line_weights, strict=True)]
    return np.moveaxis(np.array(fitted), -1, axis)
