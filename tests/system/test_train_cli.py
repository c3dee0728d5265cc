"""`mtjspice train` as a user meets it: what it prints and leaves, what it refuses, and that a killed run goes on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command import Command, Outcome, refused
from stopping import stop_after

from mtjspice.resources import training_folder

KEYS = {"test_error", "test_error_std", "per_seed", "samples_per_s", "epochs", "settings", "confusion", "price"}
SMALL = ("train", "--data", "own.csv", "--net", "2L6", "--epochs", 5, "--workers", 1)


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path) -> None:
    """Data in own.csv, in the folder that the command runs in."""
    write_samples(tmp_path / "own.csv", 200, 9)


def write_samples(path: Path, count: int, features: int) -> None:
    """Write two classes, on either side of a plane."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(count, features))
    classes = np.where(x @ rng.normal(size=features) > 0, "above", "below")
    path.write_text("".join(f"{','.join(f'{v:.4f}' for v in row)},{c}\n" for row, c in zip(x, classes, strict=True)))


def left(folder: Path) -> tuple[bytes, dict[str, object]]:
    """Return the states' bytes, and what training.json holds but times; nothing of a checkpoint may be left."""
    assert {path.name for path in folder.iterdir()} == {"training.json", "states.npz", "training.png"}
    found = json.loads((folder / "training.json").read_text())
    del found["provenance"], found["samples_per_s"]
    return (folder / "states.npz").read_bytes(), found


# --- what it prints and leaves


@pytest.mark.slow
def test_what_a_user_gets(mtjspice: Command, tmp_path: Path) -> None:
    shown = mtjspice("train", "--net", "2L20", "--seeds", 3, "--epochs", 6, "--workers", 1, "--out", "w")
    assert shown.status == 0
    lines = shown.out.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 100
    for text in (
        "wbcd, 30-20-1: 3 seeds of 6 epochs",
        "1T1R crossbars",
        "per_sample",
        "2 write phases",
        "training.png",
    ):
        assert text in shown.out
    assert "wbcd 2L20 st: epochs trained: 18 of 18 done" in shown.err
    found = json.loads((tmp_path / "w" / "training.json").read_text())
    assert found.keys() >= KEYS
    assert found["epochs"] == 6
    assert len(found["per_seed"]) == 3
    assert found["test_error"] == pytest.approx(np.mean(found["per_seed"]))
    assert found["test_error"] < 0.15
    assert np.sum(found["confusion"]) == 3 * found["test_samples"] == 600
    assert (tmp_path / "w" / "training.png").read_bytes().startswith(b"\x89PNG")
    with np.load(tmp_path / "w" / "states.npz") as states:
        assert states["layer_1"].shape == (3, 31, 20)
        assert set(np.unique(states["layer_2"])) <= {0, 1}


@pytest.mark.slow
def test_one_seed_shows_its_epochs_and_json_stands_alone(mtjspice: Command, tmp_path: Path) -> None:
    shown = mtjspice(*SMALL, "--epochs", 4, "--json")
    assert shown.status == 0
    found = json.loads(shown.out)
    assert found == json.loads((tmp_path / "out" / "train_own_2L6_st_per_sample_1t1r" / "training.json").read_text())
    assert found["settings"]["per_sample"]["epochs"] == 4
    for done in range(5):
        assert f"own 2L6 st: epochs trained: {done} of 4 done" in shown.err


@pytest.mark.slow
def test_seeds_do_not_depend_on_workers_or_on_each_other(mtjspice: Command, tmp_path: Path) -> None:
    asked = ("train", "--data", "own.csv", "--net", "2L6", "--epochs", 3)
    mtjspice(*asked, "--seeds", 2, "--workers", 1, "--out", "one")
    mtjspice(*asked, "--seeds", 2, "--workers", 2, "--out", "two")
    mtjspice(*asked, "--out", "first")
    assert left(tmp_path / "one") == left(tmp_path / "two")
    assert left(tmp_path / "first")[1]["per_seed"] == left(tmp_path / "one")[1]["per_seed"][:1]  # type: ignore[index]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["rv", "bc", "dp"])
def test_other_scenarios(mtjspice: Command, scenario: str) -> None:
    shown = mtjspice(*SMALL, "--epochs", 30, "--scenario", scenario)
    assert shown.status == 0
    assert ("crossbars" in shown.out) == (scenario == "dp")
    assert "1 seed of 30 epochs" in shown.out


# --- what it refuses


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        (("--data", "wbdc"), ("there is no such data set", "wbdc", "wbcd, sonar, mnist")),
        (("--data", "svhn"), ("there is no train_32x32.mat", "http://ufldl.stanford.edu/housenumbers/", "put it into")),
        (("--augment", "shift"), ("an option plays no part here", "--augment")),
        (("--split", "aspect"), ("no such split", "aspect", "random")),
        (("--net", "8-6-1"), ("the network does not fit the data", "8-6-1", "9-...-1")),
        (("--net", "2L"), ("there is no such network", "2L100")),
        (("--validation", 150), ("the validation part does not fit", "150", "1 to 149 samples")),
        (("--arch", "1t1r", "--phases", 4), ("1t1r has no write of 4 phases", "allowed: 2")),
        (("--arch", "1r", "--rule", "batch"), ("the rule batch needs cells", "--arch 1t1r")),
        (("--array-rows", 5), ("makes no difference", "--array-rows 5 --arch 1t1r", "allowed: --arch 1r")),
        (("--rule", "real"), ("does not train crossbars", "per_sample, batch or counter", "--scenario rv")),
        (("--variation", 40), ("spread of resistances is out of range", "40 %", "0 to below 33 %")),
        (("--variation", -1), ("spread of resistances is out of range",)),
        (("--settings", "iris"), ("there is no such card", "iris", "a shipped card (mnist")),
        (("--card", "mondal2019"), ("there is no such card", "did you mean mondal2018?")),
        (("--array", "array46"), ("there is no such card", "array45")),
        (("--scheduler", "localhost"), ("not a scheduler's address",)),
    ],
)
def test_a_training_that_cannot_be(
    mtjspice: Command, tmp_path: Path, options: tuple[object, ...], messages: tuple[str, ...]
) -> None:
    refused(mtjspice(*SMALL, *options, "--out", "o"), 2, *messages)
    assert not any((tmp_path / "o").glob("*"))  # nothing is left behind


@pytest.mark.parametrize(
    "options", [("--seeds", 0), ("--epochs", 0), ("--array-rows", 0), ("--rule", "mine"), ("--scenario", "dv")]
)
def test_a_malformed_option(mtjspice: Command, options: tuple[object, ...]) -> None:
    outcome = mtjspice(*SMALL, *options)
    assert (outcome.status, outcome.out) == (2, "")
    assert str(options[0]) in outcome.err
    assert "Traceback" not in outcome.err


def test_the_network_has_to_be_named(mtjspice: Command) -> None:
    outcome = mtjspice("train")
    assert outcome.status == 2
    assert "--net" in outcome.err


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        ("[batch]", "[bach]", ("bach: unknown key", "batch: missing")),
        ("learning_rate = 0.003", "learning_rate = 2", ("real.learning_rate = 2", "at most 1")),
        ("schema = 1", "schema = 9", ("this mtjspice reads schema 1",)),
        ("[real]", "[real", ("not valid TOML",)),
        ('"zscore_half"', '"z"', ("there is no such normalisation", "zscore_half")),
    ],
)
def test_a_damaged_training_card(
    mtjspice: Command, tmp_path: Path, old: str, new: str, messages: tuple[str, ...]
) -> None:
    text = (training_folder() / "wbcd.toml").read_text()
    assert old in text
    (tmp_path / "mine.toml").write_text(text.replace(old, new))
    refused(mtjspice(*SMALL, "--settings", "mine.toml"), 2, *messages)


@pytest.mark.slow
@pytest.mark.parametrize("data", ["mnist", "sonar"])
def test_data_that_are_nowhere(tmp_path: Path, data: str) -> None:
    """Without $MTJSPICE_DATA and without a network; the message says where the data would be found."""
    nobody = "http://127.0.0.1:9"
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "https_proxy": nobody, "HTTPS_PROXY": nobody}
    environment.pop("MTJSPICE_DATA", None)
    command = [sys.executable, "-m", "mtjspice.cli", "train", "--data", data, "--net", "2L10"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    outcome = Outcome(done.returncode, done.stdout, done.stderr)
    refused(outcome, 2, "cannot download", str(tmp_path / "mtjspice" / data), "MTJSPICE_DATA", "https://")


@pytest.mark.slow
def test_own_data_that_changed_are_other_data(
    mtjspice: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after(monkeypatch, 2)
    refused(mtjspice(*SMALL, "--out", "o"), 130, "stopped", "--resume")
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    refused(mtjspice(*SMALL, "--out", "o"), 2, "an unfinished run holds finished epochs", "--resume", "--out")
    (tmp_path / "own.csv").write_text((tmp_path / "own.csv").read_text().replace("above", "ABOVE"))
    assert mtjspice(*SMALL, "--out", "o").status == 0


# --- stopped, killed, resumed


@pytest.mark.slow
@pytest.mark.parametrize(
    "how",
    [
        ("--scenario", "rv"),
        ("--scenario", "bc"),
        ("--scenario", "dp", "--variation", 10),
        ("--rule", "per_sample", "--variation", 10),
        ("--rule", "batch", "--variation", 10),
        ("--rule", "counter", "--variation", 10),
        ("--rule", "per_sample", "--switching", "ideal", "--seeds", 2),
        ("--rule", "per_sample", "--arch", "1r"),
        ("--rule", "per_sample", "--arch", "1r", "--phases", 2, "--mean-field"),
        ("--rule", "per_sample", "--arch", "1r", "--array-rows", 4, "--variation", 10),
    ],
    ids=lambda how: " ".join(map(str, how)),
)
def test_a_stopped_run_goes_on_bit_for_bit(mtjspice: Command, tmp_path: Path, how: tuple[object, ...]) -> None:
    assert mtjspice(*SMALL, *how, "--out", "whole").status == 0
    asked = (*SMALL, *how, "--out", "stopped")
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 2)
        refused(mtjspice(*asked), 130, "stopped", "--resume")
    refused(mtjspice(*asked), 2, "an unfinished run holds finished epochs")
    resumed = mtjspice(*asked, "--resume")
    assert resumed.status == 0
    assert left(tmp_path / "stopped") == left(tmp_path / "whole")


KILLING = """
import os, signal, sys
from mtjspice import cli
from mtjspice.training import epoch_file
epoch_file._PAUSE_S = 0.0
calls = iter(range(int(sys.argv.pop(1))))
def fsync(_, real=os.fsync):
    if next(calls, None) is None:
        os.kill(os.getpid(), signal.SIGKILL)
os.fsync = fsync
cli.main()
"""


@pytest.mark.slow
def test_killed_during_a_checkpoint(mtjspice: Command, tmp_path: Path) -> None:
    """Two seeds of five epochs, each followed by its result: 12 writes of a checkpoint, the next is training.json."""
    asked = (*SMALL, "--seeds", 2)
    assert mtjspice(*asked, "--out", "whole").status == 0
    for writes in (0, 3, 8, 12):
        folder = tmp_path / f"killed-{writes}"
        command = [sys.executable, "-c", KILLING, str(writes), *map(str, asked), "--out", str(folder)]
        killed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert not (folder / "training.json").exists()
        if writes:
            refused(mtjspice(*asked, "--out", folder), 2, "an unfinished run holds", "--resume")
        assert mtjspice(*asked, "--out", folder, "--resume").status == 0
        for part in folder.glob(".*.part"):  # of training.json itself
            assert writes == 12
            part.unlink()
        assert left(folder) == left(tmp_path / "whole")


@pytest.mark.slow
def test_killed_during_an_epoch(mtjspice: Command, tmp_path: Path) -> None:
    """It goes on from the last epoch kept, or from the start where that file was truncated."""
    write_samples(tmp_path / "large.csv", 6000, 40)
    asked = ("train", "--data", "large.csv", "--net", "2L60", "--epochs", 20, "--out")
    assert mtjspice(*asked, "whole").status == 0
    command = [sys.executable, "-m", "mtjspice.cli", *map(str, asked), "killed"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not any((tmp_path / "killed").glob("checkpoint/epochs-*/*.npz")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        time.sleep(0.2)  # into the next epoch
        process.kill()
    assert not (tmp_path / "killed" / "training.json").exists()
    shutil.copytree(tmp_path / "killed", tmp_path / "truncated")
    (kept,) = (tmp_path / "truncated").glob("checkpoint/epochs-*/*.npz")
    kept.write_bytes(kept.read_bytes()[:1000])
    for folder in ("killed", "truncated"):
        refused(mtjspice(*asked, folder), 2, "an unfinished run holds finished epochs")
        assert mtjspice(*asked, folder, "--resume").status == 0
        assert left(tmp_path / folder) == left(tmp_path / "whole")
