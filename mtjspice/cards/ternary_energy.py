"""The card of what ternary synapses cost to read and to update."""

from pydantic import Field

from mtjspice.cards.loading import Card, Section, find, read_card
from mtjspice.resources import energy_folder


class Published(Section):
    """What the card is set beside."""

    read_tops_per_w: float = Field(gt=0, le=1e6)
    write_tops_per_w: float = Field(gt=0, le=1e6)


class ArraySize(Section):
    """How many synapses share what stands at the ends of a line."""

    rows: int = Field(ge=1, le=100_000, description="synapses on a column, which share its sense amplifier")
    columns: int = Field(ge=1, le=100_000, description="synapses on a row, which share its drivers")


class ReadCost(Section):
    """Of one read of the whole array."""

    v_read_v: float = Field(gt=0, le=2, description="of an input of +1 or -1")
    t_read_s: float = Field(gt=0, le=1e-3)
    activity: float = Field(gt=0, le=1, description="share of the inputs that are not 0")
    e_sense_j: float = Field(ge=0, le=1e-6, description="of a sense amplifier and its converter, in a read")
    e_driver_j: float = Field(ge=0, le=1e-6, description="of a row's drivers, in a read, if its input is not 0")
    ops_per_synapse: float = Field(gt=0, le=100)


class WriteCost(Section):
    """Of one update of the whole array, row after row."""

    i_ap_to_p_a: float = Field(gt=0, le=1e-2)
    i_p_to_ap_a: float = Field(gt=0, le=1e-2)
    t_write_s: float = Field(gt=0, le=1e-3)
    share: float = Field(gt=0, le=1, description="of the synapses that get a pulse")
    e_driver_j: float = Field(ge=0, le=1e-6, description="of drivers and gates, for each of them")
    ops_per_synapse: float = Field(gt=0, le=100)


class TernaryEnergyCard(Card):
    """Reads and updates of ternary synapses; the junctions' resistances are the junction card's."""

    source: str
    published: Published
    array: ArraySize
    read: ReadCost
    write: WriteCost


def load_ternary_energy(name_or_path: str) -> TernaryEnergyCard:
    """Return the card of a shipped name (``ternary``) or of a TOML file's path."""
    return read_card(find(name_or_path, energy_folder()), TernaryEnergyCard)
