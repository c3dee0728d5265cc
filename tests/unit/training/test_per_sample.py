"""The paper's rule: the signs of Table 1, gates and gains, and going on."""

import numpy as np
import pytest
from problems import sparse_problem

from mtjspice.cards.training import PerSample, Switching
from mtjspice.surrogate.model import ArrayModel
from mtjspice.training.layers import backward, forward, new_signals
from mtjspice.training.per_sample import PerSampleRule
from mtjspice.training.rule import Hardware

CERTAIN = 1e9
"""An eta at which all that is driven flips."""


def rule_of(
    model: ArrayModel,
    switching: Switching = Switching.IDEAL,
    seed: int = 2,
    percent: float = 0.0,
    eta: float = CERTAIN,
    **knobs: float,
) -> PerSampleRule:
    settings = PerSample(epochs=1, bias_rows=(1, 2), eta=(eta, eta), **knobs)
    return PerSampleRule(
        sparse_problem(30), Hardware(model, 2, percent, switching), settings, np.random.default_rng(seed)
    )


def gradients(rule: PerSampleRule, sample: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return x and delta of every layer in the present state."""
    task, signals = sparse_problem(30), new_signals(sparse_problem(30).network.shapes)
    weights = tuple(np.copy(weight) for weight in rule.weights())
    forward(weights, task.scales, task.x[sample], signals)
    backward(weights, task.scales, task.targets[sample], signals)
    return list(zip(signals.x, signals.delta, strict=True))


def test_the_rule_is_literal_unless_told_otherwise() -> None:
    settings = PerSample(epochs=1, bias_rows=(1, 2))
    assert (settings.gain_x, settings.gain_delta, settings.least_x, settings.least_delta) == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("knobs", "least_x", "least_delta"),
    [
        ({}, 0.0, 0.0),
        ({"least_x": 0.5}, 0.5, 0.0),
        ({"least_delta": 0.2}, 0.0, 0.2),
        ({"least_x": 0.5, "gain_x": 4.0}, 0.125, 0.0),
        ({"least_delta": 0.6, "gain_delta": 3.0}, 0.0, 0.2),
    ],
)
def test_weights_go_against_x_delta(
    model: ArrayModel, knobs: dict[str, float], least_x: float, least_delta: float
) -> None:
    """Table 1: where x delta > 0 the weight ends low, where x delta < 0 high; what a gate leaves out stays."""
    rule = rule_of(model, **knobs)
    before, (sample,) = [np.copy(weight) for weight in rule.weights()], (3,)
    expected, written = [], 0
    for weight, (x, delta) in zip(before, gradients(rule, sample), strict=True):
        driven = (np.abs(x) > least_x)[:, None] & (np.abs(delta) > least_delta)
        expected.append(np.where(driven & (np.outer(x, delta) != 0), -np.sign(np.outer(x, delta)), weight))
        written += int((np.abs(delta) > least_delta).sum())
    tally = rule.epoch(np.array([sample]), np.random.default_rng(4))
    for found, aimed in zip(rule.weights(), expected, strict=True):
        np.testing.assert_array_equal(np.sign(found), aimed)
    assert tally.written == written
    assert tally.flips == sum(int((b != a).sum()) for b, a in zip(np.sign(before[0]), expected[0], strict=True)) + int(
        (np.sign(before[1]) != expected[1]).sum()
    )


def test_gains_make_flips_likelier(model: ArrayModel) -> None:
    """eta |x delta| saturates with the gains alone, where |x| and |delta| reach 1."""
    flips = [
        rule_of(model, eta=0.1, gain_x=gain, gain_delta=gain).epoch(np.arange(30), np.random.default_rng(5)).flips
        for gain in (1.0, 10.0)
    ]
    assert flips[1] > 1.5 * flips[0]


@pytest.mark.parametrize("percent", [0.0, 10.0])
@pytest.mark.parametrize("switching", Switching)
def test_it_goes_on_where_it_stopped(model: ArrayModel, switching: Switching, percent: float) -> None:
    """Resistances are those of the same start; states may be any others."""
    whole, first, second = (rule_of(model, switching, 6, percent, eta=0.3) for _ in range(3))
    second.epoch(np.arange(5), np.random.default_rng(0))
    first.epoch(np.arange(15), np.random.default_rng(7))
    second.restore({name: np.copy(values) for name, values in first.state().items()})
    whole.epoch(np.arange(15), np.random.default_rng(7))
    for rule in (whole, second):
        assert rule.epoch(np.arange(15, 30), np.random.default_rng(8)).flips > 0
    for name, values in whole.state().items():
        np.testing.assert_array_equal(second.state()[name], values)
    for ours, theirs in zip(whole.weights(), second.weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_physical_switching_is_likelier_for_longer_and_higher_pulses(model: ArrayModel) -> None:
    flips = [
        rule_of(model, Switching.PHYSICAL, gain_x=gain, gain_delta=gain)
        .epoch(np.arange(30), np.random.default_rng(9))
        .flips
        for gain in (0.01, 1.0, 100.0)
    ]
    assert flips == sorted(flips)
    assert flips[2] > 2 * flips[0]


def test_steps_take_energy(model: ArrayModel) -> None:
    tally = rule_of(model, Switching.PHYSICAL).epoch(np.arange(30), np.random.default_rng(9))
    assert all(1e-14 < energy_j < 1e-9 for energy_j in tally.energy_j)
