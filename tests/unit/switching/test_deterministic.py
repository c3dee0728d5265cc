"""The engines without chance, as surfaces."""

import numpy as np
import pytest

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.errors import ModelError
from mtjspice.junction.closed_form import switching_probability_eq5
from mtjspice.junction.fokker_planck import switching_probability
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.switching.deterministic import deterministic_surface, probabilities
from mtjspice.switching.points import Engine


@pytest.mark.parametrize("drive", Drive)
def test_a_fokker_planck_surface_is_its_points(mondal_parameters: MacrospinParameters, drive: Drive) -> None:
    levels = np.array([50e-6, 80e-6]) if drive is Drive.CURRENT else np.array([0.5, 0.7])
    widths = np.array([1e-9, 1.7e-9, 2.5e-9])
    s = deterministic_surface(Engine.FOKKER_PLANCK, mondal_parameters, Direction.AP_TO_P, drive, levels, widths)
    for i, j in ((0, 2), (1, 0), (1, 1)):
        p = switching_probability(mondal_parameters, Direction.AP_TO_P, drive, levels[i], widths[j])
        assert s.probability[i, j] == pytest.approx(p, abs=1e-9)
    assert s.trials is None
    assert s.switched is None
    assert (s.low95 == s.probability).all()
    assert (s.high95 == s.probability).all()
    assert (s.engine, s.drive) == ("fokker_planck", drive)


def test_a_closed_form_surface_is_eq5(mondal_parameters: MacrospinParameters) -> None:
    p = probabilities(Engine.CLOSED_FORM, mondal_parameters, Direction.P_TO_AP, Drive.CURRENT, [200e-6, 250e-6], [2e-9])
    assert p.shape == (2, 1)
    assert p[1, 0] == switching_probability_eq5(mondal_parameters, Direction.P_TO_AP, 250e-6, 2e-9)


def test_the_closed_form_knows_no_voltage(mondal_parameters: MacrospinParameters) -> None:
    with pytest.raises(ModelError, match=r"constant current only(.|\n)*fokker_planck"):
        probabilities(Engine.CLOSED_FORM, mondal_parameters, Direction.P_TO_AP, Drive.VOLTAGE, [0.7], [2e-9])
