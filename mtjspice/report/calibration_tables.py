"""A calibration as tables of at most 100 columns."""

import math

from rich.table import Table

from mtjspice.calibration.optimise import WidthChoice
from mtjspice.calibration.result import CalibrationResult
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.report.table import plain_table
from mtjspice.units import format_si

_DASH = "-"


def coefficients_table(result: CalibrationResult) -> Table | None:
    """Return the write coefficients beside Fokker-Planck's and the published ones, or None without current drive."""
    if not any(result.of(direction) for direction in Direction):
        return None
    measured = any(c.low.is_measured for c in result.coefficients)
    compared = any(c.expected for c in result.coefficients)
    extra = (["95 % interval"] if measured else []) + (["Fokker-Planck"] if compared else [])
    table = plain_table(
        f"Write coefficients of {result.card_name} by {result.engine}\nt0 = {format_si(result.t0_s, 's')}, "
        f"t1 = {format_si(result.t1_s, 's')}, P0 = {result.p0:g}",
        ("", "", result.engine, *extra, "published", "difference"),
    )
    for direction in Direction:
        c = result.of(direction)
        if c is None:
            continue
        published = result.published_for(direction) or {}
        fp = c.expected
        is_counted = c.linear_map.surface.trials is not None
        table.add_section()
        rows: list[tuple[str, float, str, tuple[float, float] | None, float | None, str | None]] = [
            ("I0", c.level0, "A", (c.low.low95, c.low.high95), fp and fp[0], "i0_a"),
            ("I1", c.level1, "A", c.level1_ci95, fp and fp[1] - fp[0], "i1_a"),
            ("V at I0", c.voltages_v[0], "V", None, None, "v_min_v"),
            ("V at I0 + I1", c.voltages_v[1], "V", None, None, "v_max_v"),
            ("eta", c.linear_map.eta, "", c.linear_map.eta_ci95 if is_counted else None, None, None),
            ("map error, rms", c.linear_map.rmse, "", None, None, None),
        ]
        for i, (name, value, unit, interval, exact, key) in enumerate(rows):
            paper = published.get(key) if key else None
            cells = [direction.label if i == 0 else "", name, _number(value, unit)]
            cells += [_span(interval, unit) if interval else _DASH] if measured else []
            cells += [_number(exact, unit) if exact else _DASH] if compared else []
            cells += [_number(paper, unit), f"{value / paper - 1:+.1%}"] if paper else [_DASH, _DASH]
            table.add_row(*cells)
    return table


def voltage_table(result: CalibrationResult) -> Table | None:
    """Return the voltage-driven thresholds beside the current-driven ones, or None without voltage drive."""
    pairs = [(result.of(d), result.of(d, Drive.VOLTAGE)) for d in Direction]
    if not any(voltage for _, voltage in pairs):
        return None
    measured = any(voltage and voltage.low.is_measured for _, voltage in pairs)
    compared = any(voltage and voltage.expected for _, voltage in pairs)
    extra = (["95 % interval"] if measured else []) + (["Fokker-Planck"] if compared else [])
    table = plain_table(
        "The same thresholds when the pulse holds the voltage, as a crossbar does",
        ("", "P = P0 at", "voltage", *extra, "starts at", "current drive"),
    )
    for current, voltage in pairs:
        if voltage is None:
            continue
        table.add_section()
        widths = (result.t0_s + result.t1_s, result.t0_s)
        for i, (fit, width) in enumerate(zip((voltage.low, voltage.high), widths, strict=True)):
            table.add_row(
                voltage.direction.label if i == 0 else "",
                format_si(width, "s"),
                _number(fit.level, "V"),
                *([_span((fit.low95, fit.high95), "V")] if measured else []),
                *([_number(voltage.expected[i], "V") if voltage.expected else _DASH] if compared else []),
                _number((voltage.low_a, voltage.high_a)[i].level, "A"),
                _number((current.low, current.high)[i].level, "A") if current else _DASH,
            )
    return table


def widths_table(given: WidthChoice, best: WidthChoice) -> Table:
    """Return the campaign's widths beside those with the least relative map error."""
    table = plain_table(
        "Widths for the most linear map, by Fokker-Planck, current drive",
        ("", "t0", "t1", *(f"error/eta {d.label}" for d in Direction), *(f"eta {d.label}" for d in Direction)),
    )
    for name, choice in (("campaign", given), ("optimised", best)):
        table.add_row(
            name,
            format_si(choice.t0_s, "s", 3),
            format_si(choice.t1_s, "s", 3),
            *(f"{choice.relative_rmse[d]:.4f}" for d in Direction),
            *(f"{choice.eta[d]:.3f}" for d in Direction),
        )
    return table


def _number(value: float, unit: str) -> str:
    return format_si(value, unit) if unit else f"{value:.4f}"


def _span(interval: tuple[float, float], unit: str) -> str:
    low, high = interval
    if low <= 0 or not math.isfinite(low):
        return f"below {format_si(high, unit)}" if math.isfinite(high) else "open"
    if not math.isfinite(high):
        return f"above {format_si(low, unit)}"
    if not unit:
        return f"{low:.3f} ... {high:.3f}"
    low_text, high_text = format_si(low, unit), format_si(high, unit)
    # 998 ... 1003 mA, but 998 uA ... 1.003 mA.
    same = low_text.split()[1] == high_text.split()[1]
    return f"{low_text.split()[0] if same else low_text} ... {high_text}"
