"""The report of a training, from results made by hand: tables of at most 100 columns, figures without a warning."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.junction import JunctionCard
from mtjspice.cards.training import RuleName, load_training
from mtjspice.report.training_figure import draw_training
from mtjspice.report.training_tables import training_table
from mtjspice.training.campaign import TrainingResult
from mtjspice.training.networks import Network
from mtjspice.training.plan import Scenario, TrainingPlan
from mtjspice.training.task import packed


def run(rng: np.random.Generator, sizes: tuple[int, ...], epochs: int) -> dict[str, Any]:
    """Return what one seed could come to."""
    classes = max(sizes[-1], 2)
    errors = rng.uniform(0.05, 0.1, epochs + 1)
    confusion = np.diag(np.full(classes, 90)) + 1
    confusion[0, 1] = 0
    record = {"flips": 600, "false_flips": 30, "clipped": 8, "step_j": 4.2e-11}
    return {
        "test_error": float(errors[-1]),
        "train_mse": rng.uniform(0.1, 0.2, epochs + 1).tolist(),
        "test_errors": errors.tolist(),
        "confusion": confusion.tolist(),
        "classes": [f"class {n}" for n in range(classes)],
        "epochs": [record] * epochs,
        "samples": 300,
        "test_samples": 100,
        "data_sha256": "",
        "sizes": list(sizes),
        "bias_rows": [1, 10],
        "scales": [0.4] * (len(sizes) - 1),
        "step_s": 2e-8,
        "price": {"write_phases": 2.125, "junctions": 8, "digital_bits": 18, "remark": "adders of bits " * 9},
        "samples_per_s": 7400.0,
        "clipped_x": 0.03,
        "states": [packed(rng.random(shape) < 0.5) for shape in Network(sizes, (1, 10)).shapes],
    }


def made(
    junction: JunctionCard,
    sizes: tuple[int, ...] = (30, 20, 1),
    seeds: int = 3,
    scenario: Scenario = Scenario.STOCHASTIC,
    epochs: int = 7,
) -> TrainingResult:
    rng = np.random.default_rng(4)
    plan = TrainingPlan(
        data="wbcd",
        net="2L20",
        scenario=scenario,
        rule=RuleName.COUNTER,
        card=load_training("wbcd"),
        junction=junction,
        array=load_array("array45"),
        seeds=seeds,
        variation_percent=10,
    ).with_epochs(epochs)
    runs = tuple(run(rng, sizes, epochs) for _ in range(seeds))
    if scenario is Scenario.PROGRAMMED:  # the last point is of the crossbars
        for one in runs:
            one["test_errors"].append(0.2)
            one["train_mse"].append(one["train_mse"][-1])
            one["epochs"].append(one["epochs"][-1])
    return TrainingResult(plan, runs, 1.0)


def shown(result: TrainingResult) -> str:
    console = Console(width=100, file=io.StringIO())
    console.print(training_table(result))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    assert "…" not in text  # rich's sign of a cell that was cut
    return text


def test_the_table_says_what_happened_and_what_it_costs(mondal: JunctionCard) -> None:
    result = made(mondal)
    text = shown(result)
    for words in (
        "wbcd, 30-20-1: 3 seeds of 7 epochs",
        f"{100 * result.errors.mean():.2f} +- {100 * result.errors.std(ddof=1):.2f} % of 100 test samples",
        "trained in 1T1R crossbars, physical switching, resistances vary by 10 %",
        "2.12 write phases a sample; a weight has 8 junctions and 18 digital bits",
        "3.00 % of inputs, 0.13 % of errors",  # 8 of 300 samples times 21 errors
        "2, and 0.1 false ones",
        "42 pJ",
        "7,400 samples/s",
    ):
        assert words in text


def test_the_table_says_on_how_many_arrays_a_layer_lies(mondal: JunctionCard) -> None:
    result = made(mondal)
    cut = replace(result, plan=replace(result.plan, architecture=Architecture.ONE_R, array_rows=10))
    # Of 30 + 1 and 20 + 10 rows.
    assert "1R crossbars of at most 10 rows (4 + 3 arrays), physical switching" in shown(cut)
    assert cut.to_json()["arrays"] == [4, 3]


def test_a_table_of_one_seed_and_one_of_many(mondal: JunctionCard) -> None:
    assert "+-" not in shown(made(mondal, seeds=1, epochs=1))
    assert "1 seed of 1 epoch " in shown(made(mondal, seeds=1, epochs=1))
    assert "and 40 more" in shown(made(mondal, seeds=50))


@pytest.mark.parametrize(
    ("scenario", "there", "not_there"),
    [
        (Scenario.REAL, "real numbers, in software", "flips"),
        (Scenario.BINARY_CONNECT, "binary, in software", "energy"),
        (Scenario.PROGRAMMED, "600 to program them, and 30 false ones", "energy"),
    ],
)
def test_a_table_of_another_scenario(mondal: JunctionCard, scenario: Scenario, there: str, not_there: str) -> None:
    text = shown(made(mondal, scenario=scenario))
    assert there in text
    assert not_there not in text
    assert "price" not in text


@pytest.mark.parametrize(
    ("sizes", "scenario"),
    [
        ((30, 20, 1), Scenario.STOCHASTIC),
        ((9, 1), Scenario.PROGRAMMED),
        ((784, 12), Scenario.BINARY_CONNECT),
        ((60, 8, 4, 26), Scenario.REAL),
    ],
)
def test_a_figure_is_drawn(mondal: JunctionCard, tmp_path: Path, sizes: tuple[int, ...], scenario: Scenario) -> None:
    result = made(mondal, sizes, scenario=scenario)
    draw_training(replace(result, plan=replace(result.plan, architecture=Architecture.ONE_R)), tmp_path / "t.png")
    content = (tmp_path / "t.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 5000


def test_a_figure_of_nothing_wrong_after_one_epoch(mondal: JunctionCard, tmp_path: Path) -> None:
    result = made(mondal, seeds=1, epochs=1)
    result.runs[0]["test_errors"] = [0.0, 0.0]
    draw_training(result, tmp_path / "t.png")
    assert (tmp_path / "t.png").exists()
