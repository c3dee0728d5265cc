"""Ternary synapses in SPICE beside the surrogate: reads, and updates in every state with every sign."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.cards.array import Architecture
from mtjspice.cards.conventions import Direction
from mtjspice.cosim.compare_step import LEAST_P, MOST_ENERGY_ERROR, MOST_READ_ERROR, MOST_SIGMA
from mtjspice.cosim.run import SCHEMA, CosimRequest, cosim_provenance, model_of
from mtjspice.cosim.spice_write import energy_j, place_library, simulate_noisy
from mtjspice.cosim.statistics import Agreement, compare, corrected_p
from mtjspice.crossbar.cells import Cells
from mtjspice.errors import NgspiceMissingError, SimulationError
from mtjspice.files import make_folder, sha256_of, write_json, writing
from mtjspice.jobs.batches import Batch, run_batches
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import Executor
from mtjspice.jobs.progress import ProgressBars
from mtjspice.jobs.seeds import generator
from mtjspice.netlist.context import NoiseFile
from mtjspice.netlist.render import render_ternary
from mtjspice.netlist.ternary import TernaryContext
from mtjspice.schedule import Schedule
from mtjspice.spice.crossbar_decks import Device, start_magnetisations
from mtjspice.spice.ngspice import run_points
from mtjspice.spice.ternary_decks import pair_labels, ternary_context
from mtjspice.surrogate.model import ArrayModel
from mtjspice.surrogate.ternary_cell import (
    ExpectedUpdate,
    expected_update,
    ideal_weights_current_a,
    line_levels,
    solution,
)
from mtjspice.switching.intervals import exact_interval
from mtjspice.ternary_schedule import ternary_read_schedule, ternary_update_schedule

LEVELS = (0.0, 0.3)
"""Of the drivers: 0, I0, is what training writes with; the other one switches more often, and so tells more."""
PAIRS = ((1, 0), (0, 0), (1, 1), (0, 1))
"""(m1, m2): W = 1, 0 in either way, -1."""
SIGNS = (1, 0, -1)
_DRAWS_PER_TRIAL = 10
_TIME_LIMIT_S = 300.0


@dataclass(frozen=True)
class UpdateTask:
    """One run of an update: everything that determines its result."""

    device: Device
    schedule: Schedule
    cells: Cells
    seed: int
    key: tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """One weight, one sign of its update, one of its junctions.

    Args:
        level: of the drivers.
        weight: before the update.
        pair: (m1, m2).
        sign: of dW.
        junction: 1 or 2.
        direction: in which its pulse drives it, or None where there is none.
        v_junction_v: magnitude over it.
        switched, trials: in SPICE.
        low95, high95: exact interval of the probability.
        surface: the calibrated cell surface's.
        sigma: of SPICE's count against it.
    """

    level: float
    weight: int
    pair: tuple[int, int]
    sign: int
    junction: int
    direction: Direction | None
    v_junction_v: float
    switched: int
    trials: int
    low95: float
    high95: float
    surface: float
    sigma: float

    @property
    def driven_out(self) -> bool:
        """Whether its pulse drives it out of its state."""
        state = self.pair[self.junction - 1]
        return self.direction is not None and self.direction.initial_mz == 2 * state - 1

    def to_json(self) -> dict[str, Any]:
        """Return the case as plain data."""
        direction = self.direction.value if self.direction else None
        return {**vars(self), "pair": list(self.pair), "direction": direction}


@dataclass(frozen=True)
class LevelResult:
    """All cases at one level: cases, the agreement of all flips, and energies of the update of all columns, (runs,)."""

    level: float
    cases: tuple[Case, ...]
    flips: Agreement
    spice_j: np.ndarray
    surrogate_j: float

    @property
    def energy_error(self) -> float:
        """The surrogate's energy over SPICE's mean, less 1."""
        return float(self.surrogate_j / self.spice_j.mean() - 1)


@dataclass(frozen=True)
class TernaryComparison:
    """What `cosim --arch ternary` found.

    Args:
        read_error: the surrogate's largest error of a column's current, over the current of W = 1.
        linear_error: the largest distance from x v_read (G_M1 - G_M2) of equal linear switches, over the same.
        width_s: of the pulses.
        levels: one result each.
        not_simulated: runs that ngspice did not finish, by reason.
    """

    read_error: float
    linear_error: float
    width_s: float
    levels: tuple[LevelResult, ...]
    not_simulated: dict[str, int]

    @property
    def p_values(self) -> list[float]:
        """Of the levels, corrected for how many they are."""
        return corrected_p([level.flips.p_value for level in self.levels])

    @property
    def worst_sigma(self) -> float:
        """Of all cases."""
        return max(level.flips.worst_sigma for level in self.levels)

    @property
    def energy_error(self) -> float:
        """The larger one of the levels."""
        return max((level.energy_error for level in self.levels), key=abs)

    def agrees(self) -> bool:
        """Return whether everything lies within its limit."""
        return (
            self.read_error <= MOST_READ_ERROR
            and min(self.p_values) > LEAST_P
            and self.worst_sigma <= MOST_SIGMA
            and abs(self.energy_error) <= MOST_ENERGY_ERROR
        )

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as plain data."""
        return {
            "schema": SCHEMA,
            "read": {"max_rel_error": self.read_error, "linear_max_rel_error": self.linear_error},
            "write": {
                "width_s": self.width_s,
                "trials": len(self.levels[0].spice_j),
                "p_value": min(self.p_values),
                "worst_sigma": self.worst_sigma,
                "cases": [case.to_json() for level in self.levels for case in level.cases],
                "not_simulated": self.not_simulated,
            },
            "energy": {
                "rel_error": self.energy_error,
                "levels": [
                    {"level": r.level, "spice_j": float(r.spice_j.mean()), "surrogate_j": r.surrogate_j}
                    for r in self.levels
                ],
            },
            "agrees": self.agrees(),
        }


def cosim_ternary(
    request: CosimRequest,
    shape: tuple[int, int],
    trials: int,
    *,
    executor: Executor,
    progress: ProgressBars,
    draw: Callable[[TernaryComparison, Path], object],
) -> TernaryComparison:
    """Compare reads and updates, and write ``cosim.json`` and a figure; finished runs are kept until then.

    Args:
        shape: (rows, columns) of the array that is read with random weights and inputs.
        trials: updates of each case, at each level.

    Raises:
        InputError: an unfinished run in the folder without `resume`, or cards that do not fit.
        NgspiceMissingError, SimulationError: ngspice is missing, or finished no run.
    """
    started = time.monotonic()
    model = model_of(request.card, request.array, Architecture.ONE_T_ONE_R, progress)
    provenance = cosim_provenance(request)
    asked = ["ternary", list(shape), trials, list(LEVELS)]
    with Checkpoint(make_folder(request.folder) / "checkpoint", sha256_of([provenance, asked])) as checkpoint:
        checkpoint.require_resume(request.resume)
        read_error, linear_error = read_errors(model, shape, request.seed)
        width_s = model.drive.t0_s + model.drive.t1_s
        levels: list[LevelResult] = []
        lost: dict[str, int] = {}
        for number, level in enumerate(LEVELS):
            result, reasons = compare_update(
                model, level, width_s, trials, seed=request.seed, key=(number,), executor=executor,
                checkpoint=checkpoint, progress=progress,
            )  # fmt: skip
            levels.append(result)
            lost |= {reason: count + lost.get(reason, 0) for reason, count in reasons.items()}
        found = TernaryComparison(read_error, linear_error, width_s, tuple(levels), lost)
        timed = provenance | {"elapsed_s": round(time.monotonic() - started, 1)}
        write_json(request.folder / "cosim.json", found.to_json() | {"provenance": timed})
        draw(found, request.folder / "cosim.png")
        checkpoint.remove()
    return found


def read_errors(model: ArrayModel, shape: tuple[int, int], seed: int) -> tuple[float, float]:
    """Return the largest errors of column currents over that of W = 1: of the surrogate, of a linear read.

    Every pair is read with every input, and an array of random ones; only the former counts for the second error, as
    an array's wires, which a linear read leaves out, grow with it.

    Raises:
        NgspiceMissingError, SimulationError: ngspice is missing, or finds no operating point.
    """
    rng = generator(seed, (0x7EAD, *shape))
    rows, columns = shape
    pairs = np.array(PAIRS).T
    reads = [(pairs, np.array([x])) for x in SIGNS]
    reads.append((rng.integers(0, 2, (2 * rows, columns)), rng.integers(-1, 2, rows)))
    g_p, g_ap = model.cell_conductances_s
    unit_a = model.array.read.v_read_v * (g_p - g_ap)
    errors, linear = [], []
    for state, x in reads:
        cells = Cells.nominal(model.parameters, state, model.array.r_short_ohm)
        schedule = ternary_read_schedule(x, state.shape[1], model.array)
        theirs = spice_read(model, cells, schedule)
        errors.append(np.abs(solution(model, cells, schedule.phases[0]).i_column_a - theirs).max())
        if len(x) == 1:
            linear.append(np.abs(ideal_weights_current_a(model, state, x).sum(axis=0) - theirs).max())
    return float(max(errors) / unit_a), float(max(linear) / unit_a)


def spice_read(model: ArrayModel, cells: Cells, schedule: Schedule) -> np.ndarray:
    """Return the columns' currents, (columns,), of a read, by ngspice; raises as `read_errors` does."""
    context = ternary_context(schedule, cells, model.device, title="One read", operating_point=True)
    deck = render_ternary(context)
    scratch = Path(tempfile.gettempdir(), "the simulation's scratch files")
    with writing(scratch), tempfile.TemporaryDirectory(prefix="mtjspice-") as name:
        place_library(model.array, Path(name))
        point = run_points(deck, Path(name), points=1, time_limit_s=_TIME_LIMIT_S)
    return np.array([point[f"i(vsense{j + 1})"][0] for j in range(context.columns)])


def compare_update(
    model: ArrayModel,
    level: float,
    width_s: float,
    trials: int,
    *,
    seed: int,
    key: tuple[int, ...] = (),
    executor: Executor,
    checkpoint: Checkpoint | None,
    progress: ProgressBars,
) -> tuple[LevelResult, dict[str, int]]:
    """Return `trials` updates of a row of synapses, one for each pair and sign, and the runs that were lost, by reason.

    Args:
        level: of the drivers, 0 to 1.
        width_s: of the pulses.
        key: tells these random numbers and batches from those of others with the same seed.

    Raises:
        InputError, ModelError: a level below the transistors' bulk, or a width beyond the surface.
        NgspiceMissingError, SimulationError: ngspice is missing, or finished fewer than two runs.
    """
    cells, signs = _cases(model)
    schedule = ternary_update_schedule(width_s * signs[np.newaxis], line_levels(model, level), model.array)
    batches = [
        Batch(
            "-".join(map(str, ("ternary", *key, f"{k:05d}"))),
            UpdateTask(model.device, schedule, cells, seed, (*key, k)),
        )
        for k in range(trials)
    ]
    with progress(f"ngspice: updates of ternary synapses, level {level:g}") as report:
        results = list(
            run_batches(
                run_update,
                batches,
                executor=executor,
                checkpoint=checkpoint,
                on_progress=report,
                is_complete=lambda result: result["state"] is not None,
            ).values()
        )
    finished = [result for result in results if result["state"] is not None]
    lost: dict[str, int] = {}
    for result in results:
        if result["reason"] is not None:
            lost[result["reason"]] = lost.get(result["reason"], 0) + 1
    if len(finished) < 2:
        raise SimulationError("ngspice finished fewer than two updates", given=next(iter(lost), "nothing"))
    changed = np.array([np.array(result["state"]) != cells.state for result in finished])
    expected = expected_update(model, schedule, cells)
    rng = generator(seed, (*key, trials))
    drawn = rng.random((_DRAWS_PER_TRIAL * trials, cells.state.size)) < expected.probability.ravel()
    flips = compare(changed.reshape(len(changed), -1), drawn, rng)
    return (
        LevelResult(
            level,
            _case_table(level, cells, signs, changed, expected, flips),
            flips,
            np.array([result["energy_j"] for result in finished]),
            expected.energy_j,
        ),
        lost,
    )


def run_update(task: UpdateTask) -> dict[str, Any]:
    """Simulate one update; return the final states, (lines, columns), and the energy, as plain data.

    A run that ngspice does not finish says why under ``reason``, and has no states.

    Raises:
        NgspiceMissingError: no usable ngspice.
        InputError: the transistor library cannot be used.
        OutputError: no room for scratch files.
    """
    device, schedule, cells = task.device, task.schedule, task.cells
    rng = generator(task.seed, task.key)
    starts = start_magnetisations(device.parameters, cells.state, rng)
    labels = pair_labels(cells)

    def deck(noise: tuple[NoiseFile, ...]) -> tuple[str, TernaryContext]:
        context = ternary_context(schedule, cells, device, title="One update", starts=starts, noise=noise)
        return render_ternary(context), context

    try:
        waves, context = simulate_noisy(device, schedule, cells, labels, deck, rng)
    except NgspiceMissingError:
        raise
    except SimulationError as error:
        return {"state": None, "energy_j": None, "reason": str(error)}
    state = cells.state.copy()
    state[cells.switches] = [waves[f"v(mz{label})"][-1] > device.parameters.saddle_mz for label in labels]
    return {"state": state.tolist(), "energy_j": energy_j(waves, context), "reason": None}


def _cases(model: ArrayModel) -> tuple[Cells, np.ndarray]:
    """Return one row of synapses, a column for each pair and sign, and the columns' signs."""
    state = np.array([pair for pair in PAIRS for _ in SIGNS]).T
    return Cells.nominal(model.parameters, state, model.array.r_short_ohm), np.array(SIGNS * len(PAIRS))


def _case_table(
    level: float, cells: Cells, signs: np.ndarray, changed: np.ndarray, expected: ExpectedUpdate, flips: Agreement
) -> tuple[Case, ...]:
    counts, trials = changed.sum(axis=0), len(changed)
    sigma = flips.sigma.reshape(counts.shape)
    found = []
    for column, sign in enumerate(signs.tolist()):
        m1, m2 = cells.state[:, column].tolist()
        for side in (0, 1):
            # M1 goes the way of the weight, M2 the other one.
            way = sign * (1 - 2 * side)
            low, high = exact_interval(counts[side, column], trials)
            found.append(
                Case(
                    level=level,
                    weight=m1 - m2,
                    pair=(m1, m2),
                    sign=sign,
                    junction=side + 1,
                    direction={1: Direction.AP_TO_P, -1: Direction.P_TO_AP, 0: None}[way],
                    v_junction_v=float(expected.v_junction_v[side, column]),
                    switched=int(counts[side, column]),
                    trials=trials,
                    low95=float(low),
                    high95=float(high),
                    surface=float(expected.probability[side, column]),
                    sigma=float(sigma[side, column]),
                )
            )
    return tuple(found)
