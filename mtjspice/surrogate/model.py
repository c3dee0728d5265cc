"""Everything the surrogate knows of a cell and its array, read from files or computed."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mtjspice.calibration.cell import calibrate_cell
from mtjspice.calibration.drive import CellDrive, series_resistance_ohm
from mtjspice.cards.array import Architecture, ArrayCard, SwitchKind, load_array
from mtjspice.cards.campaign import Targets, paper_targets
from mtjspice.cards.conventions import Direction
from mtjspice.cards.junction import JunctionCard, load_card
from mtjspice.crossbar.switches import SwitchTable
from mtjspice.errors import DataError, ModelError
from mtjspice.files import make_folder
from mtjspice.jobs.progress import ProgressBars, progress
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.surrogate.read_model import ReadModel, keep_for, kept_places, kept_switch_table, switch_table_name
from mtjspice.switching.cell_surface import CellSurface
from mtjspice.switching.cell_surfaces import cell_surface

_SURE = 0.98


@dataclass(frozen=True)
class ArrayModel(ReadModel):
    """A calibrated cell in an array of one architecture."""

    surfaces: Mapping[Direction, CellSurface]
    drive: CellDrive


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
    table = kept_switch_table(parameters, card, array)
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
        model.table.save(folder / switch_table_name(model.array))


def _surface_name(direction: Direction) -> str:
    return f"cell_surface_{direction}.npz"


def _surfaces(
    parameters: MacrospinParameters, card: JunctionCard, progress: ProgressBars
) -> Mapping[Direction, CellSurface]:
    for place in kept_places(card):
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
    keep_for(card, lambda cache: _save_surfaces(found, cache))
    return found


def _save_surfaces(surfaces: Mapping[Direction, CellSurface], folder: Path) -> None:
    for direction, surface in surfaces.items():
        surface.save(folder / _surface_name(direction))
