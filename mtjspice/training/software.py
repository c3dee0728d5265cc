"""Networks trained in software: with real weights (the paper's RV), and with their signs (BinaryConnect).

BinaryConnect (Courbariaux et al., NIPS 2015) keeps a real weight in [-1, 1] behind every binary one, computes with the
signs and moves the real weights by the gradient that the signs have. Both descend by Adam on E = 1/2 sum (y - t)^2.
"""

import numpy as np

from mtjspice.cards.training import Software
from mtjspice.training.rule import Price, Problem, Tally

_FORGET = (0.9, 0.999)
_LEAST = 1e-8


class SoftwareRule:
    """A network of weights in memory.

    Args:
        problem: what is learnt; of real weights the scales are 1.
        settings: of the descent.
        binary: whether the network computes with the signs of its weights.
        rng: draws the start.
    """

    def __init__(self, problem: Problem, settings: Software, binary: bool, rng: np.random.Generator) -> None:
        self._problem, self._settings, self._binary = problem, settings, binary
        # Real weights start so that a layer's sums neither grow nor die, signs anywhere.
        reach = [1.0 if binary else float(np.sqrt(3 / rows)) for rows, _ in problem.network.shapes]
        self._real = [
            rng.uniform(-r, r, shape).astype(np.float32) for r, shape in zip(reach, problem.network.shapes, strict=True)
        ]
        self._moments = [np.zeros((2, *shape), np.float32) for shape in problem.network.shapes]
        self._steps = 0
        bits = 32 if binary else 0
        self.price = Price(write_phases=0.0, write_s=0.0, junctions=0, digital_bits=32 + 2 * bits, remark="in software")

    def epoch(self, order: np.ndarray, rng: np.random.Generator) -> Tally:
        """See `Rule`."""
        problem, batch = self._problem, self._settings.batch
        tally = Tally()
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            before = [w > 0 for w in self._real] if self._binary else []
            weights = self.weights()
            gradients, _ = batch_gradient(weights, problem.scales, problem.x[chosen], problem.targets[chosen])
            self._steps += 1
            for n, gradient in enumerate(gradients):
                # Of signs it is the gradient by W, not by b W: the scale would only change the rate.
                self._descend(n, gradient / len(chosen))
            tally.flips += sum(int((b != (w > 0)).sum()) for b, w in zip(before, self._real, strict=False))
        return tally

    def weights(self) -> list[np.ndarray]:
        """See `Rule`."""
        return [np.where(w > 0, np.float32(1), np.float32(-1)) for w in self._real] if self._binary else self._real

    def cell_states(self) -> list[np.ndarray]:
        """See `Rule`; the signs of the weights."""
        return [(weight > 0).astype(np.uint8) for weight in self._real]

    def state(self) -> dict[str, np.ndarray]:
        """See `Rule`."""
        found = {"steps": np.array(self._steps)}
        for n, (real, moments) in enumerate(zip(self._real, self._moments, strict=True)):
            found |= {f"real_{n}": real, f"moments_{n}": moments}
        return found

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """See `Rule`."""
        self._steps = int(state["steps"])
        for n in range(len(self._real)):
            self._real[n][:], self._moments[n][:] = state[f"real_{n}"], state[f"moments_{n}"]

    def _descend(self, layer: int, gradient: np.ndarray) -> None:
        (first, second), (keep_1, keep_2) = self._moments[layer], _FORGET
        first += (1 - keep_1) * (gradient - first)
        second += (1 - keep_2) * (gradient**2 - second)
        rate = self._settings.learning_rate * np.sqrt(1 - keep_2**self._steps) / (1 - keep_1**self._steps)
        real = self._real[layer]
        real -= rate * first / (np.sqrt(second) + _LEAST)
        if self._binary:
            np.clip(real, -1, 1, out=real)


def batch_gradient(
    weights: list[np.ndarray], scales: np.ndarray, x: np.ndarray, targets: np.ndarray
) -> tuple[list[np.ndarray], int]:
    """Return G = sum over samples of x delta for each layer, (rows, columns), and how many errors were beyond 1.

    Errors are clipped to [-1, 1], as a crossbar's transposed read takes them.

    Args:
        weights: for each layer (rows, columns), bias rows last.
        scales: (layers,) b.
        x: (n, features).
        targets: (n, outputs).
    """
    inputs, outputs = [], []
    y = x
    for scale, weight in zip(scales, weights, strict=True):
        rows = np.ones((len(y), weight.shape[0]), np.float32)
        rows[:, : y.shape[1]] = y
        y = np.tanh(np.float32(scale) * (rows @ weight))
        inputs.append(rows)
        outputs.append(y)
    error = y - targets.astype(np.float32)
    gradients, clipped = [], 0
    for n in range(len(weights) - 1, -1, -1):
        delta = error * (1 - outputs[n] ** 2)
        clipped += int((np.abs(delta) > 1).sum())
        delta = np.clip(delta, -1, 1)
        gradients.append(inputs[n].T @ delta)
        if n > 0:
            error = np.float32(scales[n]) * (delta @ weights[n][: outputs[n - 1].shape[1]].T)
    return gradients[::-1], clipped
