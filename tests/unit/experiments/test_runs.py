"""Runs are trained once, whoever asks for them, and go on where they stopped."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.junction import JunctionCard
from mtjspice.cards.training import load_training
from mtjspice.experiments import runs
from mtjspice.experiments.runs import find_run, finish_runs, run_key
from mtjspice.jobs.executors import LocalExecutor
from mtjspice.jobs.progress import progress
from mtjspice.training.plan import Scenario, TrainingPlan
from mtjspice.training.task import Followed

Train = Callable[[Followed], dict[str, Any]]


class Trainer:
    """Stands in for the training, and remembers what it was given."""

    def __init__(self) -> None:
        self.trained: list[tuple[str, int]] = []
        self.stop_after = 10**6

    def __call__(self, followed: Followed) -> dict[str, Any]:
        task = followed.task
        if len(self.trained) == self.stop_after:
            raise KeyboardInterrupt
        self.trained.append((task.plan.net, task.number))
        record = {"seconds": 0.5, "flips": 30, "false_flips": 3, "clipped": 1, "step_j": 1e-9 / 3}
        return {
            "test_error": 0.1 + 0.01 * task.number,
            "train_mse": [1.0, 2 / 3],
            "test_errors": [0.5, 0.1],
            "confusion": [[5, 1], [0, 4]],
            "classes": ["no", "yes"],
            "epochs": [record],
            "samples": 10,
            "test_samples": 10,
            "samples_per_s": 20.0,
            "sizes": [30, 1],
            "bias_rows": [1, 1],
            "scales": [0.4],
            "clipped_x": 0.0,
            "step_s": 2e-8,
            "price": {"write_phases": 2, "junctions": 1, "digital_bits": 0, "remark": ""},
            "data_sha256": "0" * 64,
        }


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Trainer:
    """No run is shipped, and none is trained."""
    trainer = Trainer()
    monkeypatch.setattr(runs, "calibration_folder", lambda: tmp_path / "shipped")
    monkeypatch.setattr(runs, "train_task", trainer)
    return trainer


@pytest.fixture
def plan(mondal: JunctionCard) -> TrainingPlan:
    return TrainingPlan(
        data="wbcd",
        net="1L",
        scenario=Scenario.REAL,
        card=load_training("wbcd"),
        junction=mondal,
        array=load_array("array45"),
        seeds=3,
    )


def finish(plans: list[TrainingPlan], folder: Path) -> dict[str, dict[str, Any]]:
    return finish_runs(plans, folder, title="runs", executor=LocalExecutor(1), progress=progress)


def test_a_finished_run_is_not_trained_again(trainer: Trainer, plan: TrainingPlan, tmp_path: Path) -> None:
    first = finish([plan, plan], tmp_path)
    assert trainer.trained == [("1L", 0), ("1L", 1), ("1L", 2)]
    assert finish([plan], tmp_path) == first
    assert len(trainer.trained) == 3
    (run,) = first.values()
    assert run["test_error"] == pytest.approx(0.11)
    assert run["per_seed"] == [0.1, 0.11, 0.12]
    assert run["provenance"]["elapsed_s"] == 1.5


def test_a_run_s_file_is_small_and_tells_the_plan_exactly(trainer: Trainer, plan: TrainingPlan, tmp_path: Path) -> None:
    (key,) = finish([plan], tmp_path)
    assert key == run_key(plan)
    text = (tmp_path / "runs" / f"{key}.json").read_text()
    stored = json.loads(text)
    assert {name: stored[name] for name in plan.described()} == plan.described()
    assert stored["train_mse"] == [1.0, 0.666667]
    assert stored["step_j"] == 3.33333e-10
    assert text.count("\n") == len(stored) + 2


def test_another_content_is_another_run(trainer: Trainer, plan: TrainingPlan, tmp_path: Path) -> None:
    finish([plan], tmp_path)
    others = [replace(plan, seeds=2), replace(plan, root_seed=2), replace(plan, array_rows=5)]
    others.append(plan.with_epochs(plan.epochs + 1))
    assert all(find_run(other, tmp_path) is None for other in others)
    assert len({run_key(each) for each in [plan, *others]}) == 5
    # Settings of a rule that a run does not use are none of its content.
    card = load_training("wbcd")
    tuned = card.model_copy(update={"counter": card.counter.model_copy(update={"period": 7})})
    assert run_key(replace(plan, card=tuned)) == run_key(plan)


def test_an_interrupted_list_goes_on(trainer: Trainer, plan: TrainingPlan, tmp_path: Path) -> None:
    plans = [plan, replace(plan, net="2L10"), replace(plan, net="2L20")]
    trainer.stop_after = 5
    with pytest.raises(KeyboardInterrupt):
        finish(plans, tmp_path)
    # The first run is whole, of the second one two seeds are.
    assert find_run(plans[0], tmp_path) is not None
    assert find_run(plans[1], tmp_path) is None
    trainer.stop_after = 10**6
    results = finish(plans, tmp_path)
    assert trainer.trained == [(each.net, number) for each in plans for number in range(3)]
    assert list(results) == [run_key(each) for each in plans]
    assert not (tmp_path / "unfinished").exists()


def test_a_shipped_run_is_found_first(trainer: Trainer, plan: TrainingPlan, tmp_path: Path) -> None:
    finish([plan], runs.shipped_results())
    results = finish([plan], tmp_path / "out")
    assert len(trainer.trained) == 3
    assert results == {run_key(plan): find_run(plan, tmp_path)}
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("damage", ["", "[]", '{"data": "wbcd"}', None])
def test_a_damaged_file_counts_as_none(
    trainer: Trainer, plan: TrainingPlan, tmp_path: Path, damage: str | None
) -> None:
    finish([plan], tmp_path)
    path = tmp_path / "runs" / f"{run_key(plan)}.json"
    path.write_text(path.read_text().replace('"1L"', '"2L10"') if damage is None else damage)
    assert find_run(plan, tmp_path) is None
    finish([plan], tmp_path)
    assert len(trainer.trained) == 6
    assert find_run(plan, tmp_path) is not None


@pytest.mark.slow
def test_arrays_are_loaded_once_and_vary_as_planned(
    plan: TrainingPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trainer: Trainer
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(runs, "train_task", lambda followed: seen.append(followed.task.hardware) or trainer(followed))
    in_place = replace(plan, scenario=Scenario.STOCHASTIC, seeds=1)
    one_r = replace(in_place, architecture=Architecture.ONE_R)
    mean_field = replace(one_r, mean_field=True, array_rows=5)
    finish([in_place, replace(in_place, variation_percent=10.0), one_r, mean_field], tmp_path)
    assert [(h.phases, h.variation_percent, h.mean_field, h.array_rows) for h in seen] == [
        (2, 0.0, False, None),
        (2, 10.0, False, None),
        (4, 0.0, False, None),
        (4, 0.0, True, 5),
    ]
    assert seen[0].model is seen[1].model
    assert seen[2].model is seen[3].model


def test_a_network_is_trained_for_real(plan: TrainingPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "calibration_folder", lambda: tmp_path / "shipped")
    short = replace(plan, scenario=Scenario.BINARY_CONNECT, seeds=2).with_epochs(2)
    (run,) = finish([short], tmp_path).values()
    assert run["test_samples"] == 200
    assert len(run["train_mse"]) == 3
    assert run["train_mse"][-1] < run["train_mse"][0]
