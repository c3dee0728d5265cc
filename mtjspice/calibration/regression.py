"""The level at which P = P0, from counts, with a likelihood interval.

Counts follow a binomial law whose P is a straight line in the level on the scale of `mtjspice.switching.link` (the
complementary log-log link of not switching). Where counts at two widths surround the width in question, the line's two
coefficients are interpolated between them. Between P = 0.02 and 0.16 the straight line displaces the level at P0 = 0.05
by less than 0.2 % for the shipped cards.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import null_space
from scipy.optimize import brentq, minimize
from scipy.special import chdtrc, chdtri  # scipy.stats would add a second to the start of every process

from mtjspice.errors import DataError
from mtjspice.switching.link import inverse_link, link

_HALF_DROP = float(chdtri(1, 0.05)) / 2
_TINY = 1e-15
_DOUBLINGS = 14
"""Of the distance searched for an interval's end, from 0.1 % of the threshold to eight times it."""
_EXTRAPOLATION = 0.25
"""Of the range of levels: chance alone may move a threshold past the outermost level, and its interval says so."""


@dataclass(frozen=True)
class Rows:
    """Counts of one direction, one entry a level and width."""

    levels: np.ndarray
    widths_s: np.ndarray
    switched: np.ndarray
    trials: np.ndarray

    def at_width(self, width_s: float) -> "Rows":
        """Return the rows of `width_s` (to 1 part in 1000); without them, those of the two widths around it.

        Raises:
            DataError: the measured widths do not reach it.
        """
        measured = np.unique(self.widths_s)
        nearest = measured[np.argmin(np.abs(measured - width_s))] if measured.size else np.nan
        if abs(nearest - width_s) <= 1e-3 * width_s:
            return self._only([nearest])
        below, above = measured[measured < width_s], measured[measured > width_s]
        if not below.size or not above.size:
            raise DataError(
                "the measured widths do not reach the width that is asked for",
                given=", ".join(f"{w:.4g} s" for w in measured) or "no widths",
                allowed=f"{width_s:.4g} s itself, or one width below and one above",
                next_step="measure there, or choose other t0_s and t1_s in the campaign card",
            )
        return self._only([below[-1], above[0]])

    def near(self, p0: float) -> "Rows":
        """Return the rows near `p0` on the line through all of them: where a curve is straight enough.

        From a fifth of `p0` to four times it; where fewer than three levels of a width lie there, the nearest three.
        Chosen by the fitted P, as choosing by the counts themselves would bias few of them.
        """
        p = fit_line(self).probability(self.levels, self.widths_s).clip(_TINY, 1 - _TINY)
        distance = np.abs(link(p) - link(np.array(p0)))
        keep = np.zeros(len(p), dtype=bool)
        for width in np.unique(self.widths_s):
            here = np.flatnonzero(self.widths_s == width)
            inside = here[(p[here] > p0 / 5) & (p[here] < 4 * p0)]
            keep[inside if len(inside) >= 3 else here[np.argsort(distance[here])[:3]]] = True
        return self._where(keep)

    def _only(self, widths_s: list[float]) -> "Rows":
        return self._where(np.isin(self.widths_s, widths_s) & (self.trials > 0))

    def _where(self, keep: np.ndarray) -> "Rows":
        return Rows(self.levels[keep], self.widths_s[keep], self.switched[keep], self.trials[keep])


@dataclass(frozen=True)
class Threshold:
    """The level where P = P0, and its 95 % interval: 0 and infinity stand for an end that the counts leave open."""

    level: float
    low95: float
    high95: float
    slope: float
    """Of the fitted line, on the scale of `link` per unit of the level; NaN where nothing was fitted."""
    fit_p_value: float
    """Probability of a deviance this large if the straight line held; NaN without spare levels."""

    @classmethod
    def exact(cls, level: float) -> "Threshold":
        """Return a threshold that was computed, not measured."""
        return cls(level, level, level, float("nan"), float("nan"))

    def mapped(self, convert: Callable[[float], float]) -> "Threshold":
        """Return the same threshold in another quantity that rises with the level; the line does not go with it."""
        ends = (convert(self.level), convert(self.low95), convert(self.high95))
        return Threshold(*ends, slope=float("nan"), fit_p_value=self.fit_p_value)

    @property
    def is_measured(self) -> bool:
        """Whether there is an interval around the level."""
        return self.low95 < self.high95


@dataclass(frozen=True)
class Line:
    """link(P) = coefficients . design: the fitted line at one width, or between two."""

    widths_s: np.ndarray
    scale: float
    coefficients: np.ndarray

    def probability(self, levels: np.ndarray, widths_s: np.ndarray | float) -> np.ndarray:
        """Return P, (levels,), at one width or at one for each level."""
        levels = np.asarray(levels, dtype=float)
        widths_s = np.broadcast_to(widths_s, levels.shape)
        return inverse_link(_design(levels / self.scale, widths_s, self.widths_s) @ self.coefficients)


def fit_line(rows: Rows) -> Line:
    """Return the most likely line through rows of one or two widths.

    Raises:
        DataError: a width has fewer than two levels, or none between never and always.
    """
    widths = np.unique(rows.widths_s)
    for width in widths:
        here = rows.widths_s == width
        if np.unique(rows.levels[here]).size < 2 or rows.switched[here].sum() in (0, rows.trials[here].sum()):
            raise DataError(
                "the counts do not say where the switching probability rises",
                given=f"at {width:.4g} s: {int(rows.switched[here].sum())} switched of {int(rows.trials[here].sum())} "
                f"at {np.unique(rows.levels[here]).size} level(s)",
                allowed="two levels or more at every width, with some pulses that switch and some that do not",
            )
    scale = float(rows.levels.mean())
    design = _design(rows.levels / scale, rows.widths_s, widths)
    coefficients, _ = _most_likely(design, np.zeros(len(design)), rows)
    return Line(widths, scale, coefficients)


def fit_threshold(rows: Rows, width_s: float, p0: float) -> Threshold:
    """Return the level at which P(level, width_s) = `p0`.

    Args:
        rows: of one width, or of two around `width_s`; see `Rows.at_width`.

    Raises:
        DataError: the levels do not surround the threshold, or P does not rise with the level.
    """
    line = fit_line(rows)
    target = float(link(np.array(p0)))
    design = _design(rows.levels / line.scale, rows.widths_s, line.widths_s)
    _, best = _most_likely(design, np.zeros(len(design)), rows)
    at_width = _design(np.array([0.0, 1.0]), np.full(2, width_s), line.widths_s) @ line.coefficients
    intercept, slope = at_width[0], at_width[1] - at_width[0]
    threshold = (target - intercept) / slope if slope > 0 else np.nan
    lowest, highest = rows.levels.min() / line.scale, rows.levels.max() / line.scale
    beyond = _EXTRAPOLATION * (highest - lowest)
    if not lowest - beyond <= threshold <= highest + beyond:
        raise DataError(
            f"the levels do not surround the one where P = {p0:g}",
            given=f"{rows.levels.min():.4g} to {rows.levels.max():.4g}, with P from "
            f"{_lowest_and_highest(rows)} at {width_s:.4g} s",
            allowed=f"levels with P below and above {p0:g} at that width",
        )

    def loss(level: float) -> float:
        """Half the deviance that forcing the threshold to `level` costs, less what 95 % allows."""
        # Coefficients whose line passes through (level, target): one solution plus the constraint's null space.
        constraint = _design(np.array([level]), np.array([width_s]), line.widths_s)
        particular = constraint[0] * target / (constraint[0] @ constraint[0])
        free = null_space(constraint)
        return _most_likely(design @ free, design @ particular, rows)[1] - best - _HALF_DROP

    low, high = _root_below(loss, threshold), _root_above(loss, threshold)
    spare = len(rows.levels) - design.shape[1]
    deviance = 2 * (best - _saturated(rows))
    return Threshold(
        level=float(threshold * line.scale),
        low95=float(low * line.scale),
        high95=float(high * line.scale),
        slope=float(slope / line.scale),
        fit_p_value=float(chdtrc(spare, deviance)) if spare > 0 else float("nan"),
    )


def _design(levels: np.ndarray, widths_s: np.ndarray, at_widths_s: np.ndarray) -> np.ndarray:
    """Return (rows, 2 or 4): intercept and slope, each shared out between the widths of `at_widths_s`."""
    line = np.stack((np.ones_like(levels), levels), axis=1)
    if len(at_widths_s) == 1:
        return line
    share = ((widths_s - at_widths_s[0]) / (at_widths_s[1] - at_widths_s[0]))[:, None]
    return np.hstack(((1 - share) * line, share * line))


def _most_likely(design: np.ndarray, offset: np.ndarray, rows: Rows) -> tuple[np.ndarray, float]:
    """Return the coefficients of the highest likelihood and its negative logarithm."""
    rate = np.clip((rows.switched + 0.5) / (rows.trials + 1), 1e-6, 1 - 1e-6)
    start, *_ = np.linalg.lstsq(design, link(rate) - offset, rcond=None)

    def loss(coefficients: np.ndarray) -> tuple[float, np.ndarray]:
        value = design @ coefficients + offset
        p = inverse_link(value).clip(_TINY, 1 - _TINY)
        # dP/dvalue = -P ln P.
        slope = -p * np.log(p)
        residual = rows.switched / p - (rows.trials - rows.switched) / (1 - p)
        return _negative_log_likelihood(p, rows), -design.T @ (residual * slope)

    found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-6, "maxiter": 500})
    return found.x, float(found.fun)


def _negative_log_likelihood(p: np.ndarray, rows: Rows) -> float:
    return -float(np.sum(rows.switched * np.log(p) + (rows.trials - rows.switched) * np.log1p(-p)))


def _saturated(rows: Rows) -> float:
    return _negative_log_likelihood((rows.switched / rows.trials).clip(_TINY, 1 - _TINY), rows)


def _root_below(function: Callable[[float], float], start: float) -> float:
    """Return the zero of `function` below `start`, where it is negative; 0 if it has none there."""
    end = start
    for _ in range(_DOUBLINGS):
        inner, end = end, start - 2 * (start - end) if end < start else 0.999 * start
        if end <= 0:
            break
        if function(end) > 0:
            return float(brentq(function, end, inner, xtol=1e-7))
    return 0.0


def _root_above(function: Callable[[float], float], start: float) -> float:
    """Return the zero of `function` above `start`, where it is negative; infinity if it has none."""
    end = start
    for _ in range(_DOUBLINGS):
        inner, end = end, start + 2 * (end - start) if end > start else 1.001 * start
        if function(end) > 0:
            return float(brentq(function, inner, end, xtol=1e-7))
    return float("inf")


def _lowest_and_highest(rows: Rows) -> str:
    rate = rows.switched / rows.trials
    return f"{rate.min():.3g} to {rate.max():.3g}"
