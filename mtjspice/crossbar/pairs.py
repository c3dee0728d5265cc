"""Weights of +1 and -1 as pairs of cells: plus in P and minus in AP, or the other way round."""

from typing import NamedTuple

import numpy as np


class PairParts(NamedTuple):
    """What a read makes of weights W = +-1 written into pairs: W_eff = a W + b, exactly, where lines are ideal."""

    a: np.ndarray
    """(rows, columns) float32, 1 of nominal pairs and 0 where neither cell switches."""
    b: np.ndarray
    """(rows, columns) float32, 0 of nominal pairs."""


def pair_parts(g_s: np.ndarray, span_s: float) -> PairParts:
    """Return the parts of pairs in neighbouring columns, plus then minus.

    Args:
        g_s: (2, rows, 2 columns) conductances of cells in AP (0) and P (1), or stuck in either.
        span_s: G_P - G_AP of a nominal cell, the unit of weights.
    """
    plus, minus = g_s[:, :, 0::2], g_s[:, :, 1::2]
    up, down = plus[1] - minus[0], plus[0] - minus[1]
    half = 2 * span_s
    return PairParts(((up - down) / half).astype(np.float32), ((up + down) / half).astype(np.float32))


def pair_states(weights: np.ndarray) -> np.ndarray:
    """Return the states, (rows, 2 columns), that write weights of +1 and -1, (rows, columns)."""
    rows, columns = weights.shape
    states = np.empty((rows, 2 * columns), np.uint8)
    states[:, 0::2] = weights > 0
    states[:, 1::2] = weights < 0
    return states
