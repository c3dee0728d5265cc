"""The grid of steps on which SPICE and the surrogate have to agree, and the controls that have to be rejected."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtjspice.cards.array import Architecture
from mtjspice.cosim.compare_step import LEAST_P, MOST_SIGMA, Comparison, compare_step
from mtjspice.cosim.controls import AverageSneak, CurrentDriven, FrozenNetwork
from mtjspice.cosim.statistics import corrected_p
from mtjspice.cosim.step import Step
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import Executor
from mtjspice.jobs.progress import ProgressBars
from mtjspice.surrogate.exact_write import ExactWriter
from mtjspice.surrogate.model import ArrayModel

_SCHEMES = ((Architecture.ONE_T_ONE_R, 2), (Architecture.ONE_R, 2), (Architecture.ONE_R, 4))
_SIZES = ((2, 200, 3), (4, 200, 2), (8, 50, 1))
"""(side, seeds, steps)."""
_CONTROL_SEEDS = 100


@dataclass(frozen=True)
class Entry:
    """One comparison of the grid.

    Args:
        control: the wrong surrogate's name, or None.
        flips_only: of a step made for a control, where lines float most of the time: what the surrogate leaves out of
            the energy, the charging of floating lines, is a large share of it there.
    """

    comparison: Comparison
    corrected_p: float
    control: str | None
    flips_only: bool

    @property
    def as_it_should(self) -> bool:
        """Whether a surrogate agrees, or a control is rejected by its flips."""
        flips = self.comparison.flips
        same = self.corrected_p > LEAST_P and flips.worst_sigma <= MOST_SIGMA
        if self.control is not None:
            return not same
        return same if self.flips_only else self.comparison.agrees(self.corrected_p)

    def to_json(self) -> dict[str, Any]:
        """Return the entry as plain data."""
        verdict = {"control": self.control, "corrected_p": self.corrected_p, "as_it_should": self.as_it_should}
        return verdict | self.comparison.to_json()


def grid_steps(seed: int) -> list[tuple[Step, int]]:
    """Return the grid's steps, each with its number of seeds in SPICE."""
    return [
        (Step.drawn(architecture, phases, side, side, seed, (number, phases)), trials)
        for architecture, phases in _SCHEMES
        for side, trials, count in _SIZES
        for number in range(count)
    ]


def control_steps() -> list[tuple[Step, type[ExactWriter]]]:
    """Return the controls, each on a step on which what it leaves out shows.

    The current surface: AP->P at small |x|, where the current rises most while the junction turns. The sneak voltages:
    one row of six driven, three columns of four selected, so that the row's cell in the fourth, floating column sees
    0.8 V_P instead of a third: it flips in one write of four. The frozen network: the same, but the three switch off
    early, and with them the sneak voltage.
    """
    current = Step(
        Architecture.ONE_T_ONE_R, 2, np.full(4, 0.3), np.array([-1.0, -0.9, -0.8, -0.7]), np.zeros((4, 4), dtype=int)
    )
    x, parallel = np.array([1.0, 0.0, 0.0, 0.0, 0.0, 0.0]), np.ones((6, 4), dtype=int)
    sneak = Step(Architecture.ONE_R, 4, x, np.array([1.0, 1.0, 1.0, 0.0]), parallel)
    frozen = Step(Architecture.ONE_R, 4, x, np.array([0.02, 0.02, 0.02, 0.0]), parallel)
    return [(current, CurrentDriven), (sneak, AverageSneak), (frozen, FrozenNetwork)]


def run_grid(
    model_of: Callable[[Architecture], ArrayModel],
    *,
    seed: int,
    executor: Executor,
    checkpoint: Checkpoint | None,
    progress: ProgressBars,
) -> list[Entry]:
    """Return every comparison of the grid and of the controls; p-values are corrected for how many there are (Holm).

    Raises:
        NgspiceMissingError, SimulationError: ngspice is missing, or finished no run of a step.
    """
    common: dict[str, Any] = {"seed": seed, "executor": executor, "checkpoint": checkpoint, "progress": progress}
    steps = grid_steps(seed)
    found: list[tuple[Comparison, str | None, bool]] = []
    for number, (step, trials) in enumerate(steps):
        model = model_of(step.architecture)
        found += [(c, None, False) for c in compare_step(step, model, trials, key=(number,), **common)]
    for number, (step, wrong) in enumerate(control_steps(), len(steps)):
        right, control = compare_step(
            step, model_of(step.architecture), _CONTROL_SEEDS, key=(number,), writers=(ExactWriter, wrong), **common
        )
        found += [(right, None, True), (control, wrong.__name__, True)]
    corrected = {
        kind: iter(corrected_p([c.flips.p_value for c, control, _ in found if (control is None) == kind]))
        for kind in (True, False)
    }
    return [Entry(c, next(corrected[control is None]), control, only) for c, control, only in found]
