"""What training knows of dies: none, one, or many from which each batch takes others."""

from collections.abc import Sequence

import numpy as np

from mtjspice.crossbar.pairs import PairParts

Parts = tuple[PairParts, PairParts]


class KnownDies:
    """Dies by their parts.

    Args:
        parts: of each die, both arrays.
    """

    def __init__(self, parts: Sequence[Parts]) -> None:
        self._layers = tuple(
            PairParts(np.stack([die[n].a for die in parts]), np.stack([die[n].b for die in parts])) for n in range(2)
        )
        self.count = len(parts)

    def some(self, count: int, rng: np.random.Generator) -> Parts:
        """Return `count` dies at random, all different: (count, rows, columns) each; all, if there are no more."""
        if count >= self.count:
            return self._layers[0], self._layers[1]
        chosen = rng.choice(self.count, count, replace=False)
        first, second = (PairParts(layer.a[chosen], layer.b[chosen]) for layer in self._layers)
        return first, second

    def mixed(self, rng: np.random.Generator) -> Parts:
        """Return a die whose every pair is one of some die's, always the same one's, from any place of its array."""
        die = rng.integers(self.count)

        def drawn(layer: PairParts) -> PairParts:
            a, b = layer.a[die], layer.b[die]
            chosen = rng.integers(0, a.size, a.shape)
            return PairParts(a.ravel()[chosen], b.ravel()[chosen])

        return drawn(self._layers[0]), drawn(self._layers[1])


def nominal_parts(sizes: tuple[int, int, int], copies: int) -> Parts:
    """Return the parts of a die without any fault."""
    inputs, hidden, outputs = sizes

    def nominal(shape: tuple[int, int]) -> PairParts:
        return PairParts(np.ones(shape, np.float32), np.zeros(shape, np.float32))

    return nominal((inputs, hidden)), nominal((hidden, outputs * copies))
