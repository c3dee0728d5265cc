"""Quantised networks in training: that they learn, what they see, and a step as a GPU takes it."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ternary_problems import images

from mtjspice.crossbar.ternary import WeightKind, synapse_weights
from mtjspice.surrogate.model import ArrayModel
from mtjspice.training.datasets import Dataset
from mtjspice.training.epoch_file import EpochFile
from mtjspice.training.normalise import normalise
from mtjspice.training.ternary.augmentation import Augmentation
from mtjspice.training.ternary.networks import quantised_net
from mtjspice.training.ternary.plan import Counting, Proposer, TernaryPlan, TernaryRule

torch = pytest.importorskip("torch", reason="PyTorch is missing; pip install 'mtjspice[qnn]'")
qnn: Any = pytest.importorskip("mtjspice.training.ternary.qnn.training")

PLAN = TernaryPlan("images", "64-24-4", epochs=6, batch=20)
COUNTED: dict[str, Any] = {"rule": TernaryRule.COUNTER, "counting": Counting(bits=6), "epochs": 40}
"""Few samples: counters need many passes to go through their range."""


def rng(seed: int = 1) -> Any:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", list(WeightKind))
def test_activations(kind: WeightKind) -> None:
    x = torch.tensor([-3.0, -0.6, -0.4, 0.4, 0.6, 3.0], requires_grad=True)
    found = qnn.quantised(x, kind)
    ternary = kind is WeightKind.TERNARY
    assert found.tolist() == ([-1, -1, 0, 0, 1, 1] if ternary else [-1, -1, -1, 1, 1, 1])
    (slope,) = torch.autograd.grad(found.sum(), x)
    assert slope.tolist() == [0, 1, 1, 1, 1, 0]


def trained(plan: TernaryPlan, model: ArrayModel | None, kept: EpochFile | None = None) -> Any:
    data = normalise(images(), "unit").dataset
    data = replace(data, x_train=2 * data.x_train - 1, x_test=2 * data.x_test - 1)
    return qnn.train_quantised(
        plan, quantised_net(plan.net, 64, 4), data, model if plan.switches else None, kept or EpochFile(None, "")
    )


@pytest.mark.parametrize(
    "options",
    [
        {"junctions": False},
        {},
        {"weights": WeightKind.BINARY},
        {"weights": WeightKind.BINARY, "junctions": False},
        {"widths": 2, "variation_percent": 10.0},
        {"net": "8C3-MP2-24-4"},
        {"proposer": Proposer.MOMENTUM},
        {"proposer": Proposer.SGD},
        COUNTED,
        *(
            pytest.param(COUNTED | options, marks=pytest.mark.slow)
            for options in ({"junctions": False}, {"weights": WeightKind.BINARY}, {"variation_percent": 10.0})
        ),
    ],
)
def test_networks_learn(model: ArrayModel, options: dict[str, Any]) -> None:
    """Four classes that a nearest-neighbour rule tells apart: chance is 75 %."""
    plan = replace(PLAN, **options)
    network, history = trained(plan, model)
    assert len(history) == plan.epoch_count
    assert history[-1]["test_error"] < 0.1
    assert set(np.unique(network["weights_0"])) == set(plan.weights.weights)
    if "states_0" in network:
        np.testing.assert_array_equal(synapse_weights(plan.weights, network["states_0"]), network["weights_0"])


def test_small_networks_take_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """And leave the others' as they were."""
    threads, seen, epoch = torch.get_num_threads(), [], qnn.GxnorTraining.epoch

    def counted(run: Any, number: int) -> dict[str, Any]:
        seen.append(torch.get_num_threads())
        return dict(epoch(run, number))

    monkeypatch.setattr(qnn.GxnorTraining, "epoch", counted)
    torch.set_num_threads(2)
    try:
        for few in (1e6, 1e3):
            monkeypatch.setattr(qnn, "_FEW_READS", few)
            trained(replace(PLAN, junctions=False, epochs=1), None)
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert seen == [1, 2]


def test_seeds_and_numbers_matter_and_nothing_else(model: ArrayModel) -> None:
    first, again = trained(PLAN, model)[0], trained(PLAN, model)[0]
    other, next_one = trained(replace(PLAN, root_seed=2), model)[0], trained(replace(PLAN, number=1), model)[0]
    for name, array in first.items():
        np.testing.assert_array_equal(again[name], array)
    for different in (other, next_one):
        assert (different["weights_0"] != first["weights_0"]).any()


def test_pixels_become_what_normalised_features_were_bit_for_bit(model: ArrayModel) -> None:
    pixels = np.tile(np.arange(256, dtype=np.uint8), (4, 1))
    data = Dataset("pixels", pixels, np.arange(4), pixels, np.arange(4), tuple("abcd"))
    run = qnn.GxnorTraining(replace(PLAN, junctions=False), quantised_net("256-4", 256, 4), data, None)
    expected = 2 * normalise(data, "unit").dataset.x_train - 1
    assert expected.dtype == np.float32
    found = run._images(pixels).cpu().numpy().reshape(4, 256)
    np.testing.assert_array_equal(found.view(np.int32), expected.view(np.int32))


MOVED = replace(PLAN, net="4C3-MP2-4", junctions=False, epochs=2, batch=100, augmentation=Augmentation.SHIFT_FLIP)


def test_an_image_is_seen_otherwise_in_each_epoch_and_test_images_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    data, net = images(), quantised_net(MOVED.net, 64, 4)
    for x in (data.x_train, data.x_test):
        x.flags.writeable = False  # as those of files may be
    run = qnn.GxnorTraining(MOVED, net, data, None)
    seen: list[np.ndarray] = []
    convert = run._images
    monkeypatch.setattr(run, "_images", lambda x: seen.append(np.array(x)) or convert(x))
    before = data.sha256
    epochs = []
    for epoch in range(2):
        seen.clear()
        run.epoch(epoch)
        in_order = np.empty_like(data.x_train)
        in_order[MOVED.rng(qnn._ORDER, epoch).permutation(len(in_order))] = np.concatenate(seen[:6]).reshape(-1, 64)
        np.testing.assert_array_equal(np.concatenate(seen[6:]), data.x_test)
        epochs.append(in_order)
    # One in 162 moves is none, and two epochs' are alike as rarely.
    for first, second in ((epochs[0], epochs[1]), (epochs[0], data.x_train), (epochs[1], data.x_train)):
        assert (first != second).any(axis=1).mean() > 0.97
    data.__dict__.pop("sha256")  # which is kept
    assert data.sha256 == before


def test_moves_leave_all_other_random_numbers_as_they_were() -> None:
    """Images of a single shade each are the same wherever they are moved."""
    shades = np.repeat(np.arange(0, 240, 2, dtype=np.uint8)[:, None], 64, axis=1)
    data = Dataset("shades", shades, np.arange(120) // 30, shades, np.arange(120) // 30, tuple("abcd"))
    net = quantised_net(MOVED.net, 64, 4)
    runs = [
        qnn.train_quantised(replace(MOVED, batch=40, augmentation=how), net, data, None, EpochFile(None, ""))[0]
        for how in (Augmentation.SHIFT_FLIP, Augmentation.NONE)
    ]
    for name, array in runs[0].items():
        np.testing.assert_array_equal(array, runs[1][name])


@pytest.mark.slow
@pytest.mark.skipif(not any(map(shutil.which, ("g++", "clang++"))), reason="torch.compile needs a C++ compiler")
@pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated:DeprecationWarning")  # PyTorch's own import
def test_steps_as_a_gpu_takes_them(model: ArrayModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled, and in bfloat16: losses are float32's of the same weights, and pulses leave weights in the set.

    bfloat16 has 8 bits and rounds by up to 0.4 %, which also takes some activations over a step. 16 steps of four seeds
    differed by up to 0.3 %.
    """
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    plan, data = replace(PLAN, net="4C3-MP2-4"), images(training=100)
    run = qnn.GxnorTraining(plan, quantised_net(plan.net, 64, 4), data, model, accelerated=True)
    for step in range(2):  # what the first one changes the second one sees
        before = run.trained()
        with torch.no_grad():
            expected = float(run._mean_loss(run._images(data.x_train), torch.from_numpy(data.y_train).to(run._device)))
        found = float(run._step(data.x_train, data.y_train, plan.rate, run._generator(step)))
        assert found == pytest.approx(expected, rel=1e-2)
        assert found != expected  # it is the other path
        network = run.trained()
        for n in range(2):
            assert (network[f"weights_{n}"] != before[f"weights_{n}"]).any()
            assert set(np.unique(network[f"weights_{n}"])) <= {-1, 0, 1}
            np.testing.assert_array_equal(
                synapse_weights(plan.weights, network[f"states_{n}"]), network[f"weights_{n}"]
            )
