"""Networks on dies with defects: tables for the terminal, and a page."""

from collections.abc import Iterator

import numpy as np
from rich.table import Table

from mtjspice.experiments.dies import NEEDS, TITLE, DieTable
from mtjspice.report.table import plain_table

_WIDTH = 8
"""Of a mean and a worst error: text beside them is wrapped instead."""


def dies_tables(found: DieTable) -> Iterator[Table]:
    """Yield the tables, mean / worst error in percent."""
    for title, header, body in _tables(found):
        table = plain_table(title, header)
        table.padding = (0, 1, 0, 0)
        for column in table.columns[1:]:
            column.min_width = _WIDTH
        for line in body:
            table.add_row(*line)
        yield table


def dies_markdown(found: DieTable) -> str:
    """Return the tables as a page."""
    parts = [heading(found), f"Made by `{found.asked.command}`; every network is in `runs/`."]
    for title, header, body in _tables(found):
        rule = ["---", *["---:"] * (len(header) - 1)]
        lines = ["| " + " | ".join(line) + " |" for line in (header, rule, *body)]
        parts.append(f"**{title}**\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def heading(found: DieTable) -> str:
    """Return what stands above the tables."""
    asked = found.asked
    quick = " QUICK VERSION, with few epochs, networks and dies: to try, not to cite." * asked.quick
    return (
        f"{TITLE}. {asked.dies} dies, {asked.seeds} network{'s' * (asked.seeds > 1)} a training; in software ideal "
        f"training makes {100 * found.baseline:.2f} %. {NEEDS}.{quick}"
    )


def _tables(found: DieTable) -> Iterator[tuple[str, tuple[str, ...], list[list[str]]]]:
    asked = found.asked
    header = ("training; on the die", "known", *(f"{100 * rate:g} %" for rate in asked.rates))
    body = [
        [
            f"{row.training.name}; {row.name}",
            row.needs,
            *(
                _errors(found.errors(row, rate)) if rate in row.training.rates(asked.rates) else "-"
                for rate in asked.rates
            ),
        ]
        for row in asked.rows
    ]
    yield "Mean / worst error [%] by the rate of defects", header, body
    if asked.conditions:
        rows = found.condition_rows
        letters = "ABCDEFGH"[: len(rows)]
        names = (f"{mark} {row.training.name}; {row.name}" for mark, row in zip(letters, rows, strict=True))
        header = ("dies of 1 % defects", *letters)
        body = [
            [condition.name, *(_errors(found.errors_in(row, condition)) for row in rows)]
            for condition in asked.conditions
        ]
        yield f"Mean / worst error [%] where dies are not as in training. {'. '.join(names)}", header, body
    solutions = [(training, *found.losses(training)) for training in found.sampled]
    kinds = [(kind, strength) for kind, values in solutions[0][2].items() for strength, _ in values]
    header = ("loss around the solution", *(training.name for training, _, _ in solutions))
    body = [["undisturbed", *(f"{loss:.3f}" for _, loss, _ in solutions)]]
    for kind, strength in kinds:
        rises = [dict(around[kind])[strength] - loss for _, loss, around in solutions]
        shown = f"{strength:g} of a weight" if kind == "noise" else f"{100 * strength:g} % of weights"
        body.append([f"{kind}, {shown}", *(f"+{rise:.3f}" for rise in rises)])
    yield "Loss in nats, and its rise as weights are disturbed", header, body


def _errors(errors: np.ndarray) -> str:
    percent = 100 * errors
    mean, worst = percent.mean(), percent.max()
    return f"{mean:.{2 if mean < 10 else 1}f}/{worst:.{1 if worst < 10 else 0}f}"
