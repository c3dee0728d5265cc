"""The figures that go with a calibration."""

from pathlib import Path

from mtjspice.calibration.run import CalibrationRun
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.report.figures import draw_linear_map, draw_switching, draw_thresholds


def draw_calibration(run: CalibrationRun, folder: Path) -> None:
    """Draw what `run` holds into `folder`.

    Raises:
        OutputError: the folder cannot be written.
    """
    result = run.result
    for drive in Drive:
        found = [c for c in result.coefficients if c.drive is drive]
        if not found:
            continue
        if any(c.counts is not None for c in found):
            draw_thresholds(result, drive, folder / f"thresholds_{drive}.png")
        draw_linear_map(result, drive, folder / f"linear_map_{drive}.png")
        shown = {d: run.surfaces[d, drive] for d in Direction if (d, drive) in run.surfaces}
        if shown:
            draw_switching(shown, folder / f"switching_{drive}.png")
