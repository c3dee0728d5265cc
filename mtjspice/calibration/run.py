"""A calibration from start to files: engine chosen, resumed where it stopped, written whole."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtjspice import __version__
from mtjspice.calibration.calibrate import calibrate
from mtjspice.calibration.optimise import WidthChoice, optimise_widths
from mtjspice.calibration.outputs import write_calibration
from mtjspice.calibration.result import CalibrationResult
from mtjspice.calibration.sources import ExactSource, MeasuredSource, Progress, SimulatedSource, Source
from mtjspice.calibration.surfaces import wide_surfaces
from mtjspice.cards.campaign import CampaignCard
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import JunctionCard
from mtjspice.errors import InputError, NgspiceMissingError
from mtjspice.files import make_folder, sha256_of
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import Executor
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.resources import netlists_folder
from mtjspice.spice.ngspice import find_ngspice, ngspice_version
from mtjspice.switching.measurements import read_measurements
from mtjspice.switching.points import Engine
from mtjspice.switching.surface import SwitchingSurface


@dataclass(frozen=True)
class EngineChoice:
    """The engine of a calibration, and whether SPICE runs."""

    engine: Engine
    ngspice: str
    """Its version, or why it does not run; stands in the provenance."""
    spice_missing: NgspiceMissingError | None = None
    """Why `auto` had to do without SPICE."""


@dataclass(frozen=True)
class CalibrationRun:
    """What a calibration leaves."""

    result: CalibrationResult
    surfaces: dict[tuple[Direction, Drive], SwitchingSurface]
    widths: tuple[WidthChoice, WidthChoice] | None
    """The campaign's widths and the most linear ones, if they were asked for."""
    provenance: dict[str, Any]
    damaged: list[Path]
    """Checkpoint files that could not be read; their batches were simulated again."""


def choose_engine(name: str, data: Path | None, card: JunctionCard) -> EngineChoice:
    """Return the engine called `name`; `auto` is ngspice, or the best engine without it where it is missing.

    Raises:
        InputError: no such engine, or `data` without the measured engine, or that engine without data.
        NgspiceMissingError: ngspice was asked for by name and is not there.
    """
    if name not in ("auto", *Engine):
        raise InputError("there is no such engine", given=f"--engine {name}", allowed="auto, " + ", ".join(Engine))
    if (name == Engine.MEASURED) != (data is not None):
        raise InputError(
            "measurements come with their engine, and the engine with measurements",
            given=f"--engine {name}" + (f" --data {data}" if data else ""),
            allowed="--engine measured --data pulses.csv",
        )
    if name not in ("auto", Engine.NGSPICE):
        return EngineChoice(Engine(name), "not asked for")
    try:
        return EngineChoice(Engine.NGSPICE, str(ngspice_version(find_ngspice())))
    except NgspiceMissingError as error:
        if name == Engine.NGSPICE:
            raise
        fallback = Engine.FOKKER_PLANCK if card.is_axially_symmetric else Engine.MACROSPIN
        return EngineChoice(fallback, "not found", error)


def run_calibration(
    card: JunctionCard,
    campaign: CampaignCard,
    choice: EngineChoice,
    folder: Path,
    *,
    data: Path | None,
    seed: int,
    executor: Executor,
    resume: bool,
    optimise: bool,
    progress: Progress,
) -> CalibrationRun:
    """Calibrate `card` and write the files of `mtjspice.calibration.outputs` into `folder`.

    Finished batches are kept in `folder`/checkpoint until the result is written.

    Raises:
        InputError: an unfinished run of this calibration is there and `resume` is not given, or bad measurements.
        MtjspiceError: whatever stops the calibration.
    """
    started = time.monotonic()
    parameters = MacrospinParameters.from_card(card)
    measurements = read_measurements(data) if data is not None else None
    identity = _identity(card, campaign, choice, seed, data)
    with Checkpoint(make_folder(folder) / "checkpoint", sha256_of(identity)) as checkpoint:
        _require_resume(checkpoint, folder, resume)
        source: Source
        if measurements is not None:
            source = MeasuredSource(measurements, campaign)
        elif choice.engine in (Engine.FOKKER_PLANCK, Engine.CLOSED_FORM):
            source = ExactSource(choice.engine, parameters, campaign)
        else:
            source = SimulatedSource(
                choice.engine,
                parameters,
                campaign,
                seed=seed,
                executor=executor,
                checkpoint=checkpoint,
                progress=progress,
            )
        result = calibrate(card, campaign, source)
        with progress("Fokker-Planck: surfaces") as on_progress:
            surfaces = wide_surfaces(parameters, result, on_progress)
        widths = None
        if optimise:
            with progress("Fokker-Planck: widths") as on_progress:
                widths = optimise_widths(parameters, campaign, on_progress)
        provenance = identity | {"elapsed_s": round(time.monotonic() - started, 1)}
        write_calibration(result, surfaces, provenance, folder)
        damaged = list(checkpoint.discarded)
        checkpoint.remove()
    return CalibrationRun(result, surfaces, widths, provenance, damaged)


def _identity(
    card: JunctionCard, campaign: CampaignCard, choice: EngineChoice, seed: int, data: Path | None
) -> dict[str, Any]:
    """Return everything that determines the numbers."""
    templates = sorted(netlists_folder().glob("*.j2"))
    return {
        "mtjspice": __version__,
        "engine": choice.engine.value,
        "ngspice": choice.ngspice,
        "seed": seed,
        "card_sha256": card.sha256,
        "campaign_sha256": campaign.sha256,
        "data_sha256": sha256_of(data.read_text(encoding="utf-8")) if data else None,
        "netlist_sha256": sha256_of("".join(path.read_text(encoding="utf-8") for path in templates)),
    }


def _require_resume(checkpoint: Checkpoint, folder: Path, resume: bool) -> None:
    finished = len(checkpoint.finished())
    if finished and not resume:
        raise InputError(
            f"an unfinished run of this calibration holds {finished} finished batches",
            where=folder,
            next_step="add --resume to go on with it, or choose another folder with --out",
        )
