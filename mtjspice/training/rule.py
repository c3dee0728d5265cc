"""What an update rule is given, and what it has to do."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from mtjspice.cards.training import Switching
from mtjspice.surrogate.model import ArrayModel
from mtjspice.training.networks import Network


@dataclass(frozen=True, eq=False)
class Problem:
    """What is learnt.

    Args:
        x: (n, features) float32 in [-1, 1].
        targets: (n, outputs), +1 and -1.
        network: the layers.
        scales: (layers,) b.
    """

    x: np.ndarray
    targets: np.ndarray
    network: Network
    scales: np.ndarray


@dataclass(frozen=True)
class Hardware:
    """What learns.

    Args:
        model: the calibrated cell in its array.
        phases: of a write.
        variation_percent: spread of R_P and R_AP from cell to cell.
        switching: what decides whether a driven junction flips.
        mean_field: whether floating lines of 1R arrays are solved by their mean field instead of exactly.
        array_rows: most rows of a 1R array; layers with more are cut into several.
    """

    model: ArrayModel
    phases: int
    variation_percent: float
    switching: Switching
    mean_field: bool = False
    array_rows: int | None = None

    @property
    def phase_s(self) -> float:
        """How long a phase of a write takes, with the gap after it."""
        drive = self.model.drive
        return drive.t0_s + drive.t1_s + self.model.array.timing.gap_s


@dataclass(frozen=True)
class Price:
    """What a rule costs, beyond what reads cost.

    Args:
        write_phases: for each sample, on average, of the layer that needs most.
        write_s: how long they take, with whatever else is read and written between samples.
        junctions: for each weight.
        digital_bits: of memory beside the array for each weight.
        remark: what else it needs.
    """

    write_phases: float
    write_s: float
    junctions: int
    digital_bits: int
    remark: str


@dataclass
class Tally:
    """What happened in an epoch, summed over samples and layers."""

    flips: int = 0
    """Of weights."""
    false_flips: int = 0
    """Of junctions that were not meant to."""
    written: int = 0
    """Columns that were written."""
    clipped: int = 0
    """Errors beyond 1."""
    noted: int = 0
    """Flips of junctions that are not weights."""
    energy_j: list[float] = field(default_factory=list)
    """Of single samples' steps: reads and writes."""


class Rule(Protocol):
    """A network in training."""

    price: Price

    def epoch(self, order: np.ndarray, rng: np.random.Generator) -> Tally:
        """Train on the samples `order`, (n,), and return what happened."""

    def weights(self) -> list[np.ndarray]:
        """Return for each layer what a read sees, (rows, columns), in units of its scale."""

    def cell_states(self) -> list[np.ndarray]:
        """Return the states of each layer's weights, (rows, columns), 1 parallel, 0 antiparallel."""

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that training has changed, by name."""

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from what `state` returned, on a rule made in the same way."""
