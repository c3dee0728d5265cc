"""A small gallery of decks, each in a folder of its own, and an index that explains them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtjspice.cards.array import Architecture
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import JunctionCard
from mtjspice.cosim.people_decks import DeckKind, write_deck
from mtjspice.cosim.step import Step
from mtjspice.cosim.ternary_decks import TernaryStep, write_ternary_decks
from mtjspice.crossbar.cells import Cells
from mtjspice.files import make_folder, write_text
from mtjspice.jobs.seeds import generator
from mtjspice.spice.decks import write_pulse_deck
from mtjspice.surrogate.model import ArrayModel

_X, _DELTA = np.array([0.9, -0.5, 0.2, 0.0]), np.array([0.8, -0.6, 0.3, 0.0])
_STATE = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [1, 1, 0, 0], [0, 0, 1, 1]])


@dataclass(frozen=True)
class Exhibit:
    """One deck: what it holds, and what to look at."""

    folder: str
    kind: DeckKind
    architecture: Architecture
    phases: int
    side: int
    text: str

    @property
    def step(self) -> Step:
        """A corner of one step of 4 x 4, with both signs and a zero."""
        n = self.side
        return Step(self.architecture, self.phases, _X[:n], _DELTA[:n], _STATE[:n, :n])


EXHIBITS = (
    Exhibit(
        "read_1t1r",
        DeckKind.READ,
        Architecture.ONE_T_ONE_R,
        2,
        4,
        "The operating point of a read. Junctions keep their states; v(sum1) ... are the outputs, W x weighted by half "
        "the difference of the two conductances, and i(vsense1) ... the columns' currents.",
    ),
    Exhibit(
        "step_1t1r",
        DeckKind.STEP,
        Architecture.ONE_T_ONE_R,
        2,
        4,
        "A whole training step: a read of 5 ns, then the columns with delta > 0, then those with delta < 0 (Fig. 4b). "
        "Watch gate1 ... gate4 end at their own t_wr, and mz1_1 ... turn. Row 4 has x = 0 and column 4 delta = 0: one "
        "stays at the common mode, the other is never selected.",
    ),
    Exhibit(
        "write_1r_4phase",
        DeckKind.WRITE,
        Architecture.ONE_R,
        4,
        4,
        "The four write phases of an array without select transistors (Table 4). Rows and columns that are not "
        "selected float: v(row1) ... and v(col1) ... show where to.",
    ),
    Exhibit(
        "write_1r_2phase",
        DeckKind.WRITE,
        Architecture.ONE_R,
        2,
        2,
        "The same array written in two phases (Fig. 5a and b): rows of both signs at once, and sneak voltages of up to "
        "V_P - V_AP over cells that nobody meant to write.",
    ),
)

_TERNARY = {
    "read": "Synapses of two junctions, whose pinned sides are tied to the column. The two lines of a row are at "
    "x v_read and -x v_read, so that v(sum1) ... are sums of x W with W = m1 - m2 and no reference column.",
    "update": "Their update, row after row: columns to be raised, then those to be lowered. Watch drv1a and drv1b "
    "exchange levels, and gate1 ... gate3 end at their own widths.",
}


def write_gallery(card: JunctionCard, models: dict[Architecture, ArrayModel], folder: Path, seed: int) -> Path:
    """Write every exhibit, and ``index.md``, into `folder`; return the index's path.

    Raises:
        OutputError: the folder cannot be written.
    """
    lines = [
        f"# Decks of crossbars of {card.name}",
        "",
        "Each folder holds a deck with everything that it needs: `cd` there and run `ngspice DECK.cir`, or with `-b`.",
        "A transient leaves `waves.raw`; `mtjspice simulate DECK.cir` runs the deck and draws it.",
        "",
    ]
    for number, exhibit in enumerate(EXHIBITS):
        model = models[exhibit.architecture]
        cells = Cells.nominal(model.parameters, exhibit.step.state, model.array.r_short_ohm)
        rng = generator(seed, (number,))
        path = write_deck(exhibit.kind, exhibit.step, model, cells, folder / exhibit.folder, rng)
        lines += [f"## [{exhibit.folder}/{path.name}]({exhibit.folder}/{path.name})", "", exhibit.text, ""]
    pulse = folder / "one_pulse"
    path = write_pulse_deck(
        card, Direction.AP_TO_P, Drive.VOLTAGE, 0.85, 2e-9, pulse, generator(seed, (len(EXHIBITS),))
    )
    lines += [
        f"## [one_pulse/{path.name}](one_pulse/{path.name})",
        "",
        "One junction and one write pulse, with noise that ngspice makes itself: another outcome in every run.",
        "",
    ]
    model, rng = models[Architecture.ONE_T_ONE_R], generator(seed, (len(EXHIBITS) + 1,))
    for path in write_ternary_decks(model, TernaryStep.drawn(model, 2, 3, rng), 0.0, folder / "ternary", rng):
        lines += [f"## [ternary/{path.name}](ternary/{path.name})", "", _TERNARY[path.name.split("_")[1]], ""]
    index = make_folder(folder) / "index.md"
    write_text(index, "\n".join(lines))
    return index
