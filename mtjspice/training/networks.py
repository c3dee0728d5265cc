"""Networks by name or by layer sizes, and what they make of samples."""

import re
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from mtjspice.errors import InputError

Value = TypeVar("Value")

_SIZES = re.compile(r"\d{1,5}(-\d{1,5})+")
_NAMED = re.compile(r"1L|2L([1-9]\d{0,3})|3L|3L([1-9]\d{0,3})\+([1-9]\d{0,3})")
_THREE_LAYERS = (50, 25)
_CHUNK = 4096


@dataclass(frozen=True)
class Network:
    """Layers of crossbars.

    Args:
        sizes: features, hidden units layer by layer, outputs.
        bias_rows: rows that are driven with x = 1, of hidden layers and of the output layer.
    """

    sizes: tuple[int, ...]
    bias_rows: tuple[int, int]

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """(rows, columns) of every layer's array."""
        biases = self.by_layer(self.bias_rows)
        return [(n + b, m) for n, m, b in zip(self.sizes, self.sizes[1:], biases, strict=False)]

    def by_layer(self, pair: tuple[Value, Value]) -> list[Value]:
        """Return a pair's values, of hidden layers and of the output layer, for every layer."""
        return [pair[0]] * (len(self.sizes) - 2) + [pair[1]]


def network_sizes(name: str, features: int, classes: int) -> tuple[int, ...]:
    """Return the layer sizes of ``1L``, ``2L100``, ``3L`` (50 and 25 hidden units), ``3L80+40`` or ``784-100-10``.

    Two classes take one output, others one each; in sizes two classes may also have an output each.

    Raises:
        InputError: neither, or sizes that do not fit the data.
    """
    outputs = 1 if classes == 2 else classes
    if match := _NAMED.fullmatch(name):
        one, first, second = match.groups()
        if name == "1L":
            hidden: tuple[int, ...] = ()
        elif one:
            hidden = (int(one),)
        else:
            hidden = (int(first), int(second)) if first else _THREE_LAYERS
        return (features, *hidden, outputs)
    if not _SIZES.fullmatch(name) or 0 in (sizes := tuple(int(part) for part in name.split("-"))):
        raise InputError(
            "there is no such network",
            given=name,
            allowed=f"1L, 2L100, 3L, 3L80+40 and the like, or layer sizes such as {features}-20-{outputs}",
        )
    if sizes[0] != features or sizes[-1] not in (outputs, classes):
        fitting = f"{features}-...-{outputs}" + (f" or {features}-...-{classes}" if classes != outputs else "")
        raise InputError("the network does not fit the data", given=name, allowed=fitting)
    return sizes


def targets(labels: np.ndarray, outputs: int) -> np.ndarray:
    """Return t, (n, outputs): +1 for the sample's class, -1 for others; with one output, +1 for class 1."""
    if outputs == 1:
        return (2.0 * labels - 1)[:, None]
    return np.where(np.arange(outputs) == labels[:, None], 1.0, -1.0)


def outputs_of(weights: list[np.ndarray], scales: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return y = tanh(b W x) of the last layer, (n, outputs) float32.

    Args:
        weights: for each layer (rows, columns), bias rows last.
        scales: (layers,) b.
        x: (n, features).
    """
    found = np.empty((len(x), weights[-1].shape[1]), np.float32)
    layers = [(np.float32(b) * w.astype(np.float32)) for b, w in zip(scales, weights, strict=True)]
    for start in range(0, len(x), _CHUNK):
        y = x[start : start + _CHUNK]
        for weight in layers:
            inputs = y.shape[1]
            y = np.tanh(y @ weight[:inputs] + weight[inputs:].sum(axis=0))
        found[start : start + _CHUNK] = y
    return found


def classified(y: np.ndarray) -> np.ndarray:
    """Return the class, (n,), that outputs `y`, (n, outputs), name: the largest one's; of one output its sign's."""
    chosen = y[:, 0] > 0 if y.shape[1] == 1 else y.argmax(axis=1)
    return chosen.astype(np.int64)
