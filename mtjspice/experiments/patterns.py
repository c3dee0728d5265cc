"""Letters of 3 x 3 pixels, and a network of one crossbar that learns them sample by sample.

The task is that of Prezioso et al., Nature 521, 61 (2015), for a memristor crossbar: stylised z, v and n, each as it is
and with one pixel flipped.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mtjspice.surrogate.array import ReadOutcome
from mtjspice.surrogate.exact_write import WriteOutcome

LETTERS = {"z": ("###", ".#.", "###"), "v": ("#.#", "#.#", ".#."), "n": (".#.", "#.#", "#.#")}
ROWS, COLUMNS = 10, len(LETTERS)
"""Nine pixels and a bias; one output for each letter."""


@dataclass(frozen=True)
class Patterns:
    """Inputs and targets.

    Args:
        x: (patterns, ROWS), +1 or -1; the last row is the bias, always +1.
        target: (patterns, COLUMNS), +1 for the pattern's own letter, else -1.
    """

    x: np.ndarray
    target: np.ndarray


class TrainedArray(Protocol):
    """What the loop needs of an array: `SurrogateArray` and `SpiceArray` have it."""

    @property
    def state(self) -> np.ndarray:
        """(rows, columns), 1 parallel, 0 antiparallel."""

    def read(self, x: np.ndarray) -> ReadOutcome:
        """Return the outcome of reading inputs `x`."""

    def write(self, x: np.ndarray, delta: np.ndarray) -> WriteOutcome:
        """Write inputs `x` and errors `delta`."""


@dataclass(frozen=True)
class Learning:
    """How the network learns.

    Args:
        gain: y = tanh(gain W x). Larger ones leave outputs that are right alone, and clearly wrong ones, too.
        least_delta: columns of smaller |delta| are not written: even the shortest pulse flips a cell in twenty. By
            default an output that is right by W x = 2 has 0.06, or 0.08 as it is read at worst.
    """

    gain: float = 0.6
    least_delta: float = 0.1

    def output(self, read: ReadOutcome) -> np.ndarray:
        """Return y, (columns,)."""
        return np.tanh(self.gain * read.weighted)

    def delta(self, y: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Return dE/da = (y - t)(1 - y^2), (columns,), of E = sum (y - t)^2/2 and y = tanh a; 0 where it is small."""
        delta = (y - target) * (1 - y**2)
        return np.where(np.abs(delta) < self.least_delta, 0.0, delta)


def patterns() -> Patterns:
    """Return the three letters, each followed by its nine versions with one pixel flipped."""
    x, target = [], []
    for letter, lines in enumerate(LETTERS.values()):
        clean = np.array([1.0 if mark == "#" else -1.0 for mark in "".join(lines)])
        for pixel in (None, *range(clean.size)):
            seen = clean.copy()
            if pixel is not None:
                seen[pixel] *= -1
            x.append([*seen, 1.0])
            target.append(2.0 * (np.arange(COLUMNS) == letter) - 1)
    return Patterns(np.array(x), np.array(target))


def train(array: TrainedArray, samples: Patterns, orders: np.ndarray, learning: Learning) -> dict[str, Any]:
    """Train `array` sample by sample by the paper's rule (Table 1), and return how it went, as plain data.

    Args:
        orders: (epochs, samples), indices into `samples`.

    Returns:
        ``error`` and ``accuracy``, (epochs + 1): mean E, and the fraction whose largest output is its letter's, of all
        samples before the first epoch and after each; ``flips_per_sample``; ``written``, the fraction of samples that
        were; ``clipped``, the fraction of all delta beyond 1; and ``step_j``, the mean energy of a sample's read and
        write, without the reads for the curves; ``parallel``, (ROWS * COLUMNS,), 1 for a cell that ends parallel.
    """
    curve = [_evaluate(array, samples, learning)]
    flips, written, clipped, energy_j = 0, 0, 0, 0.0
    for order in orders:
        for k in order:
            x, target = samples.x[k], samples.target[k]
            read = array.read(x)
            energy_j += read.energy_j
            delta = learning.delta(learning.output(read), target)
            clipped += int((np.abs(delta) > 1).sum())
            if delta.any():
                outcome = array.write(x, np.clip(delta, -1, 1))
                energy_j += outcome.energy_j
                flips += int(outcome.flips.sum())
                written += 1
        curve.append(_evaluate(array, samples, learning))
    error, accuracy = zip(*curve, strict=True)
    return {
        "error": list(error),
        "accuracy": list(accuracy),
        "flips_per_sample": flips / orders.size,
        "written": written / orders.size,
        "clipped": clipped / (orders.size * samples.target.shape[1]),
        "step_j": energy_j / orders.size,
        "parallel": array.state.ravel().tolist(),
    }


def _evaluate(array: TrainedArray, samples: Patterns, learning: Learning) -> tuple[float, float]:
    """Return mean E and accuracy over all samples."""
    y = np.array([learning.output(array.read(x)) for x in samples.x])
    error = ((y - samples.target) ** 2).sum(axis=1).mean() / 2
    accuracy = (y.argmax(axis=1) == samples.target.argmax(axis=1)).mean()
    return float(error), float(accuracy)
