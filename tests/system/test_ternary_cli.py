"""The commands around ternary synapses."""

import json
from pathlib import Path

import pytest
from command import Command, refused


def test_energy_as_a_table_and_as_json(mtjspice: Command, tmp_path: Path) -> None:
    shown = mtjspice("ternary", "energy", "--out", "found")
    assert shown.status == 0
    assert max(map(len, shown.out.splitlines())) <= 100
    assert "18.3" in shown.out
    assert {path.name for path in (tmp_path / "found").iterdir()} == {"energy.json", "energy.png"}
    result = json.loads(mtjspice("ternary", "energy", "--json").out)
    assert result["read"]["tops_per_w"] == pytest.approx(18.2, abs=0.1)
    assert result["spice"] == []
    assert json.loads((tmp_path / "found" / "energy.json").read_text()) == result


def test_an_energy_card_that_is_wrong_is_one_message(mtjspice: Command, tmp_path: Path) -> None:
    found = mtjspice("ternary", "energy", "ternry")
    assert found.status == 2
    assert "did you mean ternary?" in found.err
    (tmp_path / "mine.toml").write_text("schema = 1\n[read]\nv_read_v = -1.0\n")
    found = mtjspice("ternary", "energy", "mine.toml")
    assert found.status == 2
    assert "above 0 V and at most 2 V" in found.err


def test_decks_of_a_small_array(mtjspice: Command, tmp_path: Path) -> None:
    assert mtjspice("netlist", "ternary", "--rows", 2, "--cols", 3, "--out", "decks").status == 0
    names = {path.name for path in (tmp_path / "decks").iterdir()}
    decks = {"ternary_read_2x3.cir", "ternary_update_2x3.cir"}
    assert names == decks | {"generic45.lib", "field1.txt", "field2.txt"}


@pytest.mark.parametrize(
    ("option", "spelled"), [(("--grid",), "--grid"), (("--open", "1,1"), "--open"), (("--variation", 5), "--variation")]
)
def test_cosim_of_ternary_synapses_refuses_what_they_do_not_have(
    mtjspice: Command, option: tuple[object, ...], spelled: str
) -> None:
    found = mtjspice("cosim", "--arch", "ternary", *option)
    assert found.status == 2
    assert "--arch ternary" in found.err
    assert spelled in found.err


def test_images_of_networks_without_filters_are_not_moved(mtjspice: Command) -> None:
    found = mtjspice("train", "--data", "mnist", "--net", "mlp", "--scenario", "ternary", "--augment", "shift")
    refused(found, 2, "only networks with filters see images", "shift for mlp", "none, or a network such as cnn")


@pytest.mark.slow
@pytest.mark.spice
def test_cosim_of_ternary_synapses(mtjspice: Command, tmp_path: Path) -> None:
    found = mtjspice(
        *("cosim", "--arch", "ternary", "--trials", 10, "--workers", 1, "--rows", 2, "--cols", 2),
        *("--out", "found", "--json"),
    )
    result = json.loads(found.out)
    # Ten trials of either level agree for this seed, which is fixed.
    assert found.status == 0
    assert result["read"]["max_rel_error"] < 0.01
    assert result["write"]["trials"] == 10
    assert len(result["write"]["cases"]) == 2 * 12 * 2
    assert {path.name for path in (tmp_path / "found").iterdir()} == {"cosim.json", "cosim.png"}
