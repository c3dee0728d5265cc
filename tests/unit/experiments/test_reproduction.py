"""The lists of runs hold every number that the paper prints, and say why ours differ."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.junction import JunctionCard
from mtjspice.cards.training import RuleName
from mtjspice.errors import InputError
from mtjspice.experiments import reproduce as reproduce_module
from mtjspice.experiments import runs
from mtjspice.experiments.fig6 import fig6
from mtjspice.experiments.fig7 import fig7
from mtjspice.experiments.reproduce import Experiment, reproduce
from mtjspice.experiments.reproduction import Cell, Conditions, Reproduction, differs
from mtjspice.experiments.runs import find_run, run_key, shipped_results
from mtjspice.experiments.table5 import table5
from mtjspice.experiments.table6 import table6
from mtjspice.jobs.executors import LocalExecutor
from mtjspice.jobs.progress import progress
from mtjspice.training.plan import Scenario, TrainingPlan

# As printed, line by line.
TABLE_5 = """
    16.4 12.8 11.9  9.87  7.34  6.44  7.25  8.35  7.40 7.10
    19.2 15.2 14.3 13.50 10.89  9.55 10.45  9.85  8.30
    46.8 41.4 42.7 39.42 36.10 37.92 40.48 24.95 23.65
    18.4 14.2 13.6 12.69 10.18  8.96  9.71  9.20  7.70
    18.3 14.5 14.0 12.72 10.20  9.03  9.66  9.40  7.85
"""
TABLE_6 = """
    18.5 18.4 14.4 14.7 10.27 10.22  9.67  9.73
    18.7 18.7 14.7 14.8 10.28 10.29  9.78  9.80
    19.0 19.1 15.1 15.1 10.33 10.43  9.86  9.91
    19.3 19.5 16.0 15.9 10.42 10.72 10.15 10.28
"""


def lines(text: str) -> list[list[float]]:
    return [[float(number) for number in line.split()] for line in text.strip().splitlines()]


@pytest.fixture
def conditions(mondal: JunctionCard) -> Conditions:
    return Conditions(mondal, load_array("array45"))


def result(error: float = 0.1, **others: Any) -> dict[str, Any]:
    """What a run comes to, as far as it is looked at."""
    return {
        "test_error": error, "test_error_std": 0.01, "per_seed": [error], "seeds": 4, "epochs": 2, "phases": 2,
        "mean_field": False, "variation_percent": 0.0, "flips_per_sample": 3.0, "false_flips_per_sample": 0.0,
        "train_mse": [1.0, 0.5, 0.4], "provenance": {"elapsed_s": 1.5},
    } | others  # fmt: skip


def made(
    name: str, cells: list[Cell], conditions: Conditions, error: Callable[[Cell], float] = lambda cell: 0.1
) -> Reproduction:
    results = {run_key(cell.run): result(error(cell)) for cell in cells if isinstance(cell.run, TrainingPlan)}
    return Reproduction(name, name, conditions, tuple(cells), results, curves=name.startswith("fig"))


def test_table_5_is_complete(conditions: Conditions) -> None:
    cells = table5(conditions)
    assert Counter(c.printed for c in cells if c.printed) == Counter(n for line in lines(TABLE_5) for n in line)
    rows = [[c.printed for c in cells if c.row == row and c.printed] for row in dict.fromkeys(c.row for c in cells)]
    assert [row for row in rows if row] == lines(TABLE_5)
    # The row and the cells that are ours only.
    assert {(c.row, c.data, c.net) for c in cells if c.printed is None} == {
        ("BC", c.data, c.net) for c in cells
    } | {(row, "wbcd", "2L20") for row in ("DP 1T1R", "DP 1R", "ST 1T1R", "ST 1R")}  # fmt: skip
    assert len({(c.row, c.data, c.net) for c in cells}) == len(cells) == 60
    assert len({run_key(c.run) for c in cells if isinstance(c.run, TrainingPlan)}) == 60


def test_table_5_trains_what_the_paper_did(conditions: Conditions) -> None:
    plans = {(c.row, c.data, c.net): c.run for c in table5(conditions) if isinstance(c.run, TrainingPlan)}
    for (row, data, net), plan in plans.items():
        assert (plan.data, plan.net) == (data, net)
        assert plan.variation_percent == (10.0 if row == "DP 1T1R" else 0.0)
        assert (plan.architecture is Architecture.ONE_R) == row.endswith(" 1R")
        assert plan.scenario.value == row[:2].lower()
        assert plan.described()["phases"] == (4 if row.endswith(" 1R") else 2)
        assert plan.mean_field == (row.endswith(" 1R") and data == "mnist")
        assert plan.seeds == (2 if (row, data) == ("ST 1R", "mnist") else 3 if data == "mnist" else 10)
    assert plans["ST 1R", "mnist", "3L"].epochs <= 5


def test_table_6_is_complete(conditions: Conditions) -> None:
    cells = [c for c in table6(conditions) if c.row != "0 %"]
    by_row = [[c.printed for c in cells if c.row == f"{percent} %"] for percent in (2, 5, 10, 20)]
    assert by_row == lines(TABLE_6)
    for cell in cells:
        assert isinstance(cell.run, TrainingPlan)
        assert f"{cell.run.variation_percent:.0f} %" == cell.row
        assert cell.run.architecture.value == cell.column.lower()
    assert list(dict.fromkeys(c.section for c in cells)) == ["SONAR 1L", "SONAR 2L15", "MNIST 2L100", "WBCD 2L20"]


def test_tables_and_figures_share_runs(conditions: Conditions) -> None:
    def keys(cells: list[Cell]) -> set[str]:
        return {run_key(cell.run) for cell in cells if isinstance(cell.run, TrainingPlan)}

    without = [c for c in table6(conditions) if c.row == "0 %"]
    assert keys(without) <= keys(table5(conditions))
    assert keys(fig6(conditions)) <= keys(table6(conditions))
    two_phases = [c for c in fig7(conditions) if c.row == "2 phases"]
    assert len(keys(fig7(conditions)) - keys(table5(conditions))) == len(two_phases) == 3
    # Other rules' tables differ in what is trained in place only.
    batch = table5(replace(conditions, rule=RuleName.BATCH))
    assert len(keys(batch) & keys(table5(conditions))) == 40


@pytest.mark.parametrize("rule", [RuleName.PER_SAMPLE, RuleName.BATCH, RuleName.COUNTER])
def test_shipped_runs_are_found(conditions: Conditions, rule: RuleName, tmp_path: Path) -> None:
    """What a plan describes, by which they are found, stays as it was."""
    plans = [cell.run for cell in table5(replace(conditions, rule=rule)) if isinstance(cell.run, TrainingPlan)]
    assert [plan.net for plan in plans if find_run(plan, tmp_path) is None] == []


@pytest.mark.parametrize("rule", [RuleName.BATCH, RuleName.COUNTER])
def test_other_rules_leave_1r_empty_and_say_so(conditions: Conditions, rule: RuleName) -> None:
    found = made("table5", table5(replace(conditions, rule=rule)), replace(conditions, rule=rule))
    for cell in found.cells:
        assert isinstance(cell.run, str) == (cell.row == "ST 1R")
    (empty,) = {note for cell in found.cells if cell.row == "ST 1R" for note in found.notes(cell)}
    assert "1T1R arrays only" in empty
    assert any(f"{rule}: " in note for note in found.marks)


def test_quick_leaves_mnist_out_and_says_so(conditions: Conditions) -> None:
    quick = replace(conditions, quick=True)
    for cell in table5(quick):
        if cell.data == "mnist":
            assert cell.run == "left out by --quick"
        else:
            assert isinstance(cell.run, TrainingPlan)
            assert cell.run.seeds == 2
            assert cell.run.scenario is not Scenario.STOCHASTIC or cell.run.epochs <= 5
    found = made("table5", table5(quick), quick)
    assert found.stem == "table5_quick"
    assert found.to_json()["quick"] is True
    assert found.command == "mtjspice reproduce table5 --quick"


def test_seeds_may_be_asked_for(conditions: Conditions) -> None:
    asked = replace(conditions, seeds=7, root_seed=3)
    plans = [cell.run for cell in table6(asked) if isinstance(cell.run, TrainingPlan)]
    assert {(plan.seeds, plan.root_seed) for plan in plans} == {(7, 3)}
    assert made("table6", table6(asked), asked).command == "mtjspice reproduce table6 --seeds 7 --seed 3"


def test_what_counts_as_different() -> None:
    # Four seeds of 1 % spread: a standard error of half a point, so that the limit is one.
    assert not differs((0.10,), result(0.109))
    assert differs((0.10,), result(0.111))
    assert not differs((0.10,), result(0.139, test_error_std=0.04))
    assert not differs((0.142, 0.1365), result(0.128))
    assert not differs((), result(0.9))


def test_notes_say_why(conditions: Conditions) -> None:
    far = made("table5", table5(conditions), conditions, lambda cell: 0.7)
    near = made("table5", table5(conditions), conditions, lambda cell: min(cell.readings, default=0.1))

    def notes(found: Reproduction, row: str, data: str, net: str) -> str:
        (cell,) = [c for c in found.cells if (c.row, c.data, c.net) == (row, data, net)]
        return " ".join(found.notes(cell))

    assert notes(near, "ST 1T1R", "mnist", "2L50") == ""
    assert "settles at m = -E[g]/E|g|" in notes(far, "ST 1T1R", "mnist", "2L50")
    assert "random splits" in notes(far, "ST 1T1R", "wbcd", "1L")
    assert "cut off" in notes(near, "ST 1T1R", "wbcd", "2L20")
    assert "cut off" not in notes(near, "RV", "wbcd", "2L20")
    assert "counts of its 104" in notes(near, "RV", "sonar", "1L")
    assert "prints 2L5" in notes(near, "RV", "sonar", "2L15")
    assert "mean field" in notes(near, "ST 1R", "mnist", "3L")
    assert "a column at a time" in notes(far, "DP 1R", "wbcd", "1L")
    assert "conductance" in notes(far, "DP 1T1R", "wbcd", "1L")
    assert "not in the paper" in notes(far, "BC", "wbcd", "1L")


def test_sonar_s_numbers_may_be_counts(conditions: Conditions) -> None:
    (cell,) = [c for c in table5(conditions) if (c.row, c.data, c.net) == ("ST 1T1R", "sonar", "2L15")]
    assert cell.readings == pytest.approx((0.142, 0.1365), abs=5e-5)


def test_json_has_every_cell(conditions: Conditions) -> None:
    found = made("table5", table5(conditions), conditions)
    plain = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert len(plain["cells"]) == 60
    assert plain.keys() >= {"schema", "name", "title", "rule", "quick", "cells", "notes", "provenance"}
    for cell in plain["cells"]:
        assert cell.keys() >= {
            "data", "net", "row", "column", "printed", "notes", "run", "rule", "test_error", "test_error_std",
            "per_seed", "seeds", "epochs",
        }  # fmt: skip
        assert set(cell["notes"]) <= plain["notes"].keys()
        assert "train_mse" not in cell
    assert plain["provenance"]["elapsed_s"] == 90.0


def test_figures_have_curves_and_ratios(conditions: Conditions) -> None:
    found = made("fig7", fig7(conditions), conditions, lambda cell: 0.3 if cell.row == "2 phases" else 0.1)
    plain = found.to_json()
    assert all(cell["train_mse"] == [1.0, 0.5, 0.4] for cell in plain["cells"])
    assert plain["error_ratios"] == pytest.approx({"SONAR 2L15": 3, "MNIST 2L100": 3, "WBCD 2L20": 3})


def finish(name: Experiment, conditions: Conditions, folder: Path, drawn: list[str]) -> Reproduction:
    return reproduce(
        name, conditions, folder,
        executor=LocalExecutor(1), progress=progress, draw=lambda found, path: drawn.append(found.stem),
    )  # fmt: skip


def test_results_are_left_in_the_folder(
    conditions: Conditions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "find_run", lambda plan, folder: result())
    drawn: list[str] = []
    found = finish(Experiment.TABLE6, conditions, tmp_path / "a" / "b", drawn)
    assert drawn == ["table6"]
    assert json.loads((tmp_path / "a" / "b" / "table6.json").read_text()) == found.to_json()


def test_what_cannot_be_is_refused(conditions: Conditions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("trained")

    monkeypatch.setattr(reproduce_module, "finish_runs", never)
    for experiment, rule in ((Experiment.FIG6, RuleName.COUNTER), (Experiment.TABLE6, RuleName.REAL)):
        with pytest.raises(InputError, match="the rule does not train the arrays"):
            finish(experiment, replace(conditions, rule=rule), tmp_path, [])
    with pytest.raises(InputError, match="does not belong among the shipped results"):
        finish(Experiment.TABLE5, replace(conditions, quick=True), shipped_results(), [])
