"""What a read of an array sees of its cells: junctions, and what is in series with them."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from mtjspice.calibration.drive import series_resistance_ohm
from mtjspice.calibration.transistor import switch_table, table_source
from mtjspice.cards.array import Architecture, ArrayCard, SwitchKind
from mtjspice.cards.junction import JunctionCard
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.switches import SwitchTable
from mtjspice.errors import DataError, OutputError
from mtjspice.files import make_folder
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import antiparallel_resistance_ohm
from mtjspice.resources import calibration_folder, cell_cache_folder
from mtjspice.spice.crossbar_decks import Device


@dataclass(frozen=True)
class ReadModel:
    """Junctions of a card in an array of one architecture, as reads see them."""

    architecture: Architecture
    array: ArrayCard
    parameters: MacrospinParameters
    table: SwitchTable

    @cached_property
    def select_ohm(self) -> float:
        """A 1T1R cell's select transistor at small currents; 0 in 1R."""
        if self.architecture is Architecture.ONE_R:
            return 0.0
        return series_resistance_ohm(self.table, self.array.switches.select_width_m, 0.0)

    @cached_property
    def in_series_ohm(self) -> float:
        """What is in series with each junction in a read: its transistor, or its share of its lines'."""
        if self.architecture is Architecture.ONE_T_ONE_R:
            return self.select_ohm
        switches = self.array.switches
        widths_m = (switches.row_width_per_cell_m, switches.column_width_per_cell_m)
        return sum(series_resistance_ohm(self.table, width_m, 0.0) for width_m in widths_m)

    @cached_property
    def cell_conductances_s(self) -> tuple[float, float]:
        """(G_P, G_AP) of a nominal cell at the read voltage, with what is in series."""
        r_ap_ohm = antiparallel_resistance_ohm(self.parameters, self.array.read.v_read_v)
        return 1 / (self.parameters.r_p_ohm + self.in_series_ohm), 1 / (r_ap_ohm + self.in_series_ohm)

    @cached_property
    def reference_s(self) -> float:
        """Conductance of a reference cell: the mean of the two states'."""
        return sum(self.cell_conductances_s) / 2

    def conductance_s(self, cells: Cells) -> np.ndarray:
        """Return the conductances, (rows, columns), that a read sees: linear, with what is in series, without wires."""
        own_s, _ = cells.conductance_s(np.full(cells.state.shape, self.array.read.v_read_v))
        return own_s / (1 + self.in_series_ohm * own_s)

    @property
    def device(self) -> Device:
        """The same array for a netlist. A reference cell always has a select transistor, in 1R too."""
        transistor_ohm = series_resistance_ohm(self.table, self.array.switches.select_width_m, 0.0)
        return Device(self.parameters, self.array, 1 / self.reference_s - transistor_ohm)


def read_model(architecture: Architecture, card: JunctionCard, array: ArrayCard) -> ReadModel:
    """Return the model of `card`'s junctions in `array`; a transistor that is not known yet is measured by ngspice.

    Raises:
        NgspiceMissingError: a transistor has to be measured, and there is no ngspice.
        InputError: the transistor library cannot be used.
    """
    parameters = MacrospinParameters.from_card(card)
    return ReadModel(architecture, array, parameters, kept_switch_table(parameters, card, array))


def kept_switch_table(parameters: MacrospinParameters, card: JunctionCard, array: ArrayCard) -> SwitchTable:
    """Return the switches of an array, shipped with the card or kept in the user's cache if they were measured."""
    if array.switches.kind is SwitchKind.IDEAL:
        return switch_table(array, parameters.r_p_ohm)
    for place in kept_places(card):
        with suppress(DataError):
            kept = SwitchTable.load(place / switch_table_name(array))
            if kept.source == table_source(array):
                return kept
    found = switch_table(array, parameters.r_p_ohm)
    keep_for(card, lambda cache: found.save(cache / switch_table_name(array)))
    return found


def switch_table_name(array: ArrayCard) -> str:
    """Return the name of the file of an array's switches."""
    return f"switch_{array.name}.npz"


def kept_places(card: JunctionCard) -> tuple[Path, Path]:
    """Return the folders in which a card's results may lie."""
    return calibration_folder() / card.name, cell_cache_folder(card.sha256)


def keep_for(card: JunctionCard, save: Callable[[Path], None]) -> None:
    """Let `save` write into the card's cache; one that cannot be written costs time only."""
    with suppress(OutputError):
        save(make_folder(cell_cache_folder(card.sha256)))
