"""Pairs of cells as weights: what each kind of cell makes of +1 and -1."""

import numpy as np
import pytest

from mtjspice.crossbar.pairs import pair_parts, pair_states

G_AP, G_P, G_SHORT = 1.0, 3.0, 7.0
SPAN = G_P - G_AP
HEALTHY, STUCK_P, STUCK_AP, OPEN, SHORT = (G_AP, G_P), (G_P, G_P), (G_AP, G_AP), (0.0, 0.0), (G_SHORT, G_SHORT)


@pytest.mark.parametrize(
    ("plus", "minus", "up", "down"),
    [
        (HEALTHY, HEALTHY, 1, -1),
        (STUCK_P, HEALTHY, 1, 0),
        (STUCK_AP, HEALTHY, 0, -1),
        (HEALTHY, STUCK_P, 0, -1),
        (HEALTHY, STUCK_AP, 1, 0),
        (STUCK_P, STUCK_P, 0, 0),
        (STUCK_P, STUCK_AP, 1, 1),
        (OPEN, HEALTHY, -G_AP / SPAN, -G_P / SPAN),
        (HEALTHY, OPEN, G_P / SPAN, G_AP / SPAN),
        (SHORT, HEALTHY, (G_SHORT - G_AP) / SPAN, (G_SHORT - G_P) / SPAN),
        (SHORT, SHORT, 0, 0),
    ],
)
def test_a_pair_is_its_two_cells_difference(
    plus: tuple[float, float], minus: tuple[float, float], up: float, down: float
) -> None:
    g_s = np.array([plus, minus]).T[:, None, :]
    a, b = pair_parts(g_s, SPAN)
    assert a.shape == b.shape == (1, 1)
    assert (a.dtype, b.dtype) == (np.float32, np.float32)
    # Single precision.
    assert a + b == pytest.approx(up, abs=1e-6)
    assert b - a == pytest.approx(down, abs=1e-6)


def test_any_weights_on_any_cells_are_a_w_plus_b() -> None:
    rng = np.random.default_rng(1)
    g_s = rng.uniform(0, 5, (2, 7, 10))
    weights = rng.choice((-1, 1), (7, 5))
    states = pair_states(weights)
    rows, columns = np.indices(states.shape)
    chosen = g_s[states, rows, columns]
    a, b = pair_parts(g_s, 2.0)
    np.testing.assert_allclose(a * weights + b, (chosen[:, 0::2] - chosen[:, 1::2]) / 2.0, atol=2e-6)


def test_a_weight_puts_one_of_its_cells_into_p() -> None:
    states = pair_states(np.array([[1, -1], [-1, 1]], dtype=np.int8))
    assert states.dtype == np.uint8
    assert states.tolist() == [[1, 0, 0, 1], [0, 1, 1, 0]]
