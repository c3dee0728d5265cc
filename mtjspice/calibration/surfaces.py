"""The switching surfaces that ship with a calibration: wide enough for sneak voltages and for long pulses."""

from collections.abc import Callable

import numpy as np

from mtjspice.calibration.result import CalibrationResult
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.switching.deterministic import deterministic_surface
from mtjspice.switching.points import Engine
from mtjspice.switching.surface import SwitchingSurface

_POINTS = 61
_LEVEL_FACTOR = 2.1
"""In the worst case a sneak path sees V_P - V_AP, about twice the largest write voltage (paper, section 4.4)."""
_WIDTH_FACTOR = 1.6


def wide_surfaces(
    parameters: MacrospinParameters, result: CalibrationResult, on_progress: Callable[[int, int], None]
) -> dict[tuple[Direction, Drive], SwitchingSurface]:
    """Return the Fokker-Planck surface of every direction and drive, from zero to well past the calibrated range.

    Empty for a junction without axial symmetry, and for a calibration from measurements, whose junction Fokker-Planck
    does not know.
    """
    if not parameters.is_axially_symmetric or result.engine == Engine.MEASURED:
        return {}
    widths_s = np.linspace(0, _WIDTH_FACTOR * (result.t0_s + result.t1_s), _POINTS)
    surfaces = {}
    for done, c in enumerate(result.coefficients):
        on_progress(done, len(result.coefficients))
        levels = np.linspace(0, _LEVEL_FACTOR * (c.level0 + c.level1), _POINTS)
        surfaces[c.direction, c.drive] = deterministic_surface(
            Engine.FOKKER_PLANCK, parameters, c.direction, c.drive, levels, widths_s
        )
    on_progress(len(result.coefficients), len(result.coefficients))
    return surfaces
