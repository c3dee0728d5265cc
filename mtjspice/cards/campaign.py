"""The campaign card: what a calibration simulates, and how."""

from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from mtjspice.cards.junction import CardName
from mtjspice.cards.loading import SCHEMA, Card, Section, read_card
from mtjspice.resources import calibration_folder


class Targets(Section):
    """What is asked for: pulse widths t0 + t1 |delta| and the threshold probability P0 (eqs. 6 to 9)."""

    t0_s: float = Field(gt=0, le=1e-6)
    t1_s: float = Field(gt=0, le=1e-6)
    p0: float = Field(gt=0, lt=0.5)


class Boundaries(Section):
    """How the current where P = P0 is measured: levels placed where Fokker-Planck expects these probabilities."""

    probabilities: tuple[float, ...] = Field(min_length=3)
    trials_per_level: int = Field(ge=32, le=1_000_000)

    @model_validator(mode="after")
    def _increasing(self) -> Self:
        bounded = (0.0, *self.probabilities, 1.0)
        if not all(a < b for a, b in pairwise(bounded)):
            raise ValueError("probabilities must increase and lie between 0 and 1")
        return self


class Map(Section):
    """How the square |x|, |delta| in [0, 1] is measured: levels in |x|, widths in |delta|, trials at each level."""

    levels: int = Field(ge=2, le=101)
    widths: int = Field(ge=2, le=101)
    trials_per_level: int = Field(ge=32, le=1_000_000)


class CampaignCard(Card):
    """One calibration campaign. Batches are fixed here, never by the workers, so results do not depend on them."""

    schema_: Literal[SCHEMA] = Field(alias="schema")  # type: ignore[valid-type]
    name: CardName
    description: str
    time_step_s: float = Field(gt=0, le=1e-9)
    batch_size: int = Field(ge=1, le=256, description="junctions simulated together in one netlist")
    targets: Targets
    boundaries: Boundaries
    map: Map


def load_campaign(name_or_path: str) -> CampaignCard:
    """Return the campaign of a shipped name (``table3``) or of a TOML file's path."""
    from pathlib import Path

    shipped = calibration_folder() / f"{name_or_path}.toml"
    return read_card(shipped if shipped.is_file() else Path(name_or_path), CampaignCard)
