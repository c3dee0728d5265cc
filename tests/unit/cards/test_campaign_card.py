"""Campaign cards: the shipped one, and what is refused."""

import tomllib
from pathlib import Path

import pytest

from mtjspice.cards.campaign import CampaignCard, load_campaign
from mtjspice.cards.loading import validate_card
from mtjspice.errors import CardError
from mtjspice.resources import calibration_folder


def tables() -> dict:
    return tomllib.loads((calibration_folder() / "table3.toml").read_text())


def fault(card: dict) -> str:
    with pytest.raises(CardError) as error:
        validate_card(card, CampaignCard, "my.toml")
    return str(error.value)


def test_the_shipped_campaign_asks_for_the_papers_table() -> None:
    campaign = load_campaign("table3")
    assert (campaign.targets.t0_s, campaign.targets.t1_s, campaign.targets.p0) == (1.5e-9, 1e-9, 0.05)
    assert min(campaign.boundaries.probabilities) < campaign.targets.p0 < max(campaign.boundaries.probabilities)
    assert campaign == load_campaign(str(calibration_folder() / "table3.toml"))


def test_an_own_campaign_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text((calibration_folder() / "table3.toml").read_text().replace('"table3"', '"own"'))
    assert load_campaign(str(path)).name == "own"


def test_a_missing_campaign_lists_the_shipped_ones() -> None:
    with pytest.raises(CardError, match=r"no such card(.|\n)*table3"):
        load_campaign("table5")


@pytest.mark.parametrize("levels", [[0.05], [0.1, 0.05, 0.2], [0.05, 0.05, 0.1], [0.0, 0.1, 0.2], [0.1, 0.2, 1.0], []])
def test_probabilities_rise_between_0_and_1(levels: list[float]) -> None:
    card = tables()
    card["boundaries"]["probabilities"] = levels
    assert "must be three numbers or more, rising, between 0 and 1" in fault(card)


@pytest.mark.parametrize("levels", [0.05, "0.05", [0.02, "0.05", 0.1], [0.02, True, 0.1]])
def test_probabilities_are_numbers(levels: object) -> None:
    card = tables()
    card["boundaries"]["probabilities"] = levels
    assert "boundaries.probabilities" in fault(card)


@pytest.mark.parametrize("batch", [0, 32.0, 1000, True])
def test_the_batch_is_a_whole_number(batch: object) -> None:
    card = tables()
    card["batch_size"] = batch
    assert f"batch_size = {batch}: must be a whole number at least 1 and at most 256" in fault(card)


def test_faults_of_several_tables_come_together() -> None:
    card = tables()
    card["targets"]["t0_s"] = -1e-9
    card["targets"]["p0"] = 0.5
    card["map"]["trials"] = 10
    message = fault(card)
    assert "3 faults" in message
    assert "targets.t0_s = -1e-09: must be a number above 0 s and at most 1e-06 s" in message
    assert "map.trials: unknown key; did you mean trials_per_level?" in message


@pytest.mark.parametrize("p0", [0.02, 0.3])
def test_levels_lie_on_both_sides_of_p0(p0: float) -> None:
    card = tables()
    card["targets"]["p0"] = p0
    assert "they must lie on both sides of targets.p0" in fault(card)
