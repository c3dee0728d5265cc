"""Dies in a folder: what comes back, what is never overwritten, and what a damaged file says."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mtjspice.cards.array import ArrayCard, load_array
from mtjspice.cards.die_statistics import load_die_statistics
from mtjspice.cards.junction import JunctionCard
from mtjspice.crossbar import die_files
from mtjspice.crossbar.die_drawing import draw_dies
from mtjspice.crossbar.die_files import cards_of, load_dies, require_cards, save_dies
from mtjspice.crossbar.dies import Die
from mtjspice.errors import DataError, InputError, OutputError
from mtjspice.junction.parameters import MacrospinParameters


@pytest.fixture
def dies(mondal_parameters: MacrospinParameters) -> tuple[Die, ...]:
    return draw_dies(load_die_statistics("borders2024").at_rate(0.2), mondal_parameters, 250.0, ((6, 8), (4, 2)), 3, 1)


@pytest.fixture
def array() -> ArrayCard:
    return load_array("select1500")


@pytest.fixture
def provenance(mondal: JunctionCard, array: ArrayCard) -> dict[str, object]:
    return {"seed": 1, **cards_of(mondal, array)}


@pytest.fixture
def folder(tmp_path: Path, dies: tuple[Die, ...], provenance: dict[str, object]) -> Path:
    save_dies(tmp_path / "dies", dies, provenance)
    return tmp_path / "dies"


def test_dies_come_back_as_they_were(folder: Path, dies: tuple[Die, ...], provenance: dict[str, object]) -> None:
    found, source = load_dies(folder)
    assert source == provenance
    assert [die.name for die in found] == ["die_0001", "die_0002", "die_0003"]
    for die, saved in zip(found, dies, strict=True):
        assert die.shapes == saved.shapes == ((6, 8), (4, 2))
        assert die.defects == saved.defects
        for one, other in zip(die.arrays, saved.arrays, strict=True):
            assert (one.v_h_v, one.r_short_ohm) == (other.v_h_v, other.r_short_ohm)
            for field in ("state", "r_p_ohm", "tmr0", "defect"):
                np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
                assert getattr(one, field).dtype == getattr(other, field).dtype


def test_the_list_says_what_is_in_the_files(folder: Path, dies: tuple[Die, ...]) -> None:
    index = json.loads((folder / "dies.json").read_text())
    assert index["schema"] == 1
    assert [entry["defects"] for entry in index["dies"]] == [die.defects for die in dies]
    assert {path.name for path in folder.iterdir()} == {"dies.json", *(f"die_000{k}.npz" for k in (1, 2, 3))}


def test_the_same_dies_may_be_saved_again(folder: Path, dies: tuple[Die, ...], provenance: dict[str, object]) -> None:
    (folder / "die_0002.npz").unlink()
    save_dies(folder, dies, provenance | {"elapsed_s": 3.0})
    assert len(load_dies(folder)[0]) == 3


def test_other_dies_are_not_overwritten(folder: Path, dies: tuple[Die, ...], provenance: dict[str, object]) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    renamed = (replace(dies[0], name="other"), *dies[1:])
    for others, source in (
        (dies[:2], provenance),
        (renamed, provenance),
        (dies[::-1], provenance),
        (dies, provenance | {"array_sha256": "0"}),
    ):
        with pytest.raises(InputError, match=r"the folder holds other dies(.|\n)*choose another folder"):
            save_dies(folder, others, source)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_folder_with_other_things_keeps_them(
    tmp_path: Path, dies: tuple[Die, ...], provenance: dict[str, object]
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    save_dies(tmp_path, dies, provenance)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_folder_is_whole_or_holds_no_dies(
    tmp_path: Path, dies: tuple[Die, ...], provenance: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is last: a run that is killed before leaves files that nobody reads, and the next one replaces."""
    with monkeypatch.context() as patch:
        patch.setattr(die_files, "write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            save_dies(tmp_path, dies, provenance)
    with pytest.raises(DataError, match=r"no dies in the folder(.|\n)*mtjspice dies make"):
        load_dies(tmp_path)
    save_dies(tmp_path, dies[:2], provenance)
    assert len(load_dies(tmp_path)[0]) == 2


def test_a_file_in_the_way(tmp_path: Path, dies: tuple[Die, ...], provenance: dict[str, object]) -> None:
    (tmp_path / "dies").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        save_dies(tmp_path / "dies", dies, provenance)


@pytest.mark.parametrize("size", [0, 1, 200, 1500])
def test_a_truncated_die(folder: Path, size: int) -> None:
    path = folder / "die_0002.npz"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataError, match=r"cannot read the die(.|\n)*die_0002\.npz"):
        load_dies(folder)


def test_a_missing_die(folder: Path) -> None:
    (folder / "die_0003.npz").unlink()
    with pytest.raises(DataError, match=r"cannot read the die(.|\n)*die_0003\.npz"):
        load_dies(folder)


def test_a_die_of_another_folder(folder: Path) -> None:
    (folder / "die_0001.npz").write_bytes((folder / "die_0002.npz").read_bytes())
    with pytest.raises(DataError, match=r"not the one that dies\.json lists(.|\n)*die_0001\.npz"):
        load_dies(folder)


@pytest.mark.parametrize(
    ("field", "value"), [("state", 2), ("defect", 9), ("r_p_ohm", -1.0), ("r_p_ohm", np.nan), ("tmr0", -1.0)]
)
def test_a_value_that_no_cell_has(
    tmp_path: Path, dies: tuple[Die, ...], provenance: dict[str, object], field: str, value: float
) -> None:
    values = getattr(dies[0].arrays[0], field).copy()
    values[2, 3] = value
    wrong = replace(dies[0], arrays=(replace(dies[0].arrays[0], **{field: values}),))
    save_dies(tmp_path, (wrong,), provenance)
    with pytest.raises(DataError, match=r"cannot read the die(.|\n)*value is out of range"):
        load_dies(tmp_path)


def test_fields_that_do_not_fit(tmp_path: Path, dies: tuple[Die, ...], provenance: dict[str, object]) -> None:
    cells = dies[0].arrays[0]
    wrong = replace(dies[0], arrays=(replace(cells, tmr0=cells.tmr0[:2]),))
    save_dies(tmp_path, (wrong,), provenance)
    with pytest.raises(DataError, match=r"cannot read the die(.|\n)*shapes do not fit"):
        load_dies(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": 1, "dies": [], "provenance": {}}', "\x00"])
def test_a_damaged_list(folder: Path, dies: tuple[Die, ...], provenance: dict[str, object], text: str) -> None:
    (folder / "dies.json").write_text(text)
    with pytest.raises(DataError, match=r"cannot read the list of dies(.|\n)*dies\.json"):
        load_dies(folder)
    with pytest.raises(DataError, match="cannot read the list of dies"):  # nor is it overwritten
        save_dies(folder, dies, provenance)


def test_another_schema(folder: Path) -> None:
    index = json.loads((folder / "dies.json").read_text())
    (folder / "dies.json").write_text(json.dumps(index | {"schema": 2}))
    with pytest.raises(DataError, match=r"the list of dies has another schema(.|\n)*given: *2(.|\n)*allowed: 1"):
        load_dies(folder)


def test_dies_of_other_cards_are_refused(folder: Path, mondal: JunctionCard, array: ArrayCard) -> None:
    _, source = load_dies(folder)
    require_cards(source, mondal, array, folder)
    with pytest.raises(InputError, match=r"of another junction card(.|\n)*given: *mine(.|\n)*allowed: mondal2018\n"):
        require_cards(source, mondal.model_copy(update={"name": "mine"}), array, folder)
    with pytest.raises(InputError, match=r"of another array card(.|\n)*given: *array45(.|\n)*select1500"):
        require_cards(source, mondal, load_array("array45"), folder)
    edited = array.model_copy(update={"r_short_ohm": 300.0})
    with pytest.raises(InputError, match="select1500 as it was when they were made"):
        require_cards(source, mondal, edited, folder)
