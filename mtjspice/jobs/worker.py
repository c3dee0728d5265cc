"""One worker process: the parent's handle on it, and what runs inside.

A worker leads a process group of its own, so that the programs it starts end with it. Ctrl-C reaches the parent alone,
which then stops its workers; a worker whose parent was killed stops by itself. Stopping is SIGTERM first, which
unwinds the batch and so removes its temporary files, and SIGKILL for the whole group a little later.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from mtjspice.errors import MtjspiceError, SimulationError

if TYPE_CHECKING:
    from mtjspice.jobs.batches import Batch

_GRACE_S = 2.0
"""Between asking a worker to stop and killing it."""

_SPAWN = get_context("spawn")  # compiled kernels and threads do not survive a fork


class Worker:
    """A process that calls `function` on one batch's task after the other; make it inside `interrupts_held`.

    Attributes:
        pipe: ready to read (``multiprocessing.connection.wait``) when an answer is there or the worker has died.
        batch: what it works on, or None.
    """

    def __init__(self, function: Callable[[Any], dict[str, Any]]) -> None:
        self.batch: Batch | None = None
        self.pipe, far_end = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(function, far_end), daemon=True)
        with far_end:
            self._process.start()

    def give(self, batch: Batch) -> None:
        """Start a batch; a worker found dead is reported by `take`."""
        self.batch = batch
        with suppress(OSError):
            self.pipe.send(batch.task)

    def take(self) -> tuple[Batch, dict[str, Any]]:
        """Return the batch and its result.

        Raises:
            SimulationError: the worker has died.
            Exception: what `function` raised.
        """
        batch = self.batch
        assert batch is not None
        try:
            answer = self.pipe.recv()
        except (EOFError, OSError):
            self._process.join(_GRACE_S)
            code = self._process.exitcode or 0
            raise SimulationError(
                "a worker process died" + (f", killed by {signal.Signals(-code).name}" if code < 0 else ""),
                where=f"batch {batch.key}",
                next_step="finished batches are kept: give the same command with --resume, "
                "and with fewer --workers if memory ran out",
            ) from None
        self.batch = None
        if isinstance(answer, Exception):
            raise answer
        return batch, answer

    def ask_to_stop(self) -> None:
        """Begin to stop: at once if it is busy, else when it sees its pipe closed. Follow with `stop`."""
        if self.batch is not None:
            self._process.terminate()
        self.pipe.close()

    def stop(self) -> None:
        """Wait for the end, for a moment only, and leave nothing of the worker behind."""
        wait([self._process.sentinel], timeout=_GRACE_S)
        # Not reaped yet, the process still owns its number, so the group is surely its own.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.ident or 0, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self._process.close()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Start workers inside: they, and all they start in turn, never see Ctrl-C; this process sees it afterwards."""
    resource_tracker.ensure_running()  # started later, by the first process, it would lift the block
    held: list[int] = []
    in_main_thread = threading.current_thread() is threading.main_thread()
    # The mask is for the workers, which inherit it. Here it is not enough: a library's thread can take the signal.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    handler = signal.signal(signal.SIGINT, lambda number, _: held.append(number)) if in_main_thread else None
    try:
        yield
    finally:
        if in_main_thread:
            signal.signal(signal.SIGINT, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if held:
            signal.raise_signal(signal.SIGINT)


def _serve(function: Callable[[Any], dict[str, Any]], pipe: Connection) -> None:
    """Answer each task with its result or its exception, until the parent closes the pipe or dies."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    with suppress(EOFError, ConnectionError):
        while True:
            task = pipe.recv()
            try:
                pipe.send(function(task))
            except Exception as error:
                pipe.send(_portable(error))


def _stop_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    time.sleep(_GRACE_S)
    os.killpg(0, signal.SIGKILL)


def _portable(error: Exception) -> Exception:
    """Return `error` fit to travel to the parent: a fault in the program keeps its traceback as a note."""
    if isinstance(error, MtjspiceError):
        return error
    story = "".join(traceback.format_exception(error))
    error.add_note(f"In a worker process:\n{story}")
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(story)
    return error
