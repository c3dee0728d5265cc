"""What a calibration finds, and its file."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mtjspice.calibration.linear_map import LinearMap
from mtjspice.calibration.regression import Threshold
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import Published
from mtjspice.errors import DataError

SCHEMA = 1
_SUSPICIOUS_P = 1e-3
_SUSPICIOUS_Z = 3.3
"""Eight thresholds by chance alone: one warning in about a hundred runs, of either kind."""


@dataclass(frozen=True)
class WriteCoefficients:
    """Eqs. 6 to 9 for one direction and one drive: level = level0 + level1 |x|."""

    direction: Direction
    drive: Drive
    low: Threshold
    """level0, where P(level, t0 + t1) = P0 (eq. 9)."""
    high: Threshold
    """level0 + level1, where P(level, t0) = P0 (eq. 8)."""
    expected: tuple[float, float] | None
    """Fokker-Planck's low and high levels, beside a Monte-Carlo engine's; None where it does not apply."""
    linear_map: LinearMap
    low_a: Threshold
    """The current that the initial state carries at `low`; `low` itself under current drive."""
    high_a: Threshold
    voltages_v: tuple[float, float]
    """Voltages of the initial state at the low and the high level."""
    counts: pd.DataFrame | None
    """The pulses that the thresholds were fitted to; None for deterministic engines."""

    @property
    def level0(self) -> float:
        """I0 or V0."""
        return self.low.level

    @property
    def level1(self) -> float:
        """I1 or V1."""
        return self.high.level - self.low.level

    @property
    def level1_ci95(self) -> tuple[float, float]:
        """95 % interval of level1."""
        return _difference_ci95(self.low, self.high)

    @property
    def z_scores(self) -> tuple[float, float] | None:
        """(low, high) threshold minus Fokker-Planck's, in standard errors; None without an interval."""
        if self.expected is None or not self.low.is_measured:
            return None
        low, high = (
            (fit.level - exact) / ((fit.high95 - fit.low95) / (2 * 1.96))
            for fit, exact in zip((self.low, self.high), self.expected, strict=True)
        )
        return low, high

    def to_json(self, t0_s: float, t1_s: float) -> dict[str, Any]:
        """Return the result file's entry."""
        entry: dict[str, Any] = {
            "drive": self.drive.value,
            "t0_s": t0_s,
            "t1_s": t1_s,
            "i0_a": self.low_a.level,
            "i1_a": self.high_a.level - self.low_a.level,
            "i0_ci95_a": _ends((self.low_a.low95, self.low_a.high95)),
            "i1_ci95_a": _ends(_difference_ci95(self.low_a, self.high_a)),
            "eta": self.linear_map.eta,
            "eta_ci95": self.linear_map.eta_ci95 and list(self.linear_map.eta_ci95),
            "map_rmse": self.linear_map.rmse,
            "v_min_v": self.voltages_v[0],
            "v_max_v": self.voltages_v[1],
            "fit_p_values": [_finite(self.low.fit_p_value), _finite(self.high.fit_p_value)],
        }
        if self.drive is Drive.VOLTAGE:
            entry |= {
                "v0_v": self.level0,
                "v1_v": self.level1,
                "v0_ci95_v": _ends((self.low.low95, self.low.high95)),
                "v1_ci95_v": _ends(self.level1_ci95),
            }
        if self.expected is not None:
            names = ("i0_a", "i1_a") if self.drive is Drive.CURRENT else ("v0_v", "v1_v")
            low, high = self.expected
            entry["fokker_planck"] = dict(zip(names, (low, high - low), strict=True)) | {
                "z_scores": self.z_scores and list(self.z_scores)
            }
        return entry


@dataclass(frozen=True)
class CalibrationResult:
    """A whole calibration."""

    card_name: str
    campaign_name: str
    engine: str
    t0_s: float
    t1_s: float
    p0: float
    coefficients: tuple[WriteCoefficients, ...]
    not_simulated: dict[str, int]
    """Trials that were lost, by reason."""
    published: Published | None

    def of(self, direction: Direction, drive: Drive = Drive.CURRENT) -> WriteCoefficients | None:
        """Return the coefficients of one direction and drive, or None if that drive was not calibrated."""
        found = (c for c in self.coefficients if (c.direction, c.drive) == (direction, drive))
        return next(found, None)

    @property
    def warnings(self) -> list[str]:
        """What a reader should know before trusting the numbers, a line each."""
        found = []
        for c in self.coefficients:
            where = f"{c.direction.label}, {c.drive.value} drive"
            for name, fit in (("low", c.low), ("high", c.high)):
                if fit.fit_p_value < _SUSPICIOUS_P:
                    found.append(
                        f"{where}: the counts at the {name} level are off the line (p = {fit.fit_p_value:.1g})"
                    )
                if fit.is_measured and not (fit.low95 > 0 and math.isfinite(fit.high95)):
                    found.append(f"{where}: the counts leave the interval of the {name} level open")
            if c.z_scores and max(map(abs, c.z_scores)) > _SUSPICIOUS_Z:
                found.append(f"{where}: {max(c.z_scores, key=abs):+.1f} standard errors from Fokker-Planck")
        return found

    def published_for(self, direction: Direction) -> dict[str, float] | None:
        """Return published i0_a, i1_a, v_min_v, v_max_v where they hold for this campaign's t0, t1 and P0."""
        p = self.published
        if p is None or not all(
            math.isclose(a, b, rel_tol=1e-6) for a, b in ((p.t0_s, self.t0_s), (p.t1_s, self.t1_s), (p.p0, self.p0))
        ):
            return None
        return p.coefficients(direction).model_dump()

    def to_json(self, provenance: dict[str, Any]) -> dict[str, Any]:
        """Return the result file: `ap_to_p` and `p_to_ap` by current, `voltage_drive` within each, and provenance.

        Where only voltage-driven pulses were measured, i0_a and i1_a are the currents at which they start.
        """
        result: dict[str, Any] = {
            "schema": SCHEMA,
            "card": self.card_name,
            "campaign": self.campaign_name,
            "engine": self.engine,
            "p0": self.p0,
        }
        for direction in Direction:
            current, voltage = self.of(direction), self.of(direction, Drive.VOLTAGE)
            main = current or voltage
            assert main is not None
            entry = main.to_json(self.t0_s, self.t1_s)
            if voltage:
                entry["voltage_drive"] = voltage.to_json(self.t0_s, self.t1_s)
            published = self.published_for(direction)
            if published and current:
                differences = {key: entry[key] / value - 1 for key, value in published.items()}
                entry["published"] = published | {"relative_difference": differences}
            result[direction.value] = entry
        lost = [{"trials": trials, "reason": reason} for reason, trials in self.not_simulated.items()]
        return result | {"not_simulated": lost, "provenance": provenance}


def read_result(path: Path) -> dict[str, Any]:
    """Return a result file's content.

    Raises:
        DataError: missing, damaged or of another schema.
    """
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        schema = result["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError("cannot read the calibration result", where=path, given=str(error)) from error
    if schema != SCHEMA:
        raise DataError(
            "the calibration result has another schema",
            where=path,
            given=schema,
            allowed=SCHEMA,
            next_step="calibrate again with this version",
        )
    return result


def _difference_ci95(low: Threshold, high: Threshold) -> tuple[float, float]:
    """Return the 95 % interval of high - low, two independent estimates (the MOVER of Zou and Donner, 2008)."""
    below = math.hypot(high.level - high.low95, low.high95 - low.level)
    above = math.hypot(high.high95 - high.level, low.level - low.low95)
    difference = high.level - low.level
    return difference - below, difference + above


def _ends(interval: tuple[float, float]) -> list[float | None]:
    """Return an interval as JSON has it: null for an open end."""
    return [_finite(end) for end in interval]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
