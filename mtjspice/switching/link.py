"""The scale on which a switching probability is nearly a straight line.

Eq. 5 of Mondal & Srivastava is P = exp(-4 f(a) Delta exp(-2 t/T)), so ln(-ln P) is linear in width and, as f varies
slowly, nearly linear in current. That is the complementary log-log link of *not* switching; its sign is turned here, so
that it rises with P.
"""

import numpy as np


def link(probability: np.ndarray) -> np.ndarray:
    """Return -ln(-ln P), any shape; P must lie strictly between 0 and 1."""
    return -np.log(-np.log(probability))


def inverse_link(value: np.ndarray) -> np.ndarray:
    """Return P = exp(-exp(-value)), in [0, 1] for any value."""
    return np.exp(-np.exp(-np.asarray(value, dtype=float).clip(min=-700.0)))
