"""Widths that make the linear map as linear as it can be, under a given t0 + t1."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtjspice.calibration.linear_map import LinearMap
from mtjspice.calibration.sources import ExactSource, MapQuestion, Question
from mtjspice.cards.campaign import CampaignCard
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.switching.points import Engine

_SHARES = np.linspace(0.3, 0.95, 27)
"""Of t0 in t0 + t1: steps of 2.5 %, finer than the error curve is flat."""


@dataclass(frozen=True)
class WidthChoice:
    """A split of t0 + t1 and how linear it makes the map."""

    t0_s: float
    t1_s: float
    relative_rmse: dict[Direction, float]
    """Map error over eta, for each direction."""
    eta: dict[Direction, float]
    i0_a: dict[Direction, float]
    i1_a: dict[Direction, float]

    def to_json(self) -> dict[str, Any]:
        """Return the choice as the result file has it."""
        names = ("i0_a", "i1_a", "eta", "relative_rmse")
        per_direction = {d.value: {name: getattr(self, name)[d] for name in names} for d in Direction}
        return {"t0_s": self.t0_s, "t1_s": self.t1_s} | per_direction

    @property
    def mean_relative_rmse(self) -> float:
        """What is minimised: both directions share their widths, as a column's pulse writes rows of either sign."""
        return float(np.mean(list(self.relative_rmse.values())))


def optimise_widths(
    parameters: MacrospinParameters, campaign: CampaignCard, on_progress: Callable[[int, int], None]
) -> tuple[WidthChoice, WidthChoice]:
    """Return the campaign's split of t0 + t1, and the split of the same sum with the least error relative to eta.

    The error itself would be least at t1 = 0, where eta falls to P0 and nothing is learnt; hence relative to eta.
    By Fokker-Planck and current drive.

    Raises:
        ModelError: the junction is not axially symmetric.
    """
    source = ExactSource(Engine.FOKKER_PLANCK, parameters, campaign)
    total_s = campaign.targets.t0_s + campaign.targets.t1_s
    lows = {
        direction: source.thresholds([Question(direction, Drive.CURRENT, total_s)])[0].threshold.level
        for direction in Direction
    }

    def choice(t0_s: float) -> WidthChoice:
        relative, eta, i1 = {}, {}, {}
        for direction, low in lows.items():
            high = source.thresholds([Question(direction, Drive.CURRENT, t0_s)])[0].threshold.level
            question = MapQuestion(direction, Drive.CURRENT, (low, high), (t0_s, total_s))
            linear_map = LinearMap(source.maps([question])[0])
            relative[direction], eta[direction] = linear_map.rmse / linear_map.eta, linear_map.eta
            i1[direction] = high - low
        return WidthChoice(t0_s, total_s - t0_s, relative, eta, lows, i1)

    choices = []
    for done, share in enumerate(_SHARES):
        on_progress(done, len(_SHARES))
        choices.append(choice(float(share) * total_s))
    on_progress(len(_SHARES), len(_SHARES))
    return choice(campaign.targets.t0_s), min(choices, key=lambda c: c.mean_relative_rmse)
