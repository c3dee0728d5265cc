"""Decks of a small array of ternary synapses, a read and an update, to be opened and run by people with ngspice."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from mtjspice.cosim.spice_write import place_library
from mtjspice.crossbar.cells import Cells
from mtjspice.files import make_folder, write_text
from mtjspice.junction.thermal import thermal_field_t
from mtjspice.netlist.render import render_ternary
from mtjspice.spice.crossbar_decks import start_magnetisations
from mtjspice.spice.noise import write_noise
from mtjspice.spice.ternary_decks import pair_labels, ternary_context
from mtjspice.surrogate.model import ArrayModel
from mtjspice.surrogate.ternary_cell import line_levels
from mtjspice.ternary_schedule import ternary_read_schedule, ternary_update_schedule

_LINE = 100
_IDLE = 0.25
"""Of synapses that an update leaves alone."""


@dataclass(frozen=True)
class TernaryStep:
    """What the decks do.

    Args:
        state: (2 rows, columns) of the junctions, M1 and M2 of a row one below the other.
        x: (rows,) inputs of the read.
        width_s: (rows, columns) signed widths of the update.
    """

    state: np.ndarray
    x: np.ndarray
    width_s: np.ndarray

    @classmethod
    def drawn(cls, model: ArrayModel, rows: int, columns: int, rng: np.random.Generator) -> Self:
        """Return random states and inputs, and widths from t0 to t0 + t1 of either sign; some synapses stay."""
        state = rng.integers(0, 2, (2 * rows, columns))
        x = rng.integers(-1, 2, rows)
        width_s = model.drive.t0_s + model.drive.t1_s * rng.random((rows, columns))
        width_s = width_s * rng.choice((-1, 1), (rows, columns))
        idle = rng.random((rows, columns)) < _IDLE
        # One is always written, so that there is an update.
        idle[0, 0] = False
        return cls(state, x, np.where(idle, 0.0, width_s))


def write_ternary_decks(
    model: ArrayModel, step: TernaryStep, level: float, folder: Path, rng: np.random.Generator
) -> tuple[Path, Path]:
    """Write the decks of a read and of an update, with transistor library and noise files, and return their paths.

    Args:
        level: of the drivers: junctions start at I0 + I1 `level`.

    Raises:
        InputError: a level that takes a line below the transistors' bulk, or an unusable transistor library.
        ModelError: a level beyond the switches' table.
        OutputError: the folder cannot be written.
    """
    rows, columns = len(step.x), step.state.shape[1]
    cells = Cells.nominal(model.parameters, step.state, model.array.r_short_ohm)
    read = ternary_read_schedule(step.x, columns, model.array)
    update = ternary_update_schedule(step.width_s, line_levels(model, level), model.array)
    weights = ["W = m1 - m2 before, one row a line:", *_matrix(step.state[0::2] - step.state[1::2])]
    read_context = ternary_context(
        read, cells, model.device, title=f"One read of {rows} x {columns} ternary synapses", operating_point=True,
        header=[*_header(model, f"ternary_read_{rows}x{columns}.cir"), f"x = {_numbers(step.x)}", *weights],
        people=True,
    )  # fmt: skip
    make_folder(folder)
    labels = pair_labels(cells)
    starts = start_magnetisations(model.parameters, step.state, rng)
    step_s = model.array.timing.time_step_s
    samples = int(np.ceil(update.stop_s / step_s - 1e-6))
    noise = write_noise(folder, thermal_field_t(model.parameters, samples, len(labels), step_s, rng), labels)
    phases = [f"{phase.start_s:.4g} s to {phase.end_s:.4g} s: {phase.name}" for phase in update.phases]
    update_context = ternary_context(
        update, cells, model.device, title=f"One update of {rows} x {columns} ternary synapses", starts=starts,
        noise=noise, people=True,
        header=[
            *_header(model, f"ternary_update_{rows}x{columns}.cir"), *weights,
            "widths in ns, above 0 to raise W, below 0 to lower it:", *_matrix(step.width_s * 1e9), *phases,
        ],
    )  # fmt: skip
    place_library(model.array, folder)
    paths = []
    for kind, context in (("read", read_context), ("update", update_context)):
        path = folder / f"ternary_{kind}_{rows}x{columns}.cir"
        write_text(path, render_ternary(context))
        paths.append(path)
    return paths[0], paths[1]


def _header(model: ArrayModel, name: str) -> list[str]:
    return [
        "",
        f"ngspice {name} opens it, `ngspice -b {name}` runs it and leaves.",
        f"A synapse is two junctions, as in Greenberg-Toledo et al., 2021. Array card {model.array.name}.",
    ]


def _matrix(values: np.ndarray) -> list[str]:
    return [f"        {_numbers(row)}" for row in values]


def _numbers(values: np.ndarray) -> str:
    """Return numbers, cut where a comment line ends."""
    text = " ".join(f"{value:.3g}" for value in values)
    return text if len(text) <= _LINE else text[: _LINE - 3] + "..."
