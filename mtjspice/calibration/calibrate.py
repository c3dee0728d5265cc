"""Eqs. 8 and 9 of Mondal & Srivastava (2018): the levels that make P = P0 at the ends of the range of widths."""

from collections.abc import Sequence
from functools import partial

import pandas as pd

from mtjspice.calibration.linear_map import LinearMap
from mtjspice.calibration.result import CalibrationResult, WriteCoefficients
from mtjspice.calibration.sources import Answer, MapQuestion, Question, Source
from mtjspice.cards.campaign import CampaignCard
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import JunctionCard
from mtjspice.errors import SimulationError
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import write_current_a, write_voltage_v


def calibrate(card: JunctionCard, campaign: CampaignCard, source: Source) -> CalibrationResult:
    """Return the write coefficients of both directions, for every drive that `source` answers for.

    Raises:
        SimulationError: I0 + I1 does not exceed I0, so that the widths leave no range to map |x| to.
    """
    parameters = MacrospinParameters.from_card(card)
    targets = campaign.targets
    widths = (targets.t0_s, targets.t0_s + targets.t1_s)
    kinds = [(direction, drive) for drive in source.drives for direction in Direction]
    # The longer width sets the low level (eq. 9), the shorter one the high level (eq. 8).
    answers = source.thresholds([Question(*kind, width) for kind in kinds for width in reversed(widths)])
    pairs = list(zip(answers[0::2], answers[1::2], strict=True))
    for kind, pair in zip(kinds, pairs, strict=True):
        _require_a_range(kind, pair)
    surfaces = source.maps(
        [
            MapQuestion(*kind, (low.threshold.level, high.threshold.level), widths)
            for kind, (low, high) in zip(kinds, pairs, strict=True)
        ]
    )
    coefficients = [
        _coefficients(parameters, kind, pair, LinearMap(surface))
        for kind, pair, surface in zip(kinds, pairs, surfaces, strict=True)
    ]
    return CalibrationResult(
        card_name=card.name,
        campaign_name=campaign.name,
        engine=source.engine.value,
        t0_s=targets.t0_s,
        t1_s=targets.t1_s,
        p0=targets.p0,
        coefficients=tuple(coefficients),
        not_simulated=source.not_simulated,
        published=card.published,
    )


def _coefficients(
    parameters: MacrospinParameters,
    kind: tuple[Direction, Drive],
    pair: Sequence[Answer],
    linear_map: LinearMap,
) -> WriteCoefficients:
    direction, drive = kind
    low, high = pair
    low_a, high_a = low.threshold, high.threshold
    if drive is Drive.CURRENT:
        voltages = [write_voltage_v(parameters, direction, fit.level) for fit in (low_a, high_a)]
    else:
        voltages = [low_a.level, high_a.level]
        low_a, high_a = (fit.mapped(partial(write_current_a, parameters, direction)) for fit in (low_a, high_a))
    tables = [answer.counts for answer in pair if answer.counts is not None]
    return WriteCoefficients(
        direction=direction,
        drive=drive,
        low=low.threshold,
        high=high.threshold,
        expected=None if low.expected is None or high.expected is None else (low.expected, high.expected),
        linear_map=linear_map,
        low_a=low_a,
        high_a=high_a,
        voltages_v=(voltages[0], voltages[1]),
        # Measured pulses between two widths may serve both thresholds.
        counts=pd.concat(tables).drop_duplicates(ignore_index=True) if tables else None,
    )


def _require_a_range(kind: tuple[Direction, Drive], pair: Sequence[Answer]) -> None:
    low, high = (answer.threshold.level for answer in pair)
    if not high > low:
        direction, drive = kind
        raise SimulationError(
            "the shorter pulse does not need the higher level",
            where=f"{direction.label}, {drive.value} drive",
            given=f"P = P0 at {high:.4g} {drive.unit} for t0 and at {low:.4g} {drive.unit} for t0 + t1",
            next_step="look at the measured counts, or raise the trials in the campaign card",
        )
