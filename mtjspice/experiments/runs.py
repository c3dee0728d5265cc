"""Trained networks by content: a run that is on disk is not trained again, whichever table asks for it."""

import json
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from mtjspice.experiments.run_files import RUNS, find_kept, rounded
from mtjspice.files import make_folder, sha256_of, write_text, writing
from mtjspice.jobs.batches import Batch
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import Executor
from mtjspice.jobs.progress import ProgressBars
from mtjspice.resources import calibration_folder
from mtjspice.training.campaign import SCHEMA, TrainingResult, hardware_of, tasks_of
from mtjspice.training.epoch_file import epochs_followed
from mtjspice.training.plan import Scenario, TrainingPlan
from mtjspice.training.rule import Hardware
from mtjspice.training.task import Followed, train_task

_DIGITS = 6
_SOFTWARE = (Scenario.REAL, Scenario.BINARY_CONNECT)


def shipped_results() -> Path:
    """Return the folder of the committed tables, figures and runs."""
    return calibration_folder() / "mondal2018" / "training"


def run_key(plan: TrainingPlan) -> str:
    """Return the name of a plan's run: all that determines it, hashed."""
    return sha256_of(plan.described())[:16]


def find_run(plan: TrainingPlan, folder: Path) -> dict[str, Any] | None:
    """Return a finished run, as `TrainingResult.to_json` has it, from the shipped ones or from `folder`.

    A file that is damaged, or of another run, counts as none.
    """
    wanted = {"schema": SCHEMA} | plan.described()
    return find_kept(run_key(plan), wanted, (shipped_results(), folder))


def finish_runs(
    plans: Sequence[TrainingPlan], folder: Path, *, title: str, executor: Executor, progress: ProgressBars
) -> dict[str, dict[str, Any]]:
    """Return all runs by `run_key`, after training those that are nowhere, one after the other.

    A run is written into `folder` as soon as its last seed is finished; finished seeds, and finished epochs of those
    that are not, are kept there until then, so that the same call goes on where an interrupted one stopped.

    Raises:
        MtjspiceError: whatever stops a training; finished runs are kept.
    """
    wanted = {run_key(plan): plan for plan in plans}
    found = {key: run for key, plan in wanted.items() if (run := find_run(plan, folder))}
    missing = {key: plan for key, plan in wanted.items() if key not in found}
    if missing:
        found |= _train(missing, folder, sha256_of(sorted(wanted)), title, executor, progress)
    return {key: found[key] for key in wanted}


def _train(
    plans: dict[str, TrainingPlan],
    folder: Path,
    identity: str,
    title: str,
    executor: Executor,
    progress: ProgressBars,
) -> dict[str, dict[str, Any]]:
    runs, unfinished = make_folder(folder / RUNS), folder / "unfinished"
    epochs = make_folder(unfinished.resolve() / f"epochs-{identity[:16]}")
    batches = _batches(plans, epochs, progress)
    results: dict[str, dict[str, Any]] = {}
    seeds: dict[str, dict[str, dict[str, Any]]] = {key: {} for key in plans}
    with Checkpoint(unfinished, identity) as checkpoint, progress(title) as report:

        def finish(batch_key: str, seed: dict[str, Any]) -> None:
            """Take one seed; write the run if it was its last."""
            key = batch_key.partition("-")[0]
            seeds[key][batch_key] = seed
            if len(seeds[key]) == len(batches[key]):
                in_order = tuple(seeds[key][batch.key] for batch in batches[key])
                results[key] = _written(TrainingResult(plans[key], in_order, _seconds(in_order)), runs / f"{key}.json")

        def on_epochs(count: int) -> None:
            finished = sum(plans[key].epochs * len(ours) for key, ours in seeds.items())
            report(finished + count, sum(plans[key].epochs * len(ours) for key, ours in batches.items()))

        kept = checkpoint.finished()
        pending = []
        for batch in chain.from_iterable(batches.values()):
            if batch.key in kept:
                finish(batch.key, kept[batch.key])
            else:
                pending.append(batch)
        on_epochs(0)
        with epochs_followed(on_epochs), closing(executor.map_unordered(train_task, pending)) as finished:
            for batch, seed in finished:
                checkpoint.save(batch.key, seed)
                finish(batch.key, seed)
                on_epochs(0)
        with writing(epochs):
            shutil.rmtree(epochs)
        checkpoint.remove()
    return results


def _batches(plans: dict[str, TrainingPlan], epochs: Path, progress: ProgressBars) -> dict[str, list[Batch]]:
    """Return a batch for each seed of each plan, whose epochs are kept in the folder `epochs`."""
    models: dict[Any, Hardware | None] = {}
    found = {}
    for key, plan in plans.items():
        # To load an array's model takes a second, and a table has few.
        model = (plan.scenario in _SOFTWARE, plan.architecture, plan.phases, plan.junction.sha256, plan.array.sha256)
        if model not in models:
            models[model] = hardware_of(plan, progress)
        hardware = models[model]
        if hardware is not None:
            hardware = replace(
                hardware,
                variation_percent=plan.variation_percent,
                switching=plan.switching,
                mean_field=plan.mean_field,
                array_rows=plan.array_rows,
            )
        found[key] = [
            Batch(name := f"{key}-{task.number:04d}", Followed(task, epochs / f"{name}.npz", key))
            for task in tasks_of(plan, hardware)
        ]
    return found


def _seconds(runs: Sequence[dict[str, Any]]) -> float:
    """Return how long all seeds trained together; they share the machine with other runs."""
    return sum(record["seconds"] for run in runs for record in run["epochs"])


def _written(result: TrainingResult, path: Path) -> dict[str, Any]:
    """Write a run, a key a line, and return what a reader of the file gets."""
    described = result.plan.described()
    plain = {name: value if name in described else rounded(value, _DIGITS) for name, value in result.to_json().items()}
    lines = [f"{json.dumps(name)}: {json.dumps(value, allow_nan=False)}" for name, value in plain.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    write_text(path, text)
    return json.loads(text)
