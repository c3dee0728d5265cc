"""Weights in software: the gradient, BinaryConnect's limits, and learning."""

from itertools import pairwise

import numpy as np
import pytest

from mtjspice.cards.training import Software
from mtjspice.training.networks import Network, classified, outputs_of, targets
from mtjspice.training.rule import Problem
from mtjspice.training.software import SoftwareRule, batch_gradient

STEP = 1e-3


def problem(samples: int = 200) -> Problem:
    """Two classes that a line parts."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (samples, 6)).astype(np.float32)
    labels = (x @ np.array([1, -1, 1, 1, -1, -1]) > 0).astype(int)
    return Problem(x, targets(labels, 1), Network((6, 1), (1, 2)), np.array([0.4]))


def settings(rate: float = 0.02) -> Software:
    return Software(epochs=1, bias_rows=(1, 2), batch=20, learning_rate=rate)


@pytest.mark.parametrize("sizes", [(5, 3), (5, 4, 3), (6, 5, 4, 2)])
def test_the_batch_gradient_is_the_slope_of_the_loss(sizes: tuple[int, ...]) -> None:
    """dE/dW = b G of E = 1/2 sum (y - t)^2, by differences in double precision."""
    rng = np.random.default_rng(2)
    shapes = [(n + 1, m) for n, m in pairwise(sizes)]
    weights = [rng.uniform(-1, 1, shape).astype(np.float32) for shape in shapes]
    scales = rng.uniform(0.2, 0.4, len(shapes))
    x, t = rng.uniform(-1, 1, (7, sizes[0])).astype(np.float32), rng.uniform(-0.3, 0.3, (7, sizes[-1]))

    def loss(trial: list[np.ndarray]) -> float:
        y = x.astype(float)
        for scale, weight in zip(scales, trial, strict=True):
            y = np.tanh(scale * (y @ weight[:-1] + weight[-1]))
        return float(((y - t) ** 2).sum() / 2)

    gradients, clipped = batch_gradient(weights, scales, x, t)
    assert clipped == 0
    double = [weight.astype(float) for weight in weights]
    for n, weight in enumerate(double):
        for place in np.ndindex(weight.shape):
            weight[place] += STEP
            above = loss(double)
            weight[place] -= 2 * STEP
            below = loss(double)
            weight[place] += STEP
            assert (above - below) / (2 * STEP) == pytest.approx(scales[n] * gradients[n][place], abs=1e-4)


@pytest.mark.parametrize("binary", [False, True])
def test_it_learns(binary: bool) -> None:
    """A fifth of the errors of tossed coins; six signs are all that is needed."""
    task = problem()
    rule = SoftwareRule(task, settings(), binary, np.random.default_rng(3))
    rng = np.random.default_rng(4)
    for _ in range(60):
        rule.epoch(rng.permutation(200), rng)
    wrong = classified(outputs_of(rule.weights(), task.scales, task.x)) != (task.targets[:, 0] > 0)
    assert wrong.mean() < 0.1


def test_real_weights_behind_signs_stay_within_one() -> None:
    rule = SoftwareRule(problem(), settings(rate=1.0), True, np.random.default_rng(5))
    rng = np.random.default_rng(6)
    for _ in range(3):
        assert rule.epoch(rng.permutation(200), rng).flips > 0
        for name, values in rule.state().items():
            if name.startswith("real"):
                assert np.abs(values).max() <= 1
        for weight in rule.weights():
            assert set(np.unique(weight)) <= {-1, 1}


@pytest.mark.parametrize("binary", [False, True])
def test_it_goes_on_where_it_stopped(binary: bool) -> None:
    task, order = problem(), np.arange(200)
    whole, first, second = (SoftwareRule(task, settings(), binary, np.random.default_rng(n)) for n in (7, 7, 8))
    rng = np.random.default_rng(0)
    whole.epoch(order, rng)
    first.epoch(order, rng)
    second.restore({name: np.copy(values) for name, values in first.state().items()})
    whole.epoch(order[::-1], rng)
    second.epoch(order[::-1], rng)
    for name, values in whole.state().items():
        np.testing.assert_array_equal(second.state()[name], values)
