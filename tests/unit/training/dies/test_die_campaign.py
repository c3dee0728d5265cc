"""What a training for dies leaves in its folder, and how it goes on there."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from die_problems import SIZES, blobs, dies, stop_after

from mtjspice.cards.array import Architecture
from mtjspice.errors import DataError, InputError
from mtjspice.files import write_text
from mtjspice.jobs.progress import progress
from mtjspice.surrogate.read_model import ReadModel
from mtjspice.training import epoch_file
from mtjspice.training.datasets import Dataset
from mtjspice.training.dies.campaign import DieTrainingResult, images_for, load_networks, run_die_training
from mtjspice.training.dies.plan import DieMethod, DiePlan

Run = Callable[..., DieTrainingResult]


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data in own.npz, in the folder in which the test runs; every epoch is kept."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(epoch_file, "_PAUSE_S", 0.0)
    keep(blobs())


def keep(data: Dataset) -> None:
    np.savez("own.npz", x_train=data.x_train, y_train=data.y_train, x_test=data.x_test, y_test=data.y_test)


PLAN = DiePlan("own.npz", "16-12-4", DieMethod.HARDWARE_AWARE, epochs=6, batch=64)


@pytest.fixture
def run(select1500: ReadModel) -> Run:
    """Train two networks for the first of some dies into a folder."""

    def run(folder: str, plan: DiePlan = PLAN, seeds: int = 2, resume: bool = False, **given: Any) -> DieTrainingResult:
        options = {"model": select1500, "dies": dies(select1500, 0.05, 1), "provenance": {"seed": 7}} | given
        return run_die_training(
            plan,
            options.pop("model"),
            Path(folder),
            seeds=seeds,
            statistics=None,
            resume=resume,
            progress=progress,
            draw=lambda result, path: write_text(path, "drawn"),
            **options,
        )

    return run


def left(folder: str) -> dict[str, Any]:
    """Return what is in a folder, without times."""
    found: dict[str, Any] = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    found["training.json"] = json.loads(found["training.json"])
    del found["training.json"]["provenance"]["elapsed_s"], found["training.json"]["samples_per_s"]
    return found


def test_what_it_leaves(run: Run) -> None:
    result = run("o")
    found = left("o")
    assert found.keys() == {"training.json", "training.png", "network_0001.npz", "network_0002.npz"}
    summary = found["training.json"]
    assert (summary["method"], summary["net"], summary["seeds"]) == ("hardware-aware", "16-12-4", 2)
    assert summary["per_seed"] == result.errors.tolist()
    assert summary["test_error"] == pytest.approx(np.mean(result.errors))
    assert len(summary["losses"]) == 6
    assert summary["provenance"]["seed"] == 7
    networks = load_networks(Path("o"))
    assert [header["plan"]["number"] for _, header in networks] == [0, 1]
    for (network, header), trained, error in zip(networks, result.networks, result.errors, strict=True):
        assert network.sizes == SIZES
        np.testing.assert_array_equal(network.weights[0], trained.weights[0])
        assert (header["software_error"], header["dies"]) == (error, {"seed": 7})
    (alone,) = load_networks(Path("o") / "network_0002.npz")
    np.testing.assert_array_equal(alone[0].weights[1], networks[1][0].weights[1])
    assert not np.array_equal(networks[0][0].weights[0], networks[1][0].weights[0])


def test_a_stopped_run_goes_on_bit_for_bit(run: Run) -> None:
    """Twelve batches an epoch: stopped in the fourth epoch of the second network."""
    run("whole")
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, (6 + 3) * 12 + 5)
        with pytest.raises(KeyboardInterrupt):
            run("stopped")
    assert not Path("stopped", "training.json").exists()
    with pytest.raises(InputError, match="an unfinished run holds finished epochs") as caught:
        run("stopped")
    assert "--resume" in str(caught.value)
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 3 * 12)  # what is finished is not trained again
        run("stopped", resume=True)
    assert left("stopped") == left("whole")


def test_to_resume_what_never_began_is_to_begin(run: Run) -> None:
    run("whole")
    run("new", resume=True)
    assert left("new") == left("whole")


@pytest.mark.parametrize("what", ["plan", "dies", "data", "architecture"])
def test_another_run_does_not_go_on(run: Run, select1500: ReadModel, what: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 30)
        with pytest.raises(KeyboardInterrupt):
            run("o")
    given: dict[str, Any] = {}
    if what == "plan":
        given["plan"] = replace(PLAN, learning_rate=0.02)
    elif what == "dies":
        given["provenance"] = {"seed": 8}
    elif what == "architecture":
        given["model"] = replace(select1500, architecture=Architecture.ONE_R)
    else:
        keep(blobs(seed=2))
    with pytest.raises(InputError, match="the unfinished run here is another one") as caught:
        run("o", resume=True, **given)
    assert "--out" in str(caught.value)


def test_a_run_that_is_refused_leaves_nothing(run: Run) -> None:
    for given in (
        {"plan": replace(PLAN, net="16-12-5")},
        {"plan": replace(PLAN, net="16-10-4")},  # the die has 12 hidden units
        {"plan": replace(PLAN, data="none.npz")},
    ):
        with pytest.raises(InputError):
            run("o", **given)
        assert not Path("o").exists() or not any(Path("o").iterdir())


def test_networks_of_an_earlier_run_do_not_stay(run: Run) -> None:
    run("o", seeds=3)
    run("o", seeds=1, plan=replace(PLAN, epochs=1))
    assert [header["plan"]["epochs"] for _, header in load_networks(Path("o"))] == [1]


def test_a_folder_without_networks() -> None:
    Path("empty").mkdir()
    with pytest.raises(DataError, match="there is no network in the folder"):
        load_networks(Path("empty"))
    with pytest.raises(DataError, match="cannot read the network"):
        load_networks(Path("nowhere"))


# --- images


def test_pixels_are_from_0_to_1_even_where_they_never_change() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 256, (40, 64), dtype=np.uint8)
    x[:, 0] = 255
    np.savez("images.npz", x_train=x[:30], y_train=np.arange(30) % 3, x_test=x[30:], y_test=np.arange(10) % 3)
    data, sizes = images_for("images.npz", "16-8-3", 0, rng)
    assert sizes == (16, 8, 3)
    expected = x[:30].reshape(30, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(30, 16) / 255
    np.testing.assert_allclose(data.x_train, expected, rtol=1e-5)


def test_validation_samples_stand_in_for_the_test_part() -> None:
    data, sizes = images_for("own.npz", "2L12", 100, np.random.default_rng(1))
    assert sizes == SIZES
    assert (len(data.x_train), len(data.x_test)) == (700, 100)
    assert np.abs(data.x_train).max() <= 1


@pytest.mark.parametrize(
    ("net", "words"),
    [
        ("16-4", "two layers"),
        ("1L", "two layers"),
        ("16-8-8-4", "two layers"),
        ("3L", "two layers"),
        ("16-8-3", "the network does not fit the data"),
        ("17-8-4", "the network does not fit the data"),
        ("0-8-4", "the network does not fit the data"),
        ("9-8-4", ""),
        ("many", "there is no such network"),
    ],
)
def test_networks_have_two_layers_that_fit(net: str, words: str) -> None:
    if not words:  # a smaller image
        assert images_for("own.npz", net, 0, np.random.default_rng(1))[1] == (9, 8, 4)
        return
    with pytest.raises(InputError, match=words) as caught:
        images_for("own.npz", net, 0, np.random.default_rng(1))
    assert "allowed:" in str(caught.value)


def test_two_classes_have_an_output_each() -> None:
    data = blobs()
    np.savez("two.npz", x=data.x_train, y=data.y_train % 2)
    assert images_for("two.npz", "16-8-2", 0, np.random.default_rng(1))[1] == (16, 8, 2)
    for net in ("16-8-1", "2L8"):
        with pytest.raises(InputError, match="an output for each class") as caught:
            images_for("two.npz", net, 0, np.random.default_rng(1))
        assert "16-...-2" in str(caught.value)
