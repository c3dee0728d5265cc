"""What is trained for dies, and all that determines it."""

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Self

import numpy as np

from mtjspice.jobs.seeds import generator

_TRAINING = 0xD17
"""First word of the keys of all random numbers of training, apart from those of dies that are made."""


class DieMethod(StrEnum):
    """What a network knows of dies while it is trained (Borders et al., 2024)."""

    IDEAL = "ideal"
    """Nothing: every cell is nominal."""
    HARDWARE_AWARE = "hardware-aware"
    """One die, exactly."""
    CHIP_IN_THE_LOOP = "chip-in-the-loop"
    """One die, by what it computes forward; the way back takes every cell for nominal."""
    STATISTICS_AWARE = "statistics-aware"
    """How dies are distributed: every batch meets others."""

    @property
    def needs_a_die(self) -> bool:
        """Whether it is trained for one die."""
        return self in (DieMethod.HARDWARE_AWARE, DieMethod.CHIP_IN_THE_LOOP)


@dataclass(frozen=True)
class DiePlan:
    """What is trained.

    Args:
        data: a data set's name, or a file.
        net: layer sizes, such as 100-90-10.
        method: what is known of dies.
        calibrated: whether each die's columns will be calibrated, so that statistics-aware training normalises over
            each die's own images.
        copies: of each output's column.
        validation: training samples that stand in for the test part; 0 for none.
        epochs: passes over the training part.
        batch: images in a batch.
        learning_rate: of Adam at the start; falls to 0 as a cosine.
        dies_per_batch: that share a batch in statistics-aware training; one if columns will be calibrated.
        pool: dies drawn once, from which batches take theirs.
        number: of the network; its start and the order of images are its own.
        root_seed: of all randomness.
    """

    data: str
    net: str
    method: DieMethod
    calibrated: bool = False
    copies: int = 1
    validation: int = 0
    epochs: int = 20
    batch: int = 128
    learning_rate: float = 0.03
    dies_per_batch: int = 32
    pool: int = 1024
    number: int = 0
    root_seed: int = 1

    def rng(self, *key: int) -> np.random.Generator:
        """Return the generator of one use."""
        return generator(self.root_seed, (_TRAINING, self.number, *key))

    def validation_rng(self) -> np.random.Generator:
        """Return the generator that chooses validation samples, the same for all networks of a root seed."""
        return replace(self, number=0).rng()

    @classmethod
    def of(cls, described: dict[str, Any]) -> Self:
        """Return the plan that `described` describes.

        Raises:
            KeyError, TypeError, ValueError: it is of something else.
        """
        return cls(**(described | {"method": DieMethod(described["method"])}))

    def described(self) -> dict[str, Any]:
        """Return everything that determines the network but the dies, as plain data."""
        return asdict(self) | {"method": self.method.value}
