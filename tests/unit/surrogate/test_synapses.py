"""Synapses of the surrogate: what reads see and pulses have to know."""

import numpy as np
import pytest

from mtjspice.crossbar.ternary import WeightKind, synapse_states
from mtjspice.surrogate.ideal_array import WriteDevice, write_device
from mtjspice.surrogate.model import ArrayModel
from mtjspice.surrogate.synapses import Synapses, new_junctions, synapses
from mtjspice.surrogate.weights import read_weights


@pytest.fixture(scope="module")
def device(model: ArrayModel) -> WriteDevice:
    return write_device(model)


@pytest.mark.parametrize("kind", list(WeightKind))
def test_nominal_junctions_read_as_their_weights(model: ArrayModel, device: WriteDevice, kind: WeightKind) -> None:
    rng = np.random.default_rng(1)
    weights = rng.choice(kind.weights, (4, 9))
    state = synapse_states(kind, weights, rng)
    found = synapses(model, device, kind, new_junctions(model, state, 0.0, rng))
    np.testing.assert_allclose(found.weights(state), weights, atol=1e-5)
    np.testing.assert_allclose(found.resistance, 1, atol=1e-6)
    assert found.switches.all()


def varied(model: ArrayModel, device: WriteDevice, state: np.ndarray) -> Synapses:
    """Return ternary synapses that vary, of which the first has an M1 that is stuck and an M2 that is open."""
    first, second = new_junctions(model, state, 10.0, np.random.default_rng(3))
    cells = (first.with_defects(stuck=[(0, 0)]), second.with_defects(opens=[(0, 0)]))
    return synapses(model, device, WeightKind.TERNARY, cells)


def test_varied_junctions_read_as_single_cells_do(model: ArrayModel, device: WriteDevice) -> None:
    """W is half the difference of what reads see of the two, -1 to 1 each."""
    state = np.random.default_rng(2).integers(0, 2, (2, 30, 40))
    cells = new_junctions(model, state, 10.0, np.random.default_rng(3))
    found = synapses(model, device, WeightKind.TERNARY, cells)
    one, other = (
        np.where(own == 1, *read_weights(model, c)[::-1].transpose(0, 2, 1))
        for own, c in zip(state, cells, strict=True)
    )
    np.testing.assert_allclose(found.weights(state), (one - other) / 2, atol=1e-5)


def test_resistances_lie_where_their_junctions_do(model: ArrayModel, device: WriteDevice) -> None:
    state = np.random.default_rng(2).integers(0, 2, (2, 5, 7))
    first, second = new_junctions(model, state, 10.0, np.random.default_rng(3))
    found = synapses(model, device, WeightKind.TERNARY, (first, second))
    for junction, cells in enumerate((first, second)):
        # Out of P a junction's resistance is constant: R_P in units of a nominal one's.
        np.testing.assert_allclose(
            found.resistance[0, 1, junction], (cells.r_p_ohm / model.parameters.r_p_ohm).T, rtol=1e-5
        )


def test_defects(model: ArrayModel, device: WriteDevice) -> None:
    state = np.zeros((2, 3, 4), int)
    found = varied(model, device, state)
    assert not found.switches[:, 0, 0].any()
    assert found.switches.sum() == 2 * 12 - 2
    g_p, g_ap = model.cell_conductances_s
    # An open M2 leaves out its current: what is read lies above -m2 = 0 by G_AP in units of the span.
    assert found.share[0, 1, 0, 0] == pytest.approx(0.5 * (g_p + g_ap) / (g_p - g_ap), rel=1e-5)
