"""Networks by name or by their layers, such as 32C5-MP2-64C5-MP2-512-10, and the shapes of their weights."""

import math
import re
from dataclasses import dataclass, replace

from mtjspice.errors import InputError

NETS = {
    "mlp": "784-256-256-10",
    "cnn": "32C5-MP2-64C5-MP2-512-10",
    "cifar": "2x128C3-MP2-2x256C3-MP2-2x512C3-MP2-1024-10",
    "cifar-small": "2x32C3-MP2-2x64C3-MP2-2x128C3-MP2-256-10",
}
"""The CNN and the CIFAR network are those of Deng et al. (2018); 10 stands for as many outputs as there are classes."""
_CONVOLUTION = re.compile(r"(?:(\d{1,2})x)?(\d{1,5})C([357])")
_FULL = re.compile(r"\d{1,6}")


@dataclass(frozen=True)
class Layer:
    """Weights, and what follows them.

    Args:
        outputs: units, or feature maps.
        inputs: of a unit, or of a filter at one place.
        kernel: side of a filter; 0 for units that see all inputs.
        padding: around the image.
        pools: whether the largest of 2 x 2 follows.
        places: of a filter in the image, before pooling; 1 for units that see all.
    """

    outputs: int
    inputs: int
    kernel: int = 0
    padding: int = 0
    pools: bool = False
    places: int = 1

    @property
    def weights(self) -> int:
        """How many there are."""
        return self.outputs * self.inputs

    @property
    def reads(self) -> int:
        """Multiply-accumulates of an image, each a weight read at a place."""
        return self.weights * self.places


@dataclass(frozen=True)
class QuantisedNet:
    """A network.

    Args:
        image: (channels, height, width) of inputs; (features, 1, 1) where they are no image.
        layers: in order.
    """

    image: tuple[int, int, int]
    layers: tuple[Layer, ...]

    @property
    def weights(self) -> int:
        """How many there are in all layers."""
        return sum(layer.weights for layer in self.layers)

    @property
    def reads(self) -> int:
        """Multiply-accumulates of an image."""
        return sum(layer.reads for layer in self.layers)


def has_filters(net: str) -> bool:
    """Whether a network, by name or by layers, sees images."""
    return "C" in NETS.get(net, net)


def quantised_net(net: str, features: int, classes: int) -> QuantisedNet:
    """Return a network for data.

    Layers are ``32C5``, filters of 5 x 5 (those of 3 x 3 are padded, so that the image keeps its size, larger ones are
    not), ``MP2``, the largest of 2 x 2, and ``512``, units that see all. ``2x32C3`` is two layers. Networks without
    filters begin with the number of inputs.

    Raises:
        InputError: no such network, or one that does not fit the data.
    """
    tokens = NETS.get(net, net).split("-")
    if net in NETS:
        tokens[-1] = str(classes)
    convolves = has_filters(net)
    image = _image(features, net) if convolves else (features, 1, 1)
    if not convolves and tokens[0] != str(features):
        raise _misfit(net, f"{features} inputs first")
    if tokens[-1] != str(classes):
        raise _misfit(net, f"{classes} outputs last, one for each class")
    channels, height, width = image
    layers: list[Layer] = []
    for token in tokens if convolves else tokens[1:]:
        if found := _CONVOLUTION.fullmatch(token):
            for _ in range(int(found[1] or 1)):
                maps, kernel = int(found[2]), int(found[3])
                padding = 1 if kernel == 3 else 0
                inputs = channels * kernel**2
                channels, height, width = maps, height + 2 * padding - kernel + 1, width + 2 * padding - kernel + 1
                layers.append(Layer(maps, inputs, kernel, padding, places=height * width))
        elif token == "MP2" and layers and layers[-1].kernel and not layers[-1].pools:
            layers.append(replace(layers.pop(), pools=True))
            height, width = height // 2, width // 2
        elif _FULL.fullmatch(token) and int(token):
            layers.append(Layer(int(token), channels * height * width))
            channels, height, width = int(token), 1, 1
        else:
            raise InputError(
                "there is no such layer",
                where=net,
                given=token,
                allowed="layers as in " + ", ".join(f"{name} = {NETS[name]}" for name in ("mlp", "cnn")),
            )
        if min(height, width, channels) < 1:
            raise _misfit(net, f"fewer filters and poolings on images of {image[1]} x {image[2]}")
    # Filters see an image, which is gone after the first units that see all.
    kinds = [bool(layer.kernel) for layer in layers]
    if kinds != sorted(kinds, reverse=True) or kinds[-1]:
        raise _misfit(net, "filters first, and units that see all at the end")
    return QuantisedNet(image, tuple(layers))


def _image(features: int, net: str) -> tuple[int, int, int]:
    for channels in (1, 3):
        side = math.isqrt(features // channels)
        if channels * side**2 == features:
            return channels, side, side
    raise _misfit(net, f"data of square images, in grey or three colours, not of {features} features")


def _misfit(net: str, allowed: str) -> InputError:
    return InputError("the network does not fit the data", given=net, allowed=allowed)
