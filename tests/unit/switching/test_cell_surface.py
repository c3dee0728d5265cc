"""The surface of a cell: between its points, its inverse, its file, and its agreement with Fokker-Planck."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.errors import DataError, InputError, ModelError
from mtjspice.junction.compiled import compiled
from mtjspice.junction.fokker_planck import switching_probabilities, switching_probabilities_in_series
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import write_current_a
from mtjspice.switching.cell_kernels import Tables, axis_of, lookup, time_to
from mtjspice.switching.cell_surface import CellSurface

VOLTAGES = np.array([0.0, 0.2, 0.3, 0.5, 1.0])
WIDTHS = np.array([0.0, 0.1e-9, 0.2e-9, 0.4e-9, 1e-9, 3e-9])


def surface_of(probability: np.ndarray | None = None) -> CellSurface:
    """Return a surface of 3 shares by 5 voltages by 6 widths; without an argument a smooth one from 1e-60 to 0.9."""
    if probability is None:
        share, v, t = np.meshgrid([0.0, 0.5, 1.0], VOLTAGES, WIDTHS / WIDTHS[-1], indexing="ij")
        probability = np.exp(-np.exp(4.93 - 7.2 * v * t * (1 - 0.2 * share)))
    return CellSurface(Direction.AP_TO_P, VOLTAGES, WIDTHS, 5e3, probability, {"seed": 3})


surface = surface_of()
voltages = st.floats(1e-3, VOLTAGES[-1])
widths = st.floats(1e-12, WIDTHS[-1])
series = st.one_of(st.just(0.0), st.just(math.inf), st.floats(0.0, 1e6))


def test_it_is_met_at_its_points() -> None:
    assert surface.series_ohm.tolist() == [0.0, 5e3, math.inf]
    p = surface.at(VOLTAGES[:, None], WIDTHS, surface.series_ohm[:, None, None])
    assert p[:, 1:, 1:] == pytest.approx(surface.probability[:, 1:, 1:], rel=1e-11)
    assert (p[:, 0] == 0).all()
    assert (p[:, :, 0] == 0).all()


@given(v=st.tuples(voltages, voltages), t=st.tuples(widths, widths), r=series)
def test_probability_rises_with_voltage_and_width(v: tuple[float, float], t: tuple[float, float], r: float) -> None:
    low, high = surface.at(sorted(v), t[0], r)
    assert low <= high * (1 + 1e-12)
    low, high = surface.at(v[0], sorted(t), r)
    assert low <= high * (1 + 1e-12)


@given(v=voltages, t=widths, r=series)
def test_time_is_the_inverse_of_probability(v: float, t: float, r: float) -> None:
    # At the lowest voltages P grows by less than a rounding in a step of time.
    p = surface.at(max(v, 0.02), t, r)
    assert surface.time_s(max(v, 0.02), p, r) == pytest.approx(t, rel=1e-6)


def test_the_longest_width_is_its_own_inverse() -> None:
    for v in np.linspace(0.02, 1.0, 50):
        assert surface.time_s(v, surface.at(v, WIDTHS[-1], 700.0), 700.0) == pytest.approx(WIDTHS[-1], rel=1e-6)


def test_time_where_there_is_none() -> None:
    most = surface.at(0.5, WIDTHS[-1], 1e3)
    assert surface.time_s(0.5, [0.0, most / 2, most * 1.01, 1.0], 1e3)[[0, 2, 3]].tolist() == [0, math.inf, math.inf]
    assert surface.time_s([-0.3, 0.0], 0.1, 0.0).tolist() == [math.inf, math.inf]
    assert surface.time_s([-0.3, 0.0], 0.0, 0.0).tolist() == [0, 0]
    # Less than the surface has at its beginning.
    assert surface.time_s(0.5, 1e-200, 0.0) == 0


def test_certainty_and_nothing_are_kept() -> None:
    flat = np.zeros((3, 5, 6))
    flat[:, 2:, 2:] = 1.0
    s = surface_of(flat)
    assert s.at([0.3, 0.7, 1.0], 3e-9, 2e3).tolist() == [1, 1, 1]
    assert s.at(0.1, 3e-9, 2e3) < 1e-290
    assert s.time_s(0.7, 1.0, 2e3) == math.inf


def test_arrays_broadcast_and_one_point_has_no_shape() -> None:
    assert surface.at(0.4, 1e-9, 0.0).shape == ()
    assert surface.at(np.full((4, 1), 0.4), np.full(2, 1e-9), 0.0).shape == (4, 2)
    assert surface.at(np.empty((0, 3)), 1e-9, 0.0).shape == (0, 3)
    assert surface.time_s(np.full((4, 1), 0.4), 0.01, np.zeros(2)).shape == (4, 2)
    assert surface.at(0.4, np.full(3, 1e-9)[::-1], 0.0).tolist() == [float(surface.at(0.4, 1e-9, 0.0))] * 3


@pytest.mark.parametrize(
    ("v", "t", "named"), [(1.01, 1e-9, "voltage"), (0.5, 3.01e-9, "width"), (math.nan, 1e-9, "voltage")]
)
def test_nothing_is_extrapolated(v: float, t: float, named: str) -> None:
    with pytest.raises(ModelError, match=rf"the {named} lies outside(.|\n)*up to"):
        surface.at(v, t, 0.0)


def test_rounding_at_the_ends_is_forgiven() -> None:
    assert surface.at(1.0 * (1 + 1e-12), 3e-9 * (1 + 1e-12), 0.0) == surface.at(1.0, 3e-9, 0.0)


def test_the_inverse_asks_for_a_probability() -> None:
    with pytest.raises(ModelError, match=r"the probability lies outside(.|\n)*up to 1\n"):
        surface.time_s(0.5, 1.1, 0.0)
    with pytest.raises(ModelError, match="the voltage"):
        surface.time_s(1.1, 0.1, 0.0)


@pytest.mark.parametrize("r", [-1.0, math.nan])
def test_a_negative_resistance_is_refused(r: float) -> None:
    with pytest.raises(InputError, match="not negative"):
        surface.at(0.5, 1e-9, [0.0, r])


def test_kernels_serve_inside_kernels() -> None:
    @compiled()
    def onwards(tables: Tables, v, t, r):  # type: ignore[no-untyped-def]
        return time_to(tables, v, lookup(tables, v, t, r), r)

    for r in (0.0, 700.0, math.inf):
        assert onwards(surface.tables, 0.7, 0.77e-9, r) == pytest.approx(0.77e-9, rel=1e-9)
    # What raises outside is a NaN inside; a pulse that is too long is cut.
    assert math.isnan(lookup(surface.tables, 1.01, 1e-9, 0.0))
    for v, t, r in ((math.nan, 1e-9, 0.0), (0.5, math.nan, 0.0), (0.5, 1e-9, math.nan), (0.5, 1e-9, -1.0)):
        assert math.isnan(lookup(surface.tables, v, t, r))
    assert math.isnan(time_to(surface.tables, 1.01, 0.1, 0.0))
    assert math.isnan(time_to(surface.tables, 0.5, math.nan, 0.0))
    assert lookup(surface.tables, 0.5, math.inf, 0.0) == surface.at(0.5, WIDTHS[-1], 0.0)
    assert lookup(surface.tables, -0.5, 1e-9, 0.0) == lookup(surface.tables, 0.5, -1e-9, 0.0) == 0


@given(st.lists(st.floats(1e-3, 1.0), min_size=1, max_size=30), st.floats(0.0, 1.0))
def test_buckets_lead_to_the_interval(lengths: list[float], where: float) -> None:
    knots = np.concatenate(([0.0], np.cumsum(lengths)))
    axis = axis_of(knots)
    for value in (where * knots[-1], *knots):
        i = int(axis.first[int(value * axis.per_unit)])
        i += value > knots[i + 1]
        # But for rounding at a knot, where both neighbours will do.
        assert knots[i] - 1e-12 <= value <= knots[i + 1] + 1e-12


def test_a_saved_surface_comes_back_and_its_bytes_are_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        surface.save(tmp_path / name)
    again = CellSurface.load(tmp_path / "a.npz")
    again.save(tmp_path / "c.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes() == (tmp_path / "c.npz").read_bytes()
    assert (again.direction, again.scale_ohm, again.provenance) == (Direction.AP_TO_P, 5e3, {"seed": 3})
    assert (again.probability == surface.probability).all()


@pytest.mark.parametrize("kind", ["missing", "shape", "direction", "schema"])
def test_a_damaged_file_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "cell.npz"
    header = {"schema": 2 if kind == "schema" else 1, "direction": "ap_to_p", "scale_ohm": 5e3, "provenance": {}}
    if kind == "direction":
        header["direction"] = "sideways"
    grid = surface.probability[:, 1:] if kind == "shape" else surface.probability
    if kind != "missing":
        np.savez(path, header=np.array(json.dumps(header)), voltages_v=VOLTAGES, widths_s=WIDTHS, probability=grid)
    with pytest.raises(DataError, match=r"switching surface of a cell(.|\n)*cell\.npz"):
        CellSurface.load(path)


@pytest.mark.parametrize("broken", ["shape", "order", "start", "falls"])
def test_a_grid_that_is_none_is_a_programming_error(broken: str) -> None:
    v, p = VOLTAGES, surface.probability
    if broken == "shape":
        p = p[0]
    elif broken == "order":
        v = v[[0, 2, 1, 3, 4]]
    elif broken == "start":
        v = v + 0.1
    else:
        p = p[:, :, ::-1]
    with pytest.raises(ValueError, match="must"):
        CellSurface(Direction.AP_TO_P, v, WIDTHS, 5e3, p)


@pytest.mark.slow
@pytest.mark.parametrize("direction", Direction)
def test_it_agrees_with_fokker_planck_between_its_points(
    cell_surfaces: dict[Direction, CellSurface], mondal_parameters: MacrospinParameters, direction: Direction
) -> None:
    s = cell_surfaces[direction]
    rng = np.random.default_rng(11)
    found, exact = [], []
    # Half of the voltages where P bends most, and half of the widths short.
    for lowest, largest in ((0.0, s.voltages_v[-1]), (0.25, 0.8)):
        for _ in range(40):
            v, share = rng.uniform(lowest, largest), rng.uniform()
            t = np.sort(np.concatenate((rng.uniform(0, s.widths_s[-1], 6), rng.uniform(0, 1.5e-9, 6))))
            r = 5e3 * share / (1 - share)
            found.append(s.at(v, t, r))
            exact.append(switching_probabilities_in_series(mondal_parameters, direction, [v], list(t), r)[0])
    p, error = np.concatenate(exact), np.concatenate(found) - np.concatenate(exact)
    # Demanded: 0.003, and 10 % of P above 1e-4. Measured over 12,000 points: 8e-4, 1.4 %, and 2 % above 1e-8.
    assert np.abs(error).max() < 1.5e-3
    small = p < 1e-8
    assert np.abs(error[~small] / p[~small]).max() < 0.04
    # What the solver hardly resolves stays so small.
    assert np.abs(error[small]).max() < 1e-8


@pytest.mark.slow
@pytest.mark.parametrize("direction", Direction)
def test_its_ends_are_voltage_and_current_drive(
    cell_surfaces: dict[Direction, CellSurface], mondal_parameters: MacrospinParameters, direction: Direction
) -> None:
    s = cell_surfaces[direction]
    voltages, widths = s.voltages_v[20:60:8], s.widths_s[30::10]
    by_voltage = switching_probabilities(mondal_parameters, direction, Drive.VOLTAGE, list(voltages), list(widths))
    assert s.at(voltages[:, None], widths, 0.0) == pytest.approx(by_voltage, abs=2e-8)
    currents = [write_current_a(mondal_parameters, direction, v) for v in voltages]
    by_current = switching_probabilities(mondal_parameters, direction, Drive.CURRENT, currents, list(widths))
    assert s.at(voltages[:, None], widths, math.inf) == pytest.approx(by_current, abs=2e-8)


@pytest.mark.slow
def test_it_covers_what_an_array_asks_in_little_space(
    cell_surfaces: dict[Direction, CellSurface], tmp_path: Path
) -> None:
    for direction, s in cell_surfaces.items():
        assert s.voltages_v[-1] == 2.2
        assert s.widths_s[-1] == 12e-9
        s.save(tmp_path / f"{direction}.npz")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1.5e6


@pytest.mark.slow
@pytest.mark.parametrize("direction", Direction)
def test_history_counts_from_the_first_picosecond(
    cell_surfaces: dict[Direction, CellSurface], direction: Direction
) -> None:
    """P below what the solver resolves still rises in time, so that it tells how long a pulse has lasted."""
    s = cell_surfaces[direction]
    t = np.geomspace(1e-12, 5e-9, 40)
    for v in (0.05, 0.3, 0.6, 1.2):
        for r in (0.0, 2e3, math.inf):
            p = s.at(v, t, r)
            early = p < 1e-9
            assert p[0] < 1e-10
            assert (np.diff(p[early]) > 0).all()
            assert s.time_s(v, p[early], r) == pytest.approx(t[early], rel=1e-6)
