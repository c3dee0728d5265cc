"""Batch accumulation: what is written, with which probability, and going on."""

import numpy as np
import pytest

from mtjspice.cards.training import Batch, Switching
from mtjspice.surrogate.model import ArrayModel
from mtjspice.training.batch import BatchRule
from mtjspice.training.networks import Network, targets
from mtjspice.training.rule import Hardware, Problem
from mtjspice.training.software import batch_gradient


def problem() -> Problem:
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (60, 8)).astype(np.float32)
    return Problem(x, targets(rng.integers(0, 3, 60), 3), Network((8, 6, 3), (1, 2)), np.array([0.3, 0.3]))


def rule_of(model: ArrayModel, switching: Switching, seed: int = 2, eta: float = 0.05, decay: float = 1.0) -> BatchRule:
    settings = Batch(
        epochs=2, bias_rows=(1, 2), batch=60, gain=(0.3, 0.3), least_level=0.0, width=0.5, eta=(eta, eta), decay=decay
    )
    return BatchRule(problem(), Hardware(model, 2, 0.0, switching), settings, np.random.default_rng(seed))


def test_ideal_flips_are_as_likely_as_the_gradient_is_large(model: ArrayModel) -> None:
    """P = eta |G| where G opposes the weight, else 0: chi-square of 150 writes, false alarms 1e-4."""
    task, repeats = problem(), 150
    rule = rule_of(model, Switching.IDEAL)
    start = {name: np.copy(values) for name, values in rule.state().items()}
    weights = [np.copy(weight) for weight in rule.weights()]
    gradients, _ = batch_gradient(weights, task.scales, task.x, task.targets)
    flips = [np.zeros(weight.shape) for weight in weights]
    rng = np.random.default_rng(3)
    for _ in range(repeats):
        tally = rule.epoch(np.arange(60), rng)
        changed = [now != before for now, before in zip(rule.weights(), weights, strict=True)]
        assert tally.flips == sum(int(c.sum()) for c in changed)
        for count, c in zip(flips, changed, strict=True):
            count += c
        rule.restore(start)
    squares, cells = 0.0, 0
    for weight, gradient, count in zip(weights, gradients, flips, strict=True):
        p = np.where(gradient * weight > 0, np.minimum(0.05 * np.abs(gradient), 1), 0.0)
        assert not count[p == 0].any()
        often = (repeats * p > 5) & (p < 1)
        squares += float(((count - repeats * p)[often] ** 2 / (repeats * p * (1 - p))[often]).sum())
        cells += int(often.sum())
    assert cells > 20
    assert abs(squares - cells) < 4 * np.sqrt(2 * cells)


def test_the_gain_decays_from_epoch_to_epoch(model: ArrayModel) -> None:
    rule = rule_of(model, Switching.IDEAL, decay=1e-12)
    rng = np.random.default_rng(4)
    assert rule.epoch(np.arange(60), rng).flips > 0
    assert rule.epoch(np.arange(60), rng).flips == 0


@pytest.mark.parametrize("switching", Switching)
def test_it_goes_on_where_it_stopped(model: ArrayModel, switching: Switching) -> None:
    whole, first, second = (rule_of(model, switching, seed, decay=0.9) for seed in (5, 5, 6))
    first.epoch(np.arange(60), np.random.default_rng(7))
    second.restore({name: np.copy(values) for name, values in first.state().items()})
    whole.epoch(np.arange(60), np.random.default_rng(7))
    for rule in (whole, second):
        rule.epoch(np.arange(60), np.random.default_rng(8))
    for name, values in whole.state().items():
        np.testing.assert_array_equal(second.state()[name], values)
    for ours, theirs in zip(whole.weights(), second.weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_steps_take_energy(model: ArrayModel) -> None:
    (energy_j,) = rule_of(model, Switching.PHYSICAL).epoch(np.arange(60), np.random.default_rng(9)).energy_j
    assert 1e-14 < energy_j < 1e-9
