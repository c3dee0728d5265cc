"""The letters, the loop that learns them, and the test that tells training curves apart."""

import json
from pathlib import Path

import numpy as np
import pytest

from mtjspice.cards.array import Architecture
from mtjspice.crossbar.cells import Cells
from mtjspice.experiments import patterns_campaign
from mtjspice.experiments.patterns import COLUMNS, ROWS, Learning, patterns, train
from mtjspice.experiments.patterns_campaign import Loops, PatternsResult, exchange_p_value, mean_and_error
from mtjspice.report.patterns_figure import draw_patterns
from mtjspice.surrogate.array import SurrogateArray
from mtjspice.surrogate.model import ArrayModel


def loops(rng: np.random.Generator, seeds: int, runs: int, worse: float = 0.0) -> Loops:
    """Curves that fall, with scatter; `worse` is added after the start."""
    error = np.array([1.5, 1.0, 0.7]) + np.concatenate(
        (np.zeros((seeds, runs, 1)), worse + rng.normal(0, 0.1, (seeds, runs, 2))), axis=2
    )
    each = rng.uniform(0.1, 0.2, (seeds, runs))
    parallel = rng.integers(0, 2, (seeds, runs, 30))
    return Loops(error, 1 - error / 2, each, each, each, each * 1e-11, parallel)


def test_thirty_patterns_one_pixel_from_their_letters() -> None:
    samples = patterns()
    assert samples.x.shape == (30, ROWS)
    assert samples.target.shape == (30, COLUMNS)
    assert (np.abs(samples.x) == 1).all()
    assert (samples.x[:, -1] == 1).all()
    assert (samples.target.sum(axis=1) == 1 - 2).all()
    letters = samples.x[::10]
    distance = (samples.x[:, None] != letters).sum(axis=2)
    own = samples.target.argmax(axis=1)
    assert distance[np.arange(30), own].tolist() == ([0] + [1] * 9) * 3
    # Letters differ in six pixels, so that a noisy one is still nearest its own.
    assert (distance.argmin(axis=1) == own).all()
    assert len({tuple(x) for x in samples.x}) == 30


def test_delta_is_the_error_s_derivative() -> None:
    learning, a, target = Learning(least_delta=0.0), np.array([-1.2, 0.1, 0.8]), np.array([1.0, -1.0, -1.0])
    step = 1e-6

    def error(a: np.ndarray) -> np.ndarray:
        return (np.tanh(a) - target) ** 2 / 2

    numeric = (error(a + step) - error(a - step)) / (2 * step)
    # Central differences err by step^2 and by rounding over step, 1e-10.
    np.testing.assert_allclose(learning.delta(np.tanh(a), target), numeric, atol=1e-9)


def test_columns_of_small_delta_are_left_alone() -> None:
    learning = Learning()
    # Right by W x = 2, undecided, wrong by 2.
    delta = learning.delta(np.tanh(learning.gain * np.array([2, 0, 2])), np.array([1.0, -1.0, -1.0]))
    assert (delta != 0).tolist() == [False, True, True]


def test_the_surrogate_learns(model: ArrayModel) -> None:
    rng = np.random.default_rng(3)
    state = rng.integers(0, 2, (ROWS, COLUMNS))
    array = SurrogateArray(model, Cells.nominal(model.parameters, state, model.array.r_short_ohm), rng)
    found = train(array, patterns(), np.array([rng.permutation(30) for _ in range(2)]), Learning())
    # Chance is 1/3; over seeds the accuracy after two epochs is 0.9 with a scatter of 0.1. The seed is fixed.
    assert found["accuracy"][-1] > 0.6
    assert found["error"][-1] < found["error"][0]
    assert found["step_j"] > 0
    assert 0 < found["written"] < 1
    assert json.loads(json.dumps(found)) == found


def test_the_surrogate_s_loops_start_alike_and_differ(model: ArrayModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns_campaign, "SURROGATE_RUNS", 2)
    monkeypatch.setattr(patterns_campaign, "_orders", lambda task: np.array([[0, 10, 20]]))
    task = patterns_campaign.LoopTask(model, Learning(), 1, 1, 0)
    first, second = patterns_campaign.surrogate_loops(task)["runs"]
    assert first["error"][0] == second["error"][0]
    assert first["error"][1] != second["error"][1]
    assert patterns_campaign.surrogate_loops(task)["runs"] == [first, second]


def test_the_permutation_test_is_exact_and_can_fail() -> None:
    rng = np.random.default_rng(1)
    same = []
    for _ in range(100):
        both = loops(rng, 4, 9).error
        same.append(exchange_p_value(both[:, 0], both[:, 1:], rng))
    # Of 100 exact p-values 1 or 2 are expected below 0.015, and more than 8 with a probability of 3e-5.
    assert sum(p < 0.015 for p in same) <= 8
    # 4 sigma of a run's scatter worse, with four seeds, in both epochs.
    assert exchange_p_value(loops(rng, 4, 1, worse=0.4).error[:, 0], loops(rng, 4, 8).error, rng) < 0.01


def test_curves_that_never_move_agree() -> None:
    still = np.ones((3, 5, 4))
    assert exchange_p_value(still[:, 0], still[:, 1:], np.random.default_rng(1)) == 1.0


def test_standard_errors_are_over_seeds() -> None:
    mean, error = mean_and_error(np.array([[1.0, 3.0], [4.0, 6.0]]))
    assert mean == pytest.approx(3.5)
    assert error == pytest.approx(1.5)  # of 2 and 5: their deviation is 1.5 sqrt(2)


def test_result_as_json_and_figure(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    result = PatternsResult(Architecture.ONE_T_ONE_R, Learning(), loops(rng, 4, 1), loops(rng, 4, 8), 0.5, 0.4)
    plain = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert plain["epochs"] == 2
    assert plain["seeds"] == 4
    assert plain["agrees"]
    for side in ("spice", "surrogate"):
        assert len(plain[side]["error"]) == 3
        assert plain[side]["final_accuracy"] == plain[side]["accuracy"][-1]
        assert plain[side]["final_accuracy_standard_error"] > 0
    draw_patterns(result, tmp_path / "patterns.png")
    assert (tmp_path / "patterns.png").read_bytes().startswith(b"\x89PNG")
