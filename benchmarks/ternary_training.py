"""Time of GXNOR's training on junctions, beside the same in software: MNIST's networks on images of its shape.

Each network is trained three times, epoch by epoch in turn, as the learning rate falls: pulses are many in the first
epoch and few in the last. Epochs are short, and what counts is the rate. Times are CPU time, of one thread.
"""

import importlib.util
import time
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks._entry import entry
from mtjspice.surrogate.model import load_model
from mtjspice.training.datasets import Dataset
from mtjspice.training.ternary.networks import quantised_net
from mtjspice.training.ternary.plan import TernaryPlan

_BATCHES = {"mlp": 25, "cnn": 3}
"""In an epoch, by network."""
_EPOCHS = 10
_PIXELS, _CLASSES, _TEST = 784, 10, 10
_INK, _WRONG = 0.19, 0.1
"""Shares of pixels that are not zero, and of labels."""
_MOST = 1.4
_ON_JUNCTIONS: dict[str, dict[str, Any]] = {
    "junctions": {},
    "junctions, 2 widths, 10 % variation": {"widths": 2, "variation_percent": 10.0},
}


def benchmarks() -> list[dict[str, Any]]:
    """Return every benchmark of this file, as `benchmarks._entry` describes."""
    if importlib.util.find_spec("torch") is None:
        return [
            entry(f"{_name(net, on)} (skipped: PyTorch not installed)", None, "ms", "at most", _MOST)
            for net in _BATCHES
            for on in _ON_JUNCTIONS
        ]
    found = []
    for net in _BATCHES:
        ideal_ms, *others_ms = step_ms(net)
        for on, ours_ms in zip(_ON_JUNCTIONS, others_ms, strict=True):
            found.append(entry(_name(net, on), ours_ms, "ms", "at most", _MOST, baseline=ideal_ms))
    return found


def step_ms(net: str) -> list[float]:
    """Return the mean time of a batch: ideal, and then as `_ON_JUNCTIONS` has it."""
    import torch  # may be missing

    from mtjspice.training.ternary.qnn.training import GxnorTraining

    plan = TernaryPlan("images", net, epochs=_EPOCHS)
    data, layers = _images(plan.batch_size * _BATCHES[net]), quantised_net(net, _PIXELS, _CLASSES)
    model = load_model("1t1r", plan.card, plan.array)
    runs = [GxnorTraining(replace(plan, junctions=False), layers, data, None)]
    runs += [GxnorTraining(replace(plan, **options), layers, data, model) for options in _ON_JUNCTIONS.values()]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    spent_s = np.zeros((_EPOCHS, len(runs)))
    for run in runs:
        run.epoch(0)  # not timed: its first step is slow
    for epoch in range(_EPOCHS):
        for n, run in enumerate(runs):
            start = time.process_time()
            run.epoch(epoch)
            spent_s[epoch, n] = time.process_time() - start
    torch.set_num_threads(threads)
    return [float(batch_ms) for batch_ms in 1e3 * spent_s.mean(axis=0) / _BATCHES[net]]


def _name(net: str, on: str) -> str:
    return f"GXNOR, a batch of {net} on {on} / ideal"


def _images(count: int) -> Dataset:
    """Return images of ten classes, each around one of its own, with as much ink as digits have.

    Some labels are wrong: errors remain, and with them proposals, as for digits.
    """
    rng = np.random.default_rng(4)
    middles = rng.uniform(0, 255, (_CLASSES, _PIXELS)) * (rng.random((_CLASSES, _PIXELS)) < _INK)

    def part(size: int) -> tuple[np.ndarray, np.ndarray]:
        classes = np.arange(size) % _CLASSES
        x = middles[classes] + 100 * rng.standard_normal((size, _PIXELS)) * (rng.random((size, _PIXELS)) < _INK)
        labels = np.where(rng.random(size) < _WRONG, rng.integers(0, _CLASSES, size), classes)
        return x.clip(0, 255).astype(np.uint8), labels

    return Dataset("images", *part(count), *part(_TEST), classes=tuple("0123456789"))
