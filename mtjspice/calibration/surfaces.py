"""The switching surfaces that ship with a calibration: wide enough for sneak voltages and for long pulses."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from mtjspice.calibration.result import CalibrationResult
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.errors import ModelError
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.switching.deterministic import deterministic_surface
from mtjspice.switching.points import Engine
from mtjspice.switching.surface import SwitchingSurface

_POINTS = 61
_LEVEL_FACTOR = 2.1
"""In the worst case a sneak path sees V_P - V_AP, about twice the largest write voltage (paper, section 4.4)."""
_WIDTH_FACTOR = 1.6


def wide_surfaces(
    parameters: MacrospinParameters,
    result: CalibrationResult,
    provenance: dict[str, Any],
    on_progress: Callable[[int, int], None],
) -> tuple[dict[tuple[Direction, Drive], SwitchingSurface], list[str]]:
    """Return the Fokker-Planck surface of every direction and drive, from zero to well past the calibrated range.

    Empty for a junction without axial symmetry, and for a calibration from measurements, whose junction Fokker-Planck
    does not know.

    Returns:
        The surfaces, and a line for each that Fokker-Planck cannot resolve.
    """
    if not parameters.is_axially_symmetric or result.engine == Engine.MEASURED:
        return {}, []
    widths_s = np.linspace(0, _WIDTH_FACTOR * (result.t0_s + result.t1_s), _POINTS)
    surfaces, missing = {}, []
    for done, c in enumerate(result.coefficients):
        on_progress(done, len(result.coefficients))
        levels = np.linspace(0, _LEVEL_FACTOR * (c.level0 + c.level1), _POINTS)
        try:
            surface = deterministic_surface(Engine.FOKKER_PLANCK, parameters, c.direction, c.drive, levels, widths_s)
        except ModelError as error:
            missing.append(f"no switching surface for {c.direction.label}, {c.drive.value} drive: {error}")
            continue
        surfaces[c.direction, c.drive] = replace(surface, provenance=provenance)
    on_progress(len(result.coefficients), len(result.coefficients))
    return surfaces, missing
