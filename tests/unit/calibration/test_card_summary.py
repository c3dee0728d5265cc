"""What follows from a card, also from cards at the edge of what physics allows."""

import json
from typing import Any

import pytest

from mtjspice.calibration.card_summary import summarise
from mtjspice.cards.array import ArrayCard, load_array
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.conventions import Direction
from mtjspice.cards.junction import JunctionCard, load_card, shipped_cards


def changed(card: JunctionCard, table: str, **values: float) -> JunctionCard:
    return card.model_copy(update={table: getattr(card, table).model_copy(update=values)})


def summary(card: JunctionCard, array: ArrayCard | None = None) -> dict[str, Any]:
    found = summarise(card, load_campaign("table3"), array or load_array("array45"))
    json.dumps(found, allow_nan=False)  # `card show --json` can print it
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_cards())
def test_every_shipped_card_can_be_shown(name: str) -> None:
    found = summary(load_card(name))
    for direction in Direction:
        entry = found[direction.value]
        assert 0 < entry["i_c0_a"] < entry["i_write_a"][0] < entry["i_write_a"][1]
        assert 0 < entry["read_disturb_probability"] < 1e-6
        assert entry["retention_s"] > 1e7


def test_the_papers_junction(mondal: JunctionCard) -> None:
    found = summary(mondal)
    assert found["delta_without_field"] == pytest.approx(60.2, abs=0.05)
    # The paper card's barriers and critical currents, as printed.
    for direction, delta, i_c0 in (("ap_to_p", 40.7, 31.3e-6), ("p_to_ap", 83.5, 89.8e-6)):
        assert found[direction]["delta"] == pytest.approx(delta, abs=0.1)
        assert found[direction]["i_c0_a"] == pytest.approx(i_c0, rel=2e-3)


def test_a_read_that_is_a_write(mondal: JunctionCard) -> None:
    """Where the read voltage drives more than the critical current no barrier is left, and the card still shows."""
    array = load_array("array45")
    read = array.read.model_copy(update={"v_read_v": 0.7, "t_read_s": 5e-9})
    found = summary(mondal, array.model_copy(update={"read": read}))
    assert found["ap_to_p"]["read_disturb_probability"] > 0.9
    assert 0 < found["p_to_ap"]["read_disturb_probability"] < 1


def test_a_tilted_card_has_no_fokker_planck_numbers(mondal: JunctionCard) -> None:
    found = summary(changed(mondal, "torque", reference_tilt_rad=0.1))
    assert not found["is_axially_symmetric"]
    assert found["ap_to_p"]["i_write_a"] is None
    assert found["ap_to_p"]["read_disturb_probability"] is None
    assert found["ap_to_p"]["retention_s"] > 1e7


@pytest.mark.parametrize("temperature_k", [4.0, 1.0])
def test_a_tilted_card_near_absolute_zero(mondal: JunctionCard, temperature_k: float) -> None:
    cold = changed(mondal, "torque", reference_tilt_rad=0.1).model_copy(update={"temperature_k": temperature_k})
    assert summary(cold)["ap_to_p"]["retention_s"] > 1e290


def test_a_junction_that_hardly_holds_its_state(mondal: JunctionCard) -> None:
    """Of 8 nm, with a barrier of kT: P exceeds P0 without any current, and the card still shows."""
    found = summary(changed(mondal, "geometry", diameter_m=8e-9))
    assert found["ap_to_p"]["delta"] == pytest.approx(1.04, abs=0.01)
    assert found["ap_to_p"]["i_write_a"] is None
    assert found["ap_to_p"]["v_write_v"] is None
    assert 0.1 < found["ap_to_p"]["read_disturb_probability"] < 1
