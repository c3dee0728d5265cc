"""The commands around ternary synapses."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import Command, Outcome, refused
from ternary_problems import images, keep

SMALL = ("train", "--data", "own.npz", "--net", "4C3-MP2-4", "--scenario", "ternary", "--epochs", 3)


@pytest.fixture
def pytorch() -> None:
    """PyTorch, or a skip."""
    pytest.importorskip("torch", reason="PyTorch is missing; pip install 'mtjspice[qnn]'")


def write_images(path: Path, training: int = 1000, pixels: int = 64) -> None:
    """Write four classes, each around an image of its own."""
    keep(images(training, 100, seed=5, pixels=pixels), str(path))


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


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        (("--rule", "batch"), ("ternary networks have no such rule", "batch", "counter, or none for GXNOR")),
        (("--rule", "counter", "--net", "cnn"), ("the counter is for layers whose units see all inputs", "cnn", "mlp")),
        (("--rule", "counter", "--levels", 2, "--proposer", "sgd"), ("play no part", "--levels, --proposer")),
    ],
)
def test_rules_that_ternary_networks_do_not_have(
    mtjspice: Command, options: tuple[object, ...], messages: tuple[str, ...]
) -> None:
    refused(mtjspice("train", "--data", "mnist", "--net", "mlp", "--scenario", "ternary", *options), 2, *messages)


def test_where_pytorch_is_missing(mtjspice: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that names the extra; nothing is left."""
    write_images(tmp_path / "own.npz")
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [name for name in sys.modules if name.startswith("mtjspice.training.ternary.qnn")]:
        monkeypatch.delitem(sys.modules, name)
    found = mtjspice(*SMALL, "--out", "o")
    refused(found, 2, "pip install 'mtjspice[qnn]'")
    assert found.err.count("\n") == 1
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("pixels", "options", "messages"),
    [
        (64, ("--variation", -1), ("the spread of resistances is out of range", "-1 %", "0 to below 33 %")),
        (64, ("--variation", 40), ("the spread of resistances is out of range", "40 %")),
        (60, (), ("the network does not fit the data", "4C3-MP2-4", "square images", "not of 60 features")),
        (64, ("--net", "4C3-MP2-5"), ("the network does not fit the data", "4 outputs last")),
        (64, ("--resume", "--data", "none.npz"), ("none.npz",)),
    ],
)
def test_a_training_that_cannot_be(
    pytorch: None,
    mtjspice: Command,
    tmp_path: Path,
    pixels: int,
    options: tuple[object, ...],
    messages: tuple[str, ...],
) -> None:
    write_images(tmp_path / "own.npz", pixels=pixels)
    refused(mtjspice(*SMALL, *options, "--out", "o"), 2, *messages)
    assert not any((tmp_path / "o").glob("*"))


@pytest.mark.parametrize("levels", [0, -1, 65, "few"])
def test_levels_that_no_driver_has(mtjspice: Command, levels: object) -> None:
    found = mtjspice(*SMALL, "--levels", levels)
    assert (found.status, found.out) == (2, "")
    assert "--levels" in found.err
    assert "Traceback" not in found.err


STOPPING = """
import os, sys
from mtjspice import cli
from mtjspice.training import epoch_file
from mtjspice.training.ternary.qnn.training import GxnorTraining
epoch_file._PAUSE_S = 0.0
signal, batches = int(sys.argv.pop(1)), iter(range(int(sys.argv.pop(1))))
def step(*arguments, real=GxnorTraining._step):
    if next(batches, None) is None:
        os.kill(os.getpid(), signal)
    return real(*arguments)
GxnorTraining._step = step
cli.main()
"""


def left(folder: Path) -> dict[str, Any]:
    """Return what is in a folder, without times and the figure."""
    found: dict[str, Any] = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".png"}
    found["training.json"] = json.loads(found["training.json"])
    del found["training.json"]["provenance"], found["training.json"]["epoch_s"]
    return found


@pytest.mark.slow
def test_stopped_or_killed_during_an_epoch(pytorch: None, mtjspice: Command, tmp_path: Path) -> None:
    """In the third batch of the second epoch, by Ctrl-C and by kill -9: the first epoch is kept."""
    write_images(tmp_path / "own.npz")  # 5 batches of 200
    assert mtjspice(*SMALL, "--out", "whole").status == 0
    for number in (signal.SIGINT, signal.SIGKILL):
        asked = (*SMALL, "--out", f"stopped-{number}")
        command = [sys.executable, "-c", STOPPING, str(int(number)), "7", *map(str, asked)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
        if number == signal.SIGINT:
            refused(Outcome(done.returncode, done.stdout, done.stderr), 130, "stopped", "epochs are kept", "--resume")
        else:
            assert done.returncode == -number, done.stderr
        folder = tmp_path / f"stopped-{number}"
        assert not (folder / "training.json").exists()
        (kept,) = (folder / "checkpoint").iterdir()
        with np.load(kept) as epochs:
            assert len(json.loads(str(epochs["header"]))["history"]) == 1
        refused(mtjspice(*asked), 2, "an unfinished run holds finished epochs")
        refused(mtjspice(*asked, "--resume", "--levels", 2), 2, "the unfinished run here is another one")
        assert mtjspice(*asked, "--resume").status == 0
        assert left(folder) == left(tmp_path / "whole")


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
