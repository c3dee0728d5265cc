"""Fine-tuning on a die: errors beside plain NumPy and the gradient, what changes weights, and what that gains."""

from typing import Any

import numpy as np
import pytest
from die_problems import SIZES, blobs, parts, trained

from mtjspice.cards.training import Counter, Switching
from mtjspice.crossbar.pairs import PairParts
from mtjspice.surrogate.model import ArrayModel
from mtjspice.surrogate.read_model import ReadModel
from mtjspice.training.dies import fine_tune
from mtjspice.training.dies.calibrate import calibrated
from mtjspice.training.dies.chip import Chip, on_die
from mtjspice.training.dies.fine_tune import FINE_TUNING, fine_tuned
from mtjspice.training.dies.gradient import Parameters, gradient
from mtjspice.training.dies.known import Parts
from mtjspice.training.dies.network import LEAST_VARIANCE, BinaryNetwork, sigmoid, softmax
from mtjspice.training.layers import new_signals
from mtjspice.training.rule import Hardware

RATE = fine_tune._RUNNING


def settings(**changes: Any) -> Counter:
    return FINE_TUNING.model_copy(update={"epochs": 1} | changes)


def on_chip(network: BinaryNetwork, of_die: Parts, x: np.ndarray) -> tuple[BinaryNetwork, Chip]:
    """Return the network calibrated on a die, and its chip."""
    chip = Chip(on_die(network.written, of_die))
    return calibrated(network, chip, x), chip


def digital(network: BinaryNetwork, of_die: Parts) -> tuple[fine_tune._Columns, ...]:
    seen = on_die(network.written, of_die)
    return tuple(
        fine_tune._columns(part.a, part.b, weights, columns)
        for part, weights, columns in zip(of_die, seen, network.columns, strict=True)
    )


def slow_deltas(network: BinaryNetwork, chip: Chip, x: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return dE/ds of each layer, (images, columns of one copy), image by image with running means."""
    means = [columns.mean.astype(float) for columns in network.columns]
    variances = [columns.deviation.astype(float) ** 2 - LEAST_VARIANCE for columns in network.columns]
    slopes, aligned = ([np.zeros(len(mean)) for mean in means] for _ in range(2))
    found: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])

    def normal(n: int, sums: np.ndarray) -> np.ndarray:
        beyond = sums - means[n]
        means[n] = means[n] + RATE * beyond
        variances[n] = (1 - RATE) * variances[n] + RATE * beyond**2
        return (sums - means[n]) / np.sqrt(variances[n] + LEAST_VARIANCE)

    def to_sums(n: int, slope: np.ndarray, normal: np.ndarray) -> np.ndarray:
        slopes[n] = (1 - RATE) * slopes[n] + RATE * slope
        aligned[n] = (1 - RATE) * aligned[n] + RATE * slope * normal
        gain = network.columns[n].gain / np.sqrt(variances[n] + LEAST_VARIANCE)
        return (slope - slopes[n] - normal * aligned[n]) * gain

    for image, label in zip(x, labels, strict=True):
        normals = [normal(0, image @ chip.seen[0])]
        hidden = sigmoid(normals[0] * network.columns[0].gain + network.columns[0].offset)
        normals.append(normal(1, hidden @ chip.seen[1]))
        z = normals[1] * network.columns[1].gain + network.columns[1].offset
        error = softmax(z.reshape(network.copies, -1).mean(axis=0)) - np.eye(SIZES[2])[label]
        second = to_sums(1, np.tile(error, network.copies) / network.copies, normals[1])
        found[0].append(to_sums(0, chip.seen[1] @ second * hidden * (1 - hidden), normals[0]))
        found[1].append(second.reshape(network.copies, -1).sum(axis=0))
    return np.array(found[0]), np.array(found[1])


def collected(
    network: BinaryNetwork, columns: tuple[fine_tune._Columns, ...], x: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, ...]:
    signals = new_signals([weights.shape for weights in network.weights])
    deltas = tuple(np.empty((len(x), size), np.float32) for size in SIZES[1:])
    fine_tune._collect(columns, x, labels, signals, deltas)
    return deltas


@pytest.mark.parametrize("copies", [1, 3])
def test_errors_are_those_of_plain_numpy(select1500: ReadModel, copies: int) -> None:
    data = blobs()
    of_die = parts(select1500, 0.05, 1, copies)[0]
    network, chip = on_chip(trained(data, copies), of_die, data.x_train)
    x, labels = data.x_train[:60], data.y_train[:60]
    found = collected(network, digital(network, of_die), x, labels)
    for fast, slow in zip(found, slow_deltas(network, chip, x, labels), strict=True):
        # Single precision, in sums over 16 rows and in means over 60 images.
        np.testing.assert_allclose(fast, slow, rtol=1e-3, atol=1e-4 * np.abs(slow).max())


def test_errors_add_up_to_the_gradient_behind_calibrated_columns(select1500: ReadModel) -> None:
    """Sums of x delta, which counters count, against the gradient of a batch that calibrates its columns."""
    data = blobs(training=4000)
    of_die = parts(select1500, 0.05, 1)[0]
    network, _ = on_chip(trained(data), of_die, data.x_train)
    x, labels = data.x_train, data.y_train
    deltas = collected(network, digital(network, of_die), x, labels)
    first, second = network.columns
    weights = [weight.astype(np.float32) for weight in network.weights]
    parameters = Parameters(weights[0], weights[1], first.gain, first.offset, second.gain, second.offset)
    alone = tuple(PairParts(part.a[None], part.b[None]) for part in of_die)
    wanted, _ = gradient(parameters, (alone[0], alone[1]), x[None], labels[None], shared=False)
    # The gradient of a W has a factor a, which a chip does not know.
    summed = of_die[0].a * (x.T @ deltas[0])
    # Running means over 50 images are noisy.
    assert np.corrcoef(summed.ravel(), wanted.first.ravel())[0, 1] > 0.9


def test_nothing_but_columns_changes_before_the_first_transfer(model: ArrayModel, select1500: ReadModel) -> None:
    data = blobs()
    of_die = parts(select1500, 0.05, 1, copies=2)[0]
    network = trained(data, copies=2)
    wanted, _ = on_chip(network, of_die, data.x_train)
    found = tuned(model, network, of_die, settings(period=1000))
    for n in range(2):
        np.testing.assert_array_equal(found.weights[n], network.weights[n])
        np.testing.assert_array_equal(found.columns[n].mean, wanted.columns[n].mean)
        np.testing.assert_array_equal(found.columns[n].deviation, wanted.columns[n].deviation)


def tuned(
    model: ArrayModel, network: BinaryNetwork, of_die: Parts, given: Counter, percent: float = 0.0, seed: int = 3
) -> BinaryNetwork:
    data = blobs()
    hardware = Hardware(model, 2, percent, Switching.PHYSICAL)
    rng = np.random.default_rng(seed)
    return fine_tuned(network, of_die, data.x_train, data.x_train, data.y_train, hardware, given, rng)


def changed(found: BinaryNetwork, network: BinaryNetwork) -> list[int]:
    return [int((new != old).sum()) for new, old in zip(found.weights, network.weights, strict=True)]


def test_the_deeper_counters_start_the_fewer_weights_change(model: ArrayModel, select1500: ReadModel) -> None:
    """Each count takes a transfer: with a start of 16, half of 16 transfers, which count one sign, are too few."""
    of_die = parts(select1500, 0.1, 1)[0]
    network = trained(blobs())
    counts = [sum(changed(tuned(model, network, of_die, settings(start=start)), network)) for start in (1, 4, 16)]
    assert counts[0] > counts[1] > counts[2] == 0


@pytest.mark.parametrize("percent", [0.0, 10.0])
def test_one_seed_gives_one_network_and_leaves_the_given_one_alone(
    model: ArrayModel, select1500: ReadModel, percent: float
) -> None:
    of_die = parts(select1500, 0.1, 1, copies=3)[0]
    network = trained(blobs(), copies=3)
    before = [weights.copy() for weights in network.weights]
    given = settings(start=3, pipelined=True, epochs=2)
    one, again, other = (tuned(model, network, of_die, given, percent, seed) for seed in (3, 3, 4))
    assert changed(one, again) == [0, 0]
    assert changed(one, other) != [0, 0]
    assert changed(one, network) != [0, 0]
    assert one.copies == 3
    assert all(set(np.unique(weights)) == {-1, 1} for weights in one.weights)
    for weights, kept in zip(network.weights, before, strict=True):
        np.testing.assert_array_equal(weights, kept)


def test_the_output_layer_may_be_left_alone(model: ArrayModel, select1500: ReadModel) -> None:
    of_die = parts(select1500, 0.1, 1)[0]
    network = trained(blobs())
    first, second = changed(tuned(model, network, of_die, settings(start=2, output_trains=False)), network)
    assert first > 0
    assert second == 0


@pytest.mark.slow
def test_it_lowers_the_error_of_dies_with_many_shorts(model: ArrayModel, select1500: ReadModel) -> None:
    """One pair in ten loses a cell; calibration alone leaves the errors that labels can take away."""
    data = blobs(training=4000, test=2000)
    network, hardware = trained(data), Hardware(model, 2, 0.0, Switching.PHYSICAL)
    errors = []
    for number, of_die in enumerate(parts(select1500, 0.1, 8)):
        before, chip = on_chip(network, of_die, data.x_train[:500])
        after = fine_tuned(
            network, of_die, data.x_train[:500], data.x_train, data.y_train, hardware, settings(start=24, epochs=3),
            np.random.default_rng(number),
        )  # fmt: skip
        tuned_chip = Chip(on_die(after.written, of_die))
        errors.append([before.error(chip, data.x_test, data.y_test), after.error(tuned_chip, data.x_test, data.y_test)])
    mean, worst = np.mean(errors, axis=0), np.max(errors, axis=0)
    # From 38 to 24 %, and at the worst from 58 to 45 %.
    assert mean[1] < 0.8 * mean[0]
    assert worst[1] < worst[0]
