"""What a training of quantised networks leaves in its folder, and how it goes on there."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ternary_problems import colour_images, images, keep

from mtjspice.errors import InputError
from mtjspice.jobs.progress import progress
from mtjspice.npz import load_npz, save_npz
from mtjspice.report.ternary_training import draw_ternary, ternary_table
from mtjspice.training import epoch_file
from mtjspice.training.ternary.augmentation import Augmentation
from mtjspice.training.ternary.campaign import TernaryResult, quantised_problem, run_ternary
from mtjspice.training.ternary.plan import Counting, TernaryPlan, TernaryRule

PLAN = TernaryPlan("own.npz", "64-24-4", epochs=3, batch=50)
MOVED = replace(PLAN, net="4C3-MP2-4", augmentation=Augmentation.SHIFT_FLIP)
COUNTED = replace(PLAN, batch=40, rule=TernaryRule.COUNTER, counting=Counting(bits=5), variation_percent=10.0)
Run = Callable[..., TernaryResult]


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data in own.npz, in the folder in which the test runs; every epoch is kept."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(epoch_file, "_PAUSE_S", 0.0)
    keep(images(), "own.npz")


@pytest.fixture
def qnn() -> Any:
    """The module that needs PyTorch."""
    pytest.importorskip("torch", reason="PyTorch is missing; pip install 'mtjspice[qnn]'")
    return pytest.importorskip("mtjspice.training.ternary.qnn.training")


def run(folder: str, plan: TernaryPlan = PLAN, seeds: int = 2, resume: bool = False) -> TernaryResult:
    """Train two networks into a folder."""
    return run_ternary(plan, Path(folder), seeds=seeds, resume=resume, progress=progress, draw=draw_ternary)


def left(folder: str) -> dict[str, Any]:
    """Return what is in a folder, without times; of the figure, that it is there."""
    found: dict[str, Any] = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    found["training.json"] = json.loads(found["training.json"])
    del found["training.json"]["provenance"]["elapsed_s"], found["training.json"]["epoch_s"]
    return found | {"training.png": found["training.png"][:4]}


def stop_after(patch: pytest.MonkeyPatch, qnn: Any, batches: int) -> None:
    """Let training be stopped as with Ctrl-C, in the batch after so many."""
    remaining = iter(range(batches))
    for kind in (qnn.GxnorTraining, qnn.CounterTraining):

        def stopping(*arguments: Any, real: Any = kind._step) -> Any:
            if next(remaining, None) is None:
                raise KeyboardInterrupt
            return real(*arguments)

        patch.setattr(kind, "_step", stopping)


def test_what_it_leaves(qnn: Any) -> None:
    result = run("o")
    found = left("o")
    assert found.keys() == {"training.json", "training.png", "network_0001.npz", "network_0002.npz"}
    summary = found["training.json"]
    assert (summary["weights"], summary["net"], summary["seeds"], summary["proposer"]) == (
        "ternary",
        "64-24-4",
        2,
        "adam",
    )
    assert summary["per_seed"] == result.errors.tolist()
    assert summary["test_errors"][-1] == pytest.approx(summary["test_error"])
    assert len(summary["losses"]) == len(summary["pulsed"]) == len(summary["flipped"]) == 3
    assert summary["price"] == {"junctions": 2, "digital_bits": 96, "write_phases_per_batch": 64}
    header, network = load_npz(Path("o/network_0002.npz"), 1, "network", lambda header, arrays: (header, arrays))
    assert header["plan"]["number"] == 1
    np.testing.assert_array_equal(network["states_1"][0].astype(int) - network["states_1"][1], network["weights_1"])
    assert found["training.png"] == b"\x89PNG"
    assert ternary_table(result).row_count == 10
    energy = summary["energy"]
    assert energy == result.energy
    assert energy["update"]["pulses"] == pytest.approx(np.array(summary["pulsed"]) * (64 * 24 + 24 * 4) * 12)


def test_what_the_counter_leaves(qnn: Any) -> None:
    result = run("o", COUNTED, seeds=1)
    summary = left("o")["training.json"]
    assert summary["rule"] == "counter"
    assert summary["counting"]["bits"] == 5
    assert not {"proposer", "learning_rate", "widths"} & summary.keys()
    # Two phases a sample, and three strong pulses for each of 24 columns.
    assert summary["price"] == {"junctions": 6, "digital_bits": 0, "write_phases_per_batch": 2 * 40 + 3 * 24}
    assert summary["energy"] is None
    _, network = load_npz(Path("o/network_0001.npz"), 1, "network", lambda header, arrays: (header, arrays))
    for n, shape in enumerate([(24, 64), (4, 24)]):
        assert network[f"weights_{n}"].shape == network[f"counters_{n}"].shape == shape
        np.testing.assert_array_equal(np.array([-1, 0, 0, 1])[network[f"counters_{n}"] // 8], network[f"weights_{n}"])
    text = ternary_table(result)
    assert text.row_count == 8


@pytest.mark.slow
@pytest.mark.parametrize("plan", [PLAN, MOVED, COUNTED])
def test_a_stopped_run_goes_on_bit_for_bit(qnn: Any, plan: TernaryPlan) -> None:
    """Stopped in the second epoch of the second network; the counter has an odd number of batches in an epoch."""
    batches = 600 // plan.batch_size
    run("whole", plan)
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, qnn, (3 + 1) * batches + 5)
        with pytest.raises(KeyboardInterrupt):
            run("stopped", plan)
    with pytest.raises(InputError, match="an unfinished run holds finished epochs"):
        run("stopped", plan)
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, qnn, 2 * batches)  # what is finished is not trained again
        run("stopped", plan, resume=True)
    assert left("stopped") == left("whole")


@pytest.mark.slow
def test_colour_images_are_learnt_in_an_epoch(qnn: Any) -> None:
    """Colours tell four classes apart: chance is 75 %."""
    x_train, y_train = colour_images(600)
    x_test, y_test = colour_images(200, seed=2)
    np.savez("colours.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    plan = replace(MOVED, data="colours.npz", net="8C3-MP2-16C3-MP2-4", epochs=1, batch=10)
    result = run("o", plan, seeds=1)
    assert result.net.image == (3, 12, 12)
    assert result.errors[0] < 0.5  # six seeds: 4 to 23 %
    assert left("o")["training.json"]["augmentation"] == "shift-flip"
    assert ternary_table(result).row_count == 11


def stopped_in_its_second_epoch(qnn: Any, folder: str) -> None:
    """Twelve batches are an epoch."""
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, qnn, 20)
        with pytest.raises(KeyboardInterrupt):
            run(folder)


def test_a_checkpoint_of_another_network_or_plan_or_of_other_data(qnn: Any) -> None:
    stopped_in_its_second_epoch(qnn, "o")
    another = "the unfinished run here is another one"
    for options in ({"net": "64-20-4"}, {"variation_percent": 10.0}):
        with pytest.raises(InputError, match=another):
            run("o", replace(PLAN, **options), resume=True)  # type: ignore[arg-type]
    keep(images(seed=2), "own.npz")
    with pytest.raises(InputError, match=another):
        run("o", resume=True)


def truncated(kept: Path) -> None:
    """As a disk that was full leaves it."""
    kept.write_bytes(kept.read_bytes()[:1000])


def emptied(kept: Path) -> None:
    """Not even a header."""
    kept.write_bytes(b"")


def of_another_run(kept: Path) -> None:
    """In this one's place."""
    history, arrays = load_npz(kept, 1, "epochs", lambda header, arrays: (header["history"], arrays))
    save_npz(kept, 1, {"identity": "0" * 64, "history": history}, arrays)


@pytest.mark.slow
def test_a_file_of_epochs_that_cannot_be_used_starts_over(qnn: Any) -> None:
    run("whole", seeds=1)
    stopped_in_its_second_epoch(qnn, "stopped")
    for damage in (truncated, emptied, of_another_run):
        shutil.copytree("stopped", damage.__name__)
        (kept,) = Path(damage.__name__, "checkpoint").iterdir()
        damage(kept)
        with pytest.MonkeyPatch.context() as patch:
            stop_after(patch, qnn, 3 * 12)
            run(damage.__name__, seeds=1, resume=True)
        assert left(damage.__name__) == left("whole")


@pytest.mark.parametrize(
    "options",
    [
        {"data": "none.npz"},
        {"net": "64-24-5"},
        {"net": "many"},
        {"variation_percent": 40.0},
        {"card": "none"},
        {"data": "floats.npz", "net": "4C3-4", "augmentation": Augmentation.SHIFT},
    ],
)
def test_a_run_that_is_refused_leaves_nothing(qnn: Any, options: dict[str, Any]) -> None:
    data = images()
    keep(replace(data, x_train=data.x_train / np.float32(3), x_test=data.x_test / np.float32(3)), "floats.npz")
    with pytest.raises(InputError):
        run("o", replace(PLAN, **options))
    assert not Path("o").exists() or not any(Path("o").iterdir())


def test_pixels_stay_bytes_even_where_they_never_change() -> None:
    data = images()
    data.x_train[:, 0] = 0
    keep(data, "own.npz")
    found, net = quantised_problem(replace(PLAN, validation=100))
    assert (len(found.x_train), len(found.x_test)) == (500, 100)
    assert found.x_train.dtype == np.uint8
    assert (found.x_train[:, 0] == 0).all()
    assert net.image == (64, 1, 1)


def test_other_features_are_from_minus_1_to_1() -> None:
    data = images()
    keep(replace(data, x_train=data.x_train / np.float32(3), x_test=data.x_test / np.float32(3)), "own.npz")
    found, _ = quantised_problem(PLAN)
    np.testing.assert_array_equal([found.x_train.min(axis=0), found.x_train.max(axis=0)], [[-1] * 64, [1] * 64])
