"""A crossbar in SPICE is read as the surrogate is, keeps what is written into it, and learns."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.junction import JunctionCard
from mtjspice.cosim.run import CosimRequest
from mtjspice.cosim.spice_array import SpiceArray
from mtjspice.crossbar.cells import Cells
from mtjspice.errors import InputError, NgspiceMissingError
from mtjspice.experiments import patterns_campaign
from mtjspice.experiments.patterns import COLUMNS, ROWS, Learning, patterns, train
from mtjspice.experiments.patterns_campaign import run_patterns
from mtjspice.jobs.executors import LocalExecutor
from mtjspice.jobs.progress import progress
from mtjspice.report.patterns_figure import draw_patterns
from mtjspice.surrogate.array import SurrogateArray
from mtjspice.surrogate.model import ArrayModel, array_model

session_module = pytest.importorskip("mtjspice.spice.session")
pytestmark = pytest.mark.spice


@pytest.fixture(scope="module", params=list(Architecture))
def model(request: pytest.FixtureRequest, mondal: JunctionCard) -> ArrayModel:
    try:
        session_module.find_library()
    except NgspiceMissingError as error:
        pytest.skip(str(error).splitlines()[0])
    return array_model(request.param, mondal, load_array("array45"), load_campaign("table3").targets, progress=progress)


def cells(model: ArrayModel, rows: int, columns: int) -> Cells:
    state = np.random.default_rng(1).integers(0, 2, (rows, columns))
    return Cells.nominal(model.parameters, state, model.array.r_short_ohm)


@pytest.fixture
def small(model: ArrayModel) -> Iterator[SpiceArray]:
    with SpiceArray(model, cells(model, 3, 2), 1, (0,)) as array:
        yield array


def assert_read_alike(array: SpiceArray) -> None:
    surrogate = SurrogateArray(array.model, array.cells, np.random.default_rng(1))
    for x in (np.array([1.0, -1.0, 0.4]), np.array([0.0, 0.3, 0.9])):
        ours, theirs = surrogate.read(x), array.read(x)
        # BSIM4 transistors against their table: 1 % of the largest current.
        for name in ("i_column_a", "i_reference_a", "energy_j"):
            given, expected = getattr(ours, name), np.asarray(getattr(theirs, name))
            np.testing.assert_allclose(given, expected, rtol=0, atol=0.01 * np.abs(expected).max())
        # As the sum of three inputs; a difference of currents.
        np.testing.assert_allclose(ours.weighted, theirs.weighted, atol=0.03)


def test_reads_are_the_surrogate_s(small: SpiceArray) -> None:
    assert_read_alike(small)


def test_a_write_stays(small: SpiceArray) -> None:
    before = small.state.copy()
    # At full strength, P = 0.7; the seed is fixed.
    outcome = small.write(np.array([1.0, 1.0, -1.0]), np.array([1.0, -1.0]))
    np.testing.assert_array_equal(small.state, outcome.state)
    np.testing.assert_array_equal(outcome.flips > 0, small.state != before)
    assert outcome.flips.any()
    assert outcome.energy_j > 0
    assert_read_alike(small)


def test_two_arrays_after_each_other_leave_nothing(model: ArrayModel) -> None:
    found = []
    for _ in range(2):
        with SpiceArray(model, cells(model, 2, 2), 1, (0,)) as array:
            found.append(array.read(np.array([1.0, -0.5])).i_column_a)
    np.testing.assert_array_equal(*found)
    assert session_module.open_session().plot_names == ["const"]


def test_inputs_that_do_not_fit(small: SpiceArray) -> None:
    with pytest.raises(InputError, match="do not fit"):
        small.read(np.ones(4))
    with pytest.raises(InputError):
        small.write(np.ones(4), np.ones(2))
    with pytest.raises(InputError, match="out of range"):
        small.read(np.array([0.0, 2.0, 0.0]))


def test_a_closed_loop_of_two_samples(model: ArrayModel) -> None:
    with SpiceArray(model, cells(model, ROWS, COLUMNS), 1, (1,)) as array:
        before = array.state.copy()
        found = train(array, patterns(), np.array([[0, 10]]), Learning())
    assert found["written"] > 0
    assert found["flips_per_sample"] > 0
    assert (array.state != before).any()
    # Picojoules: a 1T1R cell's pulse costs about 0.3 pJ.
    assert 1e-12 < found["step_j"] < 1e-10


@pytest.mark.slow
def test_the_campaign_s_report(
    model: ArrayModel, mondal: JunctionCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if model.architecture is Architecture.ONE_R:
        pytest.skip("once is enough")
    monkeypatch.setattr(patterns_campaign, "SURROGATE_RUNS", 2)
    monkeypatch.setattr(patterns_campaign, "_orders", lambda task: np.array([[0]]))
    request = CosimRequest(mondal, model.array, 1, tmp_path, resume=False)
    with pytest.raises(InputError, match="too short"):
        run_patterns(
            request, model.architecture, 1, 1, executor=LocalExecutor(1), progress=progress, draw=draw_patterns
        )
    result = run_patterns(
        request, model.architecture, 1, 2, executor=LocalExecutor(1), progress=progress, draw=draw_patterns
    )
    # Before the first epoch both sides have the same states: their reads agree within 1 %.
    np.testing.assert_allclose(result.surrogate.error[:, 0, 0], result.spice.error[:, 0, 0], rtol=0.01)
    written = json.loads((tmp_path / "patterns.json").read_text())
    assert written.pop("provenance")["seed"] == 1
    assert written == result.to_json()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["patterns.json", "patterns.png"]
