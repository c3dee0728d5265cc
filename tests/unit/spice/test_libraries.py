"""Transistor libraries: a shipped one or a user's own, which must hold the model and nothing that acts."""

from pathlib import Path

import pytest

from mtjspice.cards.array import Switches, load_array
from mtjspice.errors import InputError
from mtjspice.resources import arrays_folder, transistors_folder
from mtjspice.spice.libraries import library_name, library_text

OWN = "* mine\n.model nmos_own nmos level=1 vto=0.4 kp=2e-4\n"


def switches(**values: str) -> Switches:
    return load_array("array45").switches.model_copy(update=values)


def test_the_shipped_library_holds_the_cards_model_and_says_what_it_is_not() -> None:
    text = library_text(switches())
    assert text == (transistors_folder() / "generic45.lib").read_text()
    assert ".model nmos_generic45" in text.lower()
    assert "foundry" in text.lower()
    assert library_name(switches()) == "generic45.lib"


def test_a_users_own_library(tmp_path: Path) -> None:
    path = tmp_path / "own.lib"
    path.write_text(OWN)
    assert library_text(switches(library=str(path), model="nmos_own")) == OWN
    assert library_name(switches(library=str(path))) == "own.lib"


def test_a_file_beside_the_card_replaces_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text((arrays_folder() / "array45.toml").read_text().replace('"array45"', '"own"'))
    (tmp_path / "generic45.lib").write_text(OWN.replace("nmos_own", "nmos_generic45"))
    assert library_text(load_array(str(tmp_path / "own.toml")).switches) == OWN.replace("nmos_own", "nmos_generic45")


@pytest.mark.parametrize(
    ("given", "name"),
    [("Foundry 45nm/NMOS_TT.LIB", "nmos_tt.lib"), ("Slow (v2).Lib", "slow__v2_.lib"), ("a;b.lib", "a_b.lib")],
)
def test_the_copy_beside_a_deck_has_a_lower_case_name_without_signs(tmp_path: Path, given: str, name: str) -> None:
    assert library_name(switches(library=str(tmp_path / given))) == name


@pytest.mark.parametrize("model", ["NMOS_OWN NMOS", "Nmos_Own nmos(", "nmos_own\tnmos"])
def test_a_model_is_found_however_it_is_spelt(tmp_path: Path, model: str) -> None:
    path = tmp_path / "own.lib"
    path.write_text(f"  .MODEL {model} level=1\n+ vto=0.4\n")
    assert "vto" in library_text(switches(library=str(path), model="nmos_own"))


def test_a_missing_file_lists_the_shipped_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read(.|\n)*none\.lib(.|\n)*No such file(.|\n)*generic45\.lib"):
        library_text(switches(library=str(tmp_path / "none.lib")))


def test_a_file_that_is_not_ascii(tmp_path: Path) -> None:
    (tmp_path / "own.lib").write_bytes(OWN.encode() + b"* \xb5m\n")
    with pytest.raises(InputError, match="not ASCII text"):
        library_text(switches(library=str(tmp_path / "own.lib")))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (OWN, "nmos_own"),
        (OWN.replace("nmos_own nmos", "nmos_generic45 pmos"), "none"),
        (OWN.replace(".model", "* .model"), "none"),
        ("", "none"),
    ],
)
def test_a_library_that_lacks_the_model_says_which_it_has(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "own.lib").write_text(text)
    with pytest.raises(InputError, match=f"lacks the model(.|\n)*nmos_generic45(.|\n)*NMOS models: {found}"):
        library_text(switches(library=str(tmp_path / "own.lib")))


@pytest.mark.parametrize(
    "line", [".control", "  .CONTROL", ".exec rm", ".include other.lib", ".inc x", ".lib tt", ".LIB"]
)
def test_a_library_that_acts_or_reads_other_files_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "own.lib").write_text(f"{OWN}{line}\n")
    with pytest.raises(InputError, match=r"holds model cards only(.|\n)*stands alone"):
        library_text(switches(library=str(tmp_path / "own.lib"), model="nmos_own"))
