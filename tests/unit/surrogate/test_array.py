"""`SurrogateArray`: reads, its ledger, and the errors that a user can meet."""

import numpy as np
import pytest

from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.junction import JunctionCard
from mtjspice.crossbar.cells import Cells
from mtjspice.errors import InputError
from mtjspice.jobs.progress import progress
from mtjspice.surrogate.array import SurrogateArray
from mtjspice.surrogate.model import ArrayModel, array_model


@pytest.fixture(scope="module", params=Architecture)
def model(request: pytest.FixtureRequest, mondal: JunctionCard) -> ArrayModel:
    return array_model(request.param, mondal, load_array("array45"), load_campaign("table3").targets, progress=progress)


def array_of(model: ArrayModel, state: np.ndarray, seed: int = 1) -> SurrogateArray:
    cells = Cells.nominal(model.parameters, state, model.array.r_short_ohm)
    return SurrogateArray(model, cells, np.random.default_rng(seed))


def test_a_read_weighs_the_inputs(model: ArrayModel) -> None:
    """Wires and select transistors take 10 % of the signal at most on 4 x 3 cells, the lines' of 1R 20 %."""
    state = np.array([[1, 0, 1], [1, 0, 0], [1, 0, 1], [1, 0, 0]])
    x = np.array([1.0, 0.5, -0.25, 0.75])
    outcome = array_of(model, state).read(x)
    ideal = x @ (2 * state - 1)
    lost = 0.1 if model.architecture is Architecture.ONE_T_ONE_R else 0.2
    np.testing.assert_allclose(outcome.weighted, ideal, atol=lost * np.abs(x).sum())
    assert outcome.energy_j > 0
    # Turning every input around turns the currents around, but for the transistors' asymmetry.
    turned = array_of(model, state).read(-x)
    np.testing.assert_allclose(turned.i_column_a, -outcome.i_column_a, rtol=0.02)


def test_the_ledger_adds_up(model: ArrayModel) -> None:
    rng = np.random.default_rng(2)
    array = array_of(model, rng.integers(0, 2, size=(3, 4)))
    reads, writes = [], []
    for _ in range(4):
        x, delta = rng.uniform(-1, 1, size=3), rng.uniform(-1, 1, size=4)
        before = array.state.copy()
        reads.append(array.read(x))
        np.testing.assert_array_equal(array.state, before)
        writes.append(array.write(x, delta))
        np.testing.assert_array_equal(array.state, writes[-1].state)
    ledger = array.ledger
    assert (ledger.reads, ledger.writes) == (4, 4)
    assert ledger.read_j == pytest.approx(sum(outcome.energy_j for outcome in reads))
    assert ledger.write_j == pytest.approx(sum(outcome.energy_j for outcome in writes))
    assert ledger.read_s == pytest.approx(4 * model.array.read.t_read_s)
    assert ledger.write_s == pytest.approx(sum(outcome.duration_s for outcome in writes))
    assert ledger.flips == sum(int(outcome.flips.sum()) for outcome in writes)


def test_states_do_not_change_behind_the_cells_back(model: ArrayModel) -> None:
    cells = Cells.nominal(model.parameters, np.ones((2, 2)), model.array.r_short_ohm)
    array = SurrogateArray(model, cells, np.random.default_rng(1))
    for _ in range(30):
        array.write(np.ones(2), np.ones(2))
    assert (array.state == 0).any()
    assert (cells.state == 1).all()


@pytest.mark.parametrize(
    ("x", "delta", "words"),
    [
        (np.ones(2), np.ones(2), "do not fit"),
        (np.ones(3), np.ones(3), "do not fit"),
        (np.array([1.0, 0.0, 1.01]), np.ones(2), "x is out of range"),
        (np.ones(3), np.array([-1.5, 0.0]), "delta is out of range"),
        (np.array([np.nan, 0.0, 0.0]), np.ones(2), "out of range"),
        (np.ones((3, 1)), np.ones(2), "vector"),
        (np.ones(3), np.ones(0), "vector"),
    ],
)
def test_inputs_and_errors_must_fit_a_write(model: ArrayModel, x: np.ndarray, delta: np.ndarray, words: str) -> None:
    array = array_of(model, np.ones((3, 2)))
    with pytest.raises(InputError, match=words):
        array.write(x, delta)
    # A write that was refused leaves nothing behind.
    assert array.ledger.writes == 0
    assert array.ledger.write_j == 0


@pytest.mark.parametrize(("x", "words"), [(np.ones(4), "do not fit"), (np.full(3, 2.0), "out of range")])
def test_inputs_must_fit_a_read(model: ArrayModel, x: np.ndarray, words: str) -> None:
    array = array_of(model, np.ones((3, 2)))
    with pytest.raises(InputError, match=words):
        array.read(x)
    assert array.ledger.reads == 0


@pytest.mark.slow  # compiling the kernels alone takes a minute
@pytest.mark.parametrize("shape", [(33, 2), (1, 40)])
def test_large_arrays_are_read_and_written_too(model: ArrayModel, shape: tuple[int, int]) -> None:
    array = array_of(model, np.ones(shape))
    outcome = array.read(np.ones(shape[0]))
    assert outcome.weighted.shape == (shape[1],)
    # All cells parallel and all inputs 1: the number of rows, less what the wires take.
    assert (outcome.weighted < shape[0]).all()
    assert (outcome.i_column_a > 0).all()
    array.write(np.ones(shape[0]), np.ones(shape[1]))
    assert array.ledger.writes == 1
    assert array.ledger.write_j > 0


def test_the_phases_must_be_the_architectures(model: ArrayModel) -> None:
    with pytest.raises(InputError, match="no write of 3 phases"):
        array_of(model, np.ones((2, 2))).write(np.ones(2), np.ones(2), phases=3)


@pytest.mark.parametrize("state", [np.full((2, 2), 2), np.ones(3), np.full((2, 2), 0.5)])
def test_states_are_a_matrix_of_zeros_and_ones(model: ArrayModel, state: np.ndarray) -> None:
    with pytest.raises(InputError, match="state"):
        array_of(model, state)
