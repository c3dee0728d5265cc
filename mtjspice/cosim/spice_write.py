"""A write in SPICE: every junction an s-LLGS macrospin with noise of its own, every transistor and wire simulated."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mtjspice.cards.array import ArrayCard, SwitchKind
from mtjspice.crossbar.cells import Cells
from mtjspice.errors import NgspiceMissingError, SimulationError
from mtjspice.files import writing
from mtjspice.jobs.seeds import generator
from mtjspice.junction.thermal import thermal_field_t
from mtjspice.netlist.context import CrossbarContext, NoiseFile
from mtjspice.netlist.render import render_crossbar
from mtjspice.netlist.ternary import TernaryContext
from mtjspice.schedule import Schedule
from mtjspice.spice.crossbar_decks import Device, live_labels, start_magnetisations, transient_context
from mtjspice.spice.libraries import library_name, library_text
from mtjspice.spice.ngspice import run_deck
from mtjspice.spice.noise import write_noise
from mtjspice.spice.rawfile import Waveforms

Context = TypeVar("Context", CrossbarContext, TernaryContext)

_USUAL_S_PER_CELL_STEP = 16e-6
"""What a cell costs per time point in arrays of up to 64 cells; larger ones cost more a cell."""
_CROWDED_CELLS = 64
_PATIENCE, _LEAST_TIME_LIMIT_S = 20, 60.0


@dataclass(frozen=True)
class SpiceTask:
    """One run: everything that determines its result."""

    device: Device
    schedule: Schedule
    cells: Cells
    seed: int
    key: tuple[int, ...]


def run_spice_write(task: SpiceTask) -> dict[str, Any]:
    """Simulate one seed; return the final states, row by row, and the energy, as plain data.

    A run that ngspice does not finish says why under ``reason``, and has no states.

    Raises:
        NgspiceMissingError: no usable ngspice.
        InputError: the transistor library cannot be used.
        OutputError: no room for scratch files.
    """
    try:
        waves, context = simulate_write(task)
    except NgspiceMissingError:
        raise
    except SimulationError as error:
        return {"state": None, "energy_j": None, "reason": str(error)}
    saddle = task.device.parameters.saddle_mz
    state = task.cells.state.copy()
    labels = live_labels(task.cells)
    state[task.cells.switches] = [waves[f"v(mz{label})"][-1] > saddle for label in labels]
    return {"state": state.tolist(), "energy_j": energy_j(waves, context), "reason": None}


def simulate_write(task: SpiceTask) -> tuple[Waveforms, CrossbarContext]:
    """Return the waveforms of one run, and its deck's context; raises as `run_spice_write` and `SimulationError`."""
    device, schedule, cells = task.device, task.schedule, task.cells
    rng = generator(task.seed, task.key)
    starts = start_magnetisations(device.parameters, cells.state, rng)

    def deck(noise: tuple[NoiseFile, ...]) -> tuple[str, CrossbarContext]:
        context = transient_context(schedule, cells, device, starts, noise, title="One write")
        return render_crossbar(context), context

    return simulate_noisy(device, schedule, cells, live_labels(cells), deck, rng)


def simulate_noisy(
    device: Device,
    schedule: Schedule,
    cells: Cells,
    labels: list[str],
    deck: Callable[[tuple[NoiseFile, ...]], tuple[str, Context]],
    rng: np.random.Generator,
) -> tuple[Waveforms, Context]:
    """Return the waveforms of a transient with thermal noise, and its deck's context.

    Args:
        labels: of the junctions that have noise.
        deck: makes the text, and its context, from the files of noise.

    Raises:
        NgspiceMissingError, SimulationError: no usable ngspice, or it did not finish.
        InputError: the transistor library cannot be used.
        OutputError: no room for scratch files.
    """
    step_s = device.array.timing.time_step_s
    steps = int(np.ceil(schedule.stop_s / step_s - 1e-6))
    scratch = Path(tempfile.gettempdir(), "the simulation's scratch files")
    with writing(scratch), tempfile.TemporaryDirectory(prefix="mtjspice-") as name:
        folder = Path(name)
        place_library(device.array, folder)
        field_t = thermal_field_t(device.parameters, steps, len(labels), step_s, rng)
        noise = write_noise(folder, field_t, labels) if labels else ()
        text, context = deck(noise)
        limit_s = max(_LEAST_TIME_LIMIT_S, _PATIENCE * usual_time_s(device.array, cells.state.size, schedule.stop_s))
        waves = run_deck(text, folder, stop_s=schedule.stop_s, time_limit_s=limit_s)
    return waves, context


def place_library(array: ArrayCard, folder: Path) -> None:
    """Put the array card's transistor library beside a deck; ideal switches need none."""
    if array.switches.kind is SwitchKind.BSIM4:
        path, text = folder / library_name(array.switches), library_text(array.switches)
        with writing(path):
            path.write_text(text, encoding="ascii")


def energy_j(waves: Waveforms, context: CrossbarContext | TernaryContext) -> float:
    """Return what all sources deliver, gates included, from before the first edge on.

    Before that ngspice brings the nodes from zero to their levels, which is no part of the step.
    """
    times = waves["time"]
    begin = int(np.searchsorted(times, 2 * context.sample_step_s))
    return -float(
        sum(
            np.trapezoid(waves[f"v({node})"][begin:] * waves[f"i({source})"][begin:], times[begin:])
            for node, source in context.sources
        )
    )


def usual_time_s(array: ArrayCard, cells: int, duration_s: float) -> float:
    """Return what one run of `cells` cells usually takes, in seconds."""
    crowding = max(1.0, cells / _CROWDED_CELLS)
    return _USUAL_S_PER_CELL_STEP * cells * crowding * duration_s / array.timing.time_step_s
