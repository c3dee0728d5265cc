"""The commands around crossbars, as a user gives them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mtjspice.spice.rawfile import read_raw

pytestmark = pytest.mark.slow


def run(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mtjspice.cli", *map(str, arguments)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == code, found.stderr
    assert "Traceback" not in found.stderr
    return found


def step_file(folder: Path, **changes: object) -> Path:
    step = {"x": [0.9, -0.5], "delta": [0.8, -0.6], "state": [[1, 0], [0, 1]]} | changes
    path = folder / "step.json"
    path.write_text(json.dumps(step))
    return path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"x": [1.5, 0]}, "x is out of range"),
        ({"delta": [0, -2]}, "delta is out of range"),
        ({"state": [[1, 2], [0, 1]]}, "a state is neither 0 nor 1"),
        ({"state": [[1, 0]]}, "states do not fit inputs and errors"),
        ({"state": [1, 0]}, "states must be a matrix"),
        ({"x": "none"}, "cannot read the step"),
    ],
)
def test_a_step_that_does_not_fit_is_one_message(tmp_path: Path, options: dict[str, object], message: str) -> None:
    path = step_file(tmp_path, **options)
    found = run("netlist", "write", "--step", path, "--out", tmp_path / "deck", code=2)
    assert message in found.stderr


def test_faults_of_cells_and_arrays_are_one_message(tmp_path: Path) -> None:
    path = step_file(tmp_path)
    found = run("netlist", "write", "--step", path, "--stuck", "1,1", "--short", "1,1", "--out", tmp_path, code=2)
    assert "a cell is both stuck and short" in found.stderr
    found = run("netlist", "write", "--step", path, "--open", "3,1", "--out", tmp_path, code=2)
    assert "there is no such cell" in found.stderr
    assert "rows 1 to 2" in found.stderr
    found = run("netlist", "write", "--step", path, "--open", "x", "--out", tmp_path, code=2)
    assert "ROW,COLUMN" in found.stderr
    found = run("netlist", "write", "--arch", "1t1r", "--phases", "4", "--out", tmp_path, code=2)
    assert "1t1r has no write of 4 phases" in found.stderr


def test_a_library_without_the_model(tmp_path: Path) -> None:
    (tmp_path / "mine.lib").write_text(".model other nmos level=14\n")
    shipped = Path(__file__).parents[2] / "models" / "arrays" / "array45.toml"
    card = tmp_path / "mine.toml"
    card.write_text(shipped.read_text().replace("generic45.lib", "mine.lib").replace('"array45"', '"mine"'))
    found = run("netlist", "read", "--array", card, "--out", tmp_path / "deck", code=2)
    assert "the transistor library lacks the model" in found.stderr
    assert "other" in found.stderr


@pytest.mark.spice
def test_a_large_array_asks_first(tmp_path: Path) -> None:
    found = run("cosim", "--rows", "32", "--cols", "32", "--out", tmp_path, code=2)
    assert "--yes" in found.stderr
    assert "hours" in found.stderr or "minutes" in found.stderr


@pytest.mark.spice
def test_a_step_from_deck_to_figure(tmp_path: Path) -> None:
    run("netlist", "step", "--step", step_file(tmp_path), "--variation", 5, "--out", tmp_path / "deck")
    deck = tmp_path / "deck" / "step_1t1r_2x2.cir"
    found = json.loads(run("simulate", deck, "--json").stdout)
    assert 1e-13 < found["measurements"]["e_step"] < 1e-11
    assert deck.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    waves = read_raw(deck.parent / "waves.raw")
    assert np.abs(waves["v(mz1_1)"]).max() < 1.01


@pytest.mark.spice
def test_the_gallery_runs_in_ngspice_alone(tmp_path: Path) -> None:
    run("netlist", "gallery", "--out", tmp_path)
    index = (tmp_path / "index.md").read_text()
    decks = sorted(tmp_path.glob("*/*.cir"))
    assert len(decks) == 7
    ngspice = shutil.which("ngspice")
    assert ngspice
    for deck in decks:
        assert f"({deck.parent.name}/{deck.name})" in index
        result = subprocess.run(
            [ngspice, "-b", deck.name], cwd=deck.parent, capture_output=True, text=True, timeout=120, check=False
        )
        assert "error" not in (result.stdout + result.stderr).lower(), deck
        assert "failed" not in result.stdout, deck


@pytest.mark.spice
def test_cosim_says_whether_both_agree(tmp_path: Path) -> None:
    arguments = ("cosim", "--rows", 2, "--cols", 2, "--trials", 20, "--workers", 1, "--out", tmp_path)
    found = json.loads(run(*arguments, "--json").stdout)
    assert found["agrees"]
    assert found["read"]["max_rel_error"] < 0.01
    assert found["write"]["trials"] == 20
    assert abs(found["energy"]["rel_error"]) < 0.03
    assert json.loads((tmp_path / "cosim.json").read_text())["provenance"]["seed"] == 1
    assert (tmp_path / "cosim.png").exists()


def test_a_cell_and_its_sneak_paths(tmp_path: Path) -> None:
    cells = json.loads(run("cell", "--json").stdout)["cells"]
    # The driver puts out more than the junction gets: the select transistor takes its share.
    one = cells["1t1r"]["p_to_ap"]
    assert one["v_driver_v"][1] > one["v_junction_v"][1] > 1.0
    found = json.loads(run("sneak", "--rows", 4, "--cols", 4, "--out", tmp_path, "--json").stdout)
    assert len(found["biasing"]) == 4
    assert (tmp_path / "sneak.png").exists()
