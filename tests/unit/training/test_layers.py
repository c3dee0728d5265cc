"""Forward and backward through layers beside finite differences, and the order of driven rows."""

from itertools import pairwise

import numpy as np
import pytest

from mtjspice.training.layers import backward, driven_rows, forward, new_signals

STEP = 1e-3


def loss(weights: list[np.ndarray], scales: np.ndarray, sample: np.ndarray, target: np.ndarray) -> float:
    y = sample
    for scale, weight in zip(scales, weights, strict=True):
        y = np.tanh(scale * np.append(y, np.ones(len(weight) - len(y))) @ weight)
    return float(((y - target) ** 2).sum() / 2)


@pytest.mark.parametrize("sizes", [(5, 3), (5, 4, 3), (6, 5, 4, 2)])
def test_errors_are_the_gradient(sizes: tuple[int, ...]) -> None:
    """dE/dW_ij = b x_i delta_j, by differences of a loss in double precision."""
    rng = np.random.default_rng(1)
    shapes = [(n + 2, m) for n, m in pairwise(sizes)]
    weights = [rng.uniform(-1, 1, shape).astype(np.float32) for shape in shapes]
    scales = rng.uniform(0.2, 0.5, len(shapes))
    sample, target = rng.uniform(-1, 1, sizes[0]), rng.uniform(-0.4, 0.4, sizes[-1])
    sample[1] = 0.0
    signals = new_signals(shapes)
    forward(tuple(weights), scales, sample, signals)
    assert backward(tuple(weights), scales, target, signals) == 0  # none is clipped
    double = [weight.astype(float) for weight in weights]
    for n, weight in enumerate(double):
        for place in np.ndindex(weight.shape):
            found = []
            for sign in (1, -1):
                weight[place] += sign * STEP
                found.append(loss(double, scales, sample, target))
                weight[place] -= sign * STEP
            slope = (found[0] - found[1]) / (2 * STEP)
            expected = scales[n] * signals.x[n][place[0]] * signals.delta[n][place[1]]
            assert slope == pytest.approx(expected, abs=1e-5)


def test_large_errors_are_clipped_and_counted() -> None:
    """Outputs near zero are off by 2 at most; the hidden unit hears of ten of them."""
    signals = new_signals([(2, 1), (2, 10)])
    weights = (np.zeros((2, 1), np.float32), np.ones((2, 10), np.float32))
    weights[1][1] = 0
    forward(weights, np.array([1.0, 1.0]), np.zeros(1), signals)
    assert backward(weights, np.array([1.0, 1.0]), -np.ones(10), signals) == 1
    np.testing.assert_allclose(signals.delta[1], 1)
    np.testing.assert_allclose(signals.delta[0], 1)


@pytest.mark.parametrize("least", [0.0, 0.3])
def test_driven_rows_fall_by_bins(least: float) -> None:
    rng = np.random.default_rng(2)
    x = np.where(rng.random(300) < 0.6, rng.uniform(-1, 1, 300), 0.0)
    x[:4] = 1.0, -1.0, least, -least
    positive, negative = driven_rows(x, least, np.empty(300, np.int64))
    np.testing.assert_array_equal(np.sort(positive), np.flatnonzero(x > least))
    np.testing.assert_array_equal(np.sort(negative), np.flatnonzero(x < -least))
    for rows in (positive, negative):
        assert (np.diff(np.abs(x[rows])) <= 1 / 32).all()
