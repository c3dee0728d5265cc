"""The `mtjspice` command: parse, call one function, print."""

import os

# The matrices here are small: threads inside a product only get in the way of workers that are processes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from mtjspice.calibration.card_summary import summarise
from mtjspice.calibration.run import choose_engine, run_calibration
from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.campaign import load_campaign, paper_targets
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.die_statistics import load_die_statistics
from mtjspice.cards.junction import find_card, load_card, shipped_cards
from mtjspice.cards.ternary_energy import load_ternary_energy
from mtjspice.cards.training import RuleName, Switching
from mtjspice.cosim.gallery import write_gallery
from mtjspice.cosim.people_decks import DeckKind, write_deck
from mtjspice.cosim.run import (
    CosimRequest,
    Defects,
    cells_of,
    cosim_grid,
    cosim_step,
    grid_json,
    model_of,
    require_time,
)
from mtjspice.cosim.step import Step
from mtjspice.cosim.ternary import cosim_ternary
from mtjspice.cosim.ternary_decks import TernaryStep, write_ternary_decks
from mtjspice.cosim.ternary_energy import spice_energies
from mtjspice.crossbar.die_files import load_dies, require_cards
from mtjspice.crossbar.die_shapes import die_shapes
from mtjspice.crossbar.dies import Die
from mtjspice.crossbar.ternary import WeightKind
from mtjspice.errors import InputError, MtjspiceError, StoppedError
from mtjspice.experiments.dies import DieConditions, reproduce_dies
from mtjspice.experiments.patterns_campaign import run_patterns
from mtjspice.experiments.reproduce import Experiment, reproduce
from mtjspice.experiments.reproduction import Conditions
from mtjspice.files import make_folder, write_json
from mtjspice.jobs.executors import ClusterExecutor, Executor, LocalExecutor, default_workers
from mtjspice.jobs.progress import progress
from mtjspice.jobs.seeds import generator
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.report.benchmark_table import benchmark_table
from mtjspice.report.calibration_page import draw_calibration
from mtjspice.report.calibration_tables import coefficients_table, voltage_table, widths_table
from mtjspice.report.card_tables import direction_table, junction_table
from mtjspice.report.cell_tables import cell_table
from mtjspice.report.cosim_figures import draw_comparison, draw_grid
from mtjspice.report.cosim_tables import comparison_table, grid_table
from mtjspice.report.die_defects import defects_table
from mtjspice.report.die_training import die_training_table, draw_die_training, draw_evaluation, evaluation_table
from mtjspice.report.dies_page import draw_dies
from mtjspice.report.dies_tables import dies_tables
from mtjspice.report.dies_tables import heading as dies_heading
from mtjspice.report.patterns_figure import draw_patterns
from mtjspice.report.patterns_table import patterns_table
from mtjspice.report.reproduction_page import draw_reproduction
from mtjspice.report.reproduction_tables import footnotes, heading, reproduction_tables
from mtjspice.report.sneak_figure import draw_sneak
from mtjspice.report.sneak_tables import biasing_table, paper_table, sneak_table
from mtjspice.report.ternary_cosim import draw_ternary_cosim, ternary_cosim_lines, ternary_cosim_table
from mtjspice.report.ternary_energy import (
    draw_ternary_energy,
    energy_table,
    sensitivity_table,
    sets_table,
    spice_energy_table,
)
from mtjspice.report.ternary_training import draw_ternary, ternary_table
from mtjspice.report.training_figure import draw_training
from mtjspice.report.training_tables import training_table
from mtjspice.report.waveforms import draw_waveforms
from mtjspice.resources import checkout
from mtjspice.schedule import write_schedule
from mtjspice.spice.crossbar_decks import JunctionModel
from mtjspice.spice.decks import write_pulse_deck
from mtjspice.spice.simulate import simulate_deck
from mtjspice.surrogate.cell_summary import cell_summary
from mtjspice.surrogate.die_sets import dies_summary, load_maps, make_dies
from mtjspice.surrogate.model import array_model, save_model
from mtjspice.surrogate.read_model import read_model
from mtjspice.surrogate.sneak import biasing_comparison, paper_comparison, sneak_report
from mtjspice.surrogate.ternary_energy import ternary_energy
from mtjspice.switching.points import Engine, Point
from mtjspice.switching.probability import probability_of_pulse
from mtjspice.training.campaign import run_training
from mtjspice.training.dies.campaign import load_networks, run_die_training
from mtjspice.training.dies.chip import Sensing
from mtjspice.training.dies.deployment import Deployment
from mtjspice.training.dies.evaluation import evaluate_on_dies
from mtjspice.training.dies.parts import known_from
from mtjspice.training.dies.plan import DieMethod, DiePlan
from mtjspice.training.plan import Scenario
from mtjspice.training.rule import Hardware
from mtjspice.training.ternary.augmentation import Augmentation
from mtjspice.training.ternary.campaign import run_ternary
from mtjspice.training.ternary.plan import Proposer, TernaryPlan, TernaryRule
from mtjspice.training.train import training_plan


class CosimArch(StrEnum):
    """What a co-simulation is of: an array of cells of either architecture, or ternary synapses."""

    ONE_T_ONE_R = Architecture.ONE_T_ONE_R.value
    ONE_R = Architecture.ONE_R.value
    TERNARY = "ternary"


app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
card_app = typer.Typer(no_args_is_help=True, help="Junction cards: list, show, check.")
app.add_typer(card_app, name="card")
netlist_app = typer.Typer(no_args_is_help=True, help="Decks to open, read and run with ngspice alone.")
app.add_typer(netlist_app, name="netlist")
dies_app = typer.Typer(no_args_is_help=True, help="Many dies, each with its own defects and resistances.")
app.add_typer(dies_app, name="dies")
ternary_app = typer.Typer(no_args_is_help=True, help="Ternary synapses of two junctions.")
app.add_typer(ternary_app, name="ternary")

_WIDTH = 100
_out = Console(width=_WIDTH, soft_wrap=False, highlight=False)
_err = Console(stderr=True, width=_WIDTH, highlight=False)

CardArgument = Annotated[str, typer.Argument(metavar="CARD", help="A shipped card's name, or a TOML file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else, on stdout.")]
SeedOption = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Root seed of all random numbers.")]
WorkersOption = Annotated[int | None, typer.Option(min=1, help="Processes; all cores when left out.")]
SchedulerOption = Annotated[str | None, typer.Option(metavar="tcp://HOST:PORT", help="Run on a dask cluster instead.")]
DirectionOption = Annotated[Direction, typer.Option(help="Of switching.")]
WidthOption = Annotated[float, typer.Option(help="Pulse width, seconds.")]
CurrentOption = Annotated[float | None, typer.Option(help="Magnitude of a constant current, A.")]
VoltageOption = Annotated[float | None, typer.Option(help="Magnitude of a constant voltage, V.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")]
CardOption = Annotated[str, typer.Option(help="A junction card: a shipped one's name, or a TOML file.")]
_DIES_ARRAY = "select1500"
_TERNARY, _QUICK_EPOCHS = "ternary", 3
_ONLY_FOR_DIES = ("dies", "die", "calibrated", "copies")
_ONLY_TERNARY = ("levels", "weights", "proposer", "augment", "quick")
_NOT_TERNARY = ("split", "arch", "phases", "mean_field", "array_rows", "settings", "workers", "scheduler")
_NOT_COUNTED = ("levels", "proposer", "augment")
_NOT_FOR = {
    DieMethod.IDEAL: ("dies", "die", "calibrated"),
    DieMethod.HARDWARE_AWARE: ("calibrated",),
    DieMethod.CHIP_IN_THE_LOOP: ("calibrated",),
    DieMethod.STATISTICS_AWARE: ("die",),
}
_ONLY_IN_CROSSBARS = (
    "split",
    "phases",
    "rule",
    "variation",
    "switching",
    "mean_field",
    "array_rows",
    "settings",
    "workers",
    "scheduler",
)
"""Options of `train` that only some scenarios have."""
_ONLY_IN_CELL_ARRAYS = ("phases", "step", "variation", "stuck", "opened", "short", "grid", "yes")
"""Options of `cosim` that ternary synapses do not have."""
_SPELLED = {"opened": "open"}
"""Options whose Python name would hide a builtin."""
ArrayOption = Annotated[str, typer.Option(help="An array card: a shipped one's name, or a TOML file.")]
ArchOption = Annotated[Architecture, typer.Option(help="With a transistor in each cell, or without.")]
PhasesOption = Annotated[int | None, typer.Option(min=1, help="Of a write; 2 for 1t1r, 4 (or 2) for 1r.")]
RowsOption = Annotated[int, typer.Option(min=1, help="Inputs.")]
ColsOption = Annotated[int, typer.Option(min=1, help="Outputs.")]
StepOption = Annotated[Path | None, typer.Option(help="JSON file with x, delta and state; drawn by the seed without.")]
VariationOption = Annotated[float, typer.Option(help="Spread of R_P and R_AP from cell to cell, %.")]
StuckOption = Annotated[list[str] | None, typer.Option(help="ROW,COLUMN of a cell that keeps its state, from 1.")]
OpenOption = Annotated[list[str] | None, typer.Option("--open", help="ROW,COLUMN of a cell that conducts nothing.")]
ShortOption = Annotated[list[str] | None, typer.Option(help="ROW,COLUMN of a shorted cell.")]
ModelOption = Annotated[
    JunctionModel, typer.Option(help="The junction: a subcircuit, or the compiled Verilog-A model.")
]
LevelOption = Annotated[
    float, typer.Option(min=0, max=1, help="Of the drivers: junctions start at I0 + I1 LEVEL; training's is 0.")
]
DeckFolderOption = Annotated[Path, typer.Option(help="Folder for the deck and what it needs.")]
NetOption = Annotated[str, typer.Option(help="Layer sizes of the network that a die holds in pairs of cells.")]
CopiesOption = Annotated[int, typer.Option(min=1, help="Of each output of the last layer.")]
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
    summary = summarise(junction, load_campaign(campaign), load_array("array45"))
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
    direction: DirectionOption,
    width: WidthOption,
    current: CurrentOption = None,
    voltage: VoltageOption = None,
    engine: Annotated[Engine, typer.Option(help="Where the probability comes from.")] = Engine.NGSPICE,
    trials: Annotated[int, typer.Option(min=1, help="Pulses to simulate.")] = 1000,
    campaign: CampaignOption = "table3",
    seed: SeedOption = 1,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the result, and for finished batches meanwhile.")] = None,
    resume: ResumeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Probability that one pulse switches a junction."""
    drive, level = _pulse(current, voltage, width)
    kept = f"finished batches are kept in {out}: give the same command with --resume"
    with _stoppable(kept if out else "with --out and --resume a stopped run could go on"):
        result = probability_of_pulse(
            load_card(card),
            load_campaign(campaign),
            engine,
            Point(direction, drive, level, (width,), trials),
            seed=seed,
            executor=_executor(workers, scheduler),
            folder=out,
            resume=resume,
            progress=progress,
        )
    _warn([], {loss["reason"]: loss["trials"] for loss in result["not_simulated"]})
    if as_json:
        _print_json(result)
        return
    of = f" ({result['switched']} of {result['trials']} switched)" if result["trials"] is not None else ""
    interval = f", 95 % interval {result['low95']:.4g} to {result['high95']:.4g}" if of else ""
    _out.print(f"P({direction.label}) = {result['probability']:.4g}{of}{interval}, by {engine}", markup=False)


@netlist_app.command("cell")
def netlist_cell(
    direction: DirectionOption,
    width: WidthOption,
    card: CardArgument = "mondal2018",
    current: CurrentOption = None,
    voltage: VoltageOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the deck.")] = Path("out"),
    seed: SeedOption = 1,
) -> None:
    """Write the deck of one write pulse on one junction; run it with ngspice."""
    drive, level = _pulse(current, voltage, width)
    path = write_pulse_deck(load_card(card), direction, drive, level, width, out, generator(seed, ()))
    _out.print(f"{path}: run it with `ngspice {path.name}`, or `ngspice -b {path.name}`", markup=False)


@netlist_app.command("read")
def netlist_read(
    arch: ArchOption = Architecture.ONE_T_ONE_R,
    rows: RowsOption = 4,
    cols: ColsOption = 4,
    card: CardOption = "mondal2018",
    array: ArrayOption = "array45",
    step: StepOption = None,
    variation: VariationOption = 0.0,
    stuck: StuckOption = None,
    opened: OpenOption = None,
    short: ShortOption = None,
    out: DeckFolderOption = Path("out/read"),
    seed: SeedOption = 1,
) -> None:
    """Write the deck of one read of a crossbar."""
    _write_deck(
        DeckKind.READ, arch, None, rows, cols, card, array, step, variation, stuck, opened, short, out, seed,
        JunctionModel.SUBCKT,
    )  # fmt: skip


def _transient_command(kind: DeckKind) -> Callable[..., None]:
    """Return the command that writes decks of `kind`, in which junctions switch."""

    def command(
        arch: ArchOption = Architecture.ONE_T_ONE_R,
        phases: PhasesOption = None,
        rows: RowsOption = 4,
        cols: ColsOption = 4,
        card: CardOption = "mondal2018",
        array: ArrayOption = "array45",
        step: StepOption = None,
        variation: VariationOption = 0.0,
        stuck: StuckOption = None,
        opened: OpenOption = None,
        short: ShortOption = None,
        model: ModelOption = JunctionModel.SUBCKT,
        out: DeckFolderOption = Path(f"out/{kind}"),
        seed: SeedOption = 1,
    ) -> None:
        _write_deck(
            kind, arch, phases, rows, cols, card, array, step, variation, stuck, opened, short, out, seed, model
        )

    return command


netlist_app.command(
    "write",
    help="Write the deck of the write phases of one step.",
)(_transient_command(DeckKind.WRITE))
netlist_app.command(
    "step",
    help="Write the deck of one training step, the read and the write phases (Fig. 4b of the paper).",
)(_transient_command(DeckKind.STEP))


@netlist_app.command("ternary")
def netlist_ternary(
    rows: RowsOption = 2,
    cols: ColsOption = 3,
    level: LevelOption = 0.0,
    card: CardOption = "mondal2018",
    array: ArrayOption = "array45",
    out: DeckFolderOption = Path("out/ternary"),
    seed: SeedOption = 1,
) -> None:
    """Write the decks of a read and of an update of ternary synapses, two junctions each."""
    model = model_of(load_card(card), load_array(array), Architecture.ONE_T_ONE_R, progress)
    rng = generator(seed, (rows, cols))
    paths = write_ternary_decks(model, TernaryStep.drawn(model, rows, cols, rng), level, out, rng)
    for path in paths:
        _out.print(f"{path}: run it with `mtjspice simulate {path}`, or there with `ngspice {path.name}`", markup=False)


@netlist_app.command("gallery")
def netlist_gallery(
    card: CardOption = "mondal2018",
    array: ArrayOption = "array45",
    out: Annotated[Path, typer.Option(help="Folder for the decks.")] = Path("out/netlists"),
    seed: SeedOption = 1,
) -> None:
    """Write a small gallery of decks, and an index that explains them."""
    junction, around = load_card(card), load_array(array)
    models = {architecture: model_of(junction, around, architecture, progress) for architecture in Architecture}
    _out.print(f"{write_gallery(junction, models, out, seed)} explains the decks beside it", markup=False)


@dies_app.command("make")
def dies_make(
    out: Annotated[Path, typer.Option(help="Folder for the dies.")],
    count: Annotated[
        int, typer.Option(min=1, max=1000, help="How many; a die is the same in any number of them.")
    ] = 36,
    rate: Annotated[
        float | None, typer.Option(help="Of all defects together, 0.01 for 1 %; the card's without.")
    ] = None,
    net: NetOption = "100-90-10",
    copies: CopiesOption = 1,
    statistics: Annotated[str, typer.Option(help="Of dies: a shipped card's name, or a TOML file.")] = "borders2024",
    card: CardOption = "mondal2018",
    array: ArrayOption = "select1500",
    seed: SeedOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Draw dies by chance: defects, and resistances that vary."""
    of_dies = load_die_statistics(statistics)
    if rate is not None:
        of_dies = of_dies.at_rate(rate)
    dies = make_dies(out, of_dies, load_card(card), load_array(array), die_shapes(net, copies), count, seed)
    _show_dies(dies, out, as_json)


@dies_app.command("load")
def dies_load(
    maps: Annotated[Path, typer.Argument(help="CSV: die, array, row, column, r_p_ohm, r_ap_ohm (or g_p_s, g_ap_s).")],
    out: Annotated[Path, typer.Option(help="Folder for the dies.")],
    net: Annotated[str | None, typer.Option(help="Layer sizes that the arrays must have; any without.")] = None,
    copies: CopiesOption = 1,
    series: Annotated[
        float | None,
        typer.Option(help="In each reading beside its junction, ohm; the array card's select transistor without."),
    ] = None,
    card: CardOption = "mondal2018",
    array: ArrayOption = "select1500",
    as_json: JsonOption = False,
) -> None:
    """Make dies of measured maps: each cell's resistance in either state tells what is wrong with it."""
    if net is None and copies != 1:
        raise InputError("copies are of a network's outputs", given=f"--copies {copies}", next_step="give --net, too")
    shapes = None if net is None else die_shapes(net, copies)
    _show_dies(load_maps(out, maps, load_card(card), load_array(array), series, shapes), out, as_json)


@dies_app.command("evaluate")
def dies_evaluate(
    network: Annotated[Path, typer.Argument(help="Folder that `mtjspice train` left, or one of its networks.")],
    dies: Annotated[Path, typer.Option(help="Folder with dies.")],
    remap: Annotated[
        bool, typer.Option("--remap", help="Exchange rows and columns around each die's defects.")
    ] = False,
    calibrate: Annotated[int, typer.Option(min=0, help="Unlabelled images by which columns are calibrated.")] = 0,
    trim: Annotated[int, typer.Option(min=0, help="Labelled images by which outputs are trimmed.")] = 0,
    fine_tune: Annotated[int, typer.Option(min=0, help="Labelled images by which junctions count weights anew.")] = 0,
    noise: Annotated[float, typer.Option(help="Of a read, in units of a weight.")] = 0.0,
    full_scale: Annotated[
        float | None, typer.Option(help="At which reads clip; 1 is a column whose inputs are all 1. No limit without.")
    ] = None,
    bits: Annotated[int | None, typer.Option(help="Of the converters.")] = None,
    arch: Annotated[
        Architecture | None, typer.Option(help="With a transistor in each cell, or without; as in training without.")
    ] = None,
    card: CardOption = "mondal2018",
    array: ArrayOption = "select1500",
    seed: SeedOption = 1,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out/dies"),
    as_json: JsonOption = False,
) -> None:
    """Write trained networks onto every die, and see what errors they make there."""
    junction, array_card = load_card(card), load_array(array)
    on_dies, provenance = load_dies(dies)
    require_cards(provenance, junction, array_card, dies)
    networks = load_networks(network)
    hardware = None
    if fine_tune:
        counters = array_model(Architecture.ONE_T_ONE_R, junction, array_card, paper_targets(), progress=progress)
        hardware = Hardware(counters, phases=2, variation_percent=0.0, switching=Switching.PHYSICAL)
    found = evaluate_on_dies(
        networks,
        on_dies,
        read_model(arch or Architecture(networks[0][1]["architecture"]), junction, array_card),
        Deployment(remap, calibrate, trim, fine_tune, Sensing(full_scale, noise, bits)),
        provenance=provenance,
        root_seed=seed,
        progress=progress,
        hardware=hardware,
    )
    make_folder(out)
    write_json(out / "evaluation.json", found.to_json())
    draw_evaluation(found, out / "evaluation.png")
    if as_json:
        _print_json(found.to_json())
        return
    _out.print(evaluation_table(found))
    _out.print(f"evaluation.json and evaluation.png are in {out}", markup=False, soft_wrap=True)


@ternary_app.command("energy")
def ternary_energy_command(
    energy: Annotated[
        str, typer.Argument(metavar="ENERGY", help="An energy card: a shipped one's name, or a TOML file.")
    ] = "ternary",
    card: CardOption = "mondal2018",
    array: ArrayOption = "array45",
    spice: Annotated[bool, typer.Option("--spice", help="Also simulate a read and an update of one synapse.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for energy.json and the figure of sensitivities.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Energy and throughput of reads and updates by formulas, and what gives the published TOPs/W."""
    junction = load_card(card)
    report = ternary_energy(load_ternary_energy(energy), MacrospinParameters.from_card(junction))
    simulated = (
        spice_energies(model_of(junction, load_array(array), Architecture.ONE_T_ONE_R, progress)) if spice else ()
    )
    result = report.to_json() | {"spice": [found.to_json() for found in simulated]}
    if out:
        write_json(make_folder(out) / "energy.json", result)
        draw_ternary_energy(report, out / "energy.png")
    if as_json:
        _print_json(result)
        return
    _out.print(energy_table(report), sets_table(report), sensitivity_table(report), sep="\n")
    if simulated:
        _out.print(spice_energy_table(simulated))
    if out:
        _out.print(f"energy.json and energy.png are in {out}", markup=False, soft_wrap=True)


@app.command("cell")
def cell_command(
    card: CardArgument = "mondal2018",
    array: ArrayOption = "array45",
    out: Annotated[Path | None, typer.Option(help="Folder for cells.json, and surfaces to load in Python.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Calibrate a cell in its array: which voltage of the row driver writes with which |x|."""
    junction, around = load_card(card), load_array(array)
    models = [model_of(junction, around, architecture, progress) for architecture in Architecture]
    summary = cell_summary(junction, around, models)
    if out:
        save_model(models[0], out)
        write_json(out / "cells.json", summary)
    if as_json:
        _print_json(summary)
        return
    _out.print(cell_table(summary))
    if out:
        _out.print(f"cells.json and the cell's surfaces are in {out}", markup=False, soft_wrap=True)


@app.command("cosim")
def cosim(
    context: typer.Context,
    arch: Annotated[
        CosimArch, typer.Option(help="With a transistor in each cell, without, or ternary synapses of two junctions.")
    ] = CosimArch.ONE_T_ONE_R,
    phases: PhasesOption = None,
    rows: RowsOption = 4,
    cols: ColsOption = 4,
    card: CardOption = "mondal2018",
    array: ArrayOption = "array45",
    step: StepOption = None,
    variation: VariationOption = 0.0,
    stuck: StuckOption = None,
    opened: OpenOption = None,
    short: ShortOption = None,
    trials: Annotated[int, typer.Option(min=10, help="Seeds in SPICE.")] = 200,
    grid: Annotated[bool, typer.Option("--grid", help="The whole grid of steps, and its controls, instead.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Go ahead, however long it takes.")] = False,
    seed: SeedOption = 1,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the report.")] = None,
    resume: ResumeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take the same step in SPICE and on the surrogate, and say whether they agree."""
    if arch is CosimArch.TERNARY:
        _refuse(context, "--arch ternary", _ONLY_IN_CELL_ARRAYS)
        folder = out or Path("out/cosim_ternary")
        request = CosimRequest(load_card(card), load_array(array), seed, folder, resume)
        _cosim_ternary(request, (rows, cols), trials, _executor(workers, scheduler), as_json)
        return
    taken = _step(Architecture(arch), phases, rows, cols, step, seed)
    size = "x".join(map(str, taken.state.shape))
    folder = out or Path("out") / ("cosim_grid" if grid else f"cosim_{arch}_{taken.phases}phase_{size}")
    request = CosimRequest(load_card(card), load_array(array), seed, folder, resume)
    with _stoppable(f"finished batches are kept in {folder}: give the same command with --resume"):
        if grid:
            entries = cosim_grid(request, executor=_executor(workers, scheduler), progress=progress, draw=draw_grid)
            table, result = grid_table(entries), grid_json(entries)
            agrees = all(entry.as_it_should for entry in entries)
        else:
            count = 1 if scheduler else workers or default_workers()
            require_time(request.array, taken, trials, count, allowed=yes)
            comparison = cosim_step(
                request, taken, trials, variation, Defects.parsed(stuck, opened, short),
                executor=_executor(workers, scheduler), progress=progress, draw=draw_comparison,
            )  # fmt: skip
            table, result = comparison_table(comparison), comparison.to_json()
            agrees = comparison.agrees()
            _warn([], comparison.not_simulated)
    if as_json:
        _print_json(result)
    else:
        _out.print(table)
        verdicts = (
            ("all is as it should be", "NOT ALL is as it should be")
            if grid
            else (
                "SPICE and the surrogate agree",
                "SPICE and the surrogate DO NOT agree",
            )
        )
        _out.print(verdicts[0 if agrees else 1], markup=False)
        _out.print(f"cosim.json and a figure are in {folder}", markup=False, soft_wrap=True)
    if not agrees:
        raise typer.Exit(1)


def _cosim_ternary(
    request: CosimRequest, shape: tuple[int, int], trials: int, executor: Executor, as_json: bool
) -> None:
    with _stoppable(f"finished batches are kept in {request.folder}: give the same command with --resume"):
        found = cosim_ternary(request, shape, trials, executor=executor, progress=progress, draw=draw_ternary_cosim)
    _warn([], found.not_simulated)
    if as_json:
        _print_json(found.to_json())
    else:
        _out.print(ternary_cosim_table(found))
        for line in ternary_cosim_lines(found):
            _out.print(line, markup=False)
        agree = "agree" if found.agrees() else "DO NOT agree"
        _out.print(f"SPICE and the surrogate {agree}", markup=False)
        _out.print(f"cosim.json and a figure are in {request.folder}", markup=False, soft_wrap=True)
    if not found.agrees():
        raise typer.Exit(1)


@app.command("simulate")
def simulate(
    deck: Annotated[Path, typer.Argument(metavar="DECK.cir", help="A deck of `mtjspice netlist`, or your own.")],
    time_limit: Annotated[float, typer.Option(min=1, help="Seconds that ngspice may take.")] = 3600.0,
    out: Annotated[Path | None, typer.Option(help="The figure's file; beside the deck when left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a deck with ngspice where it is, and draw its waveforms (Fig. 4b of the paper)."""
    with _stoppable("the deck can be run again"):
        simulation = simulate_deck(deck, time_limit_s=time_limit)
    figure = out or deck.with_suffix(".png")
    if simulation.waveforms is not None:
        draw_waveforms(simulation.waveforms, figure)
    if as_json:
        _print_json({"schema": 1, "measurements": simulation.measurements, "elapsed_s": simulation.elapsed_s})
        return
    for name, value in simulation.measurements.items():
        _out.print(f"{name:24} {value:.6g}", markup=False)
    drawn = f"; its waveforms are drawn in {figure}" if simulation.waveforms is not None else ""
    _out.print(f"{deck.name} ran in {simulation.elapsed_s:.1f} s{drawn}", markup=False, soft_wrap=True)


@app.command("sneak")
def sneak(
    arch: ArchOption = Architecture.ONE_R,
    phases: PhasesOption = None,
    rows: RowsOption = 8,
    cols: ColsOption = 8,
    card: CardOption = "mondal2018",
    array: ArrayOption = "array45",
    step: StepOption = None,
    phase: Annotated[int, typer.Option(min=1, help="Of the write, from 1.")] = 1,
    variation: VariationOption = 0.0,
    stuck: StuckOption = None,
    opened: OpenOption = None,
    short: ShortOption = None,
    seed: SeedOption = 1,
    out: Annotated[Path | None, typer.Option(help="Folder for the figure and sneak.json.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Voltages and currents of cells that a write does not select, and other ways to bias them (section 4.4)."""
    taken = _step(arch, phases, rows, cols, step, seed)
    model = model_of(load_card(card), load_array(array), arch, progress)
    cells = cells_of(model, taken, variation, Defects.parsed(stuck, opened, short), seed)
    schedule = write_schedule(taken.x, taken.delta, model.drive, arch, model.array, taken.phases)
    if phase > len(schedule.phases):
        raise InputError("the write has no such phase", given=phase, allowed=f"1 to {len(schedule.phases)}")
    report = sneak_report(model, cells, schedule.phases[phase - 1])
    one_r = arch is Architecture.ONE_R
    biasing = biasing_comparison(model, cells, taken.x, taken.delta) if one_r else ()
    paper = paper_comparison(model, generator(seed, taken.state.shape)) if one_r else ()
    result = {
        "schema": 1,
        "step": taken.to_json(),
        "phase": report.to_json(),
        "biasing": [entry.to_json() for entry in biasing],
        "paper": [case.to_json() for case in paper],
        "seed": seed,
    }
    if out:
        draw_sneak(report, biasing, make_folder(out) / "sneak.png")
        write_json(out / "sneak.json", result)
    if as_json:
        _print_json(result)
        return
    _out.print(sneak_table(report))
    if one_r:
        _out.print(biasing_table(biasing), paper_table(paper), sep="\n")


@app.command("patterns")
def patterns_command(
    arch: ArchOption = Architecture.ONE_T_ONE_R,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the 30 patterns.")] = 4,
    seeds: Annotated[int, typer.Option(min=2, help="Trainings, each from its own start.")] = 4,
    card: CardOption = "mondal2018",
    array: ArrayOption = "array45",
    seed: SeedOption = 1,
    workers: WorkersOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the report.")] = Path("out/patterns"),
    resume: ResumeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train 3 x 3-pixel patterns sample by sample in SPICE, beside the surrogate from the same start."""
    request = CosimRequest(load_card(card), load_array(array), seed, out, resume)
    with _stoppable(f"finished trainings are kept in {out}: give the same command with --resume"):
        result = run_patterns(
            request, arch, epochs, seeds, executor=_executor(workers, None), progress=progress, draw=draw_patterns
        )
    if as_json:
        _print_json(result.to_json())
        return
    _out.print(patterns_table(result))
    _out.print(f"patterns.json and patterns.png are in {out}", markup=False, soft_wrap=True)


@app.command("train")
def train(
    context: typer.Context,
    net: Annotated[str, typer.Option(help="1L, 2L20, 3L, 3L80+40 and the like, or layer sizes: 30-20-1.")],
    data: Annotated[
        str, typer.Option(help="wbcd, sonar, mnist, cifar10, svhn, or your own .csv, .npz or folder.")
    ] = "wbcd",
    split: Annotated[str | None, typer.Option(help="Of the data: random; aspect for sonar.")] = None,
    validation: Annotated[int, typer.Option(min=0, help="Training samples to test on instead of the test part.")] = 0,
    scenario: Annotated[
        str,
        typer.Option(
            help="Weights: rv real, bc binary in software, dp these programmed, st trained in crossbars. Binary "
            "ones for many dies: ideal, hardware-aware, chip-in-the-loop, statistics-aware. ternary: in pairs "
            "of junctions."
        ),
    ] = Scenario.STOCHASTIC,
    arch: ArchOption = Architecture.ONE_T_ONE_R,
    phases: PhasesOption = None,
    rule: Annotated[
        RuleName,
        typer.Option(
            metavar="[per_sample|batch|counter]",
            help="How crossbars are trained. Ternary: counter, or GXNOR if left out.",
        ),
    ] = RuleName.PER_SAMPLE,
    variation: Annotated[
        float, typer.Option(help="Spread of R_P and R_AP from cell to cell, %. The paper's DV is st with a spread.")
    ] = 0.0,
    switching: Annotated[
        Switching, typer.Option(help="Of driven junctions: as calibrated, or P = eta |x delta|.")
    ] = Switching.PHYSICAL,
    mean_field: Annotated[
        bool, typer.Option("--mean-field", help="Solve the floating lines of 1R arrays approximately, and faster.")
    ] = False,
    array_rows: Annotated[
        int | None, typer.Option(min=1, help="Most rows of a 1R array; layers with more are cut into several.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, max=100_000, help="Instead of the training card's.")] = None,
    settings: Annotated[
        str | None,
        typer.Option(
            help="A training card's name, or a TOML file. Without: the data's own, mnist for images, else wbcd."
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Networks, each from its own start.")] = 1,
    dies: Annotated[Path | None, typer.Option(help="For many dies: the folder with them.")] = None,
    die: Annotated[str | None, typer.Option(help="For one die: its name in the folder; the first one without.")] = None,
    calibrated: Annotated[
        bool, typer.Option("--calibrated", help="Statistics-aware: each die's columns will be calibrated.")
    ] = False,
    copies: Annotated[int, typer.Option(min=1, max=100, help="For many dies: copies of each output's column.")] = 1,
    levels: Annotated[
        int | None, typer.Option(min=1, max=64, help="Ternary: pulse widths that the driver has; any without.")
    ] = None,
    weights: Annotated[WeightKind, typer.Option(help="Ternary: what a synapse holds.")] = WeightKind.TERNARY,
    proposer: Annotated[Proposer, typer.Option(help="Ternary: what makes changes of gradients.")] = Proposer.ADAM,
    augment: Annotated[
        Augmentation | None,
        typer.Option(help="Ternary: of training images. Without, shift-flip for cifar10, shift for svhn, else none."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help=f"Ternary: {_QUICK_EPOCHS} epochs, to try.")] = False,
    card: CardOption = "mondal2018",
    array: Annotated[
        str | None,
        typer.Option(help="An array card: a shipped one's name, or a TOML file. array45; select1500 for dies."),
    ] = None,
    seed: SeedOption = 1,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the results; out/train_DATA_NET_... without.")] = None,
    resume: ResumeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a network in crossbars of junctions, in software to compare, or for crossbars of many dies."""
    if scenario not in (*Scenario, *DieMethod, _TERNARY):
        raise InputError(
            "there is no such scenario",
            where="--scenario",
            given=scenario,
            allowed=", ".join([*Scenario, *DieMethod, _TERNARY]),
        )
    if scenario == _TERNARY:
        _refuse(context, "--scenario ternary", (*_ONLY_FOR_DIES, *_NOT_TERNARY))
        counts = rule is RuleName.COUNTER
        if counts:
            _refuse(context, "--rule counter", _NOT_COUNTED)
        elif _given(context, "rule"):
            raise InputError(
                "ternary networks have no such rule",
                where="--rule",
                given=rule,
                allowed=f"{RuleName.COUNTER}, or none for GXNOR",
            )
        ternary = TernaryPlan(
            data,
            net,
            weights=weights,
            rule=TernaryRule.COUNTER if counts else TernaryRule.GXNOR,
            junctions=switching is Switching.PHYSICAL,
            proposer=proposer,
            widths=levels,
            variation_percent=variation,
            augmentation=augment,
            validation=validation,
            epochs=epochs or (_QUICK_EPOCHS if quick else None),
            card=card,
            array=array or TernaryPlan.array,
            root_seed=seed,
        )
        _train_ternary(ternary, seeds, out, resume, as_json)
        return
    method = DieMethod(scenario) if scenario in tuple(DieMethod) else None
    without = _ONLY_FOR_DIES if method is None else (*_ONLY_IN_CROSSBARS, *_NOT_FOR[method])
    _refuse(context, f"--scenario {scenario}", (*without, *_ONLY_TERNARY))
    if method is not None:
        plan_for_dies = DiePlan(
            data, net, method, calibrated=calibrated, copies=copies, validation=validation, root_seed=seed
        )
        if epochs is not None:
            plan_for_dies = replace(plan_for_dies, epochs=epochs)
        _train_for_dies(plan_for_dies, seeds, arch, card, array or _DIES_ARRAY, dies, die, out, resume, as_json)
        return
    plan = training_plan(
        data,
        net,
        scenario=scenario,
        rule=rule,
        arch=arch,
        settings=settings,
        epochs=epochs,
        card=card,
        array=array or "array45",
        split=split,
        validation=validation,
        phases=phases,
        variation_percent=variation,
        switching=switching,
        mean_field=mean_field,
        array_rows=array_rows,
        seeds=seeds,
        root_seed=seed,
    )
    how = f"_{rule}_{arch}" if plan.scenario is Scenario.STOCHASTIC else ""
    folder = out or Path("out") / f"train_{Path(data).stem}_{net}_{plan.scenario}{how}"
    with _stoppable(f"finished epochs are kept in {folder}: give the same command with --resume"):
        result = run_training(
            plan,
            folder,
            resume=resume,
            executor=_executor(min(workers or default_workers(), seeds), scheduler),
            progress=progress,
            draw=draw_training,
        )
    if as_json:
        _print_json(result.to_json())
        return
    _out.print(training_table(result))
    _out.print(f"training.json, states.npz and training.png are in {folder}", markup=False, soft_wrap=True)


def _refuse(context: typer.Context, where: str, names: tuple[str, ...]) -> None:
    """Refuse options that play no part in what is asked for.

    Raises:
        InputError: one of them is on the command line.
    """
    given = [name for name in names if _given(context, name)]
    if given:
        raise InputError(
            "an option plays no part here" if len(given) == 1 else "options play no part here",
            where=where,
            given=", ".join(f"--{_SPELLED.get(name, name).replace('_', '-')}" for name in given),
        )


def _given(context: typer.Context, name: str) -> bool:
    """Return whether an option is on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _train_ternary(plan: TernaryPlan, seeds: int, out: Path | None, resume: bool, as_json: bool) -> None:
    how = f"_{plan.rule}" if plan.rule is TernaryRule.COUNTER else ""
    folder = out or Path("out") / f"train_{Path(plan.data).stem}_{plan.net}_{plan.weights}{how}"
    with _stoppable(f"finished epochs are kept in {folder}: give the same command with --resume"):
        result = run_ternary(plan, folder, seeds=seeds, resume=resume, progress=progress, draw=draw_ternary)
    if as_json:
        _print_json(result.to_json())
        return
    _out.print(ternary_table(result))
    _out.print(f"training.json, the networks and training.png are in {folder}", markup=False, soft_wrap=True)


def _train_for_dies(
    plan: DiePlan,
    seeds: int,
    arch: Architecture,
    card: str,
    array: str,
    dies_folder: Path | None,
    die: str | None,
    out: Path | None,
    resume: bool,
    as_json: bool,
) -> None:
    junction, array_card = load_card(card), load_array(array)
    statistics, dies, provenance = known_from(plan, dies_folder, die, junction, array_card)
    folder = out or Path("out") / f"train_{Path(plan.data).stem}_{plan.net}_{plan.method}"
    with _stoppable(f"finished epochs are kept in {folder}: give the same command with --resume"):
        result = run_die_training(
            plan,
            read_model(arch, junction, array_card),
            folder,
            seeds=seeds,
            statistics=statistics,
            dies=dies,
            provenance=provenance,
            resume=resume,
            progress=progress,
            draw=draw_die_training,
        )
    if as_json:
        _print_json(result.to_json())
        return
    _out.print(die_training_table(result))
    _out.print(f"training.json, the networks and training.png are in {folder}", markup=False, soft_wrap=True)


@app.command("reproduce")
def reproduce_command(
    context: typer.Context,
    experiment: Annotated[
        Experiment,
        typer.Argument(help="A table or figure of Mondal and Srivastava, 2018; or dies, after Borders et al., 2024."),
    ],
    rule: Annotated[
        RuleName,
        typer.Option(metavar="[per_sample|batch|counter]", help="How crossbars are trained; the paper's: per_sample."),
    ] = RuleName.PER_SAMPLE,
    quick: Annotated[
        bool, typer.Option("--quick", help="A short version: few seeds and epochs, no MNIST but for dies.")
    ] = False,
    seeds: Annotated[int | None, typer.Option(min=1, help="Networks a cell; by data set without: 10, MNIST 3.")] = None,
    seed: SeedOption = 1,
    workers: WorkersOption = None,
    scheduler: SchedulerOption = None,
    out: Annotated[
        Path, typer.Option(help="Folder for table and figure, and for runs, which tables share and are not repeated.")
    ] = Path("out/reproduce"),
    rate: Annotated[
        float | None, typer.Option(min=0, max=1, help="For dies: one rate of defects; 0 to 0.05 without.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a table or figure of the paper with ours: what is trained already prints at once."""
    for_dies = experiment is Experiment.DIES
    _refuse(context, f"reproduce {experiment}", ("rule", "seeds") if for_dies else ("rate",))
    if for_dies:
        _reproduce_dies(DieConditions(quick, rate, seed), out, _executor(workers, scheduler), as_json)
        return
    conditions = Conditions(load_card("mondal2018"), load_array("array45"), rule, quick, seeds, seed)
    with _stoppable(f"finished runs, seeds and epochs are kept in {out}: give the same command again"):
        found = reproduce(
            experiment,
            conditions,
            out,
            executor=_executor(workers, scheduler),
            progress=progress,
            draw=draw_reproduction,
        )
    if as_json:
        _print_json(found.to_json())
        return
    _out.print(heading(found), "", *reproduction_tables(found), sep="\n", markup=False)
    for line in footnotes(found):
        _out.print(line, markup=False)
    _out.print(f"\n{found.stem}.md, .json and .png are in {out}", markup=False, soft_wrap=True)


def _reproduce_dies(asked: DieConditions, out: Path, executor: Executor, as_json: bool) -> None:
    with _stoppable(f"finished networks are kept in {out}: give the same command again"):
        found = reproduce_dies(asked, out, executor=executor, progress=progress, draw=draw_dies)
    if as_json:
        _print_json(found.to_json())
        return
    _out.print(dies_heading(found), "", *dies_tables(found), sep="\n", markup=False)
    _out.print(f"\n{found.stem}.md, .json and .png are in {out}", markup=False, soft_wrap=True)


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
    resume: ResumeOption = False,
    widths: Annotated[
        bool,
        typer.Option("--optimise-widths", help="Also find the t0, t1 of the most linear map, for the same t0 + t1."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find the write coefficients t0, t1, I0, I1 of a junction, for both directions."""
    junction, plan = load_card(card), load_campaign(campaign)
    choice = choose_engine(engine, data, junction)
    if choice.spice_missing:
        _err.print(
            f"SPICE did not run; these coefficients are by {choice.engine}.\n{choice.spice_missing}\n", markup=False
        )
    folder = out or Path("out") / junction.name
    with _stoppable(f"finished batches are kept in {folder}: give the same command with --resume"):
        run = run_calibration(
            junction,
            plan,
            choice,
            folder,
            data=data,
            seed=seed,
            executor=_executor(workers, scheduler),
            resume=resume,
            optimise=widths,
            progress=progress,
            draw=draw_calibration,
        )
    _warn(run.warnings, run.result.not_simulated)
    if as_json:
        _print_json(run.to_json())
        return
    chosen_widths = widths_table(*run.widths) if run.widths else None
    for table in (coefficients_table(run.result), voltage_table(run.result), chosen_widths):
        if table:
            _out.print(table, "")
    _out.print(f"calibration.json, tables and figures are in {folder}", markup=False, soft_wrap=True)


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


def _step(arch: Architecture, phases: int | None, rows: int, cols: int, path: Path | None, seed: int) -> Step:
    """Return the step of a file, or one drawn by the seed."""
    count = phases or arch.phases[0]
    return Step.read(arch, count, path) if path else Step.drawn(arch, count, rows, cols, seed)


def _write_deck(
    kind: DeckKind,
    arch: Architecture,
    phases: int | None,
    rows: int,
    cols: int,
    card: str,
    array: str,
    step: Path | None,
    variation: float,
    stuck: list[str] | None,
    opened: list[str] | None,
    short: list[str] | None,
    out: Path,
    seed: int,
    model: JunctionModel,
) -> None:
    taken = _step(arch, phases, rows, cols, step, seed)
    found = model_of(load_card(card), load_array(array), arch, progress)
    cells = cells_of(found, taken, variation, Defects.parsed(stuck, opened, short), seed)
    path = write_deck(kind, taken, found, cells, out, generator(seed, ()), model)
    _out.print(f"{path}: run it with `mtjspice simulate {path}`, or there with `ngspice {path.name}`", markup=False)


def _show_dies(dies: tuple[Die, ...], folder: Path, as_json: bool) -> None:
    summary = dies_summary(dies)
    if as_json:
        _print_json(summary)
        return
    _out.print(defects_table(summary))
    _out.print(f"dies.json and a file for each die are in {folder}", markup=False, soft_wrap=True)


def _pulse(current: float | None, voltage: float | None, width: float) -> tuple[Drive, float]:
    """Return the drive and the level of a pulse's options."""
    if current is not None and voltage is None:
        drive, level = Drive.CURRENT, current
    elif voltage is not None and current is None:
        drive, level = Drive.VOLTAGE, voltage
    else:
        raise InputError("give either --current or --voltage", given=f"--current {current} --voltage {voltage}")
    for name, value, unit, largest in (("level", level, drive.unit, 10.0), ("width", width, "s", 1.0)):
        if not 0 < value <= largest:
            raise InputError(
                f"the pulse's {name} is out of range",
                given=f"{value:g} {unit}",
                allowed=f"above 0, at most {largest:g} {unit}",
            )
    return drive, level


@contextmanager
def _stoppable(next_step: str) -> Iterator[None]:
    """Turn Ctrl-C into a message."""
    try:
        yield
    except KeyboardInterrupt:
        raise StoppedError("stopped", next_step=next_step) from None


def _executor(workers: int | None, scheduler: str | None) -> Executor:
    return ClusterExecutor(scheduler) if scheduler else LocalExecutor(workers or default_workers())


def _warn(warnings: list[str], not_simulated: dict[str, int]) -> None:
    lost = [f"{trials} trials could not be simulated and are not counted: {r}" for r, trials in not_simulated.items()]
    for warning in warnings + lost:
        _err.print(f"warning: {warning}", markup=False, soft_wrap=True)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False) + "\n")


def main() -> None:
    """Run the command; print one message for an error, and a traceback only with --debug."""
    debug = "--debug" in sys.argv
    if debug:  # it may stand anywhere
        sys.argv.remove("--debug")
    try:
        app()
    except MtjspiceError as error:
        if debug:
            raise
        _err.print(f"error: {error}", markup=False, soft_wrap=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
