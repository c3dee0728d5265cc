"""Networks by name and by sizes, their targets and what they answer."""

import numpy as np
import pytest

from mtjspice.errors import InputError
from mtjspice.training.networks import Network, classified, network_sizes, outputs_of, targets


@pytest.mark.parametrize(
    ("name", "features", "classes", "sizes"),
    [
        ("1L", 30, 2, (30, 1)),
        ("2L20", 30, 2, (30, 20, 1)),
        ("2L100", 784, 10, (784, 100, 10)),
        ("3L", 784, 10, (784, 50, 25, 10)),
        ("3L80+40", 784, 10, (784, 80, 40, 10)),
        ("30-7-2", 30, 2, (30, 7, 2)),
        ("30-7-1", 30, 2, (30, 7, 1)),
        ("784-300-100-10", 784, 10, (784, 300, 100, 10)),
    ],
)
def test_sizes(name: str, features: int, classes: int, sizes: tuple[int, ...]) -> None:
    assert network_sizes(name, features, classes) == sizes


@pytest.mark.parametrize("name", ["", "2L", "2L0", "4L10", "2l20", "3L80", "30", "30-0-1", "30-x-1", "-30-1", "30--1"])
def test_no_such_network(name: str) -> None:
    with pytest.raises(InputError, match="no such network"):
        network_sizes(name, 30, 2)


@pytest.mark.parametrize(("name", "allowed"), [("29-5-1", "30-...-1 or 30-...-2"), ("30-5-3", "30-...-1")])
def test_a_network_that_does_not_fit(name: str, allowed: str) -> None:
    with pytest.raises(InputError, match="does not fit the data") as caught:
        network_sizes(name, 30, 2)
    assert allowed in str(caught.value)


def test_shapes_have_bias_rows() -> None:
    network = Network((784, 50, 25, 10), (1, 10))
    assert network.shapes == [(785, 50), (51, 25), (35, 10)]
    assert network.by_layer(("h", "o")) == ["h", "h", "o"]


def test_targets_and_classes_are_each_others_inverse() -> None:
    labels = np.array([0, 1, 1, 0])
    for outputs in (1, 2):
        found = targets(labels, outputs)
        assert found.shape == (4, outputs)
        assert set(found.ravel()) == {-1.0, 1.0}
        np.testing.assert_array_equal(classified(found), labels)


def test_outputs_are_tanh_of_weighted_sums() -> None:
    rng = np.random.default_rng(1)
    x, weights = rng.uniform(-1, 1, (5000, 4)), [rng.choice([-1, 1], (6, 3)), rng.choice([-1, 1], (4, 2))]
    hidden = np.tanh(0.3 * (x @ weights[0][:4] + weights[0][4:].sum(axis=0)))
    expected = np.tanh(0.7 * (hidden @ weights[1][:3] + weights[1][3]))
    np.testing.assert_allclose(outputs_of(weights, np.array([0.3, 0.7]), x.astype(np.float32)), expected, atol=1e-5)
