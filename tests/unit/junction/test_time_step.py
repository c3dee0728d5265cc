"""Which time steps are accepted, and what a refusal says."""

import re
from dataclasses import replace

import pytest

from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.conventions import Drive
from mtjspice.cards.junction import load_card
from mtjspice.errors import ModelError
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.time_step import check_time_step, check_torque, default_time_step_s, longest_time_step_s


def test_steps_are_angles_of_the_fastest_precession(mondal_parameters: MacrospinParameters) -> None:
    step = default_time_step_s(mondal_parameters)
    assert step == pytest.approx(0.1 / (1.76085963023e11 * (0.1864 + 0.0332)), rel=1e-9)
    assert longest_time_step_s(mondal_parameters) == pytest.approx(2 * step, rel=1e-9)
    assert default_time_step_s(replace(mondal_parameters, b_x_t=-0.1)) < step


@pytest.mark.parametrize("card", ["mondal2018", "interfacial65"])
def test_the_shipped_campaign_resolves_the_shipped_cards(card: str) -> None:
    check_time_step(MacrospinParameters.from_card(load_card(card)), load_campaign("table3").time_step_s)


def test_a_strong_anisotropy_asks_for_a_shorter_step(mondal_parameters: MacrospinParameters) -> None:
    """1 T precesses by 0.7 rad in the shipped campaign's step. The step that the refusal names is accepted."""
    strong = replace(mondal_parameters, b_k_t=1.0)
    with pytest.raises(ModelError, match="resolve the junction's precession") as caught:
        check_time_step(strong, 4e-12)
    named = re.search(r"next: .*time_step_s to (\S+) s or less", str(caught.value))
    assert named is not None
    check_time_step(strong, float(named.group(1)))
    assert float(named.group(1)) == pytest.approx(longest_time_step_s(strong), rel=0.02)


@pytest.mark.parametrize("time_step_s", [0.0, -1e-12, 5.3e-12, 20e-12, float("nan"), float("inf")])
def test_other_steps_are_refused(mondal_parameters: MacrospinParameters, time_step_s: float) -> None:
    with pytest.raises(ModelError, match="precession"):
        check_time_step(mondal_parameters, time_step_s)


@pytest.mark.parametrize(("drive", "level"), [(Drive.CURRENT, 5.0), (Drive.VOLTAGE, 900.0)])
def test_a_level_in_the_wrong_unit_is_refused(
    mondal_parameters: MacrospinParameters, drive: Drive, level: float
) -> None:
    check_torque(mondal_parameters, drive, level / 1e4, 4e-12)
    with pytest.raises(ModelError, match=rf"{level:g} {drive.unit}(.|\n)*check the level's unit"):
        check_torque(mondal_parameters, drive, level, 4e-12)
