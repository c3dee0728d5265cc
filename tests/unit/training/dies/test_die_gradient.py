"""The gradient by hand, against differences of a loss written otherwise and in double precision."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from mtjspice.crossbar.pairs import PairParts
from mtjspice.training.dies import gradient as module
from mtjspice.training.dies.gradient import Parameters, gradient
from mtjspice.training.dies.known import Parts, nominal_parts
from mtjspice.training.dies.network import LEAST_VARIANCE

STEP = 1e-5
INPUTS, HIDDEN, OUTPUTS, IMAGES = 5, 4, 3, 6


class Problem(NamedTuple):
    parameters: Parameters
    parts: Parts
    x: np.ndarray
    labels: np.ndarray


def problem(dies: int, copies: int) -> Problem:
    """Dies whose parts are far from nominal, and from each other."""
    rng = np.random.default_rng(3)

    def drawn(*shape: int, low: float = -1.0, high: float = 1.0) -> np.ndarray:
        return rng.uniform(low, high, shape).astype(np.float32)

    def part(rows: int, columns: int) -> PairParts:
        return PairParts(drawn(dies, rows, columns, low=0.3, high=1.2), drawn(dies, rows, columns))

    parameters = Parameters(
        drawn(INPUTS, HIDDEN),
        drawn(HIDDEN, OUTPUTS),
        drawn(HIDDEN, low=0.5, high=2),
        drawn(HIDDEN),
        drawn(OUTPUTS, low=0.5, high=2),
        drawn(OUTPUTS),
    )
    labels = rng.integers(0, OUTPUTS, (dies, IMAGES))
    parts = (part(INPUTS, HIDDEN), part(HIDDEN, OUTPUTS * copies))
    return Problem(parameters, parts, drawn(dies, IMAGES, INPUTS, low=0), labels)


Read = Callable[[int, int, np.ndarray, np.ndarray], np.ndarray]
"""Sums of one die's columns, from the layer, the die, its inputs and the weights."""


def as_read(given: Problem) -> Read:
    def read(layer: int, die: int, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return x @ (given.parts[layer].a[die] * weights + given.parts[layer].b[die].astype(float))

    return read


def loss_of(given: Problem, read: Read, shared: bool, kept: dict[tuple[int, int], np.ndarray] | None = None) -> float:
    """Return the mean cross-entropy, layer by layer, die by die; inputs of each layer are left in `kept`."""
    values = given.parameters
    dies, copies = len(given.x), given.parts[1].a.shape[2] // OUTPUTS
    second, gain_2, offset_2 = (np.hstack([v] * copies) for v in (values.second, values.gain_2, values.offset_2))
    layers = ((values.first, values.gain_1, values.offset_1), (second, gain_2, offset_2))
    signals = [x.astype(float) for x in given.x]
    for layer, (weights, gain, offset) in enumerate(layers):
        if kept is not None:
            kept |= {(layer, die): signals[die] for die in range(dies)}
        sums = [read(layer, die, signals[die], weights) for die in range(dies)]
        groups = [np.vstack(sums)] * dies if shared else sums
        z = [
            gain * (s - group.mean(axis=0)) / np.sqrt(group.var(axis=0) + LEAST_VARIANCE) + offset
            for s, group in zip(sums, groups, strict=True)
        ]
        signals = [1 / (1 + np.exp(-one)) for one in z]
    losses = []
    for one, labels in zip(z, given.labels, strict=True):
        y = sum(one[:, copy * OUTPUTS : (copy + 1) * OUTPUTS] for copy in range(copies)) / copies
        losses += [np.log(np.exp(row).sum()) - row[label] for row, label in zip(y, labels, strict=True)]
    return float(np.mean(losses))


def slopes(given: Problem, read: Read, shared: bool) -> Parameters:
    """Return the loss's slopes by central differences."""
    double = Parameters(*(value.astype(float) for value in given.parameters))
    moved = given._replace(parameters=double)
    found = []
    for value in double:
        slope = np.empty_like(value)
        for place in np.ndindex(value.shape):
            value[place] += STEP
            above = loss_of(moved, read, shared)
            value[place] -= 2 * STEP
            slope[place] = (above - loss_of(moved, read, shared)) / (2 * STEP)
            value[place] += STEP
        found.append(slope)
    return Parameters(*found)


def agree(found: Parameters, expected: Parameters) -> None:
    """Slopes are up to 0.3; single precision leaves 1e-7 of the terms that they are sums of."""
    for name in Parameters._fields:
        value, wanted = getattr(found, name), getattr(expected, name)
        assert value.dtype == np.float32, name
        assert np.abs(wanted).max() > 1e-3, name
        np.testing.assert_allclose(value, wanted, rtol=1e-4, atol=2e-6, err_msg=name)


@pytest.fixture
def real_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights as they are instead of their signs, which have no slope."""
    monkeypatch.setattr(module, "signs", lambda latent: latent)


@pytest.mark.usefixtures("real_weights")
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("dies", [1, 3])
def test_it_is_the_slope_of_the_loss(dies: int, copies: int, shared: bool) -> None:
    given = problem(dies, copies)
    found, loss = gradient(*given, shared=shared)
    assert loss == pytest.approx(loss_of(given, as_read(given), shared), abs=1e-6)
    agree(found, slopes(given, as_read(given), shared))


@pytest.mark.usefixtures("real_weights")
@pytest.mark.parametrize("copies", [1, 3])
def test_blind_it_goes_back_through_nominal_cells(copies: int) -> None:
    """As if sums were x W, plus what the cells' faults add to this batch, taken as fixed."""
    given = problem(2, copies)
    kept: dict[tuple[int, int], np.ndarray] = {}
    loss_of(given, as_read(given), False, kept)
    weights = (given.parameters.first, np.hstack([given.parameters.second] * copies))
    faults = {
        key: as_read(given)(*key, x, weights[key[0]]) - x @ weights[key[0]].astype(float) for key, x in kept.items()
    }
    found, loss = gradient(*given, shared=False, blind=True)
    assert loss == gradient(*given, shared=False)[1]
    agree(found, slopes(given, lambda layer, die, x, w: x @ w + faults[layer, die], False))


def test_blind_makes_no_difference_where_nothing_is_wrong() -> None:
    given = problem(1, 2)
    nominal = tuple(PairParts(part.a[None], part.b[None]) for part in nominal_parts((INPUTS, HIDDEN, OUTPUTS), 2))
    given = given._replace(parts=nominal)
    seeing, blind = (gradient(*given, shared=True, blind=blind)[0] for blind in (False, True))
    for name in Parameters._fields:
        np.testing.assert_array_equal(getattr(seeing, name), getattr(blind, name))


def test_only_the_signs_of_latent_weights_count() -> None:
    given = problem(2, 1)
    halved = given.parameters._replace(first=given.parameters.first / 2, second=given.parameters.second / 2)
    for one, other in zip(gradient(*given, shared=True)[0], gradient(halved, *given[1:], shared=True)[0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert module.signs(np.array([-0.5, 0.0, 0.5])).tolist() == [-1, 1, 1]


def test_a_die_alone_is_normalised_by_itself() -> None:
    """The gradient over several dies is the mean of theirs, if nothing is shared, and is not if it is."""
    given = problem(3, 1)
    alone = [
        gradient(
            given.parameters,
            tuple(PairParts(part.a[die : die + 1], part.b[die : die + 1]) for part in given.parts),  # type: ignore[arg-type]
            given.x[die : die + 1],
            given.labels[die : die + 1],
            shared=True,
        )
        for die in range(3)
    ]
    together, loss = gradient(*given, shared=False)
    assert loss == pytest.approx(np.mean([one for _, one in alone]), abs=1e-6)
    for name in Parameters._fields:
        mean = np.mean([getattr(one, name) for one, _ in alone], axis=0)
        np.testing.assert_allclose(getattr(together, name), mean, rtol=1e-4, atol=1e-6)
    assert abs(gradient(*given, shared=True)[1] - loss) > 1e-3
