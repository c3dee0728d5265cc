"""Weights in pairs of junctions, and what a read makes of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtjspice.crossbar.ternary import WeightKind, read_shares, synapse_states, synapse_weights
from mtjspice.errors import InputError


@given(st.sampled_from(WeightKind), st.integers(0, 2**32 - 1))
def test_states_hold_the_weights(kind: WeightKind, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.choice(kind.weights, (5, 7))
    states = synapse_states(kind, weights, rng)
    assert states.shape == (kind.junctions, 5, 7)
    assert np.isin(states, (0, 1)).all()
    np.testing.assert_array_equal(synapse_weights(kind, states), weights)


def test_both_ways_of_zero_are_used() -> None:
    first, second = synapse_states(WeightKind.TERNARY, np.zeros((100, 100)), np.random.default_rng(1))
    np.testing.assert_array_equal(first, second)
    assert abs(first.mean() - 0.5) < 4 * 0.5 / 100  # four sigma of 10,000 coin tosses


@pytest.mark.parametrize(
    ("kind", "wrong"), [(WeightKind.TERNARY, 2), (WeightKind.BINARY, 0), (WeightKind.TERNARY, np.nan)]
)
def test_a_weight_outside_the_set(kind: WeightKind, wrong: float) -> None:
    with pytest.raises(InputError, match="has no such weight") as caught:
        synapse_states(kind, np.array([1, wrong]), np.random.default_rng(1))
    assert "allowed:" in str(caught.value)


@pytest.mark.parametrize("kind", list(WeightKind))
def test_a_read_of_nominal_junctions_sees_the_weights(kind: WeightKind) -> None:
    """And one whose conductance lies halfway adds nothing."""
    g_p, g_ap = 2e-4, 7e-5
    rng = np.random.default_rng(2)
    weights = rng.choice(kind.weights, (4, 6))
    states = synapse_states(kind, weights, rng)
    shares = read_shares(kind, np.where(states == 1, g_p, g_ap), (g_p + g_ap) / 2, g_p - g_ap)
    np.testing.assert_allclose(shares.sum(axis=0), weights, atol=1e-6)
    middle = np.full((kind.junctions, 1), (g_p + g_ap) / 2)
    np.testing.assert_allclose(read_shares(kind, middle, (g_p + g_ap) / 2, g_p - g_ap), 0, atol=1e-6)
