"""How tables look: at most 100 columns, numbers to the right."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table


def plain_table(title: str, columns: Sequence[str]) -> Table:
    """Return an empty table; the first column is text, the others are numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", pad_edge=False, box=SIMPLE_HEAD)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    return table
