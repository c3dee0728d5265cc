"""The engines without chance: Fokker-Planck and the closed form."""

from collections.abc import Sequence

import numpy as np

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.errors import ModelError
from mtjspice.junction import closed_form, fokker_planck
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.switching.points import Engine
from mtjspice.switching.surface import SwitchingSurface


def probabilities(
    engine: Engine,
    parameters: MacrospinParameters,
    direction: Direction,
    drive: Drive,
    levels: Sequence[float],
    widths_s: Sequence[float],
) -> np.ndarray:
    """Return P, (levels, widths).

    Raises:
        ModelError: outside the engine's range: a junction without axial symmetry, a voltage or a current too low for
            the closed form.
    """
    if engine is Engine.FOKKER_PLANCK:
        return fokker_planck.switching_probabilities(parameters, direction, drive, levels, widths_s)
    if drive is Drive.VOLTAGE:
        raise ModelError(
            "the closed form holds for a constant current only",
            given="voltage drive",
            next_step="use --engine fokker_planck",
        )
    return np.array(
        [
            [closed_form.switching_probability_eq5(parameters, direction, level, width) for width in widths_s]
            for level in levels
        ]
    )


def deterministic_surface(
    engine: Engine,
    parameters: MacrospinParameters,
    direction: Direction,
    drive: Drive,
    levels: np.ndarray,
    widths_s: np.ndarray,
) -> SwitchingSurface:
    """Return the surface over a grid of levels (A or V) and widths (s)."""
    probability = probabilities(engine, parameters, direction, drive, list(levels), list(widths_s))
    return SwitchingSurface(direction, drive, levels, widths_s, probability, engine.value)
