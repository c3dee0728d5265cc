"""What an engine is asked for, and what a Monte-Carlo engine answers."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from mtjspice.cards.conventions import Direction, Drive


class Engine(StrEnum):
    """Where a switching probability can come from."""

    NGSPICE = "ngspice"
    MACROSPIN = "macrospin"
    FOKKER_PLANCK = "fokker_planck"
    CLOSED_FORM = "closed_form"
    MEASURED = "measured"


@dataclass(frozen=True)
class Point:
    """Pulses of one level; a single trajectory to the longest width answers every width."""

    direction: Direction
    drive: Drive
    level: float
    """Magnitude, A or V."""
    widths_s: tuple[float, ...]
    trials: int


@dataclass(frozen=True)
class Counts:
    """What became of a point's trials."""

    point: Point
    switched: np.ndarray
    """(widths,) out of `trials`."""
    trials: int
    """That were simulated to the end."""
    not_simulated: dict[str, int]
    """How many were not, by reason."""

    @property
    def probability(self) -> np.ndarray:
        """(widths,) switched fractions; NaN when no trial was simulated."""
        return self.switched / self.trials if self.trials else np.full(len(self.switched), np.nan)
