"""Widths for the most linear map."""

import pytest

from mtjspice.calibration import optimise
from mtjspice.calibration.optimise import optimise_widths
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.conventions import Direction
from mtjspice.junction.parameters import MacrospinParameters


@pytest.mark.slow
def test_the_best_split_is_no_worse_than_the_campaigns(
    mondal_parameters: MacrospinParameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimise, "_SHARES", optimise._SHARES[::12])
    told: list[tuple[int, int]] = []
    given, best = optimise_widths(mondal_parameters, load_campaign("table3"), lambda *done: told.append(done))
    assert told == [(k, 3) for k in range(4)]
    assert given.t0_s == 1.5e-9
    assert given.t0_s + given.t1_s == pytest.approx(best.t0_s + best.t1_s)
    # The campaign's own share, 0.6, is among those tried.
    assert best.mean_relative_rmse <= given.mean_relative_rmse
    # As `calibrate` finds them for the same widths.
    assert given.eta[Direction.AP_TO_P] == pytest.approx(0.709, abs=1e-3)
    assert given.relative_rmse[Direction.AP_TO_P] == pytest.approx(0.0462 / 0.7094, rel=0.01)
