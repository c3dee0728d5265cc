"""Quantised weights in PyTorch: updates on junctions against the surface, and ideal ones."""

from typing import Any

import numpy as np
import pytest

from mtjspice.crossbar.ternary import WeightKind, synapse_states
from mtjspice.surrogate.ideal_array import write_device
from mtjspice.surrogate.model import ArrayModel
from mtjspice.surrogate.pulse_programmer import pulse_strength, pulse_tables, switching_probability
from mtjspice.surrogate.synapses import Synapses, new_junctions, synapses

torch = pytest.importorskip("torch", reason="PyTorch is missing; pip install 'mtjspice[qnn]'")
qnn: Any = pytest.importorskip("mtjspice.training.ternary.qnn.weights")

SHAPE = (200, 1000)


def rng(seed: int = 1) -> Any:
    return torch.Generator().manual_seed(seed)


def in_junctions(
    model: ArrayModel, kind: WeightKind, weights: np.ndarray, *, widths: int | None = None, varies: float = 0.0
) -> tuple[Any, Synapses, np.ndarray]:
    """Return weights in junctions, what there is to know of these, and their states."""
    device, source = write_device(model), np.random.default_rng(5)
    states = synapse_states(kind, weights, source)
    found = synapses(model, device, kind, new_junctions(model, states, varies, source))
    return qnn.JunctionWeights(pulse_tables(model, widths, device), [found], [states], "cpu"), found, states


def expected(
    model: ArrayModel, found: Synapses, states: np.ndarray, change: np.ndarray, widths: int | None
) -> np.ndarray:
    """Return the probability that each junction flips at a change of less than a step, without a bound or PyTorch."""
    tables = pulse_tables(model, widths)
    strength = pulse_strength(tables, np.tanh(3 * np.abs(change) / found.kind.step))
    chances = []
    for junction, state in enumerate(states):
        left = np.where(change > 0, junction, 1 - junction)
        low, high = (np.choose(left, end[:, junction].astype(float)) for end in found.resistance)
        p = switching_probability(tables, left, strength, low, high)
        chances.append(np.where(state == left, p, 0))
    return np.array(chances)


@pytest.mark.parametrize("widths", [None, 2])
@pytest.mark.parametrize("varies", [0.0, 10.0])
def test_probabilities_are_numpys(model: ArrayModel, widths: int | None, varies: float) -> None:
    source = np.random.default_rng(2)
    tables = pulse_tables(model, widths)
    wanted = np.concatenate(([0.0], np.geomspace(1e-5, 0.99, 5000)))
    state = source.integers(0, 2, len(wanted))
    low, high = 1 + varies / 100 * source.standard_normal((2, len(wanted)))
    ends = (low, high) if varies else ()
    there = switching_probability(tables, state, pulse_strength(tables, wanted), *ends)
    put = tables.converted(lambda array: torch.from_numpy(np.ascontiguousarray(array)))
    given = [torch.from_numpy(np.ascontiguousarray(array)) for array in (state, *ends)]
    strength = pulse_strength(put, torch.from_numpy(wanted), torch)
    found = switching_probability(put, given[0], strength, *given[1:], xp=torch)
    np.testing.assert_allclose(found.numpy(), there, atol=1e-6)


@pytest.mark.parametrize("varies", [0.0, 10.0])
@pytest.mark.parametrize("widths", [None, 2])
@pytest.mark.parametrize("kind", list(WeightKind))
def test_updates_flip_as_often_as_the_surface_says(
    model: ArrayModel, kind: WeightKind, widths: int | None, varies: float
) -> None:
    """Of 200,000 synapses, by size of the proposal, after some have moved: no bound may cut off what could flip."""
    source = np.random.default_rng(3)
    weights, found, states = in_junctions(model, kind, source.choice(kind.weights, SHAPE), widths=widths, varies=varies)
    change = kind.step * np.exp(source.uniform(np.log(1e-5), np.log(0.5), SHAPE)) * source.choice([-1, 1], SHAPE)
    change = change.astype(np.float32)
    weights.update(torch.from_numpy(np.roll(change.ravel(), 1)), rng(2))
    states = weights.state()["states"].reshape(states.shape)
    p = expected(model, found, states, change, widths)
    weights.update(torch.from_numpy(change.ravel()), rng())
    flips = weights.state()["states"].reshape(states.shape) != states
    assert not flips[p == 0].any()
    for junction in range(len(states)):
        for up in (change > 0, change < 0):
            for low, high in ((0, 1e-3), (1e-3, 1e-2), (1e-2, 0.1), (0.1, 1)):
                chosen = up & (np.abs(change) / kind.step > low) & (np.abs(change) / kind.step <= high)
                chance = p[junction][chosen]
                # Four sigma of the sum of coin tosses, and what a rare one or two may add.
                sigma = np.sqrt((chance * (1 - chance)).sum())
                assert abs(flips[junction][chosen].sum() - chance.sum()) < 4 * sigma + 2
    if kind is WeightKind.TERNARY:
        both = p[0] * p[1]
        assert abs((flips[0] & flips[1]).sum() - both.sum()) < 4 * np.sqrt((both * (1 - both)).sum())
    np.testing.assert_allclose(
        weights.seen.numpy(), found.weights(weights.state()["states"].reshape(states.shape)).ravel()
    )


@pytest.mark.parametrize("varies", [0.0, 10.0])
def test_restored_weights_go_on_as_before(model: ArrayModel, varies: float) -> None:
    source = np.random.default_rng(4)
    weights, _, _ = in_junctions(model, WeightKind.TERNARY, source.integers(-1, 2, SHAPE), varies=varies)
    change = torch.from_numpy(source.normal(0, 0.1, SHAPE[0] * SHAPE[1]).astype(np.float32))
    start, ends = weights.state(), []
    for _ in range(2):
        weights.restore(start)
        weights.update(change, rng())
        ends.append(weights.state()["states"])
    np.testing.assert_array_equal(*ends)
    assert (ends[0] != start["states"]).any()


def test_up_and_down_are_alike(model: ArrayModel) -> None:
    """On average over the two ways of 0, and over +1 up and -1 down: four sigma of about 1,600 flips each."""
    change = torch.full((SHAPE[0] * SHAPE[1],), 0.01)
    moved = []
    for sign in (1, -1):
        weights, _, _ = in_junctions(model, WeightKind.TERNARY, np.zeros(SHAPE))
        weights.update(sign * change, rng(sign + 2))
        assert set(np.unique(weights.seen.numpy().round(3))) == {0.0, float(sign)}
        moved.append(int((weights.seen.abs() > 0.5).sum()))
    assert abs(moved[0] - moved[1]) < 4 * np.sqrt(sum(moved))


def test_clipping_is_physical(model: ArrayModel) -> None:
    """From an end there is no way further, and the way back has twice the mean step, for either junction may move."""
    up = torch.full((SHAPE[0] * SHAPE[1],), 0.01)
    weights, _, _ = in_junctions(model, WeightKind.TERNARY, np.ones(SHAPE))
    weights.update(up, rng())
    assert (weights.seen.numpy().round(3) == 1).all()
    weights.update(-up, rng())
    steps = 1 - weights.seen.numpy().round(3)
    mean = np.tanh(0.03)  # half the sum of the two junctions' probabilities
    assert steps.mean() == pytest.approx(2 * mean, abs=4 * np.sqrt(2 * mean / steps.size))


def test_a_proposal_below_the_range_gets_no_pulse(model: ArrayModel) -> None:
    weights, _, states = in_junctions(model, WeightKind.TERNARY, np.zeros(SHAPE))
    for change in (0.0, 1e-5, 2.9e-5):
        weights.update(torch.full((states[0].size,), change), rng())
    assert weights.counts.pulses == 0
    np.testing.assert_array_equal(weights.state()["states"], states.reshape(2, -1))


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_whole_steps_are_strongest_pulses(model: ArrayModel, steps: int) -> None:
    weights, _, states = in_junctions(model, WeightKind.TERNARY, np.full(SHAPE, -1))
    weights.update(torch.full((states[0].size,), float(steps)), rng())
    tables = pulse_tables(model)
    for junction in (0, 1):
        p = float(switching_probability(tables, np.array(junction), np.array(2.0)))
        flipped = (weights.state()["states"][junction] != states[junction].ravel()).mean()
        reached = 1 - (1 - p) ** min(steps, 2)
        assert flipped == pytest.approx(reached, abs=4 * np.sqrt(reached * (1 - reached) / states[0].size))


def test_defective_junctions_stay(model: ArrayModel) -> None:
    device, source = write_device(model), np.random.default_rng(5)
    states = synapse_states(WeightKind.TERNARY, np.zeros((20, 30)), source)
    first, second = new_junctions(model, states, 0.0, source)
    stuck = [(row, column) for row in range(30) for column in range(10)]
    found = synapses(model, device, WeightKind.TERNARY, (first.with_defects(stuck=stuck), second))
    weights = qnn.JunctionWeights(pulse_tables(model, None, device), [found], [states], "cpu")
    for n in range(20):
        weights.update(torch.full((600,), (-1.0) ** n), rng(n))
    moved = (weights.state()["states"] != states.reshape(2, -1)).reshape(2, 20, 30)
    assert not moved[0, :10].any()
    assert moved[0, 10:].any()
    assert moved[1].any()


@pytest.mark.parametrize("kind", list(WeightKind))
def test_ideal_updates(kind: WeightKind) -> None:
    """Whole steps for sure, and one more with tanh(3 |v|/L); clipped."""
    weights = qnn.IdealWeights(kind, np.full(200_000, -1), "cpu")
    change = torch.full((200_000,), 0.05 * kind.step)
    change[:1000] *= -1
    change[1000:2000] = 5.0
    weights.update(change, rng())
    found = weights.seen.numpy()
    assert (found[:1000] == -1).all()
    assert (found[1000:2000] == 1).all()
    assert set(np.unique(found[2000:])) == {-1.0, -1.0 + kind.step}
    p = np.tanh(0.15)
    assert (found[2000:] > -1).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 198_000))
