import numpy as np
import pytest

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.errors import InputError, ModelError
from mtjspice.junction import heun
from mtjspice.junction.macrospin import simulate_pulses, trajectory
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.thermal import boltzmann_start, thermal_field_t

AP_TO_P, CURRENT = Direction.AP_TO_P, Drive.CURRENT


def _pulses(parameters: MacrospinParameters, widths_s: list[float], trials: int = 50, **options: object) -> np.ndarray:
    level = options.pop("level", 90e-6)
    rng = np.random.default_rng(11)
    return simulate_pulses(parameters, AP_TO_P, CURRENT, level, widths_s, trials, rng, **options)  # type: ignore[arg-type]


def test_the_seed_decides_every_bit(mondal_parameters: MacrospinParameters) -> None:
    np.testing.assert_array_equal(_pulses(mondal_parameters, [1e-9]), _pulses(mondal_parameters, [1e-9]))


def test_one_trajectory_answers_every_shorter_width(mondal_parameters: MacrospinParameters) -> None:
    """Where the shorter widths are whole numbers of steps; 3,000 trials need many blocks of noise."""
    together = _pulses(mondal_parameters, [0.4e-9, 0.1e-9, 0.2e-9], trials=3000, time_step_s=2e-12)
    for column, width in enumerate((0.4e-9, 0.1e-9, 0.2e-9)):
        alone = _pulses(mondal_parameters, [width], trials=3000, time_step_s=2e-12)
        # The same steps, but for the last bits of their lengths: width/n rounds differently.
        np.testing.assert_allclose(together[:, [column]], alone, atol=1e-9)


def test_columns_follow_the_widths_given(mondal_parameters: MacrospinParameters) -> None:
    mz = _pulses(mondal_parameters, [3e-9, 1e-12, 3e-9])
    assert mz.shape == (50, 3)
    assert (mz[:, 1] < -0.5).all()
    np.testing.assert_array_equal(mz[:, 0], mz[:, 2])


def test_relaxation_brings_m_back_into_a_well(mondal_parameters: MacrospinParameters) -> None:
    width = 1.2e-9
    during = _pulses(mondal_parameters, [width], trials=500)[:, 0]
    after = _pulses(mondal_parameters, [width], trials=500, relax_s=10e-9)[:, 0]
    assert np.abs(during).min() < 0.5
    assert np.abs(after).min() > 0.6
    # Only a trajectory near the saddle can end elsewhere than its side says.
    decided = np.abs(during - mondal_parameters.saddle_mz) > 0.4
    assert (np.sign(after[decided]) == np.sign(during[decided] - mondal_parameters.saddle_mz)).all()


def test_relaxation_after_several_widths_is_refused(mondal_parameters: MacrospinParameters) -> None:
    with pytest.raises(InputError, match="one width"):
        _pulses(mondal_parameters, [1e-9, 2e-9], relax_s=1e-9)


@pytest.mark.parametrize(
    ("widths", "options"),
    [
        ([], {}),
        ([0.0], {}),
        ([float("nan")], {}),
        ([1e-9], {"level": -1e-6}),
        ([1e-9], {"level": float("inf")}),
        ([1e-9], {"trials": 0}),
        ([1e-9], {"relax_s": -1e-9}),
    ],
)
def test_bad_pulses_are_refused(
    mondal_parameters: MacrospinParameters, widths: list[float], options: dict[str, object]
) -> None:
    with pytest.raises(InputError):
        _pulses(mondal_parameters, widths, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("time_step_s", [0.0, -1e-12, 8e-12, float("nan")])
def test_a_step_that_misses_the_precession_is_refused(
    mondal_parameters: MacrospinParameters, time_step_s: float
) -> None:
    with pytest.raises(ModelError, match="precession"):
        _pulses(mondal_parameters, [1e-9], time_step_s=time_step_s)
    with pytest.raises(ModelError, match="precession"):
        trajectory(
            mondal_parameters, AP_TO_P, CURRENT, 0.0, np.array([[0.0, 0.0, 1.0]]), np.zeros((2, 1, 3)), time_step_s
        )


def test_a_current_in_the_wrong_unit_is_refused(mondal_parameters: MacrospinParameters) -> None:
    with pytest.raises(ModelError, match="unit"):
        _pulses(mondal_parameters, [1e-9], level=90.0)


def test_hours_of_work_are_refused_before_they_start(mondal_parameters: MacrospinParameters) -> None:
    """A pulse of 1 ms, and more trials than memory holds."""
    for widths, trials in (([1e-3], 50), ([1e300], 50), ([1e-9], 10**15)):
        with pytest.raises(InputError, match=r"too much(.|\n)*1e\+09(.|\n)*width's unit"):
            _pulses(mondal_parameters, widths, trials=trials)


def test_shapes_that_do_not_fit_are_refused(mondal_parameters: MacrospinParameters) -> None:
    with pytest.raises(ValueError, match="trials"):
        trajectory(mondal_parameters, AP_TO_P, CURRENT, 0.0, np.ones((2, 3)), np.zeros((5, 3, 3)), 1e-12)


def test_a_trajectory_does_not_depend_on_its_neighbours(mondal_parameters: MacrospinParameters) -> None:
    """SIMD lanes and remainders round alike."""
    rng = np.random.default_rng(5)
    start = boltzmann_start(mondal_parameters, AP_TO_P, 37, rng)
    field = thermal_field_t(mondal_parameters, 200, 37, 2e-12, rng)
    together = trajectory(mondal_parameters, AP_TO_P, CURRENT, 90e-6, start, field, 2e-12)
    assert together.shape == (201, 37, 3)
    for k in (0, 17, 36):
        alone = trajectory(mondal_parameters, AP_TO_P, CURRENT, 90e-6, start[[k]], field[:, [k]], 2e-12)
        np.testing.assert_array_equal(together[:, [k]], alone)


def test_kicks_have_the_moments_of_a_normal() -> None:
    """Over all 2^21 values of their bits: as many up as down, the variance one, the fourth moment three."""
    edges = [0, heun._SIXTH - 1, heun._SIXTH, heun._RANGE - heun._SIXTH - 1, heun._RANGE - heun._SIXTH, heun._RANGE - 1]
    for shift in (0, 21, 42):
        # Bits elsewhere in the word do not matter.
        words = [np.uint64((edge << shift) | (2**63 if shift < 42 else 1)) for edge in edges]
        assert [heun._kick(word, shift) for word in words] == [-1, -1, 0, 0, 1, 1]
    chance = 2 * heun._SIXTH / heun._RANGE
    assert chance * heun._KICK**2 == pytest.approx(1, rel=1e-12)
    assert chance * heun._KICK**4 == pytest.approx(3, rel=1e-5)
