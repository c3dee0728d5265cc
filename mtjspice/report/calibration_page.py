"""The figures that go with a calibration."""

from collections.abc import Mapping
from pathlib import Path

from mtjspice.calibration.result import CalibrationResult
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.report.figures import draw_linear_map, draw_switching, draw_thresholds
from mtjspice.switching.surface import SwitchingSurface


def draw_calibration(
    result: CalibrationResult, surfaces: Mapping[tuple[Direction, Drive], SwitchingSurface], folder: Path
) -> list[Path]:
    """Draw what the result holds into `folder`; return the files.

    Raises:
        OutputError: the folder cannot be written.
    """
    drawn = []
    for drive in Drive:
        found = [c for c in result.coefficients if c.drive is drive]
        if not found:
            continue
        if any(c.counts is not None for c in found):
            drawn.append(folder / f"thresholds_{drive}.png")
            draw_thresholds(result, drive, drawn[-1])
        drawn.append(folder / f"linear_map_{drive}.png")
        draw_linear_map(result, drive, drawn[-1])
        shown = {d: surfaces[d, drive] for d in Direction if (d, drive) in surfaces}
        if shown:
            drawn.append(folder / f"switching_{drive}.png")
            draw_switching(shown, drawn[-1])
    return drawn
