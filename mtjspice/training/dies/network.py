"""A network of two layers of binary weights, whose columns have a digital gain and offset each.

Column j of a layer reads s_j = sum_i W_ij x_i and passes on z_j = gain_j (s_j - mean_j)/deviation_j + offset_j, where
mean and deviation are what s_j has over images. Hidden units are sigmoid(z). An output may have several copies of its
column, whose z are averaged; the largest names the class.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from mtjspice.npz import load_npz, save_npz
from mtjspice.training.dies.chip import Chip

_SCHEMA = 1
LEAST_VARIANCE = 1e-4
"""Of a column, in units of a weight squared: a column that never changes says nothing, whatever its gain."""
_CHUNK = 2000


class Columns(NamedTuple):
    """The digital side of a layer's columns."""

    gain: np.ndarray
    """(columns,), copies alike unless they were trimmed."""
    offset: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray


@dataclass(frozen=True, eq=False)
class BinaryNetwork:
    """A trained network.

    Args:
        weights: for each of the two layers (rows, columns) int8, +1 and -1.
        columns: of each layer; of the last one, with all copies.
        copies: of each output.
    """

    weights: tuple[np.ndarray, np.ndarray]
    columns: tuple[Columns, Columns]
    copies: int

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Inputs, hidden units, outputs."""
        first, second = self.weights
        return first.shape[0], first.shape[1], second.shape[1]

    @property
    def written(self) -> tuple[np.ndarray, np.ndarray]:
        """What is written onto a die's two arrays: the weights, outputs copied."""
        first, second = self.weights
        return first, np.tile(second, (1, self.copies))

    def hidden(self, chip: Chip, x: np.ndarray) -> np.ndarray:
        """Return the hidden units, (n, hidden), that a chip with these weights finds for images `x`, (n, inputs)."""
        return sigmoid(passed_on(chip.read(0, x), self.columns[0]))

    def outputs(self, chip: Chip, x: np.ndarray) -> np.ndarray:
        """Return the outputs, (n, outputs)."""
        z = passed_on(chip.read(1, self.hidden(chip, x)), self.columns[1])
        return z.reshape(len(x), self.copies, -1).mean(axis=1)

    def error(self, chip: Chip, x: np.ndarray, labels: np.ndarray) -> float:
        """Return the fraction of images that are misclassified."""
        wrong = 0
        for start in range(0, len(x), _CHUNK):
            part = slice(start, start + _CHUNK)
            wrong += int((self.outputs(chip, x[part]).argmax(axis=1) != labels[part]).sum())
        return wrong / len(x)

    def loss(self, chip: Chip, x: np.ndarray, labels: np.ndarray) -> float:
        """Return the mean cross-entropy, nats."""
        shares = softmax(self.outputs(chip, x))
        return float(-np.log(shares[np.arange(len(x)), labels].clip(min=1e-30)).mean())

    def with_columns(self, first: Columns, second: Columns) -> Self:
        """Return the same weights behind other columns."""
        return replace(self, columns=(first, second))

    def save(self, path: Path, header: dict[str, Any]) -> None:
        """Write the network, and `header`, plain data that says where it comes from."""
        arrays: dict[str, np.ndarray] = {}
        for n, (weight, columns) in enumerate(zip(self.weights, self.columns, strict=True)):
            arrays |= {f"weights_{n}": weight} | {f"{name}_{n}": value for name, value in columns._asdict().items()}
        save_npz(path, _SCHEMA, header | {"copies": self.copies}, arrays)

    @classmethod
    def load(cls, path: Path) -> tuple[Self, dict[str, Any]]:
        """Return a network and its header.

        Raises:
            DataError: missing, damaged, or of another schema.
        """
        return load_npz(path, _SCHEMA, "network", cls._from)

    @classmethod
    def _from(cls, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> tuple[Self, dict[str, Any]]:
        first, second = (Columns(**{name: arrays[f"{name}_{n}"] for name in Columns._fields}) for n in range(2))
        found = cls((arrays["weights_0"], arrays["weights_1"]), (first, second), int(header["copies"]))
        if found.sizes[1] != len(found.weights[1]):
            raise ValueError("the layers do not fit each other")
        for weights, columns in zip(found.written, found.columns, strict=True):
            if not np.isin(weights, (-1, 1)).all():
                raise ValueError("weights must be +1 or -1")
            if any(values.shape != weights.shape[1:] for values in columns):
                raise ValueError("the columns do not fit the weights")
            if not all(np.isfinite(values).all() for values in columns) or not (columns.deviation > 0).all():
                raise ValueError("a column's value is out of range")
        return found, header


def passed_on(sums: np.ndarray, columns: Columns) -> np.ndarray:
    """Return z for sums of columns, (..., columns)."""
    slope = columns.gain / columns.deviation
    return sums * slope + (columns.offset - columns.mean * slope)


def spread_of(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of sums, (n, columns), as `Columns` has them."""
    mean, variance = sums.mean(axis=0), sums.var(axis=0)
    return mean.astype(np.float32), np.sqrt(variance + LEAST_VARIANCE).astype(np.float32)


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Return 1/(1 + exp(-z))."""
    return 0.5 * np.tanh(0.5 * z) + 0.5


def softmax(z: np.ndarray) -> np.ndarray:
    """Return shares, (..., classes)."""
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)
