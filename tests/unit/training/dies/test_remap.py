"""Rows and columns exchanged around defects."""

from itertools import permutations

import numpy as np
import pytest
from die_problems import blobs, parts, trained

from mtjspice.crossbar.pairs import PairParts
from mtjspice.surrogate.read_model import ReadModel
from mtjspice.training.dies.calibrate import calibrated
from mtjspice.training.dies.chip import Chip, on_die, software
from mtjspice.training.dies.known import Parts
from mtjspice.training.dies.network import BinaryNetwork, Columns
from mtjspice.training.dies.remap import (
    Places,
    Worth,
    best_places,
    identity,
    moved,
    placed,
    worth_of,
)


def cost_of(weights: np.ndarray, worth: Worth, part: PairParts, places: Places) -> float:
    """Return the cost of an array's errors."""
    a, b = part.a[np.ix_(*places)], part.b[np.ix_(*places)]
    return float(worth.variance @ ((a - 1) * weights + b) ** 2 @ worth.slope)


def drawn_network(rng: np.random.Generator, sizes: tuple[int, int, int], copies: int = 1) -> BinaryNetwork:
    inputs, hidden, outputs = sizes
    columns = tuple(
        Columns(*(rng.uniform(0.5, 2, count).astype(np.float32) for _ in Columns._fields))
        for count in (hidden, outputs * copies)
    )
    weights = tuple(rng.choice((-1, 1), shape).astype(np.int8) for shape in ((inputs, hidden), (hidden, outputs)))
    return BinaryNetwork((weights[0], weights[1]), (columns[0], columns[1]), copies)


def drawn_worth(rng: np.random.Generator, weights: tuple[np.ndarray, ...]) -> tuple[Worth, ...]:
    return tuple(
        Worth(rng.uniform(0.1, 1, rows), rng.uniform(0.1, 1, columns)) for rows, columns in map(np.shape, weights)
    )


def nominal(shape: tuple[int, int]) -> PairParts:
    return PairParts(np.ones(shape, np.float32), np.zeros(shape, np.float32))


def test_a_short_goes_where_it_costs_least() -> None:
    """By all 36 arrangements of 3 x 3; which row and column the short is in does not matter."""
    rng = np.random.default_rng(1)
    network = drawn_network(rng, (3, 3, 3))
    (worth, other), weights = drawn_worth(rng, network.written), network.written[0]
    for row, column in np.ndindex(3, 3):
        part = nominal((3, 3))
        part.a[row, column], part.b[row, column] = 0.5, 4.8
        places = best_places(network, (worth, other), (part, nominal((3, 3))))
        costs = {
            (rows, columns): cost_of(weights, worth, part, Places(np.array(rows), np.array(columns)))
            for rows in permutations(range(3))
            for columns in permutations(range(3))
        }
        assert cost_of(weights, worth, part, places[0]) == pytest.approx(min(costs.values()))
        assert min(costs.values()) < max(costs.values()) / 3
        assert other.variance.size == 3


@pytest.mark.parametrize("seed", range(10))
def test_it_never_gets_dearer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = drawn_network(rng, (9, 7, 3), copies=2)
    worth = drawn_worth(rng, network.written)
    faulty: Parts = tuple(nominal(np.shape(weights)) for weights in network.written)  # type: ignore[assignment]
    for part in faulty:
        hit = rng.random(part.a.shape) < 0.3
        part.a[hit], part.b[hit] = rng.uniform(0, 1, hit.sum()), rng.uniform(-5, 5, hit.sum())
    places = best_places(network, worth, faulty)
    for weights, of_layer, part, before, after in zip(
        network.written, worth, faulty, identity(network), places, strict=True
    ):
        for size, order in zip(weights.shape, after, strict=True):
            assert sorted(order) == list(range(size))
        cost, was = (cost_of(weights, of_layer, part, place) for place in (after, before))
        assert cost < was
        errors = sum(
            of_layer.variance[i]
            * of_layer.slope[j]
            * ((part.a[after.rows[i], after.columns[j]] - 1) * weights[i, j] + part.b[after.rows[i], after.columns[j]])
            ** 2
            for i, j in np.ndindex(weights.shape)
        )
        assert cost == pytest.approx(errors, rel=1e-5)


def test_without_defects_all_places_are_alike() -> None:
    rng = np.random.default_rng(2)
    network = drawn_network(rng, (4, 3, 2))
    parts_of_none = (nominal((4, 3)), nominal((3, 2)))
    places = best_places(network, drawn_worth(rng, network.written), parts_of_none)
    for before, after in zip(parts_of_none, moved(parts_of_none, places), strict=True):
        np.testing.assert_array_equal(before.a, after.a)
        np.testing.assert_array_equal(before.b, after.b)


def test_weights_written_in_their_places_are_read_from_there() -> None:
    """What physical cells make of moved weights, brought back, is what moved parts make of the weights."""
    rng = np.random.default_rng(3)
    network = drawn_network(rng, (5, 4, 3), copies=2)
    physical = tuple(
        PairParts(*(rng.uniform(-1, 1, np.shape(weights)).astype(np.float32) for _ in range(2)))
        for weights in network.written
    )
    places = tuple(Places(*(rng.permutation(size) for size in np.shape(weights))) for weights in network.written)
    logical = moved(physical, places)  # type: ignore[arg-type]
    for weights, part, place, seen in zip(
        network.written, physical, places, on_die(network.written, logical), strict=True
    ):
        there = placed(weights, place)
        assert there[place.rows[1], place.columns[2]] == weights[1, 2]
        np.testing.assert_array_equal((part.a * there + part.b)[np.ix_(*place)], seen)
    for place, weights in zip(identity(network), network.written, strict=True):
        np.testing.assert_array_equal(placed(weights, place), weights)


def test_worth_is_the_slope_of_the_loss() -> None:
    """A column's mean square slope, by differences of each image's loss in the column's offset."""
    rng = np.random.default_rng(4)
    network = drawn_network(rng, (6, 5, 3), copies=2)
    x, labels = rng.uniform(0, 1, (40, 6)).astype(np.float32), rng.integers(0, 3, 40)
    chip, step = software(network.written), 1e-2
    for layer, worth in enumerate(worth_of(network, x, labels)):
        inputs = x if layer == 0 else network.hidden(chip, x)
        np.testing.assert_allclose(worth.variance, inputs.var(axis=0), rtol=1e-5)
        columns = network.columns[layer]
        for column in range(columns.gain.size):

            def losses(change: float) -> np.ndarray:
                # A sum that is `change` larger is a mean that is so much smaller.
                mean = columns.mean.astype(float)  # noqa: B023
                mean[column] -= change  # noqa: B023
                changed = list(network.columns)
                changed[layer] = columns._replace(mean=mean)  # noqa: B023
                other = network.with_columns(*changed)
                return np.array([other.loss(chip, x[n : n + 1], labels[n : n + 1]) for n in range(len(x))])

            slopes = (losses(step) - losses(-step)) / (2 * step)
            # Differences of the third order, and single precision: 1e-7 of a loss over the step.
            assert worth.slope[column] == pytest.approx((slopes**2).mean(), rel=2e-3)


def test_it_lowers_the_loss_on_dies_that_are_calibrated(select1500: ReadModel) -> None:
    """On 20 dies with 5 % of defects, measured: 0.77 to 0.34 nats."""
    data = blobs()
    network = trained(data)
    worth = worth_of(network, data.x_train, data.y_train)
    before, after = [], []
    for of_die in parts(select1500, 0.05, 20):
        for found, places in ((before, identity(network)), (after, best_places(network, worth, of_die))):
            chip = Chip(on_die(network.written, moved(of_die, places)))
            found.append(calibrated(network, chip, data.x_train[:256]).loss(chip, data.x_test, data.y_test))
    assert np.mean(after) < 0.6 * np.mean(before)
    assert np.max(after) < np.max(before)
