"""Tables that fit a terminal of 100 columns, whatever a calibration holds."""

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from mtjspice.calibration.calibrate import calibrate
from mtjspice.calibration.card_summary import summarise
from mtjspice.calibration.linear_map import LinearMap
from mtjspice.calibration.optimise import WidthChoice
from mtjspice.calibration.regression import Threshold
from mtjspice.calibration.result import CalibrationResult, WriteCoefficients
from mtjspice.calibration.sources import ExactSource
from mtjspice.cards.array import load_array
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import JunctionCard
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.report.calibration_tables import coefficients_table, voltage_table, widths_table
from mtjspice.report.card_tables import direction_table, junction_table
from mtjspice.switching.points import Engine
from mtjspice.switching.surface import SwitchingSurface


def rendered(table: Table | None) -> str:
    assert table is not None
    console = Console(width=100, file=io.StringIO())
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    assert "…" not in text  # rich's sign of a cell that was cut
    return text


def threshold(level: float, half_width: float) -> Threshold:
    return Threshold(level, level - half_width, level + half_width, slope=1e5, fit_p_value=0.4)


@pytest.fixture(scope="module")
def exact(mondal: JunctionCard, mondal_parameters: MacrospinParameters) -> CalibrationResult:
    campaign = load_campaign("table3")
    return calibrate(mondal, campaign, ExactSource(Engine.FOKKER_PLANCK, mondal_parameters, campaign))


@pytest.fixture(scope="module")
def measured(exact: CalibrationResult) -> CalibrationResult:
    """The same with intervals, Fokker-Planck's values beside it, and as many digits as can be."""

    def with_interval(c: WriteCoefficients) -> WriteCoefficients:
        surface = c.linear_map.surface
        trials = np.full(surface.probability.shape, 384)
        counts = SwitchingSurface.from_counts(
            c.direction, c.drive, surface.levels, surface.widths_s,
            np.round(384 * surface.probability).astype(int), trials, "macrospin",
        )  # fmt: skip
        return replace(
            c,
            low=threshold(c.low.level, 0.011 * c.low.level),
            high=threshold(c.high.level, 0.012 * c.high.level),
            low_a=threshold(c.low_a.level, 0.011 * c.low_a.level),
            high_a=threshold(c.high_a.level, 0.012 * c.high_a.level),
            expected=(c.low.level, c.high.level),
            linear_map=LinearMap(counts),
        )

    return replace(
        exact,
        engine="macrospin",
        card_name="a" * 41,
        coefficients=tuple(with_interval(c) for c in exact.coefficients),
    )


def only(result: CalibrationResult, drive: Drive) -> CalibrationResult:
    return replace(result, coefficients=tuple(c for c in result.coefficients if c.drive is drive))


def test_computed_coefficients(exact: CalibrationResult) -> None:
    text = rendered(coefficients_table(exact))
    for cell in ("AP->P", "I0", "60.42 uA", "60 uA", "+0.7%", "986.7 mV", "0.7094", "map error, rms"):
        assert cell in text
    assert "95 % interval" not in text  # nothing was counted
    assert "Fokker-Planck" not in text  # nothing to compare it with


def test_measured_coefficients(measured: CalibrationResult, exact: CalibrationResult) -> None:
    text = rendered(coefficients_table(measured))
    assert "59.75 ... 61.08 uA" in text
    assert "95 % interval" in text
    assert "Fokker-Planck" in text
    assert "a" * 41 in text
    assert "0.660 ... 0.753" in text
    # A map drawn from fitted lines has no interval of its own.
    lines = replace(
        measured,
        coefficients=tuple(
            replace(c, linear_map=e.linear_map) for c, e in zip(measured.coefficients, exact.coefficients, strict=True)
        ),
    )
    assert "..." not in next(line for line in rendered(coefficients_table(lines)).splitlines() if " eta " in line)


def test_an_interval_across_a_prefix_says_both(measured: CalibrationResult) -> None:
    """0.9984 V to 1.003 V must not read "998.4 ... 1.003 V"."""
    low = threshold(1.0007, 0.0023)
    changed = [replace(c, low=low) if c.drive is Drive.VOLTAGE else c for c in measured.coefficients]
    text = rendered(voltage_table(replace(measured, coefficients=tuple(changed))))
    assert "998.4 mV ... 1.003 V" in text


def test_voltage_thresholds(exact: CalibrationResult, measured: CalibrationResult) -> None:
    for result in (exact, measured):
        text = rendered(voltage_table(result))
        for cell in ("568.9 mV", "1.047 V", "52.88 uA", "60.42 uA"):
            assert cell in text
        assert ("95 % interval" in text) == ("Fokker-Planck" in text) == (result is measured)
    assert voltage_table(only(exact, Drive.CURRENT)) is None


def test_voltage_alone(measured: CalibrationResult) -> None:
    voltages = only(measured, Drive.VOLTAGE)
    assert coefficients_table(voltages) is None
    assert "568.9 mV" in rendered(voltage_table(voltages))


def test_widths() -> None:
    choice = WidthChoice(1.5e-9, 1e-9, *(dict.fromkeys(Direction, value) for value in (0.0651, 0.7094, 60e-6, 30e-6)))
    text = rendered(widths_table(choice, replace(choice, t0_s=1.8125e-9, t1_s=0.6875e-9)))
    for cell in ("campaign", "optimised", "1.81 ns", "687 ps", "0.0651", "0.709"):
        assert cell in text


def test_a_card(mondal: JunctionCard) -> None:
    summary = summarise(mondal, load_campaign("table3"), load_array("array45"))
    text = rendered(junction_table(summary)) + rendered(direction_table(summary))
    for cell in ("186.4 mT", "1.398 ns", "-0.178", "31.27 uA", "83.5", "5.86 years", "100 mV for 5 ns"):
        assert cell in text


def test_a_tilted_card_shows_dashes(mondal: JunctionCard) -> None:
    tilted = mondal.model_copy(update={"torque": mondal.torque.model_copy(update={"reference_tilt_rad": 0.1})})
    text = rendered(direction_table(summarise(tilted, load_campaign("table3"), load_array("array45"))))
    (line,) = (line for line in text.splitlines() if line.lstrip().startswith("write voltage"))
    assert line.split()[-2:] == ["-", "-"]
