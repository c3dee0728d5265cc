"""Everything the surrogate knows of a cell and its array, read from files or computed."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from mtjspice.calibration.cell import calibrate_cell
from mtjspice.calibration.drive import CellDrive, series_resistance_ohm
from mtjspice.calibration.transistor import switch_table, table_source
from mtjspice.cards.array import Architecture, ArrayCard, SwitchKind, load_array
from mtjspice.cards.campaign import Targets, paper_targets
from mtjspice.cards.conventions import Direction
from mtjspice.cards.junction import JunctionCard, load_card
from mtjspice.crossbar.switches import SwitchTable
from mtjspice.errors import DataError, ModelError, OutputError
from mtjspice.files import make_folder
from mtjspice.jobs.progress import ProgressBars, progress
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import antiparallel_resistance_ohm
from mtjspice.resources import calibration_folder, cell_cache_folder
from mtjspice.spice.crossbar_decks import Device
from mtjspice.switching.cell_surface import CellSurface
from mtjspice.switching.cell_surfaces import cell_surface

_SURE = 0.98


@dataclass(frozen=True)
class ArrayModel:
    """A calibrated cell in an array of one architecture."""

    architecture: Architecture
    array: ArrayCard
    parameters: MacrospinParameters
    table: SwitchTable
    surfaces: Mapping[Direction, CellSurface]
    drive: CellDrive

    @cached_property
    def select_ohm(self) -> float:
        """A 1T1R cell's select transistor at small currents; 0 in 1R."""
        if self.architecture is Architecture.ONE_R:
            return 0.0
        return series_resistance_ohm(self.table, self.array.switches.select_width_m, 0.0)

    @cached_property
    def cell_conductances_s(self) -> tuple[float, float]:
        """(G_P, G_AP) of a nominal cell at the read voltage, with its transistor or its share of its lines'."""
        switches = self.array.switches
        in_series_ohm = self.select_ohm
        if self.architecture is Architecture.ONE_R:
            widths_m = (switches.row_width_per_cell_m, switches.column_width_per_cell_m)
            in_series_ohm = sum(series_resistance_ohm(self.table, width_m, 0.0) for width_m in widths_m)
        r_ap_ohm = antiparallel_resistance_ohm(self.parameters, self.array.read.v_read_v)
        return 1 / (self.parameters.r_p_ohm + in_series_ohm), 1 / (r_ap_ohm + in_series_ohm)

    @cached_property
    def reference_s(self) -> float:
        """Conductance of a reference cell: the mean of the two states'."""
        return sum(self.cell_conductances_s) / 2

    @property
    def device(self) -> Device:
        """The same array for a netlist. A reference cell always has a select transistor, in 1R too."""
        transistor_ohm = series_resistance_ohm(self.table, self.array.switches.select_width_m, 0.0)
        return Device(self.parameters, self.array, 1 / self.reference_s - transistor_ohm)


def array_model(
    architecture: Architecture,
    card: JunctionCard,
    array: ArrayCard,
    targets: Targets,
    *,
    progress: ProgressBars,
) -> ArrayModel:
    """Return the model of `card`'s junctions in `array`.

    What the shipped calibration of the card holds for this very card and array is read from there. The rest is
    computed, surfaces by Fokker-Planck, which takes a while, the switch table by ngspice, and kept in the user's cache.

    Raises:
        ModelError: the junction is not axially symmetric.
        NgspiceMissingError: a transistor has to be measured, and there is no ngspice.
        InputError: the transistor library cannot be used.
    """
    parameters = MacrospinParameters.from_card(card)
    surfaces = _surfaces(parameters, card, progress)
    table = _table(parameters, card, array)
    drive = cell_drive(architecture, parameters, array, table, targets)
    return ArrayModel(architecture, array, parameters, table, surfaces, drive)


def load_model(
    architecture: Architecture | str,
    card: str = "mondal2018",
    array: str = "array45",
    *,
    progress: ProgressBars = progress,
) -> ArrayModel:
    """Return the model of cards by name or file, for the paper's pulse widths and threshold; raises as `array_model`.

    Raises:
        CardError: a card that is not there, or cannot be used.
    """
    return array_model(
        Architecture(architecture), load_card(card), load_array(array), paper_targets(), progress=progress
    )


def require_sure(model: ArrayModel) -> None:
    """Require that the surfaces end where even the shortest pulse nearly always switches.

    Kernels take their highest voltage for anything above it: resistances that vary reach far.

    Raises:
        ModelError: they end too early.
    """
    for direction, surface in model.surfaces.items():
        highest_v = surface.voltages_v[-1]
        sure = float(surface.at(highest_v, model.drive.t0_s, model.select_ohm))
        if sure < _SURE:
            raise ModelError(
                "the switching surface ends too early",
                where=f"{direction.label}, up to {highest_v:.4g} V",
                given=f"a pulse of {model.drive.t0_s:.3g} s switches with probability {sure:.3g} there",
                allowed=f"{_SURE} or more",
                next_step="make a surface over a wider range; nothing is extrapolated",
            )


def cell_drive(
    architecture: Architecture,
    parameters: MacrospinParameters,
    array: ArrayCard,
    table: SwitchTable,
    targets: Targets,
) -> CellDrive:
    """Return the calibrated drive of a cell: behind its select transistor in 1T1R, bare in 1R."""
    if architecture is Architecture.ONE_R:
        return CellDrive(architecture, array, table, calibrate_cell(parameters, targets, 0.0))
    # The select transistor's resistance depends a little on the current, which depends a little on it.
    width_m = array.switches.select_width_m
    bare = calibrate_cell(parameters, targets, 0.0)
    coefficients = {}
    for direction in Direction:
        middle_a = direction.current_sign * (bare[direction].i0_a + bare[direction].i1_a / 2)
        r_ohm = series_resistance_ohm(table, width_m, middle_a)
        coefficients[direction] = calibrate_cell(parameters, targets, r_ohm)[direction]
    return CellDrive(architecture, array, table, coefficients)


def save_model(model: ArrayModel, folder: Path) -> None:
    """Write surfaces and switch table, each a file of its own."""
    make_folder(folder)
    _save_surfaces(model.surfaces, folder)
    if model.array.switches.kind is SwitchKind.BSIM4:
        model.table.save(folder / _table_name(model.array))


def _surface_name(direction: Direction) -> str:
    return f"cell_surface_{direction}.npz"


def _table_name(array: ArrayCard) -> str:
    return f"switch_{array.name}.npz"


def _places(card: JunctionCard) -> tuple[Path, Path]:
    return calibration_folder() / card.name, cell_cache_folder(card.sha256)


def _surfaces(
    parameters: MacrospinParameters, card: JunctionCard, progress: ProgressBars
) -> Mapping[Direction, CellSurface]:
    for place in _places(card):
        with suppress(DataError):
            kept = {direction: CellSurface.load(place / _surface_name(direction)) for direction in Direction}
            if all(surface.provenance.get("card_sha256") == card.sha256 for surface in kept.values()):
                return kept
    found = {}
    for direction in Direction:
        report: Callable[[int, int], None]
        with progress(f"Fokker-Planck: cells, {direction.label}") as report:
            surface = cell_surface(parameters, direction, report)
        found[direction] = replace(surface, provenance={"card": card.name, "card_sha256": card.sha256})
    _keep(card, lambda cache: _save_surfaces(found, cache))
    return found


def _table(parameters: MacrospinParameters, card: JunctionCard, array: ArrayCard) -> SwitchTable:
    if array.switches.kind is SwitchKind.IDEAL:
        return switch_table(array, parameters.r_p_ohm)
    for place in _places(card):
        with suppress(DataError):
            kept = SwitchTable.load(place / _table_name(array))
            if kept.source == table_source(array):
                return kept
    found = switch_table(array, parameters.r_p_ohm)
    _keep(card, lambda cache: found.save(cache / _table_name(array)))
    return found


def _save_surfaces(surfaces: Mapping[Direction, CellSurface], folder: Path) -> None:
    for direction, surface in surfaces.items():
        surface.save(folder / _surface_name(direction))


def _keep(card: JunctionCard, save: Callable[[Path], None]) -> None:
    """Let `save` write into the card's cache; one that cannot be written costs time only."""
    with suppress(OutputError):
        save(make_folder(cell_cache_folder(card.sha256)))
