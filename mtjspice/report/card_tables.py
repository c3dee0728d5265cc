"""A junction card, and what follows from it, as tables of at most 100 columns."""

from collections.abc import Callable
from typing import Any

from rich.table import Table

from mtjspice.cards.conventions import Direction
from mtjspice.report.table import plain_table
from mtjspice.units import format_si

_SECONDS_PER_YEAR = 365.25 * 86400


def direction_table(summary: dict[str, Any]) -> Table:
    """Return what differs between the two switching directions."""
    table = plain_table(f"{summary['name']}: both directions", ("", *(direction.label for direction in Direction)))
    rows: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
        ("barrier of the initial state, kT", lambda d: f"{d['delta']:.1f}"),
        ("critical current Ic0", lambda d: format_si(d["i_c0_a"], "A")),
        ("attempt time", lambda d: format_si(d["attempt_time_s"], "s")),
        ("retention of the initial state", lambda d: _duration(d["retention_s"])),
        ("write current, P = P0 to I0 + I1", lambda d: _span(d["i_write_a"], "A")),
        ("write voltage", lambda d: _span(d["v_write_v"], "V")),
        (
            f"disturb by a read, {format_si(summary['v_read_v'], 'V')} for {format_si(summary['t_read_s'], 's')}",
            lambda d: "-" if d["read_disturb_probability"] is None else f"{d['read_disturb_probability']:.2g}",
        ),
    ]
    for name, show in rows:
        table.add_row(name, *(show(summary[direction.value]) for direction in Direction))
    return table


def junction_table(summary: dict[str, Any]) -> Table:
    """Return what belongs to the junction as a whole."""
    table = plain_table(f"{summary['name']}: the junction", ("what", "value"))
    table.show_header = False
    rows = {
        "effective anisotropy field": format_si(summary["anisotropy_field_t"], "T"),
        "thermal stability without fields": f"{summary['delta_without_field']:.1f}",
        "m_z of the saddle": f"{summary['saddle_mz']:.3f}",
        "relaxation time tau_D": format_si(summary["tau_d_s"], "s"),
        "area": f"{summary['area_m2'] * 1e18:.0f} nm2",
        "R_P": format_si(summary["r_p_ohm"], "ohm"),
    }
    rows |= {f"R_AP at {entry['v_v']:.1f} V": format_si(entry["r_ap_ohm"], "ohm") for entry in summary["r_ap_ohm"]}
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _span(values: list[float] | None, unit: str) -> str:
    return "-" if values is None else f"{format_si(values[0], unit)} to {format_si(values[1], unit)}"


def _duration(seconds: float) -> str:
    return format_si(seconds, "s") if seconds < _SECONDS_PER_YEAR else f"{seconds / _SECONDS_PER_YEAR:.3g} years"
