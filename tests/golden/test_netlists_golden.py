"""The rendered netlists, word for word: a change of a template shows as a change of these files."""

import dataclasses

import numpy as np
import pytest
from pytest_regressions.file_regression import FileRegressionFixture

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import JunctionCard
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.netlist.context import CampaignContext, NoiseFile
from mtjspice.netlist.render import render_campaign, render_pulse
from mtjspice.spice.decks import junction_context, pulse_context


@pytest.mark.parametrize("drive", Drive)
def test_pulse_deck(mondal: JunctionCard, drive: Drive, file_regression: FileRegressionFixture) -> None:
    level = 90e-6 if drive is Drive.CURRENT else 0.81
    start = np.array([0.1, 0.0, -np.sqrt(0.99)])
    context = pulse_context(mondal, Direction.AP_TO_P, drive, level, 2.5e-9, start)
    file_regression.check(render_pulse(context), extension=".cir")


def test_campaign_deck_of_a_tilted_junction_in_a_field(
    mondal_parameters: MacrospinParameters, file_regression: FileRegressionFixture
) -> None:
    tilted = dataclasses.replace(mondal_parameters, b_x_t=0.01, p_x=0.1, p_z=np.sqrt(0.99).item())
    context = CampaignContext(
        junction=junction_context(tilted),
        drive=Drive.VOLTAGE,
        level=-0.81,
        width_s=2.5e-9,
        edge_s=5e-12,
        stop_s=5e-9,
        sample_step_s=5e-12,
        time_step_s=5e-12,
        starts=((0.1, 0.0, -0.994987437), (0.0, 0.1, -0.994987437)),
        noise=(NoiseFile("field1.txt", ("1", "2"), 4e-7),),
    )
    file_regression.check(render_campaign(context), extension=".cir")


def test_campaign_deck_under_an_imposed_current(
    mondal_parameters: MacrospinParameters, file_regression: FileRegressionFixture
) -> None:
    context = CampaignContext(
        junction=junction_context(mondal_parameters, conducts=False),
        drive=Drive.CURRENT,
        level=-90e-6,
        width_s=None,
        edge_s=5e-12,
        stop_s=2.5e-9,
        sample_step_s=5e-12,
        time_step_s=5e-12,
        starts=((0.1, 0.0, -0.994987437),) * 9,
        noise=(NoiseFile("field1.txt", tuple("12345678"), 4e-7), NoiseFile("field2.txt", ("9",), 4e-7)),
    )
    file_regression.check(render_campaign(context), extension=".cir")
