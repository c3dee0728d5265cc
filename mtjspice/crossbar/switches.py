"""Switches: the current of those that are on, the capacitance of those that are off; transistors or ideal ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from mtjspice.errors import ModelError
from mtjspice.npz import load_npz, save_npz

SCHEMA = 2


@dataclass(frozen=True)
class SwitchTable:
    """Conductance of a metre of transistor width between drain a and source b, its gate on.

    The current is width * (v_a - v_b) * g(mean, difference), with mean = (v_a + v_b)/2 and difference = v_a - v_b: a
    smooth g, and no current without a difference. Bilinear between the table's points.

    Args:
        mean_v: (n,) equally spaced, V against the common mode.
        difference_v: (m,) equally spaced.
        g_s_per_m: (n, m).
        cycle_j_per_m: what the gate's going on and off again costs, J per metre of width, between idle lines.
        off_f_per_m: capacitance of one side while the gate is off, F per metre of width.
        source: what it was measured on; plain data.
    """

    mean_v: np.ndarray
    difference_v: np.ndarray
    g_s_per_m: np.ndarray
    cycle_j_per_m: float
    off_f_per_m: float
    source: dict[str, Any]

    def current_a(
        self, width_m: float | np.ndarray, v_a: np.ndarray, v_b: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the current from a to b and its derivatives in v_a and v_b; any shape.

        Beyond the table g goes on as at its edge: far-off Newton steps find their way back.
        """
        mean, difference = (v_a + v_b) / 2, v_a - v_b
        i, s = _place(self.mean_v, mean)
        j, t = _place(self.difference_v, difference)
        g00, g01 = self.g_s_per_m[i, j], self.g_s_per_m[i, j + 1]
        g10, g11 = self.g_s_per_m[i + 1, j], self.g_s_per_m[i + 1, j + 1]
        low, high = g00 + t * (g01 - g00), g10 + t * (g11 - g10)
        g = width_m * (low + s * (high - low))
        inside_mean = (mean > self.mean_v[0]) & (mean < self.mean_v[-1])
        inside_difference = (difference > self.difference_v[0]) & (difference < self.difference_v[-1])
        by_mean = width_m * np.where(inside_mean, (high - low) / _step(self.mean_v), 0.0)
        by_difference = (width_m * np.where(inside_difference, (1 - s) * (g01 - g00) + s * (g11 - g10), 0.0)) / _step(
            self.difference_v
        )
        own = g + difference * by_difference
        across = difference * by_mean / 2
        return difference * g, own + across, across - own

    def require(self, v_a: np.ndarray, v_b: np.ndarray) -> None:
        """Raise `ModelError` where a solution lies outside the table."""
        mean, difference = (v_a + v_b) / 2, v_a - v_b
        for name, values, grid in (
            ("mean voltage", mean, self.mean_v),
            ("voltage", difference, self.difference_v),
        ):
            if values.size and not (values.min() >= grid[0] - 1e-9 and values.max() <= grid[-1] + 1e-9):
                raise ModelError(
                    f"a switch's {name} lies outside its table",
                    given=f"{values.min():.4g} to {values.max():.4g} V",
                    allowed=f"{grid[0]:.4g} to {grid[-1]:.4g} V",
                    next_step="widen the transistor in the array card, or lower the levels",
                )

    def save(self, path: Path) -> None:
        """Write an npz file, whole or not at all."""
        header = {name: getattr(self, name) for name in ("cycle_j_per_m", "off_f_per_m", "source")}
        arrays = {"mean_v": self.mean_v, "difference_v": self.difference_v, "g_s_per_m": self.g_s_per_m}
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
            "switch table",
            lambda header, arrays: cls(
                cycle_j_per_m=header["cycle_j_per_m"],
                off_f_per_m=header["off_f_per_m"],
                source=header["source"],
                **arrays,
            ),
        )

    @classmethod
    def ideal(cls, r_on_ohm_m: float) -> Self:
        """Return a switch whose resistance is r_on_ohm_m over its width, at any voltage."""
        axis = np.array([-10.0, 10.0])
        return cls(axis, axis, np.full((2, 2), 1 / r_on_ohm_m), 0.0, 0.0, {"ideal": r_on_ohm_m})


def _step(grid: np.ndarray) -> float:
    return float(grid[1] - grid[0])


def _place(grid: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of each value in an equally spaced grid, and the place in it, held to the grid."""
    place = np.clip((values - grid[0]) / _step(grid), 0.0, len(grid) - 1.0)
    index = np.minimum(place.astype(int), len(grid) - 2)
    return index, place - index
