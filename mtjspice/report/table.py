"""How tables look: at most 100 columns, numbers to the right."""

from collections.abc import Collection, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table


def plain_table(title: str, columns: Sequence[str], *, text: Collection[str] = ("",)) -> Table:
    """Return an empty table; the first column and those that `text` names are text, the others are numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", pad_edge=False, box=SIMPLE_HEAD)
    for number, name in enumerate(columns):
        is_text = number == 0 or name in text
        table.add_column(name, justify="left" if is_text else "right", no_wrap=number > 0)
    return table
