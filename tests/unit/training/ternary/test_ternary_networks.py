"""Layers of quantised networks, by name and by what they are made of."""

import pytest

from mtjspice.errors import InputError
from mtjspice.training.ternary.networks import Layer, quantised_net


def test_the_mnist_network() -> None:
    found = quantised_net("cnn", 784, 10)
    assert found.image == (1, 28, 28)
    assert found.layers == (
        Layer(32, 25, 5, 0, pools=True, places=24 * 24),
        Layer(64, 32 * 25, 5, 0, pools=True, places=8 * 8),
        Layer(512, 64 * 4 * 4),
        Layer(10, 512),
    )


def test_the_cifar_network_has_its_published_size() -> None:
    found = quantised_net("cifar", 3072, 10)
    assert found.image == (3, 32, 32)
    assert len(found.layers) == 8
    assert [layer.places for layer in found.layers] == [32**2, 32**2, 16**2, 16**2, 8**2, 8**2, 1, 1]
    assert found.layers[6] == Layer(1024, 512 * 4 * 4)
    assert found.weights == 12_973_440
    assert quantised_net("cifar-small", 3072, 10).weights == 813_408


def test_networks_without_filters() -> None:
    found = quantised_net("64-20-4", 64, 4)
    assert found.image == (64, 1, 1)
    assert found.layers == (Layer(20, 64), Layer(4, 20))
    assert quantised_net("mlp", 784, 26).layers[-1] == Layer(26, 256)


@pytest.mark.parametrize(
    ("net", "features", "words"),
    [
        ("mlp", 64, "does not fit"),
        ("63-20-4", 64, "does not fit"),
        ("64-20-5", 64, "does not fit"),
        ("8C5-4", 60, "does not fit"),
        ("8C5-MP2-MP2-4", 64, "no such layer"),
        ("8C5-MP2-8C5-4", 64, "does not fit"),
        ("20-8C3-4", 64, "does not fit"),
        ("8C3-20-8C3-4", 64, "does not fit"),
        ("8C4-4", 64, "no such layer"),
        ("64-0-4", 64, "no such layer"),
        ("many", 64, "does not fit"),
        ("64-x-4", 64, "no such layer"),
    ],
)
def test_networks_that_cannot_be(net: str, features: int, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        quantised_net(net, features, 4)
    assert "allowed:" in str(caught.value)
