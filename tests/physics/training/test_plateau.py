"""Where binary synapses come to rest under random gradients.

A synapse that flips with P = eta |g| whenever the gradient g opposes it goes down at the rate eta E[g+] where it is
up, and up at eta E[g-] where it is down, with g = g+ - g-. Whatever eta is, it is then up with a probability of
E[g-]/(E[g+] + E[g-]), so that its mean state is m = -E[g]/E|g|, and not the sign of -E[g].

A counter -L ... L - 1 that takes single steps up and down in proportion to E[g-] and E[g+] is found at n with a
probability that goes as (E[g-]/E[g+])^n. The odds of its upper half are those to the power of L: m = tanh(L atanh rho)
with rho = -E[g]/E|g|.
"""

from typing import Any

import numpy as np
import pytest

from mtjspice.cards.training import Counter, Switching
from mtjspice.crossbar.cells import Cells
from mtjspice.surrogate.ideal_array import ideal_array, write_column, write_device
from mtjspice.surrogate.model import ArrayModel
from mtjspice.training.counter import CounterRule, _note, _transfer
from mtjspice.training.layers import driven_rows
from mtjspice.training.networks import Network
from mtjspice.training.rule import Hardware, Problem

ROWS = 2000
SIGMAS = 4
"""False alarms of 6e-5 for each case; seeds are fixed."""


def two_point(rng: np.random.Generator, count: int) -> np.ndarray:
    """+0.9 in 30 %, -0.5 otherwise."""
    return np.where(rng.random(count) < 0.3, 0.9, -0.5)


def gaussian(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.clip(rng.normal(0.1, 0.3, count), -1, 1)


def rho(draw: Any) -> float:
    g = draw(np.random.default_rng(99), 4_000_000)
    return float(-g.mean() / np.abs(g).mean())


@pytest.mark.parametrize("eta", [0.05, 0.5])
@pytest.mark.parametrize("draw", [two_point, gaussian])
def test_a_memoryless_synapse_rests_at_minus_mean_over_mean_magnitude(model: ArrayModel, draw: Any, eta: float) -> None:
    rng, device = np.random.default_rng(1), write_device(model)
    cells = Cells.nominal(model.parameters, rng.integers(0, 2, (ROWS, 1)), model.array.r_short_ohm)
    array, rows = ideal_array(model, device, cells), np.empty(ROWS, np.int64)
    apart, found = round(6 / (eta * 0.25)), []  # e^-6 of a state is remembered
    for step in range(7 * apart):
        positive, negative = driven_rows(g := draw(rng, ROWS), 0.0, rows)
        write_column(rng, device, array, 0, positive, g, 1.0, 1, eta)
        write_column(rng, device, array, 0, negative, g, 1.0, 0, eta)
        if step % apart == apart - 1:
            found.append(2 * array.state.mean() - 1)
    expected = rho(draw)
    assert 0.1 < abs(expected) < 0.9
    error = np.sqrt((1 - expected**2) / (ROWS * 6))
    assert abs(np.mean(found[1:]) - expected) < SIGMAS * error


@pytest.mark.slow
@pytest.mark.parametrize("bits", [2, 3])
def test_a_counter_shrinks_the_pull_back_by_its_half_length(model: ArrayModel, bits: int) -> None:
    eta, length = 0.06, 2 ** (bits - 1)
    settings = Counter(
        epochs=1,
        bias_rows=(0, 0),
        bits=(bits, bits),
        period=1,
        pipelined=False,
        least_delta=0.0,
        eta=(eta, eta),
        start=length,
        t_strong_s=1e-8,
    )
    problem = Problem(np.zeros((1, ROWS), np.float32), np.ones((1, 1)), Network((ROWS, 1), (0, 0)), np.ones(1))
    rng = np.random.default_rng(2)
    layer = CounterRule(problem, Hardware(model, 2, 0.0, Switching.IDEAL), settings, rng)._layers[0]
    layer.fails[:] = 0
    device, rows, counts, delta = write_device(model), np.empty(ROWS, np.int64), np.zeros(7, np.int64), np.ones(1)
    # Around the middle a counter diffuses over its length; as many steps again are left out at the start.
    apart, found = 2 * round(2 * length**2 / (eta * 0.25)), []
    for step in range(5 * apart):
        positive, negative = driven_rows(g := gaussian(rng, ROWS), 0.0, rows)
        _note(rng, device, layer, g, positive, negative, delta, 0.0, counts)
        _transfer(rng, layer, 0, counts)
        if step % apart == apart - 1:
            found.append(2 * layer.weight.state.mean() - 1)
    expected = np.tanh(length * np.arctanh(rho(gaussian)))
    assert abs(expected) > abs(rho(gaussian)) + 0.1
    # An update that is noted twice in a window counts once: to first order in eta.
    error = np.sqrt((1 - expected**2) / (ROWS * 4))
    assert abs(np.mean(found[1:]) - expected) < SIGMAS * error + eta / 4
