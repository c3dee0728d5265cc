"""Columns calibrated on unlabelled images, outputs trimmed on labelled ones."""

import numpy as np
import pytest
from die_problems import blobs, parts, trained

from mtjspice.surrogate.read_model import ReadModel
from mtjspice.training.dies.calibrate import calibrated, trimmed
from mtjspice.training.dies.chip import Chip, on_die, software
from mtjspice.training.dies.network import passed_on


def test_calibrated_columns_are_normal_on_their_chip(select1500: ReadModel) -> None:
    data = blobs()
    network, x = trained(data, copies=2), data.x_train[:300]
    for of_die in parts(select1500, 0.05, 3, copies=2):
        chip = Chip(on_die(network.written, of_die))
        found = calibrated(network, chip, x)
        sums = (chip.read(0, x), chip.read(1, found.hidden(chip, x)))
        for columns, before, of_layer in zip(found.columns, network.columns, sums, strict=True):
            z = passed_on(of_layer, columns)
            # Single precision, and the least variance: 1e-4 of at least 0.1.
            np.testing.assert_allclose(z.mean(axis=0), columns.offset, atol=1e-4)
            np.testing.assert_allclose(z.std(axis=0), np.abs(columns.gain), rtol=2e-3)
            assert columns.gain is before.gain
            assert columns.offset is before.offset
            assert not np.array_equal(columns.mean, before.mean)
        assert found.loss(chip, data.x_test, data.y_test) < network.loss(chip, data.x_test, data.y_test)


def test_without_faults_calibration_finds_what_training_found() -> None:
    """The columns' own images: the same sums, up to their order."""
    data = blobs()
    network = trained(data)
    found = calibrated(network, software(network.written), data.x_train)
    for columns, before in zip(found.columns, network.columns, strict=True):
        np.testing.assert_allclose(columns.mean, before.mean, atol=1e-4)
        np.testing.assert_allclose(columns.deviation, before.deviation, rtol=1e-4)


@pytest.mark.parametrize("images", [20, 256])
def test_a_trim_lowers_the_loss_on_its_images(select1500: ReadModel, images: int) -> None:
    data = blobs()
    network, x, y = trained(data, copies=2), data.x_train[:images], data.y_train[:images]
    for of_die in parts(select1500, 0.05, 4, copies=2):
        chip = Chip(on_die(network.written, of_die))
        found = trimmed(network, chip, x, y)
        assert found.loss(chip, x, y) < network.loss(chip, x, y)
        assert found.columns[0] is network.columns[0]
        for name in ("mean", "deviation"):
            assert getattr(found.columns[1], name) is getattr(network.columns[1], name)
        assert found.columns[1].gain.dtype == np.float32
        # Again and again it comes to where there is nothing to gain, and stays.
        for _ in range(2):
            better = trimmed(found, chip, x, y)
            assert better.loss(chip, x, y) <= found.loss(chip, x, y) + 1e-4
            found = better
