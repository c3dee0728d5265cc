"""The `mtjspice` command: parse, call one function, print."""

import os

# The matrices here are small: threads inside a product only get in the way of workers that are processes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import importlib
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from mtjspice import __version__
from mtjspice.calibration.calibrate import calibrate
from mtjspice.calibration.card_summary import summarise
from mtjspice.calibration.optimise import optimise_widths
from mtjspice.calibration.outputs import write_calibration
from mtjspice.calibration.sources import ExactSource, MeasuredSource, SimulatedSource, Source
from mtjspice.calibration.surfaces import wide_surfaces
from mtjspice.cards.array import ArrayCard
from mtjspice.cards.campaign import CampaignCard, load_campaign
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import JunctionCard, find_card, load_card, shipped_cards
from mtjspice.errors import InputError, MtjspiceError, NgspiceMissingError, SimulationError, StoppedError
from mtjspice.files import make_folder, sha256_of
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import ClusterExecutor, Executor, LocalExecutor, default_workers
from mtjspice.jobs.progress import progress
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.report.benchmark_table import benchmark_table
from mtjspice.report.calibration_page import draw_calibration
from mtjspice.report.calibration_tables import coefficients_table, voltage_table, widths_table
from mtjspice.report.card_tables import direction_table, junction_table
from mtjspice.resources import checkout, netlists_folder
from mtjspice.spice.ngspice import find_ngspice, ngspice_version
from mtjspice.switching.deterministic import probabilities
from mtjspice.switching.intervals import exact_interval
from mtjspice.switching.measurements import read_measurements
from mtjspice.switching.monte_carlo import measure
from mtjspice.switching.points import Engine, Point

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
card_app = typer.Typer(no_args_is_help=True, help="Junction cards: list, show, check.")
app.add_typer(card_app, name="card")

_WIDTH = 100
_out = Console(width=_WIDTH, soft_wrap=False, highlight=False)
_err = Console(stderr=True, width=_WIDTH, highlight=False)

CardArgument = Annotated[str, typer.Argument(metavar="CARD", help="A shipped card's name, or a TOML file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else, on stdout.")]
SeedOption = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Root seed of all random numbers.")]
WorkersOption = Annotated[int | None, typer.Option(min=1, help="Processes; all cores when left out.")]
SchedulerOption = Annotated[str | None, typer.Option(metavar="tcp://HOST:PORT", help="Run on a dask cluster instead.")]
CampaignOption = Annotated[str, typer.Option(help="A shipped campaign's name, or a TOML file.")]


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback with an error.")] = False,
) -> None:
    """From a magnetic tunnel junction's card to calibrated stochastic writes."""


@card_app.command("list")
def card_list(as_json: JsonOption = False) -> None:
    """List the shipped junction cards."""
    cards = {name: load_card(name).description for name in shipped_cards()}
    if as_json:
        _print_json(cards)
    else:
        for name, description in cards.items():
            _out.print(f"{name:16} {description}", markup=False)


@card_app.command("show")
def card_show(
    card: CardArgument,
    campaign: CampaignOption = "table3",
    as_toml: Annotated[bool, typer.Option("--toml", help="Print the card file itself.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what follows from a card: barriers, critical currents, retention, write voltages, read disturb."""
    junction = load_card(card)
    if as_toml:
        sys.stdout.write(find_card(card).read_text(encoding="utf-8"))
        return
    summary = summarise(junction, load_campaign(campaign), ArrayCard())
    if as_json:
        _print_json(summary)
        return
    _out.print(f"{junction.name}: {junction.description}\n{' '.join(junction.source.split())}\n", markup=False)
    _out.print(junction_table(summary), "", direction_table(summary), "", sep="\n")
    _out.print("Not valid for:\n" + "\n".join(f"  - {use}" for use in junction.not_valid_for), markup=False)


@card_app.command("check")
def card_check(card: CardArgument) -> None:
    """Check a card file and name every fault in it."""
    _out.print(f"{load_card(card).name}: the card is valid", markup=False)


@app.command("probability")
def probability(
    card: CardArgument,
    direction: Annotated[Direction, typer.Option(help="Of switching.")],
    width: Annotated[float, typer.Option(help="Pulse width, seconds.")],
    current: Annotated[float | None, typer.Option(help="Magnitude of a constant current, A.")] = None,
    voltage: Annotated[float | None, typer.Option(help="Magnitude of a constant voltage, V.")] = None,
    engine: Annotated[Engine, typer.Option(help="Where the probability comes from.")] = Engine.NGSPICE,
    trials: Annotated[int, typer.Option(min=1, help="Pulses to simulate.")] = 1000,
    campaign: CampaignOption = "table3",
    seed: SeedOption = 1,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Probability that one pulse switches a junction."""
    if (current is None) == (voltage is None):
        raise InputError("give either --current or --voltage", given=f"--current {current} --voltage {voltage}")
    drive, level = (Drive.CURRENT, current) if current is not None else (Drive.VOLTAGE, voltage)
    assert level is not None
    for name, value, unit in (("level", level, drive.unit), ("width", width, "s")):
        if not 0 < value < 1:
            raise InputError(f"the pulse's {name} is out of range", given=f"{value:g} {unit}", allowed=f"0 to 1 {unit}")
    parameters = MacrospinParameters.from_card(load_card(card))
    plan = load_campaign(campaign)
    result: dict[str, Any] = {"engine": engine.value, "direction": direction.value}
    match engine:
        case Engine.MEASURED:
            raise InputError(
                "measurements answer for calibrations only",
                given="--engine measured",
                next_step="mtjspice calibrate CARD --engine measured --data pulses.csv",
            )
        case Engine.FOKKER_PLANCK | Engine.CLOSED_FORM:
            p = float(probabilities(engine, parameters, direction, drive, [level], [width])[0, 0])
            result |= {"probability": p, "trials": None, "switched": None, "low95": p, "high95": p, "not_simulated": []}
        case Engine.NGSPICE | Engine.MACROSPIN:
            point = Point(direction, drive, level, (width,), trials)
            with _stoppable("give the command again"), progress(f"{engine}: pulses") as on_progress:
                (counts,) = measure(
                    engine,
                    parameters,
                    [point],
                    time_step_s=plan.time_step_s,
                    batch_size=plan.batch_size,
                    seed=seed,
                    executor=_executor(workers, scheduler),
                    on_progress=on_progress,
                )
            if counts.trials == 0:
                raise SimulationError("no trial could be simulated", given=counts.not_simulated[0])
            switched = int(counts.switched[0])
            low, high = exact_interval(switched, counts.trials)
            result |= {
                "probability": switched / counts.trials,
                "trials": counts.trials,
                "switched": switched,
                "low95": float(low),
                "high95": float(high),
                "not_simulated": list(counts.not_simulated),
            }
    if as_json:
        _print_json(result)
        return
    of = f" ({result['switched']} of {result['trials']} switched)" if result["trials"] is not None else ""
    interval = f", 95 % interval {result['low95']:.4g} to {result['high95']:.4g}" if of else ""
    _out.print(f"P({direction.label}) = {result['probability']:.4g}{of}{interval}, by {engine}", markup=False)
    _warn_of_lost_trials(result["not_simulated"])


@app.command("calibrate")
def calibrate_command(
    card: CardArgument = "mondal2018",
    engine: Annotated[str, typer.Option(help="auto, " + ", ".join(Engine))] = "auto",
    data: Annotated[Path | None, typer.Option(help="CSV of pulses, for --engine measured.")] = None,
    campaign: CampaignOption = "table3",
    out: Annotated[Path | None, typer.Option(help="Folder for results; out/CARD when left out.")] = None,
    seed: SeedOption = 1,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")] = False,
    widths: Annotated[
        bool,
        typer.Option("--optimise-widths", help="Also find the t0, t1 of the most linear map, for the same t0 + t1."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find the write coefficients t0, t1, I0, I1 of a junction, for both directions."""
    started = time.monotonic()
    junction, plan = load_card(card), load_campaign(campaign)
    parameters = MacrospinParameters.from_card(junction)
    folder = make_folder(out or Path("out") / junction.name)
    chosen, spice = _choose_engine(engine, data, parameters)
    identity = _identity(junction, plan, chosen, seed, spice)
    going_on = f"finished batches are kept in {folder}: give the same command with --resume"
    with _stoppable(going_on), Checkpoint(folder / "checkpoint", sha256_of(identity)) as checkpoint:
        _require_resume(checkpoint, folder, resume)
        source = _source(chosen, parameters, plan, data, seed, _executor(workers, scheduler), checkpoint)
        result = calibrate(junction, plan, source)
        with progress("Fokker-Planck: surfaces") as on_progress:
            surfaces = wide_surfaces(parameters, result, on_progress)
        choices = None
        if widths:
            with progress("Fokker-Planck: widths") as on_progress:
                choices = optimise_widths(parameters, plan, on_progress)
        provenance = identity | {"elapsed_s": round(time.monotonic() - started, 1)}
        write_calibration(result, surfaces, provenance, folder)
        figures = draw_calibration(result, surfaces, folder)
        checkpoint.remove()
    if as_json:
        _print_json(result.to_json(provenance))
        return
    for table in (coefficients_table(result), voltage_table(result), widths_table(*choices) if choices else None):
        if table:
            _out.print(table, "")
    _warn_of_lost_trials(result.not_simulated)
    _out.print(f"{folder}/calibration.json, tables and {len(figures)} figures", markup=False)


@app.command("bench")
def bench(as_json: JsonOption = False) -> None:
    """Measure the speed, as ratios to other ways of doing the same in the same run."""
    top = checkout()
    if top is None:
        raise InputError("benchmarks come with the source, not with the package", next_step="run `make bench` there")
    sys.path.insert(0, str(top))
    rows = []
    names = sorted(path.stem for path in (top / "benchmarks").glob("[!_]*.py"))
    with progress("benchmarks") as on_progress:
        for done, name in enumerate(names):
            on_progress(done, len(names))
            rows += importlib.import_module(f"benchmarks.{name}").benchmarks()
        on_progress(len(names), len(names))
    if as_json:
        _print_json(rows)
    else:
        _out.print(benchmark_table(rows))


@contextmanager
def _stoppable(next_step: str) -> Iterator[None]:
    """Turn Ctrl-C into a message."""
    try:
        yield
    except KeyboardInterrupt:
        raise StoppedError("stopped", next_step=next_step) from None


def _choose_engine(name: str, data: Path | None, parameters: MacrospinParameters) -> tuple[Engine, str]:
    """Return the engine, and ngspice's version or why SPICE does not run."""
    if (name == Engine.MEASURED) != (data is not None):
        raise InputError(
            "measurements come with their engine, and the engine with measurements",
            given=f"--engine {name}" + (f" --data {data}" if data else ""),
            allowed="--engine measured --data pulses.csv",
        )
    if name not in ("auto", *Engine):
        raise InputError("there is no such engine", given=f"--engine {name}", allowed="auto, " + ", ".join(Engine))
    if name not in ("auto", Engine.NGSPICE):
        return Engine(name), "not asked for"
    try:
        return Engine.NGSPICE, str(ngspice_version(find_ngspice()))
    except NgspiceMissingError as error:
        if name == Engine.NGSPICE:
            raise
        fallback = Engine.FOKKER_PLANCK if parameters.is_axially_symmetric else Engine.MACROSPIN
        _err.print(f"SPICE did not run; these coefficients are by {fallback}.\n{error}\n", markup=False)
        return fallback, "not found"


def _identity(junction: JunctionCard, plan: CampaignCard, engine: Engine, seed: int, spice: str) -> dict[str, Any]:
    """Return everything that determines a result."""
    templates = sorted(netlists_folder().glob("*.j2"))
    return {
        "mtjspice": __version__,
        "engine": engine.value,
        "ngspice": spice,
        "seed": seed,
        "card_sha256": junction.sha256,
        "campaign_sha256": plan.sha256,
        "netlist_sha256": sha256_of("".join(path.read_text(encoding="utf-8") for path in templates)),
    }


def _source(
    engine: Engine,
    parameters: MacrospinParameters,
    plan: CampaignCard,
    data: Path | None,
    seed: int,
    executor: Executor,
    checkpoint: Checkpoint,
) -> Source:
    if data is not None:
        return MeasuredSource(read_measurements(data), plan)
    if engine in (Engine.FOKKER_PLANCK, Engine.CLOSED_FORM):
        return ExactSource(engine, parameters, plan)
    return SimulatedSource(
        engine, parameters, plan, seed=seed, executor=executor, checkpoint=checkpoint, progress=progress
    )


def _require_resume(checkpoint: Checkpoint, folder: Path, resume: bool) -> None:
    finished = len(checkpoint.finished())
    for path in checkpoint.discarded:
        _err.print(f"{path.name} was damaged; its batch is simulated again", markup=False)
    if finished and not resume:
        raise InputError(
            f"an unfinished run of this calibration holds {finished} finished batches",
            where=folder,
            next_step="add --resume to go on with it, or choose another folder with --out",
        )


def _executor(workers: int | None, scheduler: str | None) -> Executor:
    return ClusterExecutor(scheduler) if scheduler else LocalExecutor(workers or default_workers())


def _warn_of_lost_trials(reasons: Any) -> None:
    if reasons:
        _err.print(f"{len(reasons)} trials could not be simulated and are not counted:", markup=False)
        for reason in sorted(set(reasons)):
            _err.print(f"  {list(reasons).count(reason)} x {reason}", markup=False)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False) + "\n")


def main() -> None:
    """Run the command; print one message for an error, and a traceback only with --debug."""
    try:
        app()
    except MtjspiceError as error:
        if "--debug" in sys.argv:
            raise
        _err.print(f"error: {error}", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
