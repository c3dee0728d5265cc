"""A calibration from start to files: engine chosen, resumed where it stopped, written whole."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtjspice.calibration.calibrate import calibrate
from mtjspice.calibration.optimise import WidthChoice, optimise_widths
from mtjspice.calibration.outputs import write_calibration
from mtjspice.calibration.result import CalibrationResult
from mtjspice.calibration.sources import ExactSource, MeasuredSource, SimulatedSource, Source
from mtjspice.calibration.surfaces import wide_surfaces
from mtjspice.cards.campaign import CampaignCard
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import JunctionCard
from mtjspice.errors import InputError, NgspiceMissingError
from mtjspice.files import make_folder, sha256_of, write_json
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import Executor
from mtjspice.jobs.progress import ProgressBars
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.spice.ngspice import find_ngspice, ngspice_version
from mtjspice.switching.measurements import read_measurements
from mtjspice.switching.points import Engine
from mtjspice.switching.provenance import provenance_of
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
    warnings: list[str]
    """What a reader should know, a line each."""

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return self.result.to_json(self.provenance) | ({"widths": _widths_json(self.widths)} if self.widths else {})


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
        symmetric = MacrospinParameters.from_card(card).is_axially_symmetric
        fallback = Engine.FOKKER_PLANCK if symmetric else Engine.MACROSPIN
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
    progress: ProgressBars,
    draw: Callable[[CalibrationRun, Path], object],
) -> CalibrationRun:
    """Calibrate `card` and write the files of `mtjspice.calibration.outputs`, and figures, into `folder`.

    Finished batches are kept in `folder`/checkpoint until everything is written.

    Args:
        choice: see `choose_engine`.
        data: measurements, for the measured engine.
        optimise: also look for the widths of the most linear map.
        draw: writes the figures of a run into a folder.

    Raises:
        InputError: an unfinished run of this calibration is there and `resume` is not given, bad measurements, or
            `optimise` for what Fokker-Planck does not describe.
        MtjspiceError: whatever stops the calibration.
    """
    started = time.monotonic()
    parameters = MacrospinParameters.from_card(card)
    if optimise and (choice.engine is Engine.MEASURED or not parameters.is_axially_symmetric):
        raise InputError(
            "widths are optimised by Fokker-Planck, which does not describe this junction",
            given="measurements" if choice.engine is Engine.MEASURED else "a card without axial symmetry",
            next_step="leave --optimise-widths away",
        )
    measurements = read_measurements(data) if data is not None else None
    provenance = provenance_of(card, campaign, choice.engine, choice.ngspice, seed)
    if data is not None:
        provenance["data_sha256"] = sha256_of(data.read_text(encoding="utf-8"))
    with Checkpoint(make_folder(folder) / "checkpoint", sha256_of(provenance)) as checkpoint:
        checkpoint.require_resume(resume)
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
            surfaces, missing = wide_surfaces(parameters, result, provenance, on_progress)
        timed = provenance | {"elapsed_s": round(time.monotonic() - started, 1)}
        write_calibration(result, surfaces, timed, folder)
        widths = None
        if optimise:
            with progress("Fokker-Planck: widths") as on_progress:
                widths = optimise_widths(parameters, campaign, on_progress)
            write_json(folder / "widths.json", _widths_json(widths) | {"provenance": timed})
        damaged = [f"{path.name} was damaged; its batch was simulated again" for path in checkpoint.discarded]
        run = CalibrationRun(result, surfaces, widths, timed, damaged + missing + result.warnings)
        draw(run, folder)
        checkpoint.remove()
    return run


def _widths_json(widths: tuple[WidthChoice, WidthChoice]) -> dict[str, Any]:
    given, best = widths
    return {"campaign": given.to_json(), "optimised": best.to_json()}
