"""`mtjspice reproduce` as a user meets it."""

import json
from pathlib import Path
from typing import Any

import pytest
from command import Command

from mtjspice.experiments import runs
from mtjspice.training.plan import TrainingPlan


@pytest.fixture
def finished(monkeypatch: pytest.MonkeyPatch) -> None:
    """All runs are there already."""

    def found(plan: TrainingPlan, folder: Path) -> dict[str, Any]:
        return {
            "test_error": 0.1, "test_error_std": 0.01, "per_seed": [0.1] * plan.seeds, "seeds": plan.seeds,
            "epochs": plan.epochs, "phases": 2, "mean_field": False, "variation_percent": 0.0,
            "flips_per_sample": 3.0, "false_flips_per_sample": 0.1, "train_mse": [1.0, 0.5],
            "provenance": {"elapsed_s": 1.0},
        }  # fmt: skip

    monkeypatch.setattr(runs, "find_run", found)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["table5", "table6", "fig6", "fig7"])
def test_a_finished_one_prints_at_once(mtjspice: Command, finished: None, tmp_path: Path, name: str) -> None:
    shown = mtjspice("reproduce", name)
    assert (shown.status, shown.err) == (0, "")
    assert max(map(len, shown.out.splitlines())) <= 100
    assert "WBCD" in shown.out or name == "fig6"
    assert f"{name}.md, .json and .png are in out/reproduce" in shown.out
    names = {f"{name}.md", f"{name}.json", f"{name}.png"}
    assert {path.name for path in (tmp_path / "out" / "reproduce").iterdir()} == names


def test_json_is_all_there_is_on_stdout(mtjspice: Command, finished: None, tmp_path: Path) -> None:
    shown = mtjspice("reproduce", "table6", "--rule", "batch", "--quick", "--out", "mine", "--json")
    assert shown.status == 0
    found = json.loads(shown.out)
    assert (found["rule"], found["quick"]) == ("batch", True)
    assert found["provenance"]["command"] == "mtjspice reproduce table6 --rule batch --quick"
    assert json.loads((tmp_path / "mine" / "table6_batch_quick.json").read_text()) == found


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fig7", "--rule", "counter"), "fig7 --rule counter"),
        (("table6", "--scheduler", "localhost"), "not a scheduler's address"),
        (("dies", "--seeds", "5", "--rule", "batch"), "--rule, --seeds"),
        (("table5", "--rate", "0.01"), "an option plays no part here"),
        (("table5", "--rule", "real"), "--rule per_sample or --rule batch or --rule counter"),
    ],
)
def test_bad_input_is_one_message(mtjspice: Command, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    shown = mtjspice("reproduce", *arguments)
    assert shown.status == 2
    assert shown.out == ""
    assert shown.err.count("error: ") == 1
    assert message in shown.err
    assert not list(tmp_path.iterdir())


def test_ctrl_c_says_that_work_is_kept(mtjspice: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "find_run", stopped)
    shown = mtjspice("reproduce", "table5")
    assert shown.status == 130
    assert "give the same command again" in shown.err
