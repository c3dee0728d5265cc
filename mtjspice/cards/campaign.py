"""The campaign card: what a calibration simulates, and how."""

from itertools import pairwise
from typing import Self

from pydantic import Field, field_validator, model_validator

from mtjspice.cards.loading import Card, Section, find, read_card
from mtjspice.resources import calibration_folder


class Targets(Section):
    """What is asked for: pulse widths t0 + t1 |delta| and the threshold probability P0 (eqs. 6 to 9)."""

    t0_s: float = Field(gt=0, le=1e-6)
    t1_s: float = Field(gt=0, le=1e-6)
    p0: float = Field(gt=0, lt=0.5)


class Boundaries(Section):
    """How the current where P = P0 is measured: levels placed where Fokker-Planck expects these probabilities."""

    probabilities: tuple[float, ...] = Field(strict=False)  # TOML has lists only
    trials_per_level: int = Field(ge=32, le=1_000_000)

    @field_validator("probabilities")
    @classmethod
    def _increasing(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if len(value) < 3 or not all(a < b for a, b in pairwise((0.0, *value, 1.0))):
            raise ValueError("must be three numbers or more, rising, between 0 and 1")
        return value


class Map(Section):
    """How the square |x|, |delta| in [0, 1] is measured: levels in |x|, widths in |delta|, trials at each level."""

    levels: int = Field(ge=2, le=101)
    widths: int = Field(ge=2, le=101)
    trials_per_level: int = Field(ge=32, le=1_000_000)


class CampaignCard(Card):
    """One calibration campaign. Batches are fixed here, never by the workers, so results do not depend on them."""

    time_step_s: float = Field(gt=0, le=1e-9)
    batch_size: int = Field(ge=1, le=256, description="junctions simulated together in one netlist")
    targets: Targets
    boundaries: Boundaries
    map: Map

    @model_validator(mode="after")
    def _levels_on_both_sides(self) -> Self:
        lowest, highest = self.boundaries.probabilities[0], self.boundaries.probabilities[-1]
        if not lowest < self.targets.p0 < highest:
            raise ValueError(
                f"boundaries.probabilities run from {lowest:g} to {highest:g}; "
                f"they must lie on both sides of targets.p0 = {self.targets.p0:g}"
            )
        return self


def load_campaign(name_or_path: str) -> CampaignCard:
    """Return the campaign of a shipped name (``table3``) or of a TOML file's path."""
    return read_card(find(name_or_path, calibration_folder()), CampaignCard)


def paper_targets() -> Targets:
    """Return the pulse widths and the threshold of Mondal & Srivastava's Table 3."""
    return load_campaign("table3").targets
