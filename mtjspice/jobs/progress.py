"""A progress bar on stderr, or a few plain lines where stderr is not a terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

ProgressBars = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
"""What `progress` is, for those who take it as an argument: a title to a bar."""


@contextmanager
def silent(description: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows nothing, where `progress` would give one that does."""
    yield lambda done, total: None


@contextmanager
def progress(description: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function to call with (batches done, batches in all), first at the start and then after each batch."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _quarters(description)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    # Batches can take minutes: the speed is estimated over the whole run.
    with Progress(*columns, console=console, speed_estimate_period=float("inf")) as bar:
        task: TaskID | None = None

        def on_progress(done: int, total: int) -> None:
            nonlocal task
            if task is None:  # batches done before this run say nothing about its speed
                task = bar.add_task(description, total=total, completed=done)
            else:
                bar.update(task, total=total, completed=done)

        yield on_progress


def _quarters(description: str) -> Callable[[int, int], None]:
    """Return a reporter that writes a line at the start and at each quarter."""
    start_s = time.monotonic()
    reported = -1

    def on_progress(done: int, total: int) -> None:
        nonlocal reported
        quarter = 4 * done // total if total else 4
        if quarter > reported:
            reported = quarter
            print(f"{description}: {done} of {total} done, {time.monotonic() - start_s:.0f} s", file=sys.stderr)

    return on_progress
