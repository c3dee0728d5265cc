"""The table of networks on dies: what is trained and measured for it, once, and how it is put together."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from mtjspice.errors import InputError
from mtjspice.experiments import die_runs
from mtjspice.experiments.die_runs import DieTask, finish_die_runs, shipped_dies
from mtjspice.experiments.dies import RATES, DieConditions, DieTable, reproduce_dies, tasks_of
from mtjspice.jobs.executors import LocalExecutor
from mtjspice.jobs.progress import progress
from mtjspice.report.dies_page import draw_dies
from mtjspice.report.dies_tables import dies_tables


class Worker:
    """Stands in for training and measuring, and remembers what it was given."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.stop_after = 10**6

    def __call__(self, task: DieTask) -> dict[str, Any]:
        if len(self.ran) == self.stop_after:
            raise KeyboardInterrupt
        self.ran.append(task.key)
        errors = {
            one.name: [0.03 + one.statistics.rates.total + 0.001 * die for die in range(one.dies[0], one.dies[1] + 1)]
            for one in task.measured
        }
        return {
            "software": 0.031234567,
            "training_loss": 0.2,
            "errors": errors,
            "loss": 0.1,
            "losses": [[kind, strength, 0.1 + strength] for kind, strength in task.disturbances],
        }


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Worker:
    """No run is shipped, and none is trained."""
    worker = Worker()
    monkeypatch.setattr(die_runs, "calibration_folder", lambda: tmp_path / "shipped")
    monkeypatch.setattr(die_runs, "run_die_task", worker)
    return worker


def made(asked: DieConditions, folder: Path) -> DieTable:
    return reproduce_dies(asked, folder, executor=LocalExecutor(1), progress=progress, draw=draw_dies)


def test_every_network_is_trained_once_and_measured_everywhere() -> None:
    tasks = tasks_of(DieConditions())
    keys = [task.key for task in tasks.values()]
    assert len(set(keys)) == len(keys)
    ideal = [task for (name, _, _), task in tasks.items() if name == "ideal"]
    assert [task.plan.number for task in ideal] == [0, 1, 2]
    names = [one.name for one in ideal[0].measured]
    assert len(set(names)) == len(names)
    assert {f"as is at {rate:g}" for rate in RATES} <= set(names)
    assert {rate for name, rate, _ in tasks if name == "statistics-aware"} == set(RATES)
    assert {rate for name, rate, _ in tasks if name == "ideal"} == {None}
    # Dies in the loop of statistics-aware training are never those it is measured on: they have keys of their own.
    assert all(task.die is None for (name, _, _), task in tasks.items() if name.startswith("statistics-aware"))


@pytest.mark.slow
def test_a_table_is_put_together(worker: Worker, tmp_path: Path) -> None:
    found = made(DieConditions(), tmp_path / "out")
    assert found.baseline == pytest.approx(0.031234567, rel=1e-4)
    for row in found.asked.rows:
        for rate in row.training.rates(RATES):
            errors = found.errors(row, rate)
            assert errors.shape == ((1, 36) if row.training.method.needs_a_die else (3, 36))
            assert np.sort(errors[0]) == pytest.approx(0.03 + rate + 0.001 * np.arange(1, 37), abs=1e-6)
    plain = json.loads((tmp_path / "out" / "dies.json").read_text())
    assert len(plain["rows"]) == len(found.asked.rows)
    assert len(plain["conditions"]) == len(found.asked.conditions) * len(found.condition_rows)
    assert plain["losses"][0]["around"]["flips"][0] == [0.005, pytest.approx(0.105)]
    text = (tmp_path / "out" / "dies.md").read_text()
    assert "| ideal; as is | nothing |" in text
    assert (tmp_path / "out" / "dies.png").stat().st_size > 10_000


@pytest.mark.slow
def test_tables_fit_100_columns(worker: Worker, tmp_path: Path) -> None:
    console = Console(width=100, file=io.StringIO())
    with console.capture() as capture:
        console.print(*dies_tables(made(DieConditions(), tmp_path)))
    assert max(len(line.rstrip()) for line in capture.get().splitlines()) <= 100
    assert "\u2026" not in capture.get()  # nothing is cut


@pytest.mark.slow
def test_what_is_on_disk_is_not_run_again(worker: Worker, tmp_path: Path) -> None:
    asked = DieConditions(quick=True)
    worker.stop_after = 2
    with pytest.raises(KeyboardInterrupt):
        made(asked, tmp_path)
    worker.stop_after = 10**6
    made(asked, tmp_path)
    assert len(worker.ran) == len(set(worker.ran)) == len(tasks_of(asked))
    made(asked, tmp_path)
    assert len(worker.ran) == len(tasks_of(asked))


def test_a_damaged_run_is_run_again(worker: Worker, tmp_path: Path) -> None:
    tasks = list(tasks_of(DieConditions(quick=True)).values())[:1]

    def finish() -> dict[str, dict[str, Any]]:
        return finish_die_runs(tasks, tmp_path, title="dies", executor=LocalExecutor(1), progress=progress)

    first = finish()
    (file,) = (tmp_path / "runs").iterdir()
    file.write_text(file.read_text()[:-20])
    assert finish() == first
    assert len(worker.ran) == 2


@pytest.mark.slow
def test_one_rate_and_the_quick_version_are_files_of_their_own(worker: Worker, tmp_path: Path) -> None:
    assert made(DieConditions(rate=0.003), tmp_path).stem == "dies_0.003"
    assert made(DieConditions(quick=True), tmp_path).asked.command == "mtjspice reproduce dies --quick"
    assert {path.name for path in tmp_path.glob("*.json")} == {"dies_0.003.json", "dies_quick.json"}


def test_a_quick_version_stays_out_of_the_shipped_results(worker: Worker) -> None:
    with pytest.raises(InputError, match="does not belong among the shipped results"):
        made(DieConditions(quick=True), shipped_dies())
