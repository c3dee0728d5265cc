"""`SwitchingSurface`: what lies between its grid's points, and its files."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtjspice.calibration.calibrate import calibrate
from mtjspice.calibration.sources import ExactSource
from mtjspice.calibration.surfaces import wide_surfaces
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import JunctionCard
from mtjspice.errors import DataError, ModelError
from mtjspice.junction.fokker_planck import switching_probabilities, switching_probability
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.switching.points import Engine
from mtjspice.switching.surface import SwitchingSurface

LEVELS = np.array([20e-6, 50e-6, 60e-6, 90e-6])
WIDTHS = np.array([0.5e-9, 1e-9, 3e-9])


def surface(probability: np.ndarray) -> SwitchingSurface:
    return SwitchingSurface(Direction.AP_TO_P, Drive.CURRENT, LEVELS, WIDTHS, probability, "fokker_planck")


def counted(switched: np.ndarray, trials: np.ndarray) -> SwitchingSurface:
    return SwitchingSurface.from_counts(Direction.AP_TO_P, Drive.CURRENT, LEVELS, WIDTHS, switched, trials, "macrospin")


# Certainty, near certainty and everything between, at every point of the grid.
probability_grids = st.lists(
    st.sampled_from([0.0, 1e-300, 1e-14, 1 - 1e-16, 1.0]) | st.floats(0, 1), min_size=12, max_size=12
).map(lambda values: np.reshape(values, (4, 3)))
fractions = st.lists(st.floats(0, 1), min_size=2, max_size=8).map(lambda f: np.sort(f))


@settings(max_examples=40)
@given(probability_grids, fractions, fractions)
def test_between_points_p_stays_a_probability_and_rises(grid: np.ndarray, f: np.ndarray, g: np.ndarray) -> None:
    levels = LEVELS[0] + f * (LEVELS[-1] - LEVELS[0])
    widths = WIDTHS[0] + g * (WIDTHS[-1] - WIDTHS[0])
    p = surface(grid).at(levels[:, None], widths[None, :])
    assert p.shape == (len(f), len(g))
    assert p.min() >= 0
    assert p.max() <= 1
    # Rounding of the scale, which turns 1e-16 of -ln(-ln P) into 1e-15 of P.
    assert np.diff(p, axis=0).min() > -1e-14
    assert np.diff(p, axis=1).min() > -1e-14


@settings(max_examples=40)
@given(probability_grids)
def test_a_monotone_grid_is_met_at_its_points(grid: np.ndarray) -> None:
    rising = np.maximum.accumulate(np.maximum.accumulate(grid, axis=0), axis=1)
    assert surface(rising).monotone == pytest.approx(rising, abs=1e-12)
    assert surface(rising).at(LEVELS[:, None], WIDTHS) == pytest.approx(rising, rel=1e-9, abs=1e-9)


def test_certainty_stays_certain() -> None:
    grid = np.array([[0.0, 0, 0], [0, 0, 0.5], [0, 0.5, 1], [0, 1, 1]])
    assert surface(grid).at(LEVELS[:, None], WIDTHS)[grid == 0].tolist() == [0.0] * 7
    assert surface(grid).at(LEVELS[:, None], WIDTHS)[grid == 1].tolist() == [1.0] * 3
    assert surface(grid).at(35e-6, 0.7e-9) == 0


def test_one_point_has_no_shape_and_arrays_broadcast() -> None:
    s = surface(np.linspace(0, 1, 12).reshape(4, 3))
    assert s.at(55e-6, 2e-9).shape == ()
    assert float(s.at(55e-6, 2e-9)) == s.at(np.array([55e-6]), 2e-9)[0]
    assert s.at(np.full((2, 1), 55e-6), np.full(5, 2e-9)).shape == (2, 5)
    assert s.at(np.empty(0), 2e-9).shape == (0,)


@pytest.mark.parametrize(
    ("level", "width", "named"),
    [(91e-6, 1e-9, "level"), (19e-6, 1e-9, "level"), (50e-6, 3.1e-9, "width"), (50e-6, 0, "width"),
     (math.nan, 1e-9, "level"), (50e-6, math.nan, "width")],
)  # fmt: skip
def test_nothing_is_extrapolated(level: float, width: float, named: str) -> None:
    with pytest.raises(ModelError, match=f"the {named} lies outside(.|\n)*extrapolated"):
        surface(np.zeros((4, 3))).at(level, width)


@pytest.mark.parametrize("broken", ["shape", "levels"])
def test_a_grid_that_is_none_is_a_programming_error(broken: str) -> None:
    levels = LEVELS[::-1] if broken == "levels" else LEVELS
    with pytest.raises(ValueError, match="levels"):
        SwitchingSurface(
            Direction.AP_TO_P, Drive.CURRENT, levels, WIDTHS, np.zeros((3 if broken == "shape" else 4, 3)), "x"
        )


def test_noisy_counts_are_made_monotone_within_their_intervals(mondal_parameters: MacrospinParameters) -> None:
    levels, widths = np.linspace(60e-6, 90e-6, 8), np.linspace(1.5e-9, 2.5e-9, 9)
    true = switching_probabilities(mondal_parameters, Direction.AP_TO_P, Drive.CURRENT, list(levels), list(widths))
    rng = np.random.default_rng(7)
    trials = np.full(true.shape, 200)
    s = SwitchingSurface.from_counts(
        Direction.AP_TO_P, Drive.CURRENT, levels, widths, rng.binomial(trials, true), trials, "macrospin"
    )
    assert (np.diff(s.probability, axis=0) < 0).any()  # the counts themselves are not monotone
    assert np.diff(s.monotone, axis=0).min() >= 0
    assert np.diff(s.monotone, axis=1).min() >= 0
    # Each of 72 exact intervals holds the truth in 95 % or more; fewer than 60 has a probability below 1e-4, and the
    # monotone fit moves a point by less than its scatter.
    assert ((s.low95 <= s.monotone) & (s.monotone <= s.high95)).sum() > 60
    assert ((s.low95 <= true) & (true <= s.high95)).sum() > 60
    # What monotony says about the truth can only help.
    assert np.sqrt(np.mean((s.monotone - true) ** 2)) <= np.sqrt(np.mean((s.probability - true) ** 2))


def test_a_point_without_trials_takes_its_neighbours() -> None:
    switched = np.array([[0, 2, 10], [1, 0, 40], [5, 30, 80], [20, 70, 99]])
    trials = np.full((4, 3), 100)
    trials[1, 1] = 0
    s = counted(switched, trials)
    assert math.isnan(s.probability[1, 1])
    assert (s.low95[1, 1], s.high95[1, 1]) == (0, 1)
    assert s.monotone[1, 1] == pytest.approx(0.3)  # 0.5 of no weight, above the 0.3 of the next level
    assert 0.02 < s.at(LEVELS[1], WIDTHS[1]) <= 0.31


def test_a_saved_surface_comes_back_and_its_bytes_are_the_same_each_time(tmp_path: Path) -> None:
    first = counted(np.arange(12).reshape(4, 3), np.full((4, 3), 20))
    first.provenance["seed"] = 3
    for name in ("a.npz", "b.npz"):
        first.save(tmp_path / name)
    again = SwitchingSurface.load(tmp_path / "a.npz")
    again.save(tmp_path / "c.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes() == (tmp_path / "c.npz").read_bytes()
    assert (again.direction, again.drive, again.engine) == (Direction.AP_TO_P, Drive.CURRENT, "macrospin")
    assert again.provenance == {"seed": 3}
    assert (again.switched == first.switched).all()
    assert (again.low95 == first.low95).all()

    surface(np.zeros((4, 3))).save(tmp_path / "d.npz")
    assert SwitchingSurface.load(tmp_path / "d.npz").trials is None


def damage(path: Path, kind: str) -> None:
    header = {"schema": 1, "direction": "ap_to_p", "drive": "current", "engine": "x", "provenance": {}}
    arrays = {"levels": LEVELS, "widths_s": WIDTHS, "probability": np.zeros((4, 3))}
    match kind:
        case "missing":
            return
        case "text":
            path.write_text("direction,current_a\n")
            return
        case "truncated":
            surface(np.zeros((4, 3))).save(path)
            path.write_bytes(path.read_bytes()[:-300])
            return
        case "direction":
            header["direction"] = "sideways"
        case "key":
            del header["engine"]
        case "array":
            del arrays["levels"]
        case "shape":
            arrays["probability"] = np.zeros((3, 3))
        case "list":
            np.savez(path, header=np.array("[1]"))
            return
        case "pickle":
            np.savez(path, header=np.array(json.dumps(header)), levels=np.array([{}], dtype=object))
            return
    np.savez(path, header=np.array(json.dumps(header)), **arrays)


@pytest.mark.parametrize(
    "kind", ["missing", "text", "truncated", "direction", "key", "array", "shape", "list", "pickle"]
)
def test_a_damaged_file_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "surface.npz"
    damage(path, kind)
    with pytest.raises(DataError, match=r"cannot read the switching surface(.|\n)*surface\.npz"):
        SwitchingSurface.load(path)


def test_another_schema_is_named(tmp_path: Path) -> None:
    path = tmp_path / "surface.npz"
    np.savez(path, header=np.array(json.dumps({"schema": 2})))
    with pytest.raises(DataError, match=r"another schema(.|\n)*given: +2\n *allowed: 1"):
        SwitchingSurface.load(path)


def test_the_table_starts_with_what_the_measured_engine_reads() -> None:
    table = counted(np.arange(12).reshape(4, 3), np.full((4, 3), 20)).table()
    assert list(table)[:5] == ["direction", "current_a", "width_s", "trials", "switched"]
    assert len(table) == 12
    assert table.loc[5].tolist()[1:5] == [50e-6, 3e-9, 20, 5]


@pytest.mark.slow
def test_the_shipped_grid_is_fine_enough(mondal: JunctionCard, mondal_parameters: MacrospinParameters) -> None:
    """Between the points of a calibration's wide surfaces, against direct solutions."""
    campaign = load_campaign("table3")
    result = calibrate(mondal, campaign, ExactSource(Engine.FOKKER_PLANCK, mondal_parameters, campaign))
    surfaces, missing = wide_surfaces(mondal_parameters, result, {"seed": 1}, lambda done, total: None)
    assert missing == []
    assert all(surface.provenance == {"seed": 1} for surface in surfaces.values())
    assert set(surfaces) == {(direction, drive) for direction in Direction for drive in Drive}
    rng = np.random.default_rng(3)
    for (direction, drive), s in surfaces.items():
        levels, widths = rng.uniform(0, s.levels[-1], 25), rng.uniform(0, s.widths_s[-1], 25)
        exact = [
            switching_probability(mondal_parameters, direction, drive, level, width)
            for level, width in zip(levels, widths, strict=True)
        ]
        error = s.at(levels, widths) - exact
        # Measured over 60 points each: at most 6e-4, 1.4e-4 rms; a second-order error of steps of 1/60 of the range.
        assert np.abs(error).max() < 2e-3
        assert np.sqrt(np.mean(error**2)) < 4e-4
        # A pulse of no height or no width does nothing.
        assert s.at(0.0, s.widths_s[-1]) == 0
        assert s.at(s.levels[-1], 0.0) == 0
