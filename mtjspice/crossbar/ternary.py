"""Quantised synapses: a ternary weight in two junctions, or a binary one in one junction against the reference."""

from enum import StrEnum

import numpy as np

from mtjspice.errors import InputError


class WeightKind(StrEnum):
    """Which weights a synapse holds. With m = 1 in P and 0 in AP:"""

    TERNARY = "ternary"
    """W = m1 - m2, so that 0 is held by two junctions that are alike, in either state."""
    BINARY = "binary"
    """W = 2 m1 - 1."""

    @property
    def junctions(self) -> int:
        """Of a synapse."""
        return 2 if self is WeightKind.TERNARY else 1

    @property
    def step(self) -> float:
        """From one weight to the next."""
        return 1.0 if self is WeightKind.TERNARY else 2.0

    @property
    def weights(self) -> tuple[int, ...]:
        """All of them."""
        return (-1, 0, 1) if self is WeightKind.TERNARY else (-1, 1)


def synapse_states(kind: WeightKind, weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the states (junctions, ...) uint8 that hold weights (...); `rng` chooses between the two of 0.

    Raises:
        InputError: a weight that the synapse does not have.
    """
    given = np.asarray(weights)
    wrong = ~np.isin(given, kind.weights)
    if wrong.any():
        raise InputError(
            f"a {kind} synapse has no such weight",
            given=given[wrong].flat[0],
            allowed=", ".join(map(str, kind.weights)),
        )
    first = given > 0
    if kind is WeightKind.BINARY:
        return first[None].astype(np.uint8)
    alike = (given == 0) & (rng.random(given.shape) < 0.5)
    return np.stack((first | alike, (given < 0) | alike)).astype(np.uint8)


def synapse_weights(kind: WeightKind, states: np.ndarray) -> np.ndarray:
    """Return the weights (...) int8 that states (junctions, ...) hold."""
    first = states[0].astype(np.int8)
    return 2 * first - 1 if kind is WeightKind.BINARY else first - states[1].astype(np.int8)


def read_shares(kind: WeightKind, g_s: np.ndarray, reference_s: float, span_s: float) -> np.ndarray:
    """Return what each junction adds to the weight that a read sees, float32 of the shape of `g_s`.

    A ternary weight is the difference of two currents; a binary one is measured against the reference cell.

    Args:
        kind: of weights.
        g_s: (junctions, ...) conductances.
        reference_s: the mean of a nominal cell's two conductances.
        span_s: their difference, the unit of m.
    """
    m = (g_s - reference_s) / span_s + 0.5
    if kind is WeightKind.BINARY:
        return (2 * m - 1).astype(np.float32)
    # The halves cancel; so that a junction in its middle adds nothing.
    return np.stack((m[0] - 0.5, 0.5 - m[1])).astype(np.float32)
