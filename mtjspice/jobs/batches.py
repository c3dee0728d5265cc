"""Run a list of batches and collect their results in order, resuming from a checkpoint."""

import json
import re
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import Executor

_KEY = re.compile(r"[A-Za-z0-9._-]{1,200}")


@dataclass(frozen=True)
class Batch:
    """One piece of work.

    Args:
        key: its name, the same in every run of a campaign; letters, digits and ``. _ -``, for it names a file.
        task: what the function is called with; picklable.
    """

    key: str
    task: Any

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ValueError(f"batch key {self.key!r} is not 1 to 200 letters, digits and . _ -")


def run_batches(
    function: Callable[[Any], dict[str, Any]],
    batches: Sequence[Batch],
    *,
    executor: Executor,
    checkpoint: Checkpoint | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    is_complete: Callable[[dict[str, Any]], bool] = lambda result: True,
) -> dict[str, dict[str, Any]]:
    """Return ``{batch.key: function(batch.task)}`` in the order of `batches`, whatever order they finished in.

    Args:
        function: a module-level function; its result is a dict that JSON can hold (finite numbers, text, lists, dicts).
        batches: keys differ in more than upper and lower case, which some file systems ignore.
        checkpoint: finished batches found there are not run again; each result is saved there as it arrives.
        is_complete: whether a result is worth keeping; an incomplete one is returned but not saved, so that a resumed
            run tries its batch again. An exception it raises stops the work.
        on_progress: called with (batches done, batches in all) at the start and after each batch.

    Raises:
        ValueError: two batches share a key, or a result is not finite plain data.
        OutputError: a result cannot be saved.
        SimulationError: a worker died, or the cluster was lost.
        Exception: whatever `function` raised. Like Ctrl-C, it stops the workers; results saved so far are kept.
    """
    if len({batch.key.lower() for batch in batches}) < len(batches):
        raise ValueError("two batches share a key")
    saved = checkpoint.finished() if checkpoint else {}
    results = {batch.key: saved[batch.key] for batch in batches if batch.key in saved}
    pending = [batch for batch in batches if batch.key not in results]

    def report() -> None:
        if on_progress:
            on_progress(len(results), len(batches))

    report()
    with closing(executor.map_unordered(function, pending)) as finished:
        for batch, result in finished:
            # Through JSON and back, so that a fresh result and one read from the checkpoint cannot be told apart.
            plain = json.loads(json.dumps(result, allow_nan=False))
            if is_complete(plain) and checkpoint:
                checkpoint.save(batch.key, plain)
            results[batch.key] = plain
            report()
    return {batch.key: results[batch.key] for batch in batches}
