"""Co-simulations as commands run them: models, cells, checkpoints, and the files of the report."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mtjspice import __version__
from mtjspice.cards.array import Architecture, ArrayCard, SwitchKind
from mtjspice.cards.campaign import paper_targets
from mtjspice.cards.junction import JunctionCard
from mtjspice.cosim.compare_step import Comparison, compare_step
from mtjspice.cosim.grid import Entry, run_grid
from mtjspice.cosim.spice_write import usual_time_s
from mtjspice.cosim.step import Step
from mtjspice.crossbar.cells import Cells
from mtjspice.errors import InputError
from mtjspice.files import make_folder, sha256_of, write_json
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import Executor
from mtjspice.jobs.progress import ProgressBars
from mtjspice.jobs.seeds import generator
from mtjspice.resources import netlists_folder
from mtjspice.schedule import write_schedule
from mtjspice.spice.libraries import library_text
from mtjspice.spice.ngspice import find_ngspice, ngspice_version
from mtjspice.surrogate.exact_write import LARGEST_SIDE
from mtjspice.surrogate.model import ArrayModel, array_model

SCHEMA = 1
_LONG_S = 600.0
_PLACE = re.compile(r"(\d+),(\d+)")


@dataclass(frozen=True)
class Defects:
    """Cells (row, column), from 0, that are defective."""

    stuck: tuple[tuple[int, int], ...] = ()
    opens: tuple[tuple[int, int], ...] = ()
    shorts: tuple[tuple[int, int], ...] = ()

    @classmethod
    def parsed(cls, stuck: Sequence[str] | None, opens: Sequence[str] | None, shorts: Sequence[str] | None) -> Self:
        """Return defects given as ``ROW,COLUMN``, from 1.

        Raises:
            InputError: a place that is none.
        """
        return cls(*(tuple(_place(text) for text in places or ()) for places in (stuck, opens, shorts)))


@dataclass(frozen=True)
class CosimRequest:
    """What every co-simulation is given."""

    card: JunctionCard
    array: ArrayCard
    seed: int
    folder: Path
    resume: bool


def model_of(card: JunctionCard, array: ArrayCard, architecture: Architecture, progress: ProgressBars) -> ArrayModel:
    """Return the array's model, calibrated for the paper's pulse widths and threshold."""
    return array_model(architecture, card, array, paper_targets(), progress=progress)


def cells_of(model: ArrayModel, step: Step, variation_percent: float, defects: Defects, seed: int) -> Cells:
    """Return the cells of a step, with their spread and defects.

    Raises:
        InputError: states that are not 0 or 1, a spread out of range, or defects that make no sense.
    """
    cells = Cells.nominal(model.parameters, step.state, model.array.r_short_ohm)
    if variation_percent:
        cells = cells.varied(variation_percent, generator(seed, (0xCE11,)))
    return cells.with_defects(defects.stuck, defects.opens, defects.shorts)


def require_time(array: ArrayCard, step: Step, trials: int, workers: int, *, allowed: bool) -> None:
    """Refuse arrays that take SPICE long, unless that is `allowed`.

    Raises:
        InputError: saying how long it would take.
    """
    rows, columns = step.state.shape
    if max(rows, columns) > LARGEST_SIDE:
        raise InputError(
            "the array is too large for the surrogate's exact network",
            given=f"{rows} x {columns}",
            allowed=f"up to {LARGEST_SIDE} x {LARGEST_SIDE}",
        )
    targets = paper_targets()
    phase_s = targets.t0_s + targets.t1_s + array.timing.gap_s
    each_s = usual_time_s(array, rows * columns, step.phases * phase_s)
    total_s = each_s * trials / workers
    if total_s > _LONG_S and not allowed:
        raise InputError(
            "the array is large for SPICE",
            given=f"{rows} x {columns}, {trials} seeds: about {_duration(each_s)} each, {_duration(total_s)} in all",
            allowed=f"up to {_duration(_LONG_S)} without asking",
            next_step="give --yes to go ahead, or fewer --trials, --rows and --cols",
        )


def cosim_step(
    request: CosimRequest,
    step: Step,
    trials: int,
    variation_percent: float,
    defects: Defects,
    *,
    executor: Executor,
    progress: ProgressBars,
    draw: Callable[[Comparison, Path], object],
) -> Comparison:
    """Compare one step and write ``cosim.json`` and a figure; finished runs are kept until then.

    Raises:
        InputError: an unfinished run in the folder without `resume`, or values that do not fit.
        MtjspiceError: whatever stops the comparison.
    """
    started = time.monotonic()
    model = model_of(request.card, request.array, step.architecture, progress)
    cells = cells_of(model, step, variation_percent, defects, request.seed)
    # What does not fit is said before anything is simulated.
    write_schedule(step.x, step.delta, model.drive, step.architecture, model.array, step.phases)
    provenance = cosim_provenance(request)
    asked = [step.to_json(), trials, variation_percent, [defects.stuck, defects.opens, defects.shorts]]
    with Checkpoint(make_folder(request.folder) / "checkpoint", sha256_of([provenance, asked])) as checkpoint:
        checkpoint.require_resume(request.resume)
        (comparison,) = compare_step(
            step, model, trials, seed=request.seed, executor=executor, checkpoint=checkpoint, progress=progress,
            cells=cells,
        )  # fmt: skip
        timed = provenance | {"elapsed_s": round(time.monotonic() - started, 1)}
        write_json(request.folder / "cosim.json", {"schema": SCHEMA} | comparison.to_json() | {"provenance": timed})
        draw(comparison, request.folder / "cosim.png")
        checkpoint.remove()
    return comparison


def cosim_grid(
    request: CosimRequest,
    *,
    executor: Executor,
    progress: ProgressBars,
    draw: Callable[[Sequence[Entry], Path], object],
) -> list[Entry]:
    """Compare the whole grid and its controls, and write ``cosim.json`` and a figure; raises as `cosim_step` does."""
    started = time.monotonic()
    provenance = cosim_provenance(request)
    models = {a: model_of(request.card, request.array, a, progress) for a in Architecture}
    with Checkpoint(make_folder(request.folder) / "checkpoint", sha256_of([provenance, "grid"])) as checkpoint:
        checkpoint.require_resume(request.resume)
        entries = run_grid(
            models.__getitem__, seed=request.seed, executor=executor, checkpoint=checkpoint, progress=progress
        )
        timed = provenance | {"elapsed_s": round(time.monotonic() - started, 1)}
        write_json(request.folder / "cosim.json", grid_json(entries) | {"provenance": timed})
        draw(entries, request.folder / "cosim.png")
        checkpoint.remove()
    return entries


def grid_json(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return the grid's report as plain data."""
    return {
        "schema": SCHEMA,
        "as_it_should": all(entry.as_it_should for entry in entries),
        "steps": [entry.to_json() for entry in entries],
    }


def cosim_provenance(request: CosimRequest) -> dict[str, Any]:
    """Return what determines the result, but for the step; raises where ngspice is missing."""
    templates = sorted(netlists_folder().glob("*.j2"))
    switches = request.array.switches
    return {
        "mtjspice": __version__,
        "ngspice": str(ngspice_version(find_ngspice())),
        "seed": request.seed,
        "card_sha256": request.card.sha256,
        "array_sha256": request.array.sha256,
        "library_sha256": sha256_of(library_text(switches)) if switches.kind is SwitchKind.BSIM4 else None,
        "netlist_sha256": sha256_of("".join(path.read_text(encoding="utf-8") for path in templates)),
    }


def _place(text: str) -> tuple[int, int]:
    found = _PLACE.fullmatch(text.strip())
    if not found or "0" in found.groups():
        raise InputError("this is no cell's place", given=text, allowed="ROW,COLUMN, from 1, as in --stuck 2,3")
    row, column = found.groups()
    return int(row) - 1, int(column) - 1


def _duration(seconds: float) -> str:
    for size, unit in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.2g} s"
