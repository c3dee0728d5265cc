"""The counter of junctions beside the same in plain Python, its two ways of transfer, and going on."""

from typing import Any

import numpy as np
import pytest
from problems import sparse_problem

from mtjspice.cards.training import Counter, Switching
from mtjspice.surrogate.model import ArrayModel
from mtjspice.training.counter import CounterRule, _transfer
from mtjspice.training.rule import Hardware


def rule_of(model: ArrayModel, seed: int = 2, percent: float = 0.0, **changes: Any) -> CounterRule:
    given: dict[str, Any] = {
        "epochs": 1,
        "bias_rows": (1, 2),
        "bits": (4, 5),
        "period": 10,
        "pipelined": False,
        "least_delta": 0.0,
        "eta": (1.0, 1.0),
        "start": 4,
        "t_strong_s": 1e-8,
    }
    hardware = Hardware(model, 2, percent, changes.pop("switching", Switching.PHYSICAL))
    return CounterRule(sparse_problem(40), hardware, Counter(**(given | changes)), np.random.default_rng(seed))


def copied(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.copy(values) for name, values in state.items()}


def held(layer: Any) -> np.ndarray:
    """Return the counters, (columns, rows), from 0."""
    return layer.low.astype(int) + (layer.weight.state.astype(int) << (layer.bits - 1))


def slow_transfer(rng: np.random.Generator, layer: Any, j: int) -> None:
    """Do the same to column j, bit by bit."""
    bits, step = layer.bits, int(layer.chop[j])
    for i in range(layer.low.shape[1]):
        junctions = [int(layer.low[j, i]) >> bit & 1 for bit in range(bits - 1)]
        junctions += [int(layer.weight.state[j, i]), int(layer.noted.state[j, i])]
        seen = []
        for bit, state in enumerate(junctions):
            if int(layer.reads_ap[j, i]) >> bit & 1:
                seen.append(0)
            else:
                seen.append(1 if int(layer.reads_p[j, i]) >> bit & 1 else state)
        if not seen[bits]:
            continue
        count = sum(value << bit for bit, value in enumerate(seen[:bits]))
        goal = max(0, min(2**bits - 1, count + step))
        for bit in range(bits):
            aimed = goal >> bit & 1
            if aimed != seen[bit] and junctions[bit] != aimed:
                fails = rng.random() < layer.fails[bit, junctions[bit], j, i]
                junctions[bit] = junctions[bit] if fails else aimed
        if junctions[bits] == 1 and rng.random() >= layer.fails[bits, 1, j, i]:
            junctions[bits] = 0
        layer.low[j, i] = sum(value << bit for bit, value in enumerate(junctions[: bits - 1]))
        layer.weight.state[j, i], layer.noted.state[j, i] = junctions[bits - 1], junctions[bits]
    layer.chop[j] = -step


@pytest.mark.parametrize("failing", [0.0, 0.3])
@pytest.mark.parametrize("misread", [0.0, 0.1])
@pytest.mark.parametrize("bits", [1, 2, 5])
def test_transfers_are_those_of_plain_python(model: ArrayModel, bits: int, misread: float, failing: float) -> None:
    """With the same random numbers, draw for draw."""
    rng = np.random.default_rng(3)
    layers = []
    for _ in range(2):
        layer = rule_of(model, bits=(bits, bits), start=2 ** (bits - 1))._layers[0]
        drawn = np.random.default_rng(4)
        columns, rows = layer.low.shape
        layer.fails[:] = failing * drawn.random(layer.fails.shape)
        masks = [
            (drawn.random((bits + 1, columns, rows)) < misread).astype(np.int16) << np.arange(bits + 1)[:, None, None]
            for _ in range(2)
        ]
        layer.reads_p[:], layer.reads_ap[:] = (mask.sum(axis=0) for mask in masks)
        layers.append(layer)
    fast, slow = layers
    rngs = [np.random.default_rng(5) for _ in range(2)]
    for _ in range(40):
        noted = rng.random(fast.noted.state.shape) < 0.7
        counts = np.zeros(7, np.int64)
        for j in range(columns):
            for layer in layers:
                layer.noted.state[j] |= noted[j]
            _transfer(rngs[0], fast, j, counts)
            slow_transfer(rngs[1], slow, j)
        for name in ("low", "chop"):
            np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name))
        np.testing.assert_array_equal(fast.weight.state, slow.weight.state)
        np.testing.assert_array_equal(fast.noted.state, slow.noted.state)
        np.testing.assert_array_equal(np.sign(fast.weight.weight.T), 2.0 * fast.weight.state - 1)


def test_counters_saturate(model: ArrayModel) -> None:
    """Without failures a counter moves by the chop sign where an update is noted, and stops at its ends."""
    layer = rule_of(model)._layers[0]
    layer.fails[:] = 0
    expected, rng = held(layer), np.random.default_rng(6)
    for step in (1,) * 20 + (-1,) * 40:
        layer.noted.state[:] = 1
        layer.chop[:] = step
        for j in range(len(layer.chop)):
            _transfer(rng, layer, j, np.zeros(7, np.int64))
        expected = np.clip(expected + step, 0, 15)
        np.testing.assert_array_equal(held(layer), expected)
        assert not layer.noted.state.any()
    assert not expected.any()


def test_pipelined_transfers_are_as_many_as_serial_ones(model: ArrayModel) -> None:
    """Every transfer turns a column's chop: all have had one in a period, and in between their share."""
    serial, pipelined = rule_of(model), rule_of(model, pipelined=True)
    rng = np.random.default_rng(7)
    for seen in range(1, 21):
        for rule in (serial, pipelined):
            rule.epoch(np.array([seen]), rng)
        for n, columns in enumerate((6, 3)):
            turned = [(rule.state()[f"chop_{n}"] != 1 - 2 * (seen // 10 % 2)).sum() for rule in (serial, pipelined)]
            assert turned == [0, seen * columns // 10 - columns * (seen // 10)]


@pytest.mark.parametrize("pipelined", [False, True])
@pytest.mark.parametrize(("switching", "percent"), [(Switching.IDEAL, 0.0), (Switching.PHYSICAL, 10.0)])
def test_it_goes_on_where_it_stopped(model: ArrayModel, switching: Switching, percent: float, pipelined: bool) -> None:
    """In the middle of a period, too."""
    whole, first, second = (rule_of(model, 8, percent, switching=switching, pipelined=pipelined) for _ in range(3))
    second.epoch(np.arange(7), np.random.default_rng(0))
    first.epoch(np.arange(25), np.random.default_rng(9))
    second.restore(copied(first.state()))
    whole.epoch(np.arange(25), np.random.default_rng(9))
    tallies = [rule.epoch(np.arange(40), np.random.default_rng(10)) for rule in (whole, second)]
    assert tallies[0] == tallies[1]
    assert tallies[0].noted > 0
    assert tallies[0].flips > 0
    for name, values in whole.state().items():
        np.testing.assert_array_equal(second.state()[name], values)


def test_an_output_layer_may_stay_random(model: ArrayModel) -> None:
    rule = rule_of(model, output_trains=False)
    before = copied(rule.state())
    rule.epoch(np.arange(40), np.random.default_rng(11))
    after = rule.state()
    np.testing.assert_array_equal(after["state_1"], before["state_1"])
    assert (after["low_0"] != before["low_0"]).any()
