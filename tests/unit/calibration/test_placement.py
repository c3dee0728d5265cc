"""Finding the level of a given probability."""

import math

import pytest

from mtjspice.calibration.placement import level_where
from mtjspice.errors import ModelError


def logistic(level: float) -> float:
    return 1 / (1 + math.exp(-(level - 60.0) / 3.0))


@pytest.mark.parametrize("start", [1.0, 40.0, 60.0, 90.0])
@pytest.mark.parametrize("target", [1e-3, 0.05, 0.5, 0.99])
def test_the_level_is_found_from_below_and_above(start: float, target: float) -> None:
    level = level_where(logistic, target, start)
    assert level == pytest.approx(60 + 3 * math.log(target / (1 - target)), rel=2e-7)


def test_a_range_that_ends_below_is_not_left() -> None:
    asked = []

    def defined_above_50(level: float) -> float:
        asked.append(level)
        return logistic(level)

    assert level_where(defined_above_50, 0.05, 80.0, lowest=50.0) == pytest.approx(60 - 3 * math.log(19), rel=2e-7)
    assert min(asked) >= 50.0
    # The target lies exactly at the end.
    assert level_where(logistic, logistic(50.0), 80.0, lowest=50.0) == pytest.approx(50.0, rel=1e-6)


@pytest.mark.parametrize("p", [0.0, 1.0, 0.2])
def test_a_probability_that_is_never_reached(p: float) -> None:
    with pytest.raises(ModelError, match=r"no pulse level switches with probability 0\.05"):
        level_where(lambda level: p, 0.05, 60.0)


def test_a_probability_too_high_at_the_lowest_level() -> None:
    with pytest.raises(ModelError, match="no pulse level"):
        level_where(logistic, 0.05, 80.0, lowest=60.0)
