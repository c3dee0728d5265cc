"""Sense amplifiers, converters, and weights on arrays."""

import numpy as np
import pytest
from die_problems import parts

from mtjspice.errors import InputError
from mtjspice.surrogate.read_model import ReadModel
from mtjspice.training.dies.chip import Chip, Sensing, on_die, software
from mtjspice.training.dies.known import nominal_parts

SIGMAS = 4
"""False alarms of 6e-5; seeds are fixed."""


def sensed(sensing: Sensing, sums: object, rows: int = 10) -> np.ndarray:
    return sensing.sensed(np.array(sums, np.float32), rows, np.random.default_rng(1))


def test_nothing_is_lost_by_default() -> None:
    assert sensed(Sensing(), [[-1e6, 0.123, 1e6]]) == pytest.approx(np.array([[-1e6, 0.123, 1e6]]))


def test_sums_are_clipped_at_the_full_scale() -> None:
    """A tenth of the sum of ten rows at 1 each."""
    assert sensed(Sensing(full_scale=0.1), [[-7, -1, 0.5, 1, 1.01]]).ravel() == pytest.approx([-1, -1, 0.5, 1, 1])


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_a_converter_has_as_many_levels_as_its_bits_tell(bits: int) -> None:
    sums = np.linspace(-3, 3, 20_001)[:, None]
    found = sensed(Sensing(full_scale=0.2, bits=bits), sums)
    levels = np.unique(found)
    assert len(levels) == 2**bits
    step = 4 / (2**bits - 1)
    np.testing.assert_allclose(np.diff(levels), step, rtol=1e-4)
    assert (levels[0], levels[-1]) == pytest.approx((-2, 2))
    inside = np.abs(sums) <= 2
    assert np.abs(found - sums)[inside].max() <= step / 2 + 1e-5


def test_noise_has_its_deviation_and_is_new_with_each_read() -> None:
    chip = Chip((np.ones((4, 100), np.float32),), Sensing(noise=0.3), np.random.default_rng(2))
    x = np.full((200, 4), 0.5, np.float32)
    one, other = chip.read(0, x) - 2, chip.read(0, x) - 2
    error = 1 / np.sqrt(one.size)
    for noise in (one, other):
        assert abs(noise.mean()) < SIGMAS * 0.3 * error
        assert abs(noise.std() - 0.3) < SIGMAS * 0.3 * error / np.sqrt(2)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < SIGMAS * error


def test_noise_comes_before_the_converter() -> None:
    found = sensed(Sensing(full_scale=0.1, noise=5.0, bits=2), np.zeros((500, 3)))
    assert np.unique(found) == pytest.approx([-1, -1 / 3, 1 / 3, 1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"full_scale": 0.0}, "the full scale is out of range"),
        ({"full_scale": -1.0}, "the full scale is out of range"),
        ({"full_scale": np.nan}, "the full scale is out of range"),
        ({"full_scale": np.inf}, "the full scale is out of range"),
        ({"noise": -0.1}, "the read noise is out of range"),
        ({"noise": np.nan}, "the read noise is out of range"),
        ({"noise": np.inf}, "the read noise is out of range"),
        ({"full_scale": 1.0, "bits": 0}, "the converter's bits are out of range"),
        ({"full_scale": 1.0, "bits": 25}, "the converter's bits are out of range"),
        ({"bits": 8}, "a converter has a full scale"),
    ],
)
def test_sensing_that_cannot_be(options: dict[str, float], words: str) -> None:
    with pytest.raises(InputError) as caught:
        Sensing(**options)  # type: ignore[arg-type]
    assert words in str(caught.value)


def test_a_chip_reads_what_its_weights_make_of_the_inputs() -> None:
    rng = np.random.default_rng(3)
    seen = tuple(rng.normal(size=shape).astype(np.float32) for shape in ((5, 4), (4, 3)))
    chip = Chip(seen)
    for layer, weights in enumerate(seen):
        x = rng.uniform(size=(6, len(weights))).astype(np.float32)
        np.testing.assert_array_equal(chip.read(layer, x), x @ weights)


def test_a_die_without_faults_is_software(select1500: ReadModel) -> None:
    rng = np.random.default_rng(4)
    weights = tuple(rng.choice((-1, 1), shape).astype(np.int8) for shape in ((16, 12), (12, 4)))
    plain = software(weights).seen
    for seen, exact, wanted in zip(plain, on_die(weights, nominal_parts((16, 12, 4), 1)), weights, strict=True):
        assert seen.dtype == exact.dtype == np.float32
        np.testing.assert_array_equal(seen, wanted)
        np.testing.assert_array_equal(exact, wanted)
    ((first, _),) = parts(select1500, 0.1, 1)
    faulty = on_die(weights, parts(select1500, 0.1, 1)[0])[0]
    assert faulty[2, 3] == pytest.approx(first.a[2, 3] * weights[0][2, 3] + first.b[2, 3])
