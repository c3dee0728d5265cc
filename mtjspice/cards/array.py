"""The array card: wires, switches, levels and times of a crossbar."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from mtjspice.cards.loading import Card, Section, find, read_card
from mtjspice.resources import arrays_folder


class Architecture(StrEnum):
    """Whether a cell has a transistor of its own (Mondal & Srivastava, Figs. 4 and 5)."""

    ONE_T_ONE_R = "1t1r"
    ONE_R = "1r"

    @property
    def phases(self) -> tuple[int, ...]:
        """The write schemes it can have; the first is the usual one (sections 4.3 and 4.4)."""
        return (2,) if self is Architecture.ONE_T_ONE_R else (4, 2)


class SwitchKind(StrEnum):
    """What a netlist takes for a transistor."""

    BSIM4 = "bsim4"
    IDEAL = "ideal"


def _model_name(value: str) -> str:
    if not (value.isascii() and value.isidentifier() and value == value.lower() and len(value) <= 41):
        raise ValueError("must be a lower-case name of letters, digits and _, as ngspice reads it")
    return value


class Wires(Section):
    """One segment of a row or a column, from cell to cell; also between the last cell and the line's circuit."""

    r_segment_ohm: float = Field(ge=0, le=1e4)
    c_segment_f: float = Field(ge=0, le=1e-12)


class Switches(Section):
    """NMOS transistors: one in each 1T1R cell, one on each row and column of a 1R array (Figs. 4a and 5c).

    A 1R line's transistor is as wide as its cells together, so that a cell's share of the drop does not depend on the
    size of the array. A row's has less gate drive, its source being at the write voltage, and switches while the row is
    idle; a column's ends the pulse, and the charge that it then leaves on the column grows with its width.
    """

    kind: SwitchKind = Field(strict=False)
    library: str = Field(description="a shipped transistor library, or the path of a file, beside the card or absolute")
    model: Annotated[str, AfterValidator(_model_name)]
    length_m: float = Field(ge=1e-8, le=1e-5)
    select_width_m: float = Field(ge=1e-8, le=1e-4)
    row_width_per_cell_m: float = Field(ge=1e-8, le=1e-4)
    column_width_per_cell_m: float = Field(ge=1e-8, le=1e-4)
    r_on_ohm: float = Field(
        ge=1e-3, le=1e5, description="of an ideal switch as wide as a select transistor; as 1/width"
    )


class Levels(Section):
    """Voltages against the common mode, the potential of an idle line, which is `common_mode_v` above ground."""

    common_mode_v: float = Field(ge=0, le=5)
    gate_on_v: float = Field(gt=0, le=10)
    gate_off_v: float = Field(ge=-5, le=0)
    bulk_v: float = Field(ge=-5, le=0)

    @field_validator("bulk_v")
    @classmethod
    def _off_means_off(cls, value: float, others: ValidationInfo) -> float:
        if "common_mode_v" in others.data and value < -others.data["common_mode_v"]:
            raise ValueError(f"lies below ground, which is {-others.data['common_mode_v']:g} V from the common mode")
        return value

    @property
    def gate_mid_v(self) -> float:
        """Where an edge is at 50 %."""
        return (self.gate_on_v + self.gate_off_v) / 2


class ReadConditions(Section):
    """How inputs are turned into voltages and column currents into outputs."""

    v_read_v: float = Field(gt=0, le=2, description="of |x| = 1")
    t_read_s: float = Field(gt=0, le=1e-3)
    r_feedback_ohm: float = Field(gt=0, le=1e9, description="of the sense amplifier")


class Timing(Section):
    """Edges run from 0 to 100 %; the gap lies between phases, with every line at the common mode."""

    edge_s: float = Field(ge=1e-12, le=1e-9)
    gap_s: float = Field(gt=0, le=1e-6)
    time_step_s: float = Field(gt=0, le=1e-10, description="of the thermal field and of ngspice")

    @field_validator("gap_s")
    @classmethod
    def _edges_fit(cls, value: float, others: ValidationInfo) -> float:
        if "edge_s" in others.data and value < 4 * others.data["edge_s"] * (1 - 1e-9):
            raise ValueError(f"must hold four edges, {4 * others.data['edge_s']:.3g} s, for the lines to come to rest")
        return value


class ArrayCard(Card):
    """A crossbar around its junctions."""

    read: ReadConditions
    wires: Wires
    switches: Switches
    levels: Levels
    timing: Timing
    r_short_ohm: float = Field(gt=0, le=1e5, description="of a shorted junction")


def load_array(name_or_path: str) -> ArrayCard:
    """Return the array card of a shipped name (``array45``) or of a TOML file's path.

    A library that the card names by a relative path is looked for beside the card.
    """
    path = find(name_or_path, arrays_folder())
    card = read_card(path, ArrayCard)
    library = Path(card.switches.library)
    if not library.is_absolute() and (beside := path.parent / library).is_file():
        switches = card.switches.model_copy(update={"library": str(beside)})
        card = card.model_copy(update={"switches": switches})
    return card
