"""Decks of reads, writes and whole steps, to be opened, read and run by people with ngspice alone."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import numpy as np

from mtjspice.cards.array import Architecture
from mtjspice.cosim.spice_write import place_library
from mtjspice.cosim.step import Step
from mtjspice.crossbar.cells import Cells
from mtjspice.files import make_folder, write_text
from mtjspice.junction.thermal import thermal_field_t
from mtjspice.netlist.render import render_crossbar
from mtjspice.schedule import Schedule, read_schedule, step_schedule, write_schedule
from mtjspice.spice.crossbar_decks import (
    JunctionModel,
    live_labels,
    read_context,
    start_magnetisations,
    transient_context,
)
from mtjspice.spice.noise import write_noise
from mtjspice.surrogate.model import ArrayModel


class DeckKind(StrEnum):
    """What a deck simulates."""

    READ = "read"
    WRITE = "write"
    STEP = "step"


def write_deck(
    kind: DeckKind,
    step: Step,
    model: ArrayModel,
    cells: Cells,
    folder: Path,
    rng: np.random.Generator,
    junction_model: JunctionModel = JunctionModel.SUBCKT,
) -> Path:
    """Write a deck with its transistor library and noise files into `folder`, and return its path.

    A read is an operating point with junctions that keep their states; a write and a step are transients with thermal
    noise. The deck is named after what it holds; the noise files belong to it alone, so a folder holds one deck.

    Raises:
        InputError: values or shapes that do not fit, or an unusable transistor library.
        OutputError: the folder cannot be written.
    """
    rows, columns = step.state.shape
    name = f"{kind}_{step.architecture}_{rows}x{columns}"
    make_folder(folder)
    header = _header(kind, step, model, f"{name}.cir")
    if kind is DeckKind.READ:
        schedule = read_schedule(step.x, columns, step.architecture, model.array)
        context = read_context(schedule, cells, model.device, title=_title(kind, step), header=header, people=True)
    else:
        make = write_schedule if kind is DeckKind.WRITE else step_schedule
        schedule = make(step.x, step.delta, model.drive, step.architecture, model.array, step.phases)
        starts = start_magnetisations(model.parameters, cells.state, rng)
        labels = live_labels(cells)
        time_step_s = model.array.timing.time_step_s
        samples = int(np.ceil(schedule.stop_s / time_step_s - 1e-6))
        field_t = thermal_field_t(model.parameters, samples, len(labels), time_step_s, rng)
        noise = write_noise(folder, field_t, labels) if labels else ()
        context = transient_context(
            schedule, cells, model.device, starts, noise, title=_title(kind, step),
            header=[*header, *_phases(schedule)], people=True, junction_model=junction_model,
        )  # fmt: skip
    text = render_crossbar(context)
    place_library(model.array, folder)
    path = folder / f"{name}.cir"
    write_text(path, text)
    return path


def _title(kind: DeckKind, step: Step) -> str:
    rows, columns = step.state.shape
    phases = "" if kind is DeckKind.READ else f", {step.phases}-phase write"
    return f"One {kind} of a {step.architecture} crossbar of {rows} x {columns}{phases}"


def _header(kind: DeckKind, step: Step, model: ArrayModel, name: str) -> list[str]:
    figure = "Fig. 4" if step.architecture is Architecture.ONE_T_ONE_R else "Fig. 5c and Table 4"
    lines = [
        "",
        f"ngspice {name} opens it, `ngspice -b {name}` runs it and leaves.",
        f"Mondal & Srivastava, ISLPED 2018, {figure}. Array card {model.array.name}.",
        f"x     = {_numbers(step.x)}",
    ]
    if kind is not DeckKind.READ:
        lines.append(f"delta = {_numbers(step.delta)}")
        drive = model.drive
        lines.append(f"t_wr = {drive.t0_s:.4g} s + {drive.t1_s:.4g} s |delta|; a pulse ends where its edge is at 50 %")
    lines.append("state = one row of cells a line, 1 parallel, 0 antiparallel")
    lines += [f"        {' '.join(str(int(s)) for s in row)}" for row in step.state]
    return lines


def _phases(schedule: Schedule) -> list[str]:
    return [f"{phase.start_s:.4g} s to {phase.end_s:.4g} s: {phase.name}" for phase in schedule.phases]


def _numbers(values: Sequence[float] | np.ndarray) -> str:
    """Return numbers, cut where a comment line ends."""
    text = " ".join(f"{value:.3g}" for value in values)
    return text if len(text) <= 100 else text[:97] + "..."
