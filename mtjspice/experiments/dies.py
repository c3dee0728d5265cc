"""Networks on dies with defects: error over the rate of defects, by how networks are trained and what is done on a die.

After Borders et al. (Phys. Rev. Applied 21, 054028): training that knows nothing of defects, one die, or how dies are
distributed. The paper's layers, rates and resistances are not published: see `docs/dies.md` for what is assumed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice import __version__
from mtjspice.cards.array import Architecture
from mtjspice.cards.die_statistics import DieStatistics, load_die_statistics
from mtjspice.errors import InputError
from mtjspice.experiments.die_runs import DieTask, Measured, finish_die_runs, shipped_dies
from mtjspice.files import make_folder, write_json
from mtjspice.jobs.executors import Executor
from mtjspice.jobs.progress import ProgressBars
from mtjspice.training.dies.chip import IDEAL_SENSING, Sensing
from mtjspice.training.dies.deployment import Deployment
from mtjspice.training.dies.evaluation import NEAR_POINTS
from mtjspice.training.dies.plan import DieMethod, DiePlan

SCHEMA = 1
TITLE = "Test error of MNIST networks of 100-90-10 binary weights on dies with defects [%]"
RATES = (0.0, 0.001, 0.003, 0.01, 0.02, 0.05)
_RATE = 0.01
"""Of the conditions that the paper does not speak of."""
_STATISTICS = "borders2024"
_NET, _DATA = "100-90-10", "mnist"
_SEEDS, _DIES = 3, 36
_QUICK_SEEDS, _QUICK_DIES, _QUICK_RATES, _QUICK_EPOCHS = 1, 12, (0.001, 0.01), 6
_IMAGES, _LABELLED, _COUNTED = 2048, 512, 10_000
"""Of calibration, of trim, and of fine-tuning by counters."""
NEEDS = (
    f"Known of each die: map: of its defects; images: {_IMAGES} without labels; labels: {_LABELLED} labelled images, "
    f"or {_COUNTED:,} that counters of junctions see; "
    "everything: each cell's conductances, or all that it computes, with all labels, and training for it alone"
)
_COPIES, _COPIES_RATE = 5, 0.0005
"""Of each output, and the rate at which they are trained: both chosen on validation images and dies."""
_DIE_EPOCHS, _DIE_LEARNING_RATE = 8, 0.05
"""Of training for one die, which is done for every die: short, and fast to make up for it."""
_AS_IS, _CALIBRATE = Deployment(), Deployment(calibration_images=_IMAGES)
_REMAP = Deployment(remap=True, calibration_images=_IMAGES)
_TRIM = Deployment(remap=True, calibration_images=_IMAGES, trim_images=_LABELLED)
_CALIBRATE_COUNT = Deployment(calibration_images=_IMAGES, fine_tune_images=_COUNTED)
_REMAP_COUNT = Deployment(remap=True, calibration_images=_IMAGES, fine_tune_images=_COUNTED)
_DISTURBANCES = (
    ("flips", 0.005),
    ("flips", 0.01),
    ("flips", 0.02),
    ("flips", 0.05),
    ("noise", 0.1),
    ("noise", 0.2),
    ("noise", 0.4),
    ("shorts", 0.001),
    ("shorts", 0.005),
    ("shorts", 0.01),
)


@dataclass(frozen=True)
class Training:
    """How networks are trained.

    Args:
        name: of it.
        method: what is known of dies.
        calibrated: whether columns will be calibrated.
        copies: of each output.
        rate: of defects in training; None for the rate that is tested.
        only_at: the only rate at which it is measured, for what it costs; None for all.
    """

    name: str
    method: DieMethod
    calibrated: bool = False
    copies: int = 1
    rate: float | None = None
    only_at: float | None = None

    def rates(self, asked: Sequence[float]) -> tuple[float, ...]:
        """Return those of the rates that it is measured at."""
        return tuple(rate for rate in asked if self.only_at in (None, rate))

    def tested(self, rate: float) -> float | None:
        """Return the rate that tells this training's networks apart; None if they are the same at every rate."""
        fixed = self.method is DieMethod.IDEAL or self.rate is not None
        return None if fixed else rate

    def plan(self, number: int, epochs: int | None, root_seed: int) -> DiePlan:
        """Return the plan of one network."""
        plan = DiePlan(
            _DATA, _NET, self.method, calibrated=self.calibrated, copies=self.copies, number=number, root_seed=root_seed
        )
        return plan if epochs is None else replace(plan, epochs=epochs)


@dataclass(frozen=True)
class Row:
    """A row of the table: a training, and what is done on each die.

    Args:
        training: of its networks.
        deployment: on each die.
        name: of what is done there.
        other_die: whether a network trained for one die is measured on another.
    """

    training: Training
    deployment: Deployment
    name: str
    other_die: bool = False

    @property
    def needs(self) -> str:
        """What has to be known of each die."""
        if self.training.method.needs_a_die:
            return "nothing" if self.other_die else "everything"
        deployment = self.deployment
        needs = [
            *(["map"] if deployment.remap else []),
            *(["images"] if deployment.calibration_images else []),
            *(["labels"] if deployment.trim_images or deployment.fine_tune_images else []),
        ]
        return ", ".join(needs) or "nothing"


IDEAL = Training("ideal", DieMethod.IDEAL)
AWARE = Training("statistics-aware", DieMethod.STATISTICS_AWARE)
AWARE_CALIBRATED = Training("statistics-aware, per die", DieMethod.STATISTICS_AWARE, calibrated=True)
IDEAL_COPIED = Training(f"ideal, {_COPIES} copies", DieMethod.IDEAL, copies=_COPIES)
COPIED = Training(
    f"statistics-aware at {100 * _COPIES_RATE:g} %, {_COPIES} copies",
    DieMethod.STATISTICS_AWARE,
    calibrated=True,
    copies=_COPIES,
    rate=_COPIES_RATE,
)
OWN_DIE = Training("hardware-aware", DieMethod.HARDWARE_AWARE)
IN_THE_LOOP = Training("chip in the loop", DieMethod.CHIP_IN_THE_LOOP, only_at=_RATE)
FINE_TUNED = Training("ideal, then counters on the die", DieMethod.IDEAL, only_at=_RATE)

_IDEAL_AS_IS = Row(IDEAL, _AS_IS, "as is")
_IDEAL_REMAPPED = Row(IDEAL, _REMAP, "remapped, calibrated")
_AWARE_AS_IS = Row(AWARE, _AS_IS, "as is")
_COPIED_REMAPPED = Row(COPIED, _REMAP, "remapped, calibrated")
ROWS = (
    _IDEAL_AS_IS,
    Row(IDEAL, _CALIBRATE, "calibrated"),
    _IDEAL_REMAPPED,
    _AWARE_AS_IS,
    Row(AWARE_CALIBRATED, _CALIBRATE, "calibrated"),
    Row(AWARE_CALIBRATED, _REMAP, "remapped, calibrated"),
    Row(IDEAL_COPIED, _REMAP, "remapped, calibrated"),
    _COPIED_REMAPPED,
    Row(COPIED, _TRIM, "remapped, calibrated, trimmed"),
    Row(OWN_DIE, _AS_IS, "its own die"),
    Row(OWN_DIE, _AS_IS, "another die", other_die=True),
    Row(IN_THE_LOOP, _AS_IS, "its own die"),
    Row(FINE_TUNED, _CALIBRATE_COUNT, "calibrated"),
    Row(FINE_TUNED, _REMAP_COUNT, "remapped, calibrated"),
)
_CONDITION_ROWS = (_IDEAL_AS_IS, _IDEAL_REMAPPED, _AWARE_AS_IS, _COPIED_REMAPPED)


Tasks = dict[tuple[str, float | None, int], DieTask]
"""By the names of their training, the rate of `Training.tested`, and their number."""


@dataclass(frozen=True)
class Condition:
    """Dies or reads other than those that training knows of."""

    name: str
    statistics: DieStatistics
    sensing: Sensing = IDEAL_SENSING
    architecture: Architecture = Architecture.ONE_T_ONE_R


@dataclass(frozen=True)
class DieConditions:
    """What is asked for.

    Args:
        quick: a few minutes' version.
        rate: the only rate of defects; all without.
        root_seed: of networks and dies.
    """

    quick: bool = False
    rate: float | None = None
    root_seed: int = 1

    @property
    def rates(self) -> tuple[float, ...]:
        """Of defects."""
        if self.rate is not None:
            return (self.rate,)
        return _QUICK_RATES if self.quick else RATES

    @property
    def seeds(self) -> int:
        """Networks of each training."""
        return _QUICK_SEEDS if self.quick else _SEEDS

    @property
    def dies(self) -> int:
        """How many."""
        return _QUICK_DIES if self.quick else _DIES

    @property
    def epochs(self) -> int | None:
        """Of training; the plan's own without."""
        return _QUICK_EPOCHS if self.quick else None

    @property
    def rows(self) -> tuple[Row, ...]:
        """Of the table."""
        rows = (row for row in ROWS if row.training.rates(self.rates))
        return tuple(row for row in rows if not (self.quick and _is_slow(row)))

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Beyond the table."""
        return () if self.quick or self.rate is not None else _conditions()

    @property
    def command(self) -> str:
        """What makes the table."""
        options = ["--quick"] * self.quick
        options += [f"--rate {self.rate:g}"] if self.rate is not None else []
        options += [f"--seed {self.root_seed}"] if self.root_seed != 1 else []
        return " ".join(["mtjspice reproduce dies", *options])


def _conditions() -> tuple[Condition, ...]:
    """Return what the paper does not speak of, each at a rate of 1 %."""
    known = load_die_statistics(_STATISTICS).at_rate(_RATE)
    stuck = known.rates.model_copy(update={"short": 0.001, "open": 0.001, "stuck_p": 0.004, "stuck_ap": 0.004})
    return (
        Condition("as in the table", known),
        Condition("three times the rate", known.at_rate(3 * _RATE)),
        Condition("10 % shorts, 80 % stuck", known.model_copy(update={"rates": stuck})),
        Condition("clusters of 5", known.model_copy(update={"cluster_cells": 5.0})),
        Condition("resistances +- 20 %", known.model_copy(update={"r_p_percent": 20.0})),
        Condition("1R, shorts of 250 ohm", known, architecture=Architecture.ONE_R),
        Condition("read noise of 0.5 weights", known, Sensing(noise=0.5)),
        Condition("sums clipped at 0.25", known, Sensing(full_scale=0.25)),
        Condition("8 bits over +- 0.5", known, Sensing(full_scale=0.5, bits=8)),
        Condition("6 bits over +- 0.5", known, Sensing(full_scale=0.5, bits=6)),
    )


def tasks_of(asked: DieConditions) -> Tasks:
    """Return the networks to train."""
    known = load_die_statistics(_STATISTICS)
    tasks: Tasks = {}
    for training in dict.fromkeys(row.training for row in asked.rows):
        rows = [row for row in asked.rows if row.training == training]
        if training.method.needs_a_die:
            for rate in training.rates(asked.rates):
                for die in range(1, asked.dies + 1):
                    tasks[training.name, rate, die] = _one_die(asked, training, rows, known.at_rate(rate), die)
            continue
        for own in dict.fromkeys(training.tested(rate) for rate in training.rates(asked.rates)):
            rates = training.rates(asked.rates) if own is None else (own,)
            measured = [_measured(row, known.at_rate(one), one, asked.dies) for row in rows for one in rates]
            if own in (None, _RATE):
                measured += [
                    one for row in rows if row in _CONDITION_ROWS for one in _measured_in(row, asked.conditions)
                ]
            in_loop = None
            if (of_training := own if training.rate is None else training.rate) is not None:
                in_loop = known.at_rate(of_training)
            for number in range(asked.seeds):
                plan = training.plan(number, asked.epochs, asked.root_seed)
                disturbances = _DISTURBANCES if _is_sampled(training, own) else ()
                tasks[training.name, own, number] = DieTask(
                    plan, in_loop, None, tuple(measured), asked.root_seed, disturbances
                )
    return tasks


def _is_slow(row: Row) -> bool:
    """Return whether a row is left out of the quick version."""
    return row.training.method.needs_a_die or row.training is FINE_TUNED


def _is_sampled(training: Training, rate: float | None) -> bool:
    """Return whether the loss around the solution is sampled."""
    return training is IDEAL or (training in (AWARE, AWARE_CALIBRATED) and rate == _RATE)


def _one_die(
    asked: DieConditions, training: Training, rows: Sequence[Row], statistics: DieStatistics, die: int
) -> DieTask:
    other = die % asked.dies + 1
    measured = []
    for row in rows:
        number = other if row.other_die else die
        measured.append(Measured(row.name, statistics, (number, number), row.deployment))
    epochs = min(_DIE_EPOCHS, asked.epochs or _DIE_EPOCHS)
    plan = replace(training.plan(0, epochs, asked.root_seed), learning_rate=_DIE_LEARNING_RATE)
    return DieTask(plan, statistics, die, tuple(measured), asked.root_seed)


def _measured(row: Row, statistics: DieStatistics, rate: float, dies: int) -> Measured:
    return Measured(cell_name(row, rate), statistics, (1, dies), row.deployment)


def _measured_in(row: Row, conditions: Sequence[Condition]) -> list[Measured]:
    return [
        Measured(
            condition_name(row, condition),
            condition.statistics,
            (1, _DIES),
            replace(row.deployment, sensing=condition.sensing),
            condition.architecture,
        )
        for condition in conditions
    ]


def cell_name(row: Row, rate: float) -> str:
    """Return the name of a measurement."""
    return f"{row.name} at {rate:g}"


def condition_name(row: Row, condition: Condition) -> str:
    """Return the name of a measurement in other conditions."""
    return f"{row.name}: {condition.name}"


@dataclass(frozen=True)
class DieTable:
    """What came out.

    Args:
        asked: for what.
        tasks: as `tasks_of` returned them.
        results: of the tasks by their keys.
    """

    asked: DieConditions
    tasks: Tasks
    results: dict[str, dict[str, Any]]

    def _numbers(self, training: Training, rate: float) -> list[dict[str, Any]]:
        wanted = training.name, training.tested(rate)
        return [self.results[task.key] for (*one, _), task in self.tasks.items() if tuple(one) == wanted]

    def errors(self, row: Row, rate: float) -> np.ndarray:
        """Return the errors, (networks, dies), of a row; of training for one die (1, dies)."""
        found = self._numbers(row.training, rate)
        if row.training.method.needs_a_die:
            return np.array([[one["errors"][row.name][0] for one in found]])
        return np.array([one["errors"][cell_name(row, rate)] for one in found])

    def errors_in(self, row: Row, condition: Condition) -> np.ndarray:
        """Return the errors, (networks, dies), in other conditions."""
        return np.array([one["errors"][condition_name(row, condition)] for one in self._numbers(row.training, _RATE)])

    @property
    def condition_rows(self) -> tuple[Row, ...]:
        """Rows that are measured in other conditions, too."""
        return _CONDITION_ROWS

    @property
    def baseline(self) -> float:
        """The error of ideal training in software, on average over networks."""
        return float(np.mean([one["software"] for one in self._numbers(IDEAL, self.asked.rates[0])]))

    def near(self, errors: np.ndarray) -> float:
        """Return how many dies, on average over networks, err within two points of that."""
        return float((errors <= self.baseline + NEAR_POINTS).sum(axis=1).mean())

    def losses(self, training: Training) -> tuple[float, dict[str, list[tuple[float, float]]]]:
        """Return the loss of a training's solutions, and by kind of disturbance (strength, loss); nats, at 1 %."""
        found = self._numbers(training, _RATE)
        around: dict[str, list[tuple[float, float]]] = {}
        for place, (kind, strength) in enumerate(_DISTURBANCES):
            around.setdefault(kind, []).append((strength, float(np.mean([one["losses"][place][2] for one in found]))))
        return float(np.mean([one["loss"] for one in found])), around

    @property
    def sampled(self) -> tuple[Training, ...]:
        """Trainings around whose solutions the loss is sampled."""
        return (IDEAL, AWARE, AWARE_CALIBRATED) if _RATE in self.asked.rates else (IDEAL,)

    @property
    def stem(self) -> str:
        """Name of the files."""
        rate = "" if self.asked.rate is None else f"_{self.asked.rate:g}"
        return f"dies{rate}{'_quick' * self.asked.quick}"

    def to_json(self) -> dict[str, Any]:
        """Return the table as plain data; fractions."""
        rows = []
        for row in self.asked.rows:
            cells = []
            for rate in row.training.rates(self.asked.rates):
                errors = self.errors(row, rate)
                cells.append(
                    {
                        "rate": rate,
                        "mean_error": float(errors.mean()),
                        "std_over_networks": float(errors.mean(axis=1).std(ddof=1)) if len(errors) > 1 else None,
                        "worst_error": float(errors.max()),
                        "dies_near_software": self.near(errors),
                        "errors": errors.tolist(),
                    }
                )
            rows.append({"training": row.training.name, "on_the_die": row.name, "needs": row.needs, "cells": cells})
        conditions = [
            {
                "condition": condition.name,
                "training": row.training.name,
                "on_the_die": row.name,
                "mean_error": float(errors.mean()),
                "worst_error": float(errors.max()),
            }
            for condition in self.asked.conditions
            for row in _CONDITION_ROWS
            for errors in [self.errors_in(row, condition)]
        ]
        losses = [
            {"training": training.name, "loss": loss, "around": around}
            for training in self.sampled
            for loss, around in [self.losses(training)]
        ]
        return {
            "schema": SCHEMA,
            "title": TITLE,
            "quick": self.asked.quick,
            "baseline_error": self.baseline,
            "dies": self.asked.dies,
            "networks": self.asked.seeds,
            "rows": rows,
            "conditions": conditions,
            "losses": losses,
            "provenance": {"mtjspice": __version__, "command": self.asked.command, "statistics": _STATISTICS},
        }


def reproduce_dies(
    asked: DieConditions,
    folder: Path,
    *,
    executor: Executor,
    progress: ProgressBars,
    draw: Callable[[DieTable, Path], object],
) -> DieTable:
    """Train and measure what is not on disk, and leave the table as JSON and as `draw` has it in `folder`.

    Raises:
        InputError: a rate out of range, or a quick version among the shipped results.
        MtjspiceError: whatever stops a training; what has ended is kept in ``folder/runs``.
    """
    if asked.quick and folder.resolve().is_relative_to(shipped_dies().resolve()):
        raise InputError(
            "a quick version does not belong among the shipped results", where=folder, next_step="choose another --out"
        )
    tasks = tasks_of(asked)
    results = finish_die_runs(
        list(tasks.values()), folder, title="dies: networks trained and measured", executor=executor, progress=progress
    )
    found = DieTable(asked, tasks, results)
    make_folder(folder)
    write_json(folder / f"{found.stem}.json", found.to_json())
    draw(found, folder)
    return found
