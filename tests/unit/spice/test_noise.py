"""Noise files hold what they were given, in lines that ngspice can read."""

from pathlib import Path

import numpy as np
import pytest

from mtjspice.errors import InputError
from mtjspice.spice.noise import write_noise


def labels(count: int) -> list[str]:
    return [f"{k}_1" for k in range(1, count + 1)]


@pytest.mark.parametrize("junctions", [1, 8, 9, 20])
def test_files_read_back_as_the_field(tmp_path: Path, junctions: int) -> None:
    field = np.random.default_rng(1).normal(0, 9e-3, (50, junctions, 3))
    files = write_noise(tmp_path, field, labels(junctions))
    assert [label for file in files for label in file.junctions] == labels(junctions)
    back = []
    for file in files:
        table = np.loadtxt(tmp_path / file.name)
        np.testing.assert_array_equal(table[:, 0], np.arange(50))
        back.append(file.scale_t * table[:, 1:].reshape(50, -1, 3))
    # Half a unit of 1e-5 of the largest value.
    np.testing.assert_allclose(np.concatenate(back, axis=1), field, rtol=0, atol=0.51e-5 * np.abs(field).max())


def test_lines_and_names_are_such_as_ngspice_reads_without_complaint(tmp_path: Path) -> None:
    for file in write_noise(tmp_path, np.random.default_rng(1).normal(size=(20, 64, 3)), labels(64)):
        assert file.name == file.name.lower()
        for line in (tmp_path / file.name).read_text().splitlines():
            assert len(line) < 512
            assert len(line.split()) <= 25


def test_a_field_of_zeros_is_written_as_zeros(tmp_path: Path) -> None:
    (file,) = write_noise(tmp_path, np.zeros((3, 1, 3)), labels(1))
    assert not np.loadtxt(tmp_path / file.name)[:, 1:].any()


@pytest.mark.parametrize(
    "field", [np.full((3, 1, 3), np.nan), np.zeros((3, 3)), np.zeros((3, 1, 2)), np.zeros((0, 1, 3))]
)
def test_what_is_no_field_is_refused(tmp_path: Path, field: np.ndarray) -> None:
    with pytest.raises(InputError):
        write_noise(tmp_path, field, labels(1))


def test_every_junction_has_one_label(tmp_path: Path) -> None:
    for count in (1, 3):
        with pytest.raises(InputError, match="label"):
            write_noise(tmp_path, np.zeros((3, 2, 3)), labels(count))
    assert not list(tmp_path.iterdir())
