"""Normalisation: fitted on the training part, clipped to [-1, 1], and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import zscore

from mtjspice.errors import DataError, InputError
from mtjspice.training.datasets import Dataset
from mtjspice.training.normalise import NORMALISATIONS, normalise


def drawn(train: int = 5000, test: int = 400) -> Dataset:
    """Features of very different offsets and spreads."""
    rng = np.random.default_rng(1)
    x = rng.normal((0, 3, -1000, 1e-3), (1, 0.5, 0.1, 1e-4), (train + test, 4)).astype(np.float32)
    y = np.arange(train + test) % 2
    return Dataset("drawn", x[:train], y[:train], x[train:], y[train:], ("a", "b"))


@pytest.mark.parametrize("choice", NORMALISATIONS)
def test_features_lie_within_one_and_nothing_is_learnt_from_the_test_part(choice: str) -> None:
    dataset = drawn()
    shifted = replace(dataset, x_test=dataset.x_test + 10)
    first, second = normalise(dataset, choice), normalise(shifted, choice)
    for part in (first.dataset.x_train, first.dataset.x_test, second.dataset.x_test):
        assert part.dtype == np.float32
        assert np.abs(part).max() <= 1
    assert (first.dataset.x_train == second.dataset.x_train).all()
    assert first.clipped_train == second.clipped_train
    assert first.dataset.y_train is dataset.y_train


def test_minmax_reaches_both_ends_and_clips_nothing_that_it_was_fitted_on() -> None:
    dataset = drawn()
    normalised = normalise(dataset, "minmax")
    assert (normalised.dataset.x_train.min(axis=0) == -1).all()
    assert (normalised.dataset.x_train.max(axis=0) == 1).all()
    assert normalised.clipped_train == 0
    low, high = dataset.x_train.min(axis=0), dataset.x_train.max(axis=0)
    outside = (dataset.x_test < low) | (dataset.x_test > high)
    assert normalised.clipped_test == outside.mean()


def test_half_a_zscore_clips_beyond_two_standard_deviations() -> None:
    dataset = drawn()
    normalised = normalise(dataset, "zscore_half")
    halves = zscore(dataset.x_train.astype(float), axis=0) / 2
    np.testing.assert_allclose(normalised.dataset.x_train, halves.clip(-1, 1), atol=1e-6)
    assert normalised.clipped_train == pytest.approx((np.abs(halves) > 1).mean(), abs=1e-4)
    # 4.55 % of a Gaussian, 20 000 draws: five standard errors.
    assert normalised.clipped_train == pytest.approx(0.0455, abs=5 * 0.0015)


def test_unit_divides_bytes_by_their_full_scale_and_other_numbers_by_the_largest() -> None:
    images = np.array([[0, 51], [0, 102]], dtype=np.uint8)
    labels = np.array([0, 1])
    bytes_ = Dataset("bytes", images, labels, images, labels, ("a", "b"))
    np.testing.assert_allclose(normalise(bytes_, "unit").dataset.x_train, [[0, 0.2], [0, 0.4]], rtol=1e-6)
    x = np.array([[0, -2], [1, 0.5]], dtype=np.float32)
    numbers = Dataset("numbers", x, labels, 3 * x, labels, ("a", "b"))
    normalised = normalise(numbers, "unit")
    assert normalised.dataset.x_train.tolist() == [[0, -1], [0.5, 0.25]]
    assert normalised.dataset.x_test.tolist() == [[0, -1], [1, 0.75]]
    assert (normalised.clipped_train, normalised.clipped_test) == (0, 0.5)


def test_none_leaves_what_fits_alone() -> None:
    x, y = np.array([[0.25, -0.5], [2, 1]], dtype=np.float32), np.array([0, 1])
    dataset = Dataset("small", x, y, x, y, ("a", "b"))
    normalised = normalise(dataset, "none")
    assert normalised.dataset.x_train.tolist() == [[0.25, -0.5], [1, 1]]
    assert normalised.clipped_train == 0.25


@pytest.mark.parametrize("choice", ["minmax", "zscore_half"])
def test_constant_features_are_named(choice: str) -> None:
    dataset = drawn()
    x_train = dataset.x_train.copy()
    x_train[:, (1, 3)] = 0.1  # whose mean over the samples is not quite 0.1
    with pytest.raises(DataError, match="features 1, 3, counted from 0") as error:
        normalise(replace(dataset, x_train=x_train), choice)
    assert "unit" in str(error.value)


def test_nothing_but_zeros_has_no_largest() -> None:
    dataset = drawn()
    with pytest.raises(DataError, match="all features are 0"):
        normalise(replace(dataset, x_train=np.zeros_like(dataset.x_train)), "unit")


def test_an_unknown_choice_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="no such normalisation") as error:
        normalise(drawn(), "whiten")
    assert "whiten" in str(error.value)
    assert all(choice in str(error.value) for choice in NORMALISATIONS)
