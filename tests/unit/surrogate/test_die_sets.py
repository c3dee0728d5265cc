"""Sets of dies: where they say they are from, and their summary."""

from pathlib import Path

import pytest

from mtjspice import __version__
from mtjspice.cards.array import load_array
from mtjspice.cards.die_statistics import DieStatistics, load_die_statistics
from mtjspice.cards.junction import JunctionCard
from mtjspice.cards.loading import validate_card
from mtjspice.crossbar.die_files import load_dies, require_cards
from mtjspice.errors import InputError
from mtjspice.surrogate.die_sets import dies_summary, load_maps, make_dies

SHAPES = ((2, 2),)
MAPS = "die,row,column,r_p_ohm,r_ap_ohm\n" + "".join(
    f"w1,{i},{j},{r}\n"
    for i, j, r in ((1, 1, "6380,16000"), (1, 2, "6500,16100"), (2, 1, "1750,1750"), (2, 2, "6400,15900"))
)


def test_drawn_dies_say_how_they_were_drawn(mondal: JunctionCard, tmp_path: Path) -> None:
    statistics, array = load_die_statistics("borders2024").at_rate(0.1), load_array("select1500")
    make_dies(tmp_path, statistics, mondal, array, SHAPES, 2, 9)
    dies, source = load_dies(tmp_path)
    assert [die.shapes for die in dies] == [SHAPES, SHAPES]
    assert (source["mtjspice"], source["seed"]) == (__version__, 9)
    assert source["elapsed_s"] >= 0
    # The statistics are whole, so that the card may change, or have been a user's own.
    assert validate_card(source["statistics"], DieStatistics, "dies.json").sha256 == source["statistics_sha256"]
    require_cards(source, mondal, array, tmp_path)


def test_measured_dies_say_what_was_taken_off(mondal: JunctionCard, tmp_path: Path) -> None:
    """By default what a read of the array card's cells has in series: 1.5 kohm."""
    maps = tmp_path / "maps.csv"
    maps.write_text(MAPS)
    (die,) = load_maps(tmp_path / "a", maps, mondal, load_array("select1500"), None, None)
    assert die.defects["short"] == 1
    assert die.arrays[0].r_p_ohm[0, 0] == pytest.approx(4880.0)
    source = load_dies(tmp_path / "a")[1]
    assert source["in_series_ohm"] == pytest.approx(1500.0)
    assert (source["maps"], len(source["maps_sha256"])) == ("maps.csv", 64)
    (bare,) = load_maps(tmp_path / "b", maps, mondal, load_array("select1500"), 0.0, SHAPES)
    assert bare.arrays[0].r_p_ohm[0, 0] == 6380.0


def test_too_many_cells_are_refused_before_any_is_drawn(mondal: JunctionCard, tmp_path: Path) -> None:
    statistics = load_die_statistics("borders2024")
    with pytest.raises(InputError, match=r"dies are too many(.|\n)*1,000,000,000 cells"):
        make_dies(tmp_path / "x", statistics, mondal, load_array("select1500"), ((1000, 1000),), 1000, 1)
    assert not (tmp_path / "x").exists()


def test_the_summary_adds_up(mondal: JunctionCard, tmp_path: Path) -> None:
    statistics = load_die_statistics("borders2024").at_rate(0.2)
    dies = make_dies(tmp_path, statistics, mondal, load_array("select1500"), ((20, 10), (10, 4)), 5, 1)
    found = dies_summary(dies)
    rates = {die["name"]: die["rate"] for die in found["per_die"]}
    assert (found["dies"], found["cells"], found["shapes"]) == (5, 240, [[20, 10], [10, 4]])
    assert sum(found["defects"].values()) == pytest.approx(sum(rates.values()) * 240)
    assert found["rate"] == {
        "mean": pytest.approx(sum(rates.values()) / 5),
        "best": rates[found["best"]],
        "worst": rates[found["worst"]],
    }
    assert rates[found["best"]] == min(rates.values()) < max(rates.values()) == rates[found["worst"]]
