"""Networks trained for dies and measured on others, by content: what is on disk is not trained again."""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.die_statistics import DieStatistics
from mtjspice.cards.junction import load_card
from mtjspice.cards.training import Switching
from mtjspice.crossbar.die_drawing import draw_dies
from mtjspice.crossbar.die_shapes import array_shapes
from mtjspice.crossbar.dies import Die
from mtjspice.experiments.run_files import RUNS, find_kept, rounded
from mtjspice.files import make_folder, sha256_of, write_text
from mtjspice.jobs.batches import Batch
from mtjspice.jobs.executors import Executor
from mtjspice.jobs.progress import ProgressBars
from mtjspice.resources import calibration_folder
from mtjspice.surrogate.model import load_model
from mtjspice.surrogate.read_model import ReadModel, read_model
from mtjspice.training.datasets import Dataset
from mtjspice.training.dies.campaign import images_for, train_network
from mtjspice.training.dies.deployment import Deployment, errors_on_dies, software_error
from mtjspice.training.dies.network import BinaryNetwork
from mtjspice.training.dies.parts import parts_of
from mtjspice.training.dies.plan import DiePlan
from mtjspice.training.dies.sensitivity import flipped, losses_around, noisy, shorted
from mtjspice.training.rule import Hardware

SCHEMA = 1
CARD, ARRAY = "mondal2018", "select1500"
_DIGITS = 5
_LOSS_IMAGES, _LOSS_SAMPLES = 2000, 20


@dataclass(frozen=True)
class Measured:
    """Dies on which a network is measured, and how.

    Args:
        name: by which the errors are found again.
        statistics: of the dies.
        dies: numbers of the first and the last, from 1.
        deployment: what is done on each.
        architecture: of their arrays.
    """

    name: str
    statistics: DieStatistics
    dies: tuple[int, int]
    deployment: Deployment
    architecture: Architecture = Architecture.ONE_T_ONE_R

    def described(self) -> dict[str, Any]:
        """Return everything that determines the errors, as plain data."""
        deployment, sensing = self.deployment, self.deployment.sensing
        return {
            "name": self.name,
            "statistics": self.statistics.model_dump(mode="json"),
            "dies": self.dies,
            "architecture": self.architecture.value,
            "remap": deployment.remap,
            "calibration_images": deployment.calibration_images,
            "trim_images": deployment.trim_images,
            **({"fine_tune_images": deployment.fine_tune_images} if deployment.fine_tune_images else {}),
            "sensing": [sensing.full_scale, sensing.noise, sensing.bits],
        }


@dataclass(frozen=True)
class DieTask:
    """One network.

    Args:
        plan: of its training.
        statistics: of the dies in the loop; None for ideal training.
        die: number of the one in the loop, where it is trained for one die.
        measured: where.
        die_seed: root seed of all dies that are measured.
        disturbances: strengths of each kind at which the loss around the solution is sampled.
    """

    plan: DiePlan
    statistics: DieStatistics | None
    die: int | None
    measured: tuple[Measured, ...]
    die_seed: int
    disturbances: tuple[tuple[str, float], ...] = ()

    def described(self) -> dict[str, Any]:
        """Return everything that determines the result, as plain data."""
        return {
            "plan": self.plan.described(),
            "statistics": None if self.statistics is None else self.statistics.model_dump(mode="json"),
            "die": self.die,
            "measured": [one.described() for one in self.measured],
            "die_seed": self.die_seed,
            "disturbances": [list(one) for one in self.disturbances],
            **_card_hashes(),
        }

    @cached_property
    def key(self) -> str:
        """Its name: all that determines it, hashed."""
        return sha256_of(self.described())[:16]


def shipped_dies() -> Path:
    """Return the folder of the committed table, figure and runs."""
    return calibration_folder() / CARD / "dies"


def finish_die_runs(
    tasks: Sequence[DieTask], folder: Path, *, title: str, executor: Executor, progress: ProgressBars
) -> dict[str, dict[str, Any]]:
    """Return the results of all tasks by key, after running those that are not on disk; each is kept when it ends.

    Raises:
        MtjspiceError: whatever stops a training; what has ended is kept.
    """
    wanted = {task.key: task for task in tasks}
    places = (shipped_dies(), folder)
    found = {key: kept for key in wanted if (kept := find_kept(key, {"schema": SCHEMA, "key": key}, places))}
    pending = [Batch(key, task) for key, task in wanted.items() if key not in found]
    if not pending:
        return found
    runs = make_folder(folder / RUNS)
    with progress(title) as report, closing(executor.map_unordered(run_die_task, pending)) as finished:
        report(len(found), len(wanted))
        for batch, result in finished:
            text = json.dumps({"schema": SCHEMA, "key": batch.key} | rounded(result, _DIGITS), allow_nan=False)
            write_text(runs / f"{batch.key}.json", text + "\n")
            found[batch.key] = json.loads(text)
            report(len(found), len(wanted))
    return {key: found[key] for key in wanted}


def run_die_task(task: DieTask) -> dict[str, Any]:
    """Return what a network comes to, as plain data.

    Returns:
        ``software`` error; ``errors`` on each die, by the name of the measurement; ``losses`` around the solution, by
        kind and strength, and ``loss`` there; fractions and nats.
    """
    model = _model(Architecture.ONE_T_ONE_R)
    plan = task.plan
    data, sizes = _images(plan.data, plan.net)
    in_loop: tuple[Die, ...] = ()
    if task.die is not None:
        assert task.statistics is not None
        shapes = array_shapes(sizes, plan.copies)
        in_loop = _dies(task.statistics, model, shapes, (task.die, task.die), task.die_seed)
    statistics = None if in_loop else task.statistics
    network, history = train_network(plan, model, data, sizes, statistics=statistics, dies=in_loop)
    errors = {one.name: _errors(network, data, one, task.die_seed) for one in task.measured}
    return {
        "software": software_error(network, data),
        "training_loss": history[-1]["loss"],
        "errors": errors,
        **_losses(network, data, task, model),
    }


@lru_cache(maxsize=1)
def _card_hashes() -> dict[str, str]:
    return {"junction_sha256": load_card(CARD).sha256, "array_sha256": load_array(ARRAY).sha256}


@lru_cache(maxsize=1)
def _images(data: str, net: str) -> tuple[Dataset, tuple[int, int, int]]:
    """Return what `images_for` does; to read them anew takes as long as to train for one die."""
    return images_for(data, net, 0, np.random.default_rng(0))


def _errors(network: BinaryNetwork, data: Dataset, one: Measured, die_seed: int) -> list[float]:
    model = _model(one.architecture)
    dies = _dies(one.statistics, model, array_shapes(network.sizes, network.copies), one.dies, die_seed)
    known = parts_of(model, dies, network.sizes, network.copies)
    hardware = _counters() if one.deployment.fine_tune_images else None
    return [float(error) for error in errors_on_dies(network, known, data, one.deployment, die_seed, hardware=hardware)]


def _dies(
    statistics: DieStatistics,
    model: ReadModel,
    shapes: tuple[tuple[int, int], ...],
    numbers: tuple[int, int],
    die_seed: int,
) -> tuple[Die, ...]:
    first, last = numbers
    count = last - first + 1
    return draw_dies(statistics, model.parameters, model.array.r_short_ohm, shapes, count, die_seed, first)


def _losses(network: BinaryNetwork, data: Dataset, task: DieTask, model: ReadModel) -> dict[str, Any]:
    if not task.disturbances:
        return {}
    g_p, g_ap = model.cell_conductances_s
    short_s = 1 / (model.array.r_short_ohm + model.in_series_ohm)
    disturbances = {"flips": flipped, "noise": noisy, "shorts": shorted((short_s - (g_p + g_ap) / 2) / (g_p - g_ap))}
    x, labels = data.x_test[:_LOSS_IMAGES], data.y_test[:_LOSS_IMAGES]

    def loss(kind: str, strength: float) -> float:
        samples = losses_around(
            network, disturbances[kind], strength, x, labels, samples=_LOSS_SAMPLES, root_seed=task.die_seed
        )
        return float(samples.mean())

    return {
        "loss": loss("flips", 0.0),
        "losses": [[kind, strength, loss(kind, strength)] for kind, strength in task.disturbances],
    }


@lru_cache(maxsize=1)
def _counters() -> Hardware:
    """Return what counts in fine-tuning: nominal junctions of the same cards."""
    model = load_model(Architecture.ONE_T_ONE_R, CARD, ARRAY)
    return Hardware(model, phases=2, variation_percent=0.0, switching=Switching.PHYSICAL)


@lru_cache(maxsize=2)
def _model(architecture: Architecture) -> ReadModel:
    return read_model(architecture, load_card(CARD), load_array(ARRAY))
