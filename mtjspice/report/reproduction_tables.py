"""A paper's table or figure beside ours, for the terminal and for Markdown."""

from collections.abc import Iterator

from rich.table import Table

from mtjspice.experiments.reproduction import Cell, Reproduction
from mtjspice.report.table import plain_table

_NOTHING = "-"


def reproduction_tables(reproduction: Reproduction) -> Iterator[Table]:
    """Yield a table for each section of a paper's table, or one for a figure."""
    if reproduction.curves:
        yield _curves_table(reproduction)
        return
    for section, cells in reproduction.sections.items():
        rows, columns = _names(cells)
        table = plain_table(section, ("", *(name for c in columns for name in (c, "ours")), "n", "why"))
        # Four networks, twice each, need the room.
        table.padding, table.columns[0].no_wrap = (0, 1, 0, 0), True
        for row in rows:
            ours = [cell for cell in cells if cell.row == row]
            values = [value for cell in ours for value in (_printed(cell), _error(reproduction, cell, "+-"))]
            table.add_row(row, *values, _seeds(reproduction, ours), _marks(reproduction, ours))
        yield table


def heading(reproduction: Reproduction) -> str:
    """Return what stands above the tables."""
    asked = reproduction.conditions
    quick = " QUICK VERSION, with few seeds and epochs and without MNIST: to try, not to cite." * asked.quick
    return f"{reproduction.title}. Rule of ST: {asked.rule}. Ours: mean +- deviation of n seeds.{quick}"


def footnotes(reproduction: Reproduction) -> list[str]:
    """Return what stands below the tables, a line each."""
    lines = [f"{mark}  {text}" for text, mark in reproduction.marks.items()]
    for section, ratio in reproduction.ratios.items():
        shown = [cell.row for cell in reproduction.sections[section] if reproduction.result(cell)]
        lines.append(f"{section}: the test error with {shown[-1]} is {ratio:.2f} times that with {shown[0]}")
    return lines


def reproduction_markdown(reproduction: Reproduction) -> str:
    """Return tables and footnotes as a page."""
    parts = [heading(reproduction), f"Made by `{reproduction.command}`; runs are in `runs/`."]
    for section, cells in reproduction.sections.items():
        rows, columns = _names(cells)
        if reproduction.curves:
            header = [section, *_CURVE_COLUMNS[1:]]
            body = [[cell.row, *_curve(reproduction, cell, "±")] for cell in cells]
        else:
            header = [section, *(name for c in columns for name in (f"{c} paper", f"{c} ours")), "n"]
            body = []
            for row in rows:
                ours = [cell for cell in cells if cell.row == row]
                values = [v for cell in ours for v in (_printed(cell), _marked(reproduction, cell))]
                body.append([row, *values, _seeds(reproduction, ours)])
        rule = ["---", *["---:"] * (len(header) - 1)]
        parts.append("\n".join("| " + " | ".join(line) + " |" for line in (header, rule, *body)))
    parts.append("\n".join(f"- {line}" for line in footnotes(reproduction)))
    return "\n\n".join(parts) + "\n"


_CURVE_COLUMNS = ("", "at first", "at last", "test error, %", "flips", "false flips", "epochs", "seeds", "why")


def _curves_table(reproduction: Reproduction) -> Table:
    table = plain_table("Mean squared error of training; flips a sample in the last epoch", _CURVE_COLUMNS)
    for section, cells in reproduction.sections.items():
        table.add_row(section)
        for cell in cells:
            table.add_row(f"  {cell.row}", *_curve(reproduction, cell, "+-"))
    return table


def _curve(reproduction: Reproduction, cell: Cell, plus_minus: str) -> list[str]:
    result = reproduction.result(cell)
    if result is None:
        return [_NOTHING] * (len(_CURVE_COLUMNS) - 2) + [_marks(reproduction, [cell])]
    return [
        f"{result['train_mse'][0]:.3f}",
        f"{result['train_mse'][-1]:.3f}",
        _error(reproduction, cell, plus_minus),
        per_sample(result["flips_per_sample"]),
        per_sample(result["false_flips_per_sample"]),
        str(result["epochs"]),
        str(result["seeds"]),
        _marks(reproduction, [cell]),
    ]


def per_sample(flips: float) -> str:
    """Return a number of flips to three digits, thousands in full."""
    return f"{flips:,.0f}" if flips >= 1000 else f"{flips:.3g}"


def _names(cells: tuple[Cell, ...]) -> tuple[list[str], list[str]]:
    """Return rows and columns in their order."""
    return list(dict.fromkeys(cell.row for cell in cells)), list(dict.fromkeys(cell.column for cell in cells))


def _printed(cell: Cell) -> str:
    """Return the paper's number with its digits; of SONAR also what it would be as a count."""
    if cell.printed is None:
        return _NOTHING
    if cell.data == "sonar":
        return f"{cell.printed:.1f} ({100 * cell.readings[1]:.1f})"
    return f"{cell.printed:.2f}"


def _error(reproduction: Reproduction, cell: Cell, plus_minus: str) -> str:
    result = reproduction.result(cell)
    if result is None:
        return _NOTHING
    digits = 1 if cell.data == "sonar" else 2
    spread = 100 * result["test_error_std"]
    return f"{100 * result['test_error']:.{digits}f}{plus_minus}{spread:.{digits if spread < 10 else 1}f}"


def _marked(reproduction: Reproduction, cell: Cell) -> str:
    marks = "".join(reproduction.marks[note] for note in reproduction.notes(cell))
    return _error(reproduction, cell, " ± ") + (f" <sup>{marks}</sup>" if marks else "")


def _seeds(reproduction: Reproduction, cells: list[Cell]) -> str:
    return ", ".join(dict.fromkeys(str(r["seeds"]) for cell in cells if (r := reproduction.result(cell)))) or _NOTHING


def _marks(reproduction: Reproduction, cells: list[Cell]) -> str:
    return "".join(sorted({reproduction.marks[note] for cell in cells for note in reproduction.notes(cell)}))
