"""A closed loop as a table."""

from collections.abc import Callable
from typing import Any

from rich.table import Table

from mtjspice.experiments.patterns_campaign import PatternsResult
from mtjspice.report.table import plain_table
from mtjspice.units import format_si


def patterns_table(result: PatternsResult) -> Table:
    """Return what the trainings came to, in SPICE and on the surrogate."""
    found = result.to_json()
    table = plain_table("3 x 3-pixel patterns", ("", "SPICE", "surrogate"))

    def with_error(side: dict[str, Any], key: str) -> str:
        return f"{side[key]:.3f} +- {side[key + '_standard_error']:.3f}"

    rows: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
        ("final accuracy", lambda side: with_error(side, "final_accuracy")),
        ("error at the start", lambda side: f"{side['error'][0]:.3f}"),
        ("error at the end", lambda side: f"{side['error'][-1]:.3f}"),
        ("flips a sample", lambda side: with_error(side, "flips_per_sample")),
        ("cells that end parallel", lambda side: with_error(side, "parallel_fraction")),
        ("energy a step", lambda side: format_si(side["step_j"], "J")),
        ("samples written", lambda side: f"{100 * side['written_fraction']:.0f} %"),
        ("delta clipped", lambda side: f"{100 * side['clipped_fraction']:.0f} %"),
    ]
    for name, show in rows:
        table.add_row(name, show(found["spice"]), show(found["surrogate"]))
    table.add_row("p, equal curves", f"{found['p_value']:.3g}", "")
    table.add_row("p, equal final states", f"{found['states_p_value']:.3g}", "")
    return table
