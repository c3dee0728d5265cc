"""Benchmarks as a table of at most 100 columns."""

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table


def benchmark_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return one line for each of {name, value, unit, baseline, ratio}; a ratio above 1 is in our favour."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("benchmark")
    for name in ("value", "unit", "baseline", "ratio"):
        table.add_column(name, justify="left" if name == "unit" else "right", no_wrap=True)
    for row in rows:
        figures = (f"{row[key]:.4g}" if row[key] is not None else "-" for key in ("value", "baseline", "ratio"))
        value, baseline, ratio = figures
        table.add_row(row["name"], value, row["unit"], baseline, ratio)
    return table
