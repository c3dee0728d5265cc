"""A paper's table and figure beside ours: they fit the terminal, Markdown holds, and figures are drawn."""

import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mtjspice.cards.array import load_array
from mtjspice.cards.junction import JunctionCard
from mtjspice.cards.training import RuleName
from mtjspice.experiments.fig7 import fig7
from mtjspice.experiments.reproduction import Cell, Conditions, Reproduction
from mtjspice.experiments.runs import run_key
from mtjspice.experiments.table5 import table5
from mtjspice.experiments.table6 import table6
from mtjspice.report.reproduction_page import draw_reproduction
from mtjspice.report.reproduction_tables import footnotes, heading, reproduction_markdown, reproduction_tables
from mtjspice.training.plan import TrainingPlan

CELLS = {"table5": table5, "table6": table6, "fig7": fig7}


def made(mondal: JunctionCard, name: str, *, rule: RuleName = RuleName.PER_SAMPLE, quick: bool = False) -> Reproduction:
    """Errors of two digits and spreads of two digits: the widest that there are."""
    conditions = Conditions(mondal, load_array("array45"), rule, quick)
    cells = CELLS[name](conditions)
    results = {run_key(cell.run): result(cell, cell.run) for cell in cells if isinstance(cell.run, TrainingPlan)}
    return Reproduction(name, name, conditions, tuple(cells), results, curves=name == "fig7")


def result(cell: Cell, plan: TrainingPlan) -> dict[str, Any]:
    error = 0.4567 if cell.row == "2 phases" else 0.1234
    return {
        "test_error": error, "test_error_std": 0.1144, "per_seed": [error], "seeds": plan.seeds,
        "epochs": 3, "phases": 2, "mean_field": False, "variation_percent": 0.0, "flips_per_sample": 303.21,
        "false_flips_per_sample": 1234.5, "train_mse": [1.5, 0.8, 0.6, 0.55], "provenance": {"elapsed_s": 1.0},
    }  # fmt: skip


def printed(reproduction: Reproduction) -> str:
    console = Console(width=100, highlight=False)
    with console.capture() as capture:
        console.print(*reproduction_tables(reproduction), sep="\n", markup=False)
    return capture.get()


@pytest.mark.parametrize("name", CELLS)
def test_the_widest_tables_fit(mondal: JunctionCard, name: str) -> None:
    text = printed(made(mondal, name))
    assert max(map(len, text.splitlines())) <= 100
    # Nothing was cut or folded.
    assert "…" not in text
    assert "12.34+-11.4" in text
    assert "303" in text or name != "fig7"


def test_paper_and_ours_stand_side_by_side(mondal: JunctionCard) -> None:
    text = printed(made(mondal, "table5"))
    st = [line.split() for line in text.splitlines() if line.startswith(" ST 1T1R")]
    assert st[0][2:9] == ["18.4", "(17.7)", "12.3+-11.4", "14.2", "(13.7)", "12.3+-11.4", "13.6"]
    assert st[1][2:6] == ["12.69", "12.34+-11.4", "10.18", "12.34+-11.4"]
    assert st[2][-4:-2] == ["-", "12.34+-11.4"]


def test_footnotes_explain_every_mark(mondal: JunctionCard) -> None:
    for name, rule in (("table5", RuleName.COUNTER), ("table6", RuleName.PER_SAMPLE), ("fig7", RuleName.PER_SAMPLE)):
        found = made(mondal, name, rule=rule)
        explained = {line[0] for line in footnotes(found) if line[1:3] == "  "}
        used = {m for marks in re.findall(r"<sup>(\w+)</sup>", reproduction_markdown(found)) for m in marks}
        assert used <= explained == set(found.marks.values())


def test_a_figure_s_ratio_is_told(mondal: JunctionCard) -> None:
    assert "WBCD 2L20: the test error with 2 phases is 3.70 times that with 4 phases" in footnotes(made(mondal, "fig7"))


def test_quick_is_marked(mondal: JunctionCard) -> None:
    found = made(mondal, "table5", quick=True)
    assert "QUICK" in heading(found)
    assert "QUICK" in reproduction_markdown(found)
    assert "QUICK" not in heading(made(mondal, "table5"))


@pytest.mark.parametrize("name", CELLS)
def test_markdown_tables_are_whole(mondal: JunctionCard, name: str) -> None:
    page = reproduction_markdown(made(mondal, name))
    assert f"mtjspice reproduce {name}" in page
    for block in page.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in rows}) <= 1
        assert len(rows) != 1


@pytest.mark.slow
@pytest.mark.parametrize(("name", "quick"), [("table5", False), ("table6", False), ("fig7", False), ("fig7", True)])
def test_page_and_figure_are_written(mondal: JunctionCard, tmp_path: Path, name: str, quick: bool) -> None:
    found = made(mondal, name, quick=quick)
    draw_reproduction(found, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {f"{found.stem}.md", f"{found.stem}.png"}
    assert (tmp_path / f"{found.stem}.png").read_bytes().startswith(b"\x89PNG")
