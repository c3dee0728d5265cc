"""What is trained, and all that determines it."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

from mtjspice.cards.array import Architecture, ArrayCard
from mtjspice.cards.junction import JunctionCard
from mtjspice.cards.training import RuleName, Switching, TrainingCard


class Scenario(StrEnum):
    """Where weights live and how they get there (Mondal & Srivastava, section 5); DV is ST with variation."""

    REAL = "rv"
    """Real weights, in software."""
    BINARY_CONNECT = "bc"
    """Binary weights, in software."""
    PROGRAMMED = "dp"
    """Binary weights found in software, then written into crossbars."""
    STOCHASTIC = "st"
    """Trained in the crossbars."""


@dataclass(frozen=True)
class TrainingPlan:
    """What is trained, from how many seeds.

    Args:
        data: a data set's name, or a file.
        split: of it.
        validation: training samples that stand in for the test part; 0 for none.
        net: a network's name or layer sizes.
        scenario: where weights live.
        rule: how they are updated.
        architecture: of the crossbars.
        phases: of a write.
        variation_percent: spread of resistances.
        switching: what decides whether a driven junction flips.
        mean_field: whether 1R lines are solved by their mean field.
        array_rows: most rows of a 1R array; layers with more are cut into several of nearly equal size.
        card: settings.
        junction: card of the junctions.
        array: card of the array.
        seeds: how many.
        root_seed: of all randomness.
    """

    data: str
    net: str
    scenario: Scenario
    card: TrainingCard
    junction: JunctionCard
    array: ArrayCard
    split: str | None = None
    validation: int = 0
    rule: RuleName = RuleName.PER_SAMPLE
    architecture: Architecture = Architecture.ONE_T_ONE_R
    phases: int | None = None
    variation_percent: float = 0.0
    switching: Switching = Switching.PHYSICAL
    mean_field: bool = False
    array_rows: int | None = None
    seeds: int = 1
    root_seed: int = 1

    @property
    def learns_by(self) -> RuleName:
        """The rule that finds the weights."""
        if self.scenario is Scenario.STOCHASTIC:
            return self.rule
        return RuleName.REAL if self.scenario is Scenario.REAL else RuleName.BINARY_CONNECT

    @property
    def epochs(self) -> int:
        """Of that rule."""
        return getattr(self.card, self.learns_by.value).epochs

    def with_epochs(self, epochs: int) -> Self:
        """Return the plan with so many epochs of that rule."""
        name = self.learns_by.value
        settings = getattr(self.card, name).model_copy(update={"epochs": epochs})
        return replace(self, card=self.card.model_copy(update={name: settings}))

    def described(self) -> dict[str, Any]:
        """Return everything that determines the results, as plain data."""
        described = {
            name: getattr(self, name)
            for name in ("data", "split", "validation", "net", "variation_percent", "mean_field", "seeds", "root_seed")
        }
        described |= {
            "scenario": self.scenario.value,
            "rule": self.rule.value,
            "architecture": self.architecture.value,
            "phases": self.phases or self.architecture.phases[0],
            "switching": self.switching.value,
            "settings": self._settings(),
        }
        if self.array_rows is not None:
            # Only here, so that runs of whole layers keep the content by which they are found.
            described["array_rows"] = self.array_rows
        return described | {"junction_sha256": self.junction.sha256, "array_sha256": self.array.sha256}

    def _settings(self) -> dict[str, Any]:
        """Return the settings that the run uses, and no others."""
        used = [self.learns_by]
        if getattr(self.card, used[0].value).spread is None and used[0] is not RuleName.REAL:
            used = [*used, RuleName.REAL]
        card = self.card.model_dump(mode="json")
        return {"normalise": self.card.normalise} | {rule.value: card[rule.value] for rule in used}
