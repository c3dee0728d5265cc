import math
from dataclasses import replace

import numpy as np
import pytest

from mtjspice.cards.conventions import Direction
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.thermal import boltzmann_start, thermal_field_sigma_t, thermal_field_t


def test_sigma_is_fluctuation_dissipation(mondal_parameters: MacrospinParameters) -> None:
    # By hand: sqrt(2 * 0.0218 * 1.380649e-23 * 300 / (1.76085963e11 * 1.0477e6 * pi/4 * (50e-9)^2 * 1.3e-9 * 2e-12))
    volume = math.pi / 4 * (50e-9) ** 2 * 1.3e-9
    expected = math.sqrt(2 * 0.0218 * 1.380649e-23 * 300 / (1.76085963023e11 * 1.0477e6 * volume * 2e-12))
    assert thermal_field_sigma_t(mondal_parameters, 2e-12) == pytest.approx(expected, rel=1e-12)


def test_field_has_one_sample_per_time_point(mondal_parameters: MacrospinParameters) -> None:
    field = thermal_field_t(mondal_parameters, 999, 40, 2e-12, np.random.default_rng(1))
    assert field.shape == (1000, 40, 3)
    # 40,000 samples per axis: the standard deviation is known to 1/sqrt(2 N) = 0.35 %; three sigma.
    sigma = thermal_field_sigma_t(mondal_parameters, 2e-12)
    np.testing.assert_allclose(field.std(axis=(0, 1)) / sigma, 1, atol=0.0106)


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("b_x_t", [0.0, 0.05, -0.05])
def test_start_is_a_reproducible_unit_vector_in_the_initial_well(
    mondal_parameters: MacrospinParameters, direction: Direction, b_x_t: float
) -> None:
    parameters = replace(mondal_parameters, b_x_t=b_x_t)
    start = boltzmann_start(parameters, direction, 500, np.random.default_rng(7))
    assert start.shape == (500, 3)
    np.testing.assert_allclose(np.linalg.norm(start, axis=1), 1, atol=1e-12)
    assert (direction.initial_mz * (start[:, 2] - parameters.saddle_mz) > 0).all()
    np.testing.assert_array_equal(start, boltzmann_start(parameters, direction, 500, np.random.default_rng(7)))


def test_the_mean_of_m_points_along_the_field_in_the_plane(mondal_parameters: MacrospinParameters) -> None:
    for b_x_t in (0.05, -0.05):
        start = boltzmann_start(
            replace(mondal_parameters, b_x_t=b_x_t), Direction.P_TO_AP, 2000, np.random.default_rng(3)
        )
        assert np.sign(start[:, 0].mean()) == np.sign(b_x_t)
