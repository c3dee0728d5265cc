"""What several tests of dies share: images that are easily told apart, and dies with all kinds of defects."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mtjspice.cards.die_statistics import load_die_statistics
from mtjspice.crossbar.die_drawing import draw_dies
from mtjspice.crossbar.die_shapes import array_shapes
from mtjspice.crossbar.dies import Die
from mtjspice.surrogate.die_weights import die_parts
from mtjspice.surrogate.read_model import ReadModel
from mtjspice.training.datasets import Dataset
from mtjspice.training.dies import train
from mtjspice.training.dies.known import KnownDies, Parts, nominal_parts
from mtjspice.training.dies.network import BinaryNetwork
from mtjspice.training.dies.plan import DieMethod, DiePlan
from mtjspice.training.dies.train import train_for_dies
from mtjspice.training.epoch_file import EpochFile

SIZES = (16, 12, 4)


def blobs(training: int = 800, test: int = 400, seed: int = 1) -> Dataset:
    """Four classes of 16 features in [0, 1], each around a point of its own."""
    rng = np.random.default_rng(seed)
    middles = rng.uniform(0.2, 0.8, (SIZES[2], SIZES[0]))

    def part(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % SIZES[2]
        x = np.clip(middles[labels] + 0.2 * rng.standard_normal((count, SIZES[0])), 0, 1)
        return x.astype(np.float32), labels

    return Dataset("blobs", *part(training), *part(test), classes=("a", "b", "c", "d"))


def plan(method: DieMethod = DieMethod.IDEAL) -> DiePlan:
    """Of a training that takes a fraction of a second."""
    return DiePlan("blobs", "16-12-4", method, epochs=20, batch=64, learning_rate=0.015, dies_per_batch=8, pool=64)


def dies(model: ReadModel, rate: float, count: int, copies: int = 1, seed: int = 7) -> tuple[Die, ...]:
    """Draw dies for the network, with defects of all kinds."""
    statistics = load_die_statistics("borders2024").at_rate(rate)
    shapes = array_shapes(SIZES, copies)
    return draw_dies(statistics, model.parameters, model.array.r_short_ohm, shapes, count, seed)


def parts(model: ReadModel, rate: float, count: int, copies: int = 1, seed: int = 7) -> list[Parts]:
    """Return the parts of such dies."""
    return [
        (first, second) for first, second in (die_parts(model, die) for die in dies(model, rate, count, copies, seed))
    ]


def trained(data: Dataset, copies: int = 1) -> BinaryNetwork:
    """Return a network trained without any fault."""
    known = KnownDies([nominal_parts(SIZES, copies)])
    return train_for_dies(replace(plan(), copies=copies), data, SIZES, known, EpochFile(None, ""))[0]


def stop_after(patch: pytest.MonkeyPatch, batches: int) -> None:
    """Let training be stopped as with Ctrl-C, in the batch after so many."""
    left, real = iter(range(batches)), train.gradient

    def stopping(*arguments: Any, **options: Any) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    patch.setattr(train, "gradient", stopping)
