"""Networks of binary weights: what they compute, and their files."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from die_problems import blobs, trained

from mtjspice.crossbar.die_shapes import array_shapes
from mtjspice.errors import DataError
from mtjspice.training.dies.chip import software
from mtjspice.training.dies.network import (
    LEAST_VARIANCE,
    BinaryNetwork,
    Columns,
    passed_on,
    sigmoid,
    softmax,
    spread_of,
)


@pytest.fixture(scope="module")
def network() -> BinaryNetwork:
    return trained(blobs(), copies=3)


def test_it_computes_what_it_says(network: BinaryNetwork) -> None:
    """Image by image and column by column, written out in double precision."""
    data, outputs = blobs(), []
    first, second = network.columns
    for x in data.x_test[:20].astype(float):
        hidden = []
        for j in range(12):
            s = sum(network.weights[0][i, j] * x[i] for i in range(16))
            hidden.append(
                1 / (1 + np.exp(-(first.gain[j] * (s - first.mean[j]) / first.deviation[j] + first.offset[j])))
            )
        z = np.zeros((3, 4))
        for copy, k in np.ndindex(3, 4):
            column = 4 * copy + k
            s = sum(network.weights[1][j, k] * hidden[j] for j in range(12))
            z[copy, k] = (
                second.gain[column] * (s - second.mean[column]) / second.deviation[column] + second.offset[column]
            )
        outputs.append(z.mean(axis=0))
    chip, y = software(network.written), np.array(outputs)
    # Single precision.
    np.testing.assert_allclose(network.outputs(chip, data.x_test[:20]), y, atol=2e-5)
    labels = data.y_test[:20]
    assert network.error(chip, data.x_test[:20], labels) == np.mean(y.argmax(axis=1) != labels)
    expected = np.mean([np.log(np.exp(one).sum()) - one[label] for one, label in zip(y, labels, strict=True)])
    assert network.loss(chip, data.x_test[:20], labels) == pytest.approx(expected, abs=1e-5)


def test_errors_of_many_images_are_counted_in_parts(network: BinaryNetwork) -> None:
    data = blobs()
    x, y, chip = np.tile(data.x_test, (11, 1)), np.tile(data.y_test, 11), software(network.written)
    assert network.error(chip, x, y) == pytest.approx(network.error(chip, data.x_test, data.y_test), abs=1e-12)


def test_its_arrays_have_two_cells_for_each_weight(network: BinaryNetwork) -> None:
    assert network.sizes == (16, 12, 4)
    assert [np.shape(weights) for weights in network.written] == [(16, 12), (12, 12)]
    assert array_shapes(network.sizes, network.copies) == ((16, 24), (12, 24))
    for copy in range(3):
        np.testing.assert_array_equal(network.written[1][:, 4 * copy : 4 * copy + 4], network.weights[1])


def test_columns_become_normal() -> None:
    rng = np.random.default_rng(1)
    sums = rng.normal(3, 2, (500, 4)).astype(np.float32)
    sums[:, 3] = 5
    mean, deviation = spread_of(sums)
    assert (mean.dtype, deviation.dtype) == (np.float32, np.float32)
    z = passed_on(sums, Columns(np.full(4, 1.5, np.float32), np.full(4, 0.25, np.float32), mean, deviation))
    np.testing.assert_allclose(z.mean(axis=0), 0.25, atol=1e-5)
    np.testing.assert_allclose(z.std(axis=0)[:3], 1.5, rtol=1e-4)
    # A column that never changes says nothing, whatever it is multiplied by.
    np.testing.assert_allclose(z[:, 3], 0.25, atol=1e-5)
    assert deviation[3] == pytest.approx(np.sqrt(LEAST_VARIANCE))


def test_large_sums_do_not_overflow() -> None:
    large = np.array([[-1e4, 0, 1e4]], np.float32)
    assert sigmoid(large).tolist() == [[0, 0.5, 1]]
    assert softmax(large).tolist() == [[0, 0, 1]]


# --- files


def test_a_file_holds_all_of_it(network: BinaryNetwork, tmp_path: Path) -> None:
    network.save(tmp_path / "n.npz", {"plan": {"net": "16-12-4"}})
    found, header = BinaryNetwork.load(tmp_path / "n.npz")
    assert header["plan"] == {"net": "16-12-4"}
    assert found.copies == 3
    for one, other in zip(
        (*found.weights, *found.columns[0], *found.columns[1]),
        (*network.weights, *network.columns[0], *network.columns[1]),
        strict=True,
    ):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


Change = Callable[[dict[str, np.ndarray]], object]


def changed(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Change:
    return lambda arrays: arrays.update({name: change(arrays[name])})


def in_header(**values: object) -> Change:
    return lambda arrays: arrays.update(header=np.array(json.dumps(json.loads(str(arrays["header"])) | values)))


def with_value(value: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda array: np.where(np.arange(array.size).reshape(array.shape) == 1, value, array)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed("weights_0", with_value(2)), "weights must be +1 or -1"),
        (changed("weights_1", with_value(0)), "weights must be +1 or -1"),
        (changed("weights_0", with_value(np.nan)), "weights must be +1 or -1"),
        (changed("weights_0", lambda w: w[:, :-1]), "the layers do not fit"),
        (changed("gain_0", lambda v: v[:-1]), "the columns do not fit"),
        (changed("mean_1", lambda v: v[:4]), "the columns do not fit"),
        (changed("offset_1", with_value(np.nan)), "a column's value is out of range"),
        (changed("deviation_0", with_value(0.0)), "a column's value is out of range"),
        (in_header(copies=2), "the columns do not fit"),
        (in_header(copies=0), "the columns do not fit"),
        (in_header(schema=9), "another schema"),
        (lambda arrays: arrays.pop("weights_1"), "cannot read the network"),
        (lambda arrays: arrays.pop("header"), "cannot read the network"),
    ],
)
def test_a_file_that_is_none(network: BinaryNetwork, tmp_path: Path, change: Change, words: str) -> None:
    path = tmp_path / "n.npz"
    network.save(path, {})
    with np.load(path) as stored:
        arrays = dict(stored)
    change(arrays)
    np.savez(path, **arrays)
    with pytest.raises(DataError) as caught:
        BinaryNetwork.load(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_cut_short_or_missing(network: BinaryNetwork, tmp_path: Path) -> None:
    network.save(tmp_path / "n.npz", {})
    whole = (tmp_path / "n.npz").read_bytes()
    for kept in (0, 100, len(whole) - 30):
        (tmp_path / "n.npz").write_bytes(whole[:kept])
        with pytest.raises(DataError, match="cannot read the network"):
            BinaryNetwork.load(tmp_path / "n.npz")
    with pytest.raises(DataError, match="cannot read the network"):
        BinaryNetwork.load(tmp_path / "nothing.npz")


def test_other_columns_leave_the_weights(network: BinaryNetwork) -> None:
    other = network.with_columns(network.columns[0], network.columns[1]._replace(gain=2 * network.columns[1].gain))
    assert other.weights is network.weights
    assert replace(other, columns=network.columns).columns is network.columns
