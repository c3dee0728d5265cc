"""Images made to fit a network's inputs."""

import numpy as np
import pytest

from mtjspice.errors import InputError
from mtjspice.training.datasets import Dataset
from mtjspice.training.dies.images import with_inputs


def images(features: int) -> Dataset:
    rng = np.random.default_rng(1)
    x_train, x_test = (rng.uniform(size=(count, features)).astype(np.float32) for count in (6, 4))
    return Dataset("images", x_train, np.arange(6) % 2, x_test, np.arange(4) % 2, ("a", "b"))


def test_mnist_becomes_the_middle_in_squares_of_four() -> None:
    data = images(784)
    found = with_inputs(data, 100)
    for small, large in ((found.x_train, data.x_train), (found.x_test, data.x_test)):
        assert small.dtype == np.float32
        assert small.shape == (len(large), 100)
        for n, row, column in ((0, 0, 0), (1, 9, 9), (2, 3, 7)):
            top, left = 4 + 2 * row, 4 + 2 * column
            square = [large[n].reshape(28, 28)[top + i, left + j] for i in range(2) for j in range(2)]
            assert small[n, 10 * row + column] == pytest.approx(np.mean(square), rel=1e-6)
    np.testing.assert_array_equal(found.y_train, data.y_train)
    assert found.classes == data.classes


@pytest.mark.parametrize(("inputs", "side", "first", "factor"), [(196, 14, 0, 2), (49, 7, 0, 4), (400, 20, 4, 1)])
def test_other_sizes(inputs: int, side: int, first: int, factor: int) -> None:
    data = images(784)
    found = with_inputs(data, inputs).x_train[3].reshape(side, side)
    last = first + factor
    assert found[0, 0] == pytest.approx(data.x_train[3].reshape(28, 28)[first:last, first:last].mean(), rel=1e-6)


def test_as_many_inputs_as_features_change_nothing() -> None:
    data = images(30)
    assert with_inputs(data, 30) is data


@pytest.mark.parametrize(
    ("features", "inputs", "allowed"),
    [
        (784, 101, "784 inputs, or smaller images of, say, 49, 100, 196 pixels"),
        (784, 900, "784 inputs"),
        (784, 0, "784 inputs"),
        (30, 25, "allowed: 30 inputs"),
        (36, 35, "allowed: 36 inputs"),
    ],
)
def test_inputs_that_do_not_fit(features: int, inputs: int, allowed: str) -> None:
    with pytest.raises(InputError) as caught:
        with_inputs(images(features), inputs)
    assert f"{inputs} inputs for {features} features" in str(caught.value)
    assert allowed in str(caught.value)
