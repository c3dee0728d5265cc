"""Statistics of dies: the shipped card, scaling to a rate, and what is refused."""

import tomllib

import pytest

from mtjspice.cards.die_statistics import DieStatistics, Rates, load_die_statistics
from mtjspice.cards.loading import validate_card
from mtjspice.errors import CardError, InputError
from mtjspice.resources import dies_folder

SHIPPED = dies_folder() / "borders2024.toml"


def tables() -> dict:
    return tomllib.loads(SHIPPED.read_text())


def fault(card: dict) -> str:
    with pytest.raises(CardError) as error:
        validate_card(card, DieStatistics, "my.toml")
    return str(error.value)


def test_the_shipped_card_is_the_documented_one_and_says_that_it_is_assumed() -> None:
    found = load_die_statistics("borders2024")
    assert found.rates.total == pytest.approx(0.01)
    assert [rate / found.rates.total for rate in found.rates.by_kind] == pytest.approx([0.5, 0.1, 0.2, 0.2])
    assert (found.rate_cv, found.r_p_percent, found.tmr_percent) == (0.5, 10, 5)
    assert (found.die_percent, found.cluster_cells) == (0, 1)
    assert "assumption" in found.description
    assert "none is taken from the paper" in " ".join(found.source.split())
    assert found == load_die_statistics(str(SHIPPED))


def test_what_a_card_leaves_out_is_as_shipped() -> None:
    card = tables()
    for key in ("rate_cv", "r_p_percent", "tmr_percent", "die_percent", "cluster_cells"):
        del card[key]
    assert validate_card(card, DieStatistics, "my.toml") == load_die_statistics("borders2024")


@pytest.mark.parametrize("rate", [0.0, 1e-4, 0.02, 1.0])
def test_scaling_keeps_the_mixture(rate: float) -> None:
    found = load_die_statistics("borders2024").at_rate(rate)
    assert found.rates.total == pytest.approx(rate)
    assert found.rates.by_kind == pytest.approx([0.5 * rate, 0.1 * rate, 0.2 * rate, 0.2 * rate])
    assert found.r_p_percent == 10


@pytest.mark.parametrize("rate", [-0.01, 1.01, float("nan")])
def test_a_rate_is_a_fraction(rate: float) -> None:
    with pytest.raises(InputError, match=r"rate of defects is out of range(.|\n)*0 to 1"):
        load_die_statistics("borders2024").at_rate(rate)


def test_no_defects_cannot_be_scaled() -> None:
    none = load_die_statistics("borders2024").at_rate(0)
    assert none.at_rate(0) == none
    with pytest.raises(InputError, match="no defects to scale"):
        none.at_rate(0.01)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("rate_cv", -0.1),
        ("rate_cv", float("inf")),
        ("r_p_percent", -1.0),
        ("r_p_percent", float("nan")),
        ("tmr_percent", 101.0),
        ("die_percent", "5"),
        ("cluster_cells", 0.5),
        ("cluster_cells", 1e9),
    ],
)
def test_a_value_out_of_range_is_named(key: str, value: object) -> None:
    assert key in fault(tables() | {key: value})


@pytest.mark.parametrize(("kind", "value"), [("short", -0.1), ("open", 1.1), ("stuck_p", None), ("stuck_ap", "x")])
def test_a_rate_out_of_range_is_named(kind: str, value: object) -> None:
    card = tables()
    card["rates"][kind] = value
    assert f"rates.{kind}" in fault(card)


def test_rates_add_up_to_at_most_all_cells() -> None:
    card = tables()
    card["rates"] = {"short": 0.5, "open": 0.2, "stuck_p": 0.2, "stuck_ap": 0.2}
    assert "the four rates add up to 1.1; at most 1" in fault(card)
    # Rounding is forgiven, and does not reach the total.
    assert Rates(short=0.5, open=0.5, stuck_p=1e-10, stuck_ap=0.0).total == 1


def test_unknown_and_missing_keys_are_named_at_once() -> None:
    card = tables() | {"colour": 1}
    del card["rates"]["open"]
    message = fault(card)
    assert "colour: unknown key" in message
    assert "rates.open: missing" in message


def test_a_missing_card_lists_the_shipped_ones() -> None:
    with pytest.raises(CardError, match=r"no such card(.|\n)*borders2024"):
        load_die_statistics("borders")
