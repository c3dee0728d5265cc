"""The card of a die's statistics: how often cells are defective, and how far healthy ones differ."""

from typing import Self

from pydantic import Field, ValidationInfo, field_validator

from mtjspice.cards.loading import Card, Section, find, read_card
from mtjspice.errors import InputError
from mtjspice.resources import dies_folder

_ROUNDING = 1e-9


class Rates(Section):
    """A cell's probability of each defect, on average over dies."""

    short: float = Field(ge=0, le=1)
    open: float = Field(ge=0, le=1)
    stuck_p: float = Field(ge=0, le=1)
    stuck_ap: float = Field(ge=0, le=1)

    @field_validator("stuck_ap")
    @classmethod
    def _at_most_all_cells(cls, value: float, others: ValidationInfo) -> float:
        total = value + sum(others.data.values())
        if total > 1 + _ROUNDING:
            raise ValueError(f"the four rates add up to {total:.4g}; at most 1")
        return value

    @property
    def by_kind(self) -> tuple[float, float, float, float]:
        """Of shorted, open, stuck-P and stuck-AP cells."""
        return self.short, self.open, self.stuck_p, self.stuck_ap

    @property
    def total(self) -> float:
        """Probability that a cell is defective."""
        return min(sum(self.by_kind), 1.0)


class DieStatistics(Card):
    """What dies of one process have in common."""

    source: str
    rates: Rates
    rate_cv: float = Field(
        default=0.5, ge=0, le=10, description="coefficient of variation of a die's total rate, gamma distributed"
    )
    r_p_percent: float = Field(default=10.0, ge=0, le=100, description="sigma of ln R_P from cell to cell")
    tmr_percent: float = Field(default=5.0, ge=0, le=100, description="sigma of ln TMR from cell to cell")
    die_percent: float = Field(default=0.0, ge=0, le=100, description="sigma of ln R_P from die to die")
    cluster_cells: float = Field(
        default=1.0, ge=1, le=1000, description="mean size of a cluster of defects; 1 for independent ones"
    )

    def at_rate(self, rate: float) -> Self:
        """Return the same statistics with the four rates scaled to a total of `rate`.

        Raises:
            InputError: a rate outside 0 ... 1, or above 0 where the card has no defects to scale.
        """
        if not 0 <= rate <= 1:
            raise InputError("the rate of defects is out of range", given=f"{rate:g}", allowed="0 to 1")
        now = sum(self.rates.by_kind)
        if now == 0 < rate:
            raise InputError(
                "there are no defects to scale",
                where=self.name,
                given="rates of 0",
                allowed="a card with a rate above 0",
            )
        factor = rate / now if now else 0.0
        scaled = {kind: value * factor for kind, value in self.rates.model_dump().items()}
        return self.model_copy(update={"rates": Rates(**scaled)})


def load_die_statistics(name_or_path: str) -> DieStatistics:
    """Return the statistics of a shipped name (``borders2024``) or of a TOML file's path."""
    return read_card(find(name_or_path, dies_folder()), DieStatistics)
