"""Benchmarks as a table of at most 100 columns."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from mtjspice.report.table import plain_table


def benchmark_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return one line for each of {name, value, unit, baseline, ratio, bound, target, met}.

    Ratio is value / baseline. The target is the ratio's where there is a baseline, else the value's in its unit.
    """
    columns = ("benchmark", "value", "unit", "baseline", "ratio", "target", "met")
    table = plain_table("", columns, text=("unit", "target", "met"))
    for row in rows:
        value, baseline, ratio = (_figure(row[key]) for key in ("value", "baseline", "ratio"))
        target = f"{row['bound']} {_figure(row['target'])}"
        met = {True: "yes", False: "NO", None: "-"}[row["met"]]
        table.add_row(row["name"], value, row["unit"], baseline, ratio, target, met)
    return table


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"
