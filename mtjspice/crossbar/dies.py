"""A die: the arrays of one chip, one for each layer of a network."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mtjspice.crossbar.cells import Cells, Defect

KINDS = ("short", "open", "stuck_p", "stuck_ap")
"""Of defective cells."""


@dataclass(frozen=True, eq=False)
class Die:
    """One chip.

    Args:
        name: of one line.
        arrays: one for each layer. Healthy cells may be in any state; stuck ones keep theirs, 1 for P and 0 for AP.
    """

    name: str
    arrays: tuple[Cells, ...]

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """(rows, columns) of each array."""
        return tuple((cells.state.shape[0], cells.state.shape[1]) for cells in self.arrays)

    @property
    def cells(self) -> int:
        """How many there are."""
        return sum(cells.state.size for cells in self.arrays)

    @cached_property
    def defects(self) -> dict[str, int]:
        """How many cells there are of each kind of defect."""
        masks = [_masks(cells) for cells in self.arrays]
        return {kind: sum(int(of[kind].sum()) for of in masks) for kind in KINDS}

    @property
    def rate(self) -> float:
        """The fraction of its cells that are defective."""
        return sum(self.defects.values()) / self.cells


def _masks(cells: Cells) -> dict[str, np.ndarray]:
    stuck = cells.defect == Defect.STUCK
    return {
        "short": cells.defect == Defect.SHORT,
        "open": cells.defect == Defect.OPEN,
        "stuck_p": stuck & (cells.state == 1),
        "stuck_ap": stuck & (cells.state == 0),
    }
