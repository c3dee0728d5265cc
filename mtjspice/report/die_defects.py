"""What is wrong with dies, as a table."""

from typing import Any

from rich.markup import escape
from rich.table import Table

from mtjspice.report.table import plain_table

_KINDS = {"short": "shorted", "open": "open", "stuck_p": "stuck P", "stuck_ap": "stuck AP"}


def defects_table(summary: dict[str, Any]) -> Table:
    """Return each kind's defects, of all dies together and of the best and the worst die."""
    arrays = " and ".join(f"{rows} x {columns}" for rows, columns in summary["shapes"])
    dies = f"{summary['dies']} {'die' if summary['dies'] == 1 else 'dies'} of {arrays} cells"
    by_name = {die["name"]: die for die in summary["per_die"]}
    best, worst = by_name[summary["best"]], by_name[summary["worst"]]
    columns = (
        "",
        "all",
        "share",
        *(f"{rank}, {escape(die['name'])}" for rank, die in (("best", best), ("worst", worst))),
    )
    table = plain_table(dies, columns)
    cells = summary["cells"] * summary["dies"]
    for kind, text in _KINDS.items():
        count = summary["defects"][kind]
        table.add_row(
            text, f"{count:,}", _percent(count / cells), *(f"{die['defects'][kind]:,}" for die in (best, worst))
        )
    rate = summary["rate"]
    table.add_section()
    total = sum(summary["defects"].values())
    table.add_row("defective", f"{total:,}", *(_percent(rate[of]) for of in ("mean", "best", "worst")))
    return table


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.3g} %"
