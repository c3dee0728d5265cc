"""`mtjspice dies evaluate` as a user meets it: what it prints and leaves, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from command import Command

from mtjspice.training.dies.network import BinaryNetwork

DIES = ("dies", "make", "--net", "9-6-2", "--count", 3, "--rate", 0.05, "--out", "dies")
EVALUATE = ("dies", "evaluate", "networks", "--dies", "dies", "--out", "o")
OPTIONS = ("--remap", "--calibrate", 100, "--trim", 50, "--noise", 0.1, "--full-scale", 2, "--bits", 8)


@pytest.fixture(autouse=True)
def trained(mtjspice: Command, tmp_path: Path) -> None:
    """Dies, and two networks for data of two classes on either side of a plane, in the folder of the command."""
    rng = np.random.default_rng(5)
    x = rng.uniform(0, 1, (300, 9))
    y = ((x - 0.5) @ np.array([1, -1, 1, 1, -1, -1, 1, -1, 1]) > 0).astype(int)
    np.savez(tmp_path / "own.npz", x_train=x[:200], y_train=y[:200], x_test=x[200:], y_test=y[200:])
    train = ("train", "--data", "own.npz", "--net", "9-6-2", "--scenario", "ideal", "--epochs", 2, "--seeds", 2)
    for command in (DIES, (*train, "--out", "networks")):
        assert mtjspice(*command).status == 0


def test_what_a_user_gets(mtjspice: Command, tmp_path: Path) -> None:
    shown = mtjspice(*EVALUATE, *OPTIONS)
    assert shown.status == 0, shown.err
    assert max(len(line.rstrip()) for line in shown.out.splitlines()) <= 100
    for text in ("3 dies; known of each: map of defects, 100 images, 50 labelled images", "of 3 dies", "are in o"):
        assert text in shown.out
    assert {path.name for path in (tmp_path / "o").iterdir()} == {"evaluation.json", "evaluation.png"}


@pytest.mark.slow
def test_json_stands_alone(mtjspice: Command, tmp_path: Path) -> None:
    shown = mtjspice(*EVALUATE, *OPTIONS, "--json")
    found = json.loads(shown.out)
    assert found == json.loads((tmp_path / "o" / "evaluation.json").read_text())
    errors = np.array([die["errors"] for die in found["per_die"]])
    assert errors.shape == (3, 2)
    assert found["mean_error"] == pytest.approx(errors.mean())
    assert found["worst_error"] == errors.max()
    assert found["std_over_dies"] == pytest.approx(errors.mean(axis=1).std(ddof=1))
    assert 0 <= found["dies_near_software"] <= 3


@pytest.mark.slow
def test_one_network_of_a_folder(mtjspice: Command) -> None:
    both, second = (
        json.loads(mtjspice("dies", "evaluate", path, "--dies", "dies", "--json").out)
        for path in ("networks", "networks/network_0002.npz")
    )
    assert [die["errors"][1:] for die in both["per_die"]] == [die["errors"] for die in second["per_die"]]


@pytest.mark.slow
def test_arrays_are_those_of_the_training(mtjspice: Command) -> None:
    train = ("train", "--data", "own.npz", "--net", "9-6-2", "--scenario", "hardware-aware", "--dies", "dies")
    assert mtjspice(*train, "--arch", "1r", "--epochs", 2, "--out", "networks").status == 0
    found = [
        json.loads(mtjspice(*EVALUATE, *options, "--json").out)["per_die"]
        for options in ((), ("--arch", "1r"), ("--arch", "1t1r"))
    ]
    assert found[0] == found[1] != found[2]


@pytest.mark.slow
def test_held_out_samples_stay_in_the_test_s_place(mtjspice: Command) -> None:
    """What is chosen by them has not seen the test part."""
    train = ("train", "--data", "own.npz", "--net", "9-6-2", "--scenario", "ideal", "--epochs", 2, "--seeds", 2)
    held_out = json.loads(mtjspice(*train, "--validation", 37, "--out", "networks", "--json").out)
    found = json.loads(mtjspice(*EVALUATE, "--json").out)
    assert found["software_error"] == held_out["test_error"]
    errors = 37 * np.array([die["errors"] for die in found["per_die"]])
    assert errors == pytest.approx(errors.round(), abs=1e-9)


def test_data_that_have_changed_are_refused(mtjspice: Command, tmp_path: Path) -> None:
    with np.load(tmp_path / "own.npz") as stored:
        data = dict(stored)
    swapped = {
        "x_train": data["x_test"],
        "y_train": data["y_test"],
        "x_test": data["x_train"],
        "y_test": data["y_train"],
    }
    np.savez(tmp_path / "own.npz", **swapped)
    shown = mtjspice(*EVALUATE)
    assert (shown.status, shown.out) == (2, "")
    assert "the data are not those that the network was trained on" in shown.err
    assert "own.npz" in shown.err


@pytest.mark.slow
def test_a_network_of_another_origin(mtjspice: Command, tmp_path: Path) -> None:
    network, _ = BinaryNetwork.load(tmp_path / "networks" / "network_0001.npz")
    network.save(tmp_path / "bare.npz", {})
    shown = mtjspice("dies", "evaluate", "bare.npz", "--dies", "dies")
    assert (shown.status, shown.out) == (2, "")
    assert "does not say how it was trained" in shown.err
    assert "bare.npz" in shown.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "messages"),
    [
        (("--calibrate", 300), ("images to calibrate with is out of range", "300", "2 to 200")),
        (("--trim", 1), ("images to trim with is out of range", "2 to 200")),
        (("--fine-tune", 100), ("fine-tuning works on calibrated columns", "calibrate, too")),
        (("--bits", 8), ("a converter has a full scale",)),
        (("--noise", -1), ("the read noise is out of range", "-1")),
        (("--array", "array45"), ("the dies are of another array card", "array45")),
        (("--dies", "nowhere"), ("there are no dies in the folder", "nowhere")),
        (("--dies", "wide"), ("the network does not fit the die", "6 x 4", "6 x 12", "--copies")),
    ],
)
def test_what_cannot_be(
    mtjspice: Command, tmp_path: Path, options: tuple[object, ...], messages: tuple[str, ...]
) -> None:
    if "wide" in options:
        mtjspice(*DIES, "--copies", 3, "--out", "wide")
    shown = mtjspice(*EVALUATE, *options)
    assert (shown.status, shown.out) == (2, ""), shown.err
    assert shown.err.count("error: ") == 1
    assert "Traceback" not in shown.err
    for message in messages:
        assert message in shown.err
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("path", "messages"),
    [
        ("nowhere.npz", ("cannot read the network", "nowhere.npz")),
        ("dies", ("there is no network in the folder", "mtjspice train")),
        ("dies/die_0001.npz", ("cannot read the network", "die_0001.npz")),
    ],
)
def test_what_is_no_network(mtjspice: Command, path: str, messages: tuple[str, ...]) -> None:
    shown = mtjspice("dies", "evaluate", path, "--dies", "dies")
    assert (shown.status, shown.out) == (2, "")
    for message in messages:
        assert message in shown.err
