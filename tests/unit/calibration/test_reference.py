"""The committed reference calibration: made by SPICE from the shipped cards, and as narrow as it has to be."""

import pytest

from mtjspice.calibration.result import read_result
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import load_card
from mtjspice.resources import calibration_folder
from mtjspice.switching.surface import SwitchingSurface

FOLDER = calibration_folder() / "mondal2018"
REFERENCE = read_result(FOLDER / "calibration.json")


def test_it_belongs_to_the_shipped_cards() -> None:
    provenance = REFERENCE["provenance"]
    assert provenance["card_sha256"] == load_card("mondal2018").sha256
    assert provenance["campaign_sha256"] == load_campaign("table3").sha256
    assert provenance["engine"] == "ngspice"
    assert REFERENCE["not_simulated"] == []


@pytest.mark.parametrize("direction", Direction)
def test_intervals_are_narrow(direction: Direction) -> None:
    entry = REFERENCE[direction]
    for name, half_width in (("i0", 0.03), ("i1", 0.05)):
        low, high = entry[f"{name}_ci95_a"]
        value = entry[f"{name}_a"]
        assert value - half_width * value <= low < value < high <= value + half_width * value


@pytest.mark.parametrize("direction", Direction)
def test_spice_agrees_with_fokker_planck(direction: Direction) -> None:
    entry = REFERENCE[direction]
    for fit in (entry, entry["voltage_drive"]):
        assert all(abs(z) < 3 for z in fit["fokker_planck"]["z_scores"])
        assert all(p > 1e-3 for p in fit["fit_p_values"])


@pytest.mark.parametrize("direction", Direction)
def test_it_reproduces_the_paper(direction: Direction) -> None:
    entry = REFERENCE[direction]
    published = load_card("mondal2018").published
    assert published is not None
    paper = published.coefficients(direction)
    # Fokker-Planck is within 3 % of the table; the interval comes on top.
    for name, value in (("i0", paper.i0_a), ("i1", paper.i1_a)):
        low, high = entry[f"{name}_ci95_a"]
        assert low - 0.03 * value <= value <= high + 0.03 * value


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("drive", Drive)
def test_surfaces_ship_with_it(direction: Direction, drive: Drive) -> None:
    surface = SwitchingSurface.load(FOLDER / f"surface_{direction}_{drive}.npz")
    assert (surface.direction, surface.drive) == (direction, drive)
    fit = REFERENCE[direction] if drive is Drive.CURRENT else REFERENCE[direction]["voltage_drive"]
    level, t0_s = (fit["i0_a"] + fit["i1_a"], fit["t0_s"]) if drive is Drive.CURRENT else (fit["v_max_v"], fit["t0_s"])
    # P0 = 0.05, and 3 sigma of the measured threshold: the level's 1 % is 15 % of P.
    assert float(surface.at(level, t0_s)) == pytest.approx(REFERENCE["p0"], rel=0.35)
