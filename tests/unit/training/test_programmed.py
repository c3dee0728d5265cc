"""Weights found in software end up in the arrays, but where pulses fail."""

import numpy as np
import pytest

from mtjspice.cards.array import Architecture
from mtjspice.cards.training import Switching
from mtjspice.surrogate.model import ArrayModel, load_model
from mtjspice.training.programmed import Programmed, programmed_weights
from mtjspice.training.rule import Hardware


@pytest.mark.parametrize("percent", [0.0, 10.0])
def test_signs_are_programmed(model: ArrayModel, percent: float) -> None:
    rng = np.random.default_rng(1)
    weights = [rng.uniform(-1, 1, shape) for shape in ((40, 20), (22, 3))]
    hardware = Hardware(model, 2, percent, Switching.PHYSICAL)
    programmed = programmed_weights(hardware, weights, rng)
    found, tally = programmed.weights, programmed.tally
    right = sum(int((np.sign(f) == np.sign(w)).sum()) for f, w in zip(found, weights, strict=True))
    assert all(((w > 0) == s).mean() > 0.98 for w, s in zip(weights, programmed.states, strict=True))
    assert [f.shape for f in found] == [w.shape for w in weights]
    assert right / 866 > (0.995 if percent == 0 else 0.98)
    # Half the cells were right at the start.
    assert tally.flips == pytest.approx(433, abs=4 * np.sqrt(866 / 4))
    spread = max(float(np.std(np.abs(f))) for f in found)
    assert spread < 1e-6 if percent == 0 else spread > 0.05


@pytest.mark.slow
def test_arrays_of_a_layer_disturb_themselves_only() -> None:
    """1R: 12 x 6 cells as a whole, and cut; one row has no other by which a cell could be reached."""
    one_r, weights = load_model(Architecture.ONE_R), [np.random.default_rng(1).uniform(-1, 1, (12, 6))]

    def programmed(array_rows: int | None) -> Programmed:
        hardware = Hardware(one_r, 4, 0.0, Switching.PHYSICAL, array_rows=array_rows)
        return programmed_weights(hardware, weights, np.random.default_rng(2))

    whole, fitting, rows = programmed(None), programmed(12), programmed(1)
    np.testing.assert_array_equal(whole.states[0], fitting.states[0])
    assert whole.tally == fitting.tally
    assert whole.tally.false_flips > 0
    assert rows.tally.false_flips == 0
    # A strong pulse fails in a per cent or so.
    assert (rows.states[0] == (weights[0] > 0)).mean() > 0.95
