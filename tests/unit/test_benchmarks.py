"""The benchmarks run and say what they reached; how fast they are is `make bench`'s matter."""

import importlib
import io
import sys
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.junction.fokker_planck import switching_probability
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.thermal import boltzmann_start
from mtjspice.report.benchmark_table import benchmark_table
from mtjspice.resources import checkout

KEYS = {"name", "value", "unit", "baseline", "ratio", "bound", "target", "met"}


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    top = checkout()
    if top is None:
        pytest.skip("benchmarks come with the source")
    monkeypatch.syspath_prepend(str(top))


def benchmark(name: str) -> Any:
    return importlib.import_module(f"benchmarks.{name}")


def assert_whole(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        assert set(row) == KEYS
        assert row["bound"] in ("at least", "at most")
        if row["value"] is None:
            assert "not installed" in row["name"]
            assert row["met"] is None
            continue
        judged = row["value"] if row["baseline"] is None else row["value"] / row["baseline"]
        reached = judged >= row["target"] if row["bound"] == "at least" else judged <= row["target"]
        assert row["met"] is bool(reached)


def test_the_fokker_planck_benchmark(mondal_parameters: MacrospinParameters) -> None:
    module = benchmark("fokker_planck")
    assert_whole(module.one_probability())
    p = switching_probability(mondal_parameters, Direction.P_TO_AP, Drive.CURRENT, 140e-6, 2.5e-9)
    assert module.on_a_grid(mondal_parameters) == pytest.approx(p, rel=3e-3)  # as it says


def test_the_macrospin_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    module = benchmark("macrospin")
    monkeypatch.setattr(module, "_TRIALS", 64)
    monkeypatch.setattr(module, "_CMTJ_NANOSECONDS", 1.0)
    assert_whole(module.speed() + module.against_numpy())
    assert_whole(module.against_cmtj())


@pytest.mark.spice
def test_the_ngspice_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    module = benchmark("ngspice")
    monkeypatch.setattr(module, "_WIDTH_S", 0.05e-9)
    monkeypatch.setattr(module, "_BATCHES", (2,))
    monkeypatch.setattr(module, "_REPEATS", 1)
    assert_whole(module.benchmarks())


@pytest.mark.slow
def test_the_training_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    module = benchmark("training")
    monkeypatch.setattr(module, "_WARM", 20)
    monkeypatch.setattr(module, "_TIMED", 40)
    monkeypatch.setattr(module, "_TIMED_NAIVELY", 4)
    assert_whole(module.speed() + module.memory())


@pytest.mark.slow
def test_the_ternary_training_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is missing; pip install 'mtjspice[qnn]'")
    module, threads = benchmark("ternary_training"), torch.get_num_threads()
    monkeypatch.setattr(module, "_BATCHES", {"mlp": 1, "cnn": 1})
    monkeypatch.setattr(module, "_EPOCHS", 1)
    rows = module.benchmarks()
    assert_whole(rows)
    assert [row["value"] > 0 for row in rows] == [True] * 4
    assert torch.get_num_threads() == threads


def test_the_ternary_training_benchmark_without_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    rows = benchmark("ternary_training").benchmarks()
    assert_whole(rows)
    assert [row["value"] for row in rows] == [None] * 4


@pytest.mark.slow
def test_the_naive_kernel_flips_as_many_junctions() -> None:
    """From the same states, one sample again and again: 4 sigma of both means, 6e-5 false alarms; its seed is fixed."""
    module = benchmark("training")
    model, problem, order = module._model(), module._problem(1), np.zeros(1, np.int64)
    rule, rng, repeats = module._rule(model, problem, 0.0), np.random.default_rng(5), 60
    start, weights = {name: kept.copy() for name, kept in rule.state().items()}, [w.copy() for w in rule.weights()]
    ours, naive = [], []
    for _ in range(repeats):
        rule.restore(start)
        ours.append(rule.epoch(order, rng).flips)
        naive.append(module.Naive(model, [w.astype(float) for w in weights], problem, 0.0).epoch(order, rng))
    deviation = np.mean(ours) - np.mean(naive)
    assert abs(deviation) < 4 * np.sqrt((np.var(ours, ddof=1) + np.var(naive, ddof=1)) / repeats)
    assert np.mean(naive) > 50


def test_the_table_shows_targets_in_100_columns() -> None:
    entry = benchmark("_entry").entry
    rows = [
        entry("Fokker-Planck, one P(I, t)", 5.0, "ms", "at most", 20),
        entry("macrospin / vectorised numpy Heun", 21_000.0, "traj-ns/s", "at least", 5, baseline=5000.0),
        entry("ngspice / scalar Heun, batch 16", 2345.6, "us/traj-ns", "at most", 130, baseline=20.5),
        entry("macrospin / cmtj (skipped: not installed)", None, "traj-ns/s", "at least", 5),
        entry("macrospin", 17_000.0, "traj-ns/s", "at least", 18_000),
    ]
    assert [row["met"] for row in rows] == [True, False, True, None, False]
    console = Console(width=100, file=io.StringIO())
    with console.capture() as capture:
        console.print(benchmark_table(rows))
    text = capture.get()
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    assert "\u2026" not in text  # nothing is cut
    for expected in (
        "5 ms - - at most 20 yes",
        "21000 traj-ns/s 5000 4.2 at least 5 NO",
        "2346 us/traj-ns 20.5 114 at most 130 yes",
        "- traj-ns/s - - at least 5 -",
        "17000 traj-ns/s - - at least 18000 NO",
    ):
        assert expected in " ".join(text.split())


def test_cmtj_solves_the_same_junction(mondal_parameters: MacrospinParameters) -> None:
    """400 pulses by cmtj's own random numbers: four sigma are 6e-5 false alarms, and its seed is fixed."""
    cmtj = pytest.importorskip("cmtj")
    module, trials, current_a = benchmark("macrospin"), 400, 85e-6
    junction, switched = module.cmtj_junction(current_a), 0
    junction.setLayerSeed("free", 1)
    for start in boltzmann_start(mondal_parameters, Direction.AP_TO_P, trials, np.random.default_rng(1)).tolist():
        junction.setLayerMagnetisation("free", cmtj.CVector(*start))
        module.cmtj_run(junction, 2.0)
        switched += junction.getLayerMagnetisation("free").z > mondal_parameters.saddle_mz
    p = switching_probability(mondal_parameters, Direction.AP_TO_P, Drive.CURRENT, current_a, 2e-9)
    assert 0.1 < p < 0.9
    assert abs(switched / trials - p) < 4 * np.sqrt(p * (1 - p) / trials)
