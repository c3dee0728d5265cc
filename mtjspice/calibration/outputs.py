"""The files of a calibration: the result, the tables behind it, the surfaces."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mtjspice.calibration.result import CalibrationResult
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.files import make_folder, write_json, write_text, writing
from mtjspice.switching.surface import SwitchingSurface

_FAMILIES = ("thresholds", "map", "surface", "linear_map", "switching")


def write_calibration(
    result: CalibrationResult,
    surfaces: Mapping[tuple[Direction, Drive], SwitchingSurface],
    provenance: dict[str, Any],
    folder: Path,
) -> None:
    """Write ``calibration.json``, the counts and maps as CSV, and the surfaces as npz.

    ``thresholds_<drive>.csv`` has the columns that the `measured` engine reads.

    Raises:
        OutputError: the folder cannot be written.
    """
    make_folder(folder)
    _clear(folder)
    for drive in Drive:
        counts = [c.counts for c in result.coefficients if c.drive is drive and c.counts is not None]
        if counts:
            write_text(folder / f"thresholds_{drive}.csv", pd.concat(counts).to_csv(index=False))
    for c in result.coefficients:
        write_text(folder / f"map_{c.direction}_{c.drive}.csv", c.linear_map.surface.table().to_csv(index=False))
    for (direction, drive), surface in surfaces.items():
        surface.save(folder / f"surface_{direction}_{drive}.npz")
    # Last, so that a result file means that everything else is there.
    write_json(folder / "calibration.json", result.to_json(provenance))


def _clear(folder: Path) -> None:
    """Remove what an earlier calibration left, the result file first, so that no file belongs to another result."""
    kinds = [*(f"{d}_{drive}" for d in Direction for drive in Drive), *Drive]
    names = [f"{what}_{kind}{end}" for what in _FAMILIES for kind in kinds for end in (".csv", ".npz", ".png")]
    with writing(folder / "calibration.json"):
        for name in ("calibration.json", "widths.json", *names):
            (folder / name).unlink(missing_ok=True)
