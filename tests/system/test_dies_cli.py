"""`mtjspice dies` as a user meets it: what it prints and leaves, and what it refuses."""

import json
from pathlib import Path

import pytest
from command import Command, refused

MAKE = ("dies", "make", "--count", 3, "--rate", 0.1, "--net", "9-4-2", "--out", "d")
KEYS = {"schema", "dies", "shapes", "cells", "defects", "rate", "best", "worst", "per_die"}
CELLS = ("6380,16000", "6500,16100", "1750,1750", "inf,inf", "6390,6400", "15900,16000", "6400,16050", "6350,15950")
HEADER = "die,row,column,r_p_ohm,r_ap_ohm\n"


def lines(die: str) -> str:
    return "".join(f"{die},{1 + n // 4},{1 + n % 4},{readings}\n" for n, readings in enumerate(CELLS))


def test_what_a_user_gets(mtjspice: Command, tmp_path: Path) -> None:
    shown = mtjspice("dies", "make", "--count", 4, "--rate", 0.01, "--copies", 3, "--out", "d")
    assert shown.status == 0, shown.err
    assert max(len(line.rstrip()) for line in shown.out.splitlines()) <= 100
    for text in ("4 dies of 100 x 180 and 90 x 60 cells", "shorted", "open", "stuck P", "stuck AP", "best", "worst"):
        assert text in shown.out
    assert {path.name for path in (tmp_path / "d").iterdir()} == {
        "dies.json", "die_0001.npz", "die_0002.npz", "die_0003.npz", "die_0004.npz",
    }  # fmt: skip


def test_json_and_nothing_else(mtjspice: Command) -> None:
    found = json.loads(mtjspice(*MAKE, "--json").out)
    assert found.keys() == KEYS
    assert found["shapes"] == [[9, 8], [4, 4]]
    assert sum(found["defects"].values()) == round(3 * 88 * found["rate"]["mean"])


def test_dies_are_the_seed_s_however_many(mtjspice: Command, tmp_path: Path) -> None:
    for folder, changes in (("a", ()), ("b", ("--count", 5)), ("c", ("--seed", 2))):
        assert mtjspice(*MAKE, *changes, "--out", folder).status == 0
    one, many, other = ((tmp_path / folder / "die_0003.npz").read_bytes() for folder in "abc")
    assert one == many != other


def test_the_same_again_is_fine_and_other_dies_are_refused(mtjspice: Command) -> None:
    first = mtjspice(*MAKE)
    assert mtjspice(*MAKE) == first
    refused(mtjspice(*MAKE, "--seed", 2), 2, "the folder holds other dies", "choose another folder")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--rate", 1.5), "the rate of defects is out of range"),
        (("--net", "100"), "these are no layer sizes"),
        (("--copies", 2000), "copies is out of range"),
        (("--statistics", "borders"), "did you mean borders2024?"),
        (("--array", "select"), "did you mean select1500?"),
        (("--card", "none"), "there is no such card"),
    ],
)
def test_options_that_make_no_sense(mtjspice: Command, tmp_path: Path, options: tuple, message: str) -> None:
    refused(mtjspice(*MAKE, *options), 2, message)
    assert not (tmp_path / "d").exists()


def test_maps_become_dies(mtjspice: Command, tmp_path: Path) -> None:
    (tmp_path / "maps.csv").write_text(HEADER + lines("w1 d[/]7") + lines("w1 d8"))
    shown = mtjspice("dies", "load", "maps.csv", "--out", "d")
    assert shown.status == 0, shown.err
    assert "2 dies of 2 x 4 cells" in shown.out
    assert "w1 d[/]7" in shown.out
    found = json.loads(mtjspice("dies", "load", "maps.csv", "--net", "2-2", "--out", "d", "--json").out)
    assert found["defects"] == {"short": 2, "open": 2, "stuck_p": 2, "stuck_ap": 2}
    refused(mtjspice("dies", "load", "maps.csv", "--copies", 3, "--out", "d"), 2, "copies are of a network's", "--net")
    refused(mtjspice("dies", "load", "maps.csv", "--net", "4-1", "--out", "d"), 2, "is outside an array of 4 x 2 cells")


def test_maps_that_cannot_be_used_are_one_message(mtjspice: Command, tmp_path: Path) -> None:
    load = ("dies", "load", "maps.csv", "--out", "d")
    refused(mtjspice(*load), 2, "cannot read the maps")
    (tmp_path / "maps.csv").write_text(HEADER + lines("a").replace("6500", "-6500"))
    refused(mtjspice(*load), 2, "line 3: r_p_ohm = -6500 must be 0 or more")
    (tmp_path / "maps.csv").write_text(HEADER + lines("a"))
    refused(mtjspice(*load, "--series", -1), 2, "resistance in series is out of range")
    refused(mtjspice(*load, "--card", "interfacial65"), 2, "the junctions are not those of the card", "1500 ohm")
    assert not (tmp_path / "d").exists()
    assert mtjspice(*load).status == 0
    (tmp_path / "maps.csv").write_text(HEADER + lines("b"))
    refused(mtjspice(*load), 2, "the folder holds other dies")
