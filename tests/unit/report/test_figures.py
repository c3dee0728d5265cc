"""Figures are drawn whole, without a warning (warnings are errors here), and without a screen."""

from pathlib import Path

import numpy as np
import pytest

from mtjspice.calibration.calibrate import calibrate
from mtjspice.calibration.result import CalibrationResult
from mtjspice.calibration.run import CalibrationRun
from mtjspice.calibration.sources import ExactSource, MeasuredSource
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import JunctionCard
from mtjspice.errors import OutputError
from mtjspice.junction.fokker_planck import switching_probabilities
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.report.calibration_page import draw_calibration
from mtjspice.report.figures import draw_switching
from mtjspice.switching.deterministic import deterministic_surface
from mtjspice.switching.points import Counts, Engine, Point
from mtjspice.switching.surface import SwitchingSurface


def looks_drawn(path: Path) -> bool:
    content = path.read_bytes()
    return content.startswith(b"\x89PNG") and content.endswith(b"IEND\xaeB`\x82") and len(content) > 5000


@pytest.fixture(scope="module")
def counted(mondal: JunctionCard, mondal_parameters: MacrospinParameters) -> CalibrationResult:
    """Counts at either end of the widths, some of them none or all."""
    rng = np.random.default_rng(1)
    counts = []
    for direction, levels in (
        (Direction.AP_TO_P, np.linspace(50e-6, 120e-6, 7)),
        (Direction.P_TO_AP, np.linspace(125e-6, 250e-6, 7)),
    ):
        p = switching_probabilities(mondal_parameters, direction, Drive.CURRENT, list(levels), [1.5e-9, 2.5e-9])
        counts += [
            Counts(Point(direction, Drive.CURRENT, float(i), (1.5e-9, 2.5e-9), 300), rng.binomial(300, row), 300, {})
            for i, row in zip(levels, p, strict=True)
        ]
    campaign = load_campaign("table3")
    return calibrate(mondal, campaign, MeasuredSource(counts, campaign))


@pytest.mark.slow
def test_a_computed_calibration(mondal: JunctionCard, mondal_parameters: MacrospinParameters, tmp_path: Path) -> None:
    campaign = load_campaign("table3")
    result = calibrate(mondal, campaign, ExactSource(Engine.FOKKER_PLANCK, mondal_parameters, campaign))
    surfaces = {
        (c.direction, c.drive): deterministic_surface(
            Engine.FOKKER_PLANCK, mondal_parameters, c.direction, c.drive,
            np.linspace(0, 2 * c.low.level, 9), np.linspace(0, 4e-9, 9),
        )
        for c in result.coefficients
    }  # fmt: skip
    draw_calibration(CalibrationRun(result, surfaces, None, {}, []), tmp_path)
    drawn = list(tmp_path.iterdir())
    assert {path.name for path in drawn} == {
        f"{figure}_{drive}.png" for figure in ("linear_map", "switching") for drive in Drive
    }
    assert all(looks_drawn(path) for path in drawn)


@pytest.mark.slow
def test_a_measured_calibration(counted: CalibrationResult, tmp_path: Path) -> None:
    draw_calibration(CalibrationRun(counted, {}, None, {}, []), tmp_path)
    drawn = list(tmp_path.iterdir())
    assert {path.name for path in drawn} == {"thresholds_current.png", "linear_map_current.png"}
    assert all(looks_drawn(path) for path in drawn)


def test_a_simulated_surface_with_gaps(tmp_path: Path) -> None:
    levels, widths = np.array([50e-6, 70e-6, 90e-6]), np.array([1e-9, 2e-9])
    switched, trials = np.array([[0, 0], [1, 9], [30, 100]]), np.array([[100, 100], [100, 0], [100, 100]])
    surface = SwitchingSurface.from_counts(
        Direction.AP_TO_P, Drive.CURRENT, levels, widths, np.minimum(switched, trials), trials, "ngspice"
    )
    draw_switching({Direction.AP_TO_P: surface}, tmp_path / "s.png")
    assert looks_drawn(tmp_path / "s.png")


def test_a_figure_without_a_folder(counted: CalibrationResult, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write thresholds_current\.png"):
        draw_calibration(CalibrationRun(counted, {}, None, {}, []), tmp_path / "missing")
