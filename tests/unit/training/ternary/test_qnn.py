"""Quantised networks: updates on junctions against the surface, learning, and a step as a GPU takes it."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ternary_problems import images

from mtjspice.crossbar.ternary import WeightKind, synapse_states, synapse_weights
from mtjspice.surrogate.ideal_array import write_device
from mtjspice.surrogate.model import ArrayModel
from mtjspice.surrogate.pulse_programmer import pulse_strength, pulse_tables, switching_probability
from mtjspice.surrogate.synapses import Synapses, new_junctions, synapses
from mtjspice.training.datasets import Dataset
from mtjspice.training.epoch_file import EpochFile
from mtjspice.training.normalise import normalise
from mtjspice.training.ternary.augmentation import Augmentation
from mtjspice.training.ternary.networks import quantised_net
from mtjspice.training.ternary.plan import Counting, Proposer, TernaryPlan, TernaryRule

torch = pytest.importorskip("torch", reason="PyTorch is missing; pip install 'mtjspice[qnn]'")
qnn: Any = pytest.importorskip("mtjspice.training.ternary.qnn")

PLAN = TernaryPlan("images", "64-24-4", epochs=6, batch=20)
COUNTED: dict[str, Any] = {"rule": TernaryRule.COUNTER, "counting": Counting(bits=6), "epochs": 40}
"""Few samples: counters need many passes to go through their range."""
SHAPE = (200, 1000)


def rng(seed: int = 1) -> Any:
    return torch.Generator().manual_seed(seed)


def in_junctions(
    model: ArrayModel, kind: WeightKind, weights: np.ndarray, *, widths: int | None = None, varies: float = 0.0
) -> tuple[Any, Synapses, np.ndarray]:
    """Return weights in junctions, what there is to know of these, and their states."""
    device, source = write_device(model), np.random.default_rng(5)
    states = synapse_states(kind, weights, source)
    found = synapses(model, device, kind, new_junctions(model, states, varies, source))
    return qnn.JunctionWeights(pulse_tables(model, widths, device), [found], [states], "cpu"), found, states


def expected(
    model: ArrayModel, found: Synapses, states: np.ndarray, change: np.ndarray, widths: int | None
) -> np.ndarray:
    """Return the probability that each junction flips at a change of less than a step, without a bound or PyTorch."""
    tables = pulse_tables(model, widths)
    strength = pulse_strength(tables, np.tanh(3 * np.abs(change) / found.kind.step))
    chances = []
    for junction, state in enumerate(states):
        left = np.where(change > 0, junction, 1 - junction)
        low, high = (np.choose(left, end[:, junction].astype(float)) for end in found.resistance)
        p = switching_probability(tables, left, strength, low, high)
        chances.append(np.where(state == left, p, 0))
    return np.array(chances)


@pytest.mark.parametrize("widths", [None, 2])
@pytest.mark.parametrize("varies", [0.0, 10.0])
def test_probabilities_are_numpys(model: ArrayModel, widths: int | None, varies: float) -> None:
    source = np.random.default_rng(2)
    tables = pulse_tables(model, widths)
    wanted = np.concatenate(([0.0], np.geomspace(1e-5, 0.99, 5000)))
    state = source.integers(0, 2, len(wanted))
    low, high = 1 + varies / 100 * source.standard_normal((2, len(wanted)))
    ends = (low, high) if varies else ()
    there = switching_probability(tables, state, pulse_strength(tables, wanted), *ends)
    put = tables.converted(lambda array: torch.from_numpy(np.ascontiguousarray(array)))
    given = [torch.from_numpy(np.ascontiguousarray(array)) for array in (state, *ends)]
    strength = pulse_strength(put, torch.from_numpy(wanted), torch)
    found = switching_probability(put, given[0], strength, *given[1:], xp=torch)
    np.testing.assert_allclose(found.numpy(), there, atol=1e-6)


@pytest.mark.parametrize("varies", [0.0, 10.0])
@pytest.mark.parametrize("widths", [None, 2])
@pytest.mark.parametrize("kind", list(WeightKind))
def test_updates_flip_as_often_as_the_surface_says(
    model: ArrayModel, kind: WeightKind, widths: int | None, varies: float
) -> None:
    """Of 200,000 synapses, by size of the proposal: no bound may cut off what could flip."""
    source = np.random.default_rng(3)
    weights, found, states = in_junctions(model, kind, source.choice(kind.weights, SHAPE), widths=widths, varies=varies)
    change = kind.step * np.exp(source.uniform(np.log(1e-5), np.log(0.5), SHAPE)) * source.choice([-1, 1], SHAPE)
    change = change.astype(np.float32)
    p = expected(model, found, states, change, widths)
    weights.update(torch.from_numpy(change.ravel()), rng())
    flips = weights.state()["states"].reshape(states.shape) != states
    assert not flips[p == 0].any()
    for junction in range(len(states)):
        for up in (change > 0, change < 0):
            for low, high in ((0, 1e-3), (1e-3, 1e-2), (1e-2, 0.1), (0.1, 1)):
                chosen = up & (np.abs(change) / kind.step > low) & (np.abs(change) / kind.step <= high)
                chance = p[junction][chosen]
                # Four sigma of the sum of coin tosses, and what a rare one or two may add.
                sigma = np.sqrt((chance * (1 - chance)).sum())
                assert abs(flips[junction][chosen].sum() - chance.sum()) < 4 * sigma + 2
    if kind is WeightKind.TERNARY:
        both = p[0] * p[1]
        assert abs((flips[0] & flips[1]).sum() - both.sum()) < 4 * np.sqrt((both * (1 - both)).sum())
    np.testing.assert_allclose(
        weights.seen.numpy(), found.weights(weights.state()["states"].reshape(states.shape)).ravel()
    )


def test_up_and_down_are_alike(model: ArrayModel) -> None:
    """On average over the two ways of 0, and over +1 up and -1 down: four sigma of about 1,600 flips each."""
    change = torch.full((SHAPE[0] * SHAPE[1],), 0.01)
    moved = []
    for sign in (1, -1):
        weights, _, _ = in_junctions(model, WeightKind.TERNARY, np.zeros(SHAPE))
        weights.update(sign * change, rng(sign + 2))
        assert set(np.unique(weights.seen.numpy().round(3))) == {0.0, float(sign)}
        moved.append(int((weights.seen.abs() > 0.5).sum()))
    assert abs(moved[0] - moved[1]) < 4 * np.sqrt(sum(moved))


def test_clipping_is_physical(model: ArrayModel) -> None:
    """From an end there is no way further, and the way back has twice the mean step, for either junction may move."""
    up = torch.full((SHAPE[0] * SHAPE[1],), 0.01)
    weights, _, _ = in_junctions(model, WeightKind.TERNARY, np.ones(SHAPE))
    weights.update(up, rng())
    assert (weights.seen.numpy().round(3) == 1).all()
    weights.update(-up, rng())
    steps = 1 - weights.seen.numpy().round(3)
    mean = np.tanh(0.03)  # half the sum of the two junctions' probabilities
    assert steps.mean() == pytest.approx(2 * mean, abs=4 * np.sqrt(2 * mean / steps.size))


def test_a_proposal_below_the_range_gets_no_pulse(model: ArrayModel) -> None:
    weights, _, states = in_junctions(model, WeightKind.TERNARY, np.zeros(SHAPE))
    for change in (0.0, 1e-5, 2.9e-5):
        weights.update(torch.full((states[0].size,), change), rng())
    assert weights.counts.pulses == 0
    np.testing.assert_array_equal(weights.state()["states"], states.reshape(2, -1))


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_whole_steps_are_strongest_pulses(model: ArrayModel, steps: int) -> None:
    weights, _, states = in_junctions(model, WeightKind.TERNARY, np.full(SHAPE, -1))
    weights.update(torch.full((states[0].size,), float(steps)), rng())
    tables = pulse_tables(model)
    for junction in (0, 1):
        p = float(switching_probability(tables, np.array(junction), np.array(2.0)))
        flipped = (weights.state()["states"][junction] != states[junction].ravel()).mean()
        reached = 1 - (1 - p) ** min(steps, 2)
        assert flipped == pytest.approx(reached, abs=4 * np.sqrt(reached * (1 - reached) / states[0].size))


def test_defective_junctions_stay(model: ArrayModel) -> None:
    device, source = write_device(model), np.random.default_rng(5)
    states = synapse_states(WeightKind.TERNARY, np.zeros((20, 30)), source)
    first, second = new_junctions(model, states, 0.0, source)
    stuck = [(row, column) for row in range(30) for column in range(10)]
    found = synapses(model, device, WeightKind.TERNARY, (first.with_defects(stuck=stuck), second))
    weights = qnn.JunctionWeights(pulse_tables(model, None, device), [found], [states], "cpu")
    for n in range(20):
        weights.update(torch.full((600,), (-1.0) ** n), rng(n))
    moved = (weights.state()["states"] != states.reshape(2, -1)).reshape(2, 20, 30)
    assert not moved[0, :10].any()
    assert moved[0, 10:].any()
    assert moved[1].any()


@pytest.mark.parametrize("kind", list(WeightKind))
def test_ideal_updates(kind: WeightKind) -> None:
    """Whole steps for sure, and one more with tanh(3 |v|/L); clipped."""
    weights = qnn.IdealWeights(kind, np.full(200_000, -1), "cpu")
    change = torch.full((200_000,), 0.05 * kind.step)
    change[:1000] *= -1
    change[1000:2000] = 5.0
    weights.update(change, rng())
    found = weights.seen.numpy()
    assert (found[:1000] == -1).all()
    assert (found[1000:2000] == 1).all()
    assert set(np.unique(found[2000:])) == {-1.0, -1.0 + kind.step}
    p = np.tanh(0.15)
    assert (found[2000:] > -1).mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 198_000))


def test_adam_is_pytorchs() -> None:
    source = np.random.default_rng(1)
    own, theirs = qnn.Changes(Proposer.ADAM, 50, "cpu"), torch.zeros(50, requires_grad=True)
    optimiser, place = torch.optim.Adam([theirs], lr=0.01), torch.zeros(50)
    for _ in range(20):
        gradient = torch.from_numpy(source.standard_normal(50).astype(np.float32))
        theirs.grad = gradient.clone()
        optimiser.step()
        place += own.of(gradient, 0.01)
    np.testing.assert_allclose(place.numpy(), theirs.detach().numpy(), rtol=1e-4, atol=1e-6)


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
        COUNTED | {"junctions": False},
        COUNTED | {"weights": WeightKind.BINARY},
        COUNTED | {"variation_percent": 10.0},
    ],
)
def test_networks_learn(model: ArrayModel, options: dict[str, Any]) -> None:
    """Four classes that a nearest-neighbour rule tells apart: chance is 75 %."""
    plan = replace(PLAN, **options)
    network, history = trained(plan, model)
    assert len(history) == plan.epochs
    assert history[-1]["test_error"] < 0.1
    assert set(np.unique(network["weights_0"])) == set(plan.weights.weights)
    if "states_0" in network:
        np.testing.assert_array_equal(synapse_weights(plan.weights, network["states_0"]), network["weights_0"])


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
            expected = float(run._mean_loss(run._images(data.x_train), torch.from_numpy(data.y_train)))
        found = float(run._step(data.x_train, data.y_train, plan.rate, rng(step)))
        assert found == pytest.approx(expected, rel=1e-2)
        assert found != expected  # it is the other path
        network = run.trained()
        for n in range(2):
            assert (network[f"weights_{n}"] != before[f"weights_{n}"]).any()
            assert set(np.unique(network[f"weights_{n}"])) <= {-1, 0, 1}
            np.testing.assert_array_equal(
                synapse_weights(plan.weights, network[f"states_{n}"]), network[f"weights_{n}"]
            )
