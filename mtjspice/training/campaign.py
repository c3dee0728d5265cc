"""The same network trained from several seeds, and the files that a user gets."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice import __version__
from mtjspice.cards.array import Architecture
from mtjspice.cards.campaign import paper_targets
from mtjspice.cards.training import RuleName
from mtjspice.crossbar.cells import require_spread
from mtjspice.errors import InputError
from mtjspice.files import make_folder, sha256_of, write_json
from mtjspice.jobs.batches import Batch, run_batches
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import Executor
from mtjspice.jobs.progress import ProgressBars
from mtjspice.npz import save_npz
from mtjspice.surrogate.model import array_model
from mtjspice.training.cut_layers import row_starts
from mtjspice.training.datasets import load_dataset
from mtjspice.training.epoch_file import epochs_followed
from mtjspice.training.networks import Network, network_sizes
from mtjspice.training.plan import Scenario, TrainingPlan
from mtjspice.training.rule import Hardware
from mtjspice.training.task import Followed, TrainingTask, train_task, unpacked

SCHEMA = 1


@dataclass(frozen=True)
class TrainingResult:
    """What a plan came to.

    Args:
        plan: what was trained.
        runs: as `train_task` returns them, by seed.
        elapsed_s: of the whole campaign.
    """

    plan: TrainingPlan
    runs: tuple[dict[str, Any], ...]
    elapsed_s: float

    @property
    def errors(self) -> np.ndarray:
        """(seeds,) fractions of the test part that are wrong."""
        return np.array([run["test_error"] for run in self.runs])

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """(rows, columns) of every layer."""
        first = self.runs[0]
        return Network(tuple(first["sizes"]), tuple(first["bias_rows"])).shapes

    @property
    def arrays(self) -> list[int]:
        """On how many arrays every layer lies."""
        return [len(row_starts(rows, self.plan.array_rows)) - 1 for rows, _ in self.shapes]

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain data, without the states."""
        errors, runs, last = self.errors, self.runs, [run["epochs"][-1] for run in self.runs]
        per_sample = 1 / runs[0]["samples"]
        return {
            "schema": SCHEMA,
            **self.plan.described(),
            **({"arrays": self.arrays} if self.plan.array_rows else {}),
            "test_error": float(errors.mean()),
            "test_error_std": float(errors.std(ddof=1)) if len(errors) > 1 else 0.0,
            "per_seed": errors.tolist(),
            "epochs": self.plan.epochs,
            "samples": runs[0]["samples"],
            "test_samples": runs[0]["test_samples"],
            "samples_per_s": float(np.median([run["samples_per_s"] for run in runs])),
            "sizes": runs[0]["sizes"],
            "bias_rows": runs[0]["bias_rows"],
            "scales": np.mean([run["scales"] for run in runs], axis=0).tolist(),
            "train_mse": np.mean([run["train_mse"] for run in runs], axis=0).tolist(),
            "test_errors": np.mean([run["test_errors"] for run in runs], axis=0).tolist(),
            "test_errors_std": np.std([run["test_errors"] for run in runs], axis=0).tolist(),
            "confusion": np.sum([run["confusion"] for run in runs], axis=0).tolist(),
            "classes": runs[0]["classes"],
            "flips_per_sample": float(np.mean([record["flips"] for record in last])) * per_sample,
            "false_flips_per_sample": float(np.mean([record["false_flips"] for record in last])) * per_sample,
            "clipped_x": float(np.mean([run["clipped_x"] for run in runs])),
            "clipped_delta_per_sample": float(np.mean([record["clipped"] for record in last])) * per_sample,
            "learns_by": self.plan.learns_by.value,
            "step_j": float(np.mean([record["step_j"] for record in last])),
            "step_s": runs[0]["step_s"],
            "price": runs[0]["price"],
            "data_sha256": runs[0]["data_sha256"],
            "provenance": {"mtjspice": __version__, "elapsed_s": round(self.elapsed_s, 1)},
        }

    def states(self) -> dict[str, np.ndarray]:
        """Return final states by name: layer n of all seeds as (seeds, rows, columns), 1 parallel, 0 antiparallel."""
        return {
            f"layer_{n + 1}": np.array([unpacked(run["states"][n], shape) for run in self.runs])
            for n, shape in enumerate(self.shapes)
        }


def run_training(
    plan: TrainingPlan,
    folder: Path,
    *,
    resume: bool,
    executor: Executor,
    progress: ProgressBars,
    draw: Callable[[TrainingResult, Path], object],
) -> TrainingResult:
    """Train, and leave ``training.json``, ``states.npz`` and a figure in `folder`.

    Finished seeds, and finished epochs of those that are not, are kept until then.

    Raises:
        InputError: a plan that cannot be, or an unfinished run in the folder without `resume`.
        MtjspiceError: whatever else stops it.
    """
    started = time.monotonic()
    identity = sha256_of([plan.described(), _data_sha256(plan)])
    hardware = hardware_of(plan, progress)
    make_folder(folder)
    with (
        Checkpoint(folder / "checkpoint", identity) as checkpoint,
        _epochs_folder(folder, identity, resume) as epochs,
    ):
        checkpoint.require_resume(resume)
        tasks = tasks_of(plan, hardware)
        finished = 0
        with progress(f"{Path(plan.data).stem} {plan.net} {plan.scenario}: epochs trained") as report:

            def on_epochs(count: int) -> None:
                report(finished + count, len(tasks) * plan.epochs)

            def on_seeds(count: int, _: int) -> None:
                nonlocal finished
                finished = count * plan.epochs
                on_epochs(0)

            with epochs_followed(on_epochs):
                runs = run_batches(
                    train_task,
                    [
                        Batch(f"seed-{task.number:04d}", Followed(task, epochs / f"{task.number:04d}.npz", identity))
                        for task in tasks
                    ],
                    executor=executor,
                    checkpoint=checkpoint,
                    on_progress=on_seeds,
                )
        result = TrainingResult(plan, tuple(runs.values()), time.monotonic() - started)
        write_json(folder / "training.json", result.to_json())
        save_npz(folder / "states.npz", SCHEMA, plan.described(), result.states())
        draw(result, folder / "training.png")
        shutil.rmtree(epochs, ignore_errors=True)
        checkpoint.remove()
    return result


@contextmanager
def _epochs_folder(folder: Path, identity: str, resume: bool) -> Iterator[Path]:
    """Give the folder of finished epochs; not the checkpoint's, which goes when a run stops before its first seed ends.

    Raises:
        InputError: it holds epochs, and `resume` is not given; or another run's, and it is.
    """
    kept = folder.resolve() / "checkpoint"
    epochs = kept / f"epochs-{identity[:16]}"
    others = [other for other in kept.glob("epochs-*") if other != epochs and any(other.glob("*.npz"))]
    if resume and others and not epochs.exists():
        raise InputError(
            "the unfinished run here is another one",
            where=folder,
            next_step="give the command and the data that it was started with, or choose another folder with --out",
        )
    if not resume and any(epochs.glob("*.npz")):
        raise InputError(
            "an unfinished run holds finished epochs",
            where=folder,
            next_step="add --resume to go on with it, or choose another folder with --out",
        )
    try:
        yield make_folder(epochs)
    finally:
        with suppress(OSError):  # it is not empty, and stays
            epochs.rmdir()


def _data_sha256(plan: TrainingPlan) -> str:
    """Return the SHA-256 of the first seed's data, which the network fits.

    Raises:
        InputError: data that cannot be used, or a network that does not fit them.
    """
    data = load_dataset(plan.data, plan.split, plan.root_seed)
    network_sizes(plan.net, data.x_train.shape[1], len(data.classes))
    return data.sha256


def hardware_of(plan: TrainingPlan, progress: ProgressBars) -> Hardware | None:
    """Return what a plan trains on; None in software.

    Raises:
        InputError: phases that the architecture does not have, a rule without crossbars in crossbars, a spread out of
            range, or layers cut where that changes nothing.
    """
    if plan.scenario is Scenario.STOCHASTIC and plan.rule in (RuleName.REAL, RuleName.BINARY_CONNECT):
        raise InputError(
            "the rule does not train crossbars",
            given=f"--rule {plan.rule}",
            allowed=f"{RuleName.PER_SAMPLE}, {RuleName.BATCH} or {RuleName.COUNTER}",
            next_step="train in software with --scenario rv (real weights) or --scenario bc (binary weights)",
        )
    require_spread(plan.variation_percent)
    if plan.array_rows is not None:
        _require_cut(plan.array_rows, plan.architecture)
    if plan.scenario in (Scenario.REAL, Scenario.BINARY_CONNECT):
        return None
    phases = plan.phases or plan.architecture.phases[0]
    if phases not in plan.architecture.phases:
        raise InputError(
            f"{plan.architecture} has no write of {phases} phases",
            given=phases,
            allowed=" or ".join(map(str, plan.architecture.phases)),
        )
    model = array_model(plan.architecture, plan.junction, plan.array, paper_targets(), progress=progress)
    return Hardware(model, phases, plan.variation_percent, plan.switching, plan.mean_field, plan.array_rows)


def _require_cut(array_rows: int, architecture: Architecture) -> None:
    """Require arrays that have rows, and cells that see the other ones of their array."""
    if array_rows < 1:
        raise InputError("there is no such array", given=f"{array_rows} rows", allowed="1 row, or more")
    if architecture is not Architecture.ONE_R:
        raise InputError(
            "to cut layers into arrays makes no difference where cells have transistors: over ideal lines a cell sees "
            "no other one, and currents and energies add up to the same",
            given=f"--array-rows {array_rows} --arch {architecture}",
            allowed="--arch 1r with it",
        )


def tasks_of(plan: TrainingPlan, hardware: Hardware | None) -> Sequence[TrainingTask]:
    """Return a task for each seed.

    Raises:
        InputError: fewer than one seed or epoch.
    """
    if plan.seeds < 1 or plan.epochs < 1:
        raise InputError(
            "there is nothing to train",
            given=f"{plan.seeds} seeds, {plan.epochs} epochs",
            allowed="1 seed and 1 epoch, or more",
        )
    return [TrainingTask(plan, hardware, number) for number in range(plan.seeds)]
