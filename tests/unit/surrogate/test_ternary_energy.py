"""Energy of ternary synapses: formulas against numbers worked out by hand, and sets that give the published ones."""

import pytest

from mtjspice.cards.loading import validate_card
from mtjspice.cards.ternary_energy import TernaryEnergyCard, load_ternary_energy
from mtjspice.errors import CardError
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.surrogate.ternary_energy import TernaryEnergyReport, junctions_read_j, ternary_energy


@pytest.fixture
def report(mondal_parameters: MacrospinParameters) -> TernaryEnergyReport:
    return ternary_energy(load_ternary_energy("ternary"), mondal_parameters)


def test_a_read_by_hand(report: TernaryEnergyReport) -> None:
    # (0.2 V)^2 x 5 ns x (1/4880 ohm + 1/(4880 ohm x (1 + 2.06/(1 + (0.2/0.675)^2)))).
    assert report.read.junctions_j == pytest.approx(55.1e-15, rel=2e-3)
    assert report.read.sense_j == pytest.approx(5e-12 / 128)
    assert report.read.driver_j == pytest.approx(2e-12 / 128)
    assert report.read.tops == pytest.approx(2 * 128 * 128 / 5e-9 * 1e-12)


def test_an_update_by_hand(report: TernaryEnergyReport) -> None:
    # 2.5 ns x (60 uA x 0.620 V + 140 uA x 0.683 V); these voltages are those of Table 3.
    assert report.write.total_j == pytest.approx(332e-15, rel=2e-3)
    assert report.write.tops_per_w == pytest.approx(3.01, rel=2e-3)


def test_the_card_is_near_the_published_numbers(report: TernaryEnergyReport) -> None:
    assert report.read.tops_per_w == pytest.approx(18.3, rel=0.01)
    assert report.write.tops_per_w == pytest.approx(3.0, rel=0.01)


def test_sets_give_what_they_say(report: TernaryEnergyReport) -> None:
    assert {found.kind for found in report.sets} == {"read", "write"}
    for found in report.sets:
        assert found.energy is not None
        assert found.energy.tops_per_w == pytest.approx(18.3 if found.kind == "read" else 3.0, rel=1e-6)


def test_a_set_that_nothing_makes_true_says_so(mondal_parameters: MacrospinParameters) -> None:
    card = load_ternary_energy("ternary")
    # Junctions alone take more than this allows.
    published = card.published.model_copy(update={"read_tops_per_w": 60.0})
    found = ternary_energy(card.model_copy(update={"published": published}), mondal_parameters).sets[0]
    assert found.value is None
    assert found.energy is None


def test_more_of_anything_costs_more_but_for_what_shares(report: TernaryEnergyReport) -> None:
    for found in report.sensitivities:
        if found.parameter.startswith("array."):
            assert found.low < report.read.tops_per_w < found.high
        else:
            assert found.low >= report.energy(found.kind).tops_per_w >= found.high
    by_name = {(found.kind, found.parameter): found for found in report.sensitivities}
    # A share of 1 cannot double.
    assert by_name["read", "activity"].high == report.read.tops_per_w
    assert by_name["write", "share"].low == pytest.approx(2 * report.write.tops_per_w)


def test_conductance_falls_less_than_the_square_of_the_voltage_grows(mondal_parameters: MacrospinParameters) -> None:
    # R_AP falls with voltage: between 4 and 4 times G_P + G_AP's largest growth, 2/1.33.
    ratio = junctions_read_j(mondal_parameters, 0.4, 1e-9) / junctions_read_j(mondal_parameters, 0.2, 1e-9)
    assert 4 < ratio < 4 * 2 / 1.33


@pytest.mark.parametrize(
    ("table", "key", "value", "message"),
    [
        ("read", "activity", 0.0, "above 0 and at most 1"),
        ("write", "share", 1.5, "above 0 and at most 1"),
        ("read", "e_sense_j", -1e-12, "at least 0 J and at most 1e-06 J"),
        ("array", "rows", 0, "a whole number at least 1"),
        ("read", "v_raed_v", 0.1, "did you mean"),
    ],
)
def test_faults_of_a_card_say_what_is_allowed(table: str, key: str, value: float, message: str) -> None:
    tables = load_ternary_energy("ternary").model_dump(mode="json", by_alias=True)
    tables[table][key] = value
    with pytest.raises(CardError, match=message):
        validate_card(tables, TernaryEnergyCard, "a test")
