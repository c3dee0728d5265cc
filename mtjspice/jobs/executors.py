"""Where batches run: in this process, in processes beside it, or on a dask cluster."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import partial
from itertools import islice
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Protocol

from mtjspice import __version__
from mtjspice.errors import InputError, SimulationError
from mtjspice.jobs.worker import Worker, interrupts_held

if TYPE_CHECKING:
    from mtjspice.jobs.batches import Batch

_PATIENCE_S = 10.0
"""How long a scheduler may take to answer, and to have a worker."""

_RESUME = "finished batches are kept: give the same command with --resume"

_ADDRESS = re.compile(r"(tcp|tls)://([^\s/:]+|\[[0-9a-fA-F:]+\]):\d{1,5}/?")


class Executor(Protocol):
    """Something that runs batches."""

    def map_unordered(
        self, function: Callable[[Any], dict[str, Any]], batches: Sequence[Batch]
    ) -> Generator[tuple[Batch, dict[str, Any]], None, None]:
        """Yield each batch with ``function(batch.task)`` as it finishes; closing the generator stops the work.

        Raises:
            SimulationError: a worker died.
            Exception: whatever `function` raised.
        """


def default_workers() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LocalExecutor:
    """Runs batches in `workers` processes, or in this one if that is 1.

    Raises:
        InputError: `workers` is less than 1.
    """

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise InputError("the number of workers is too small", given=workers, allowed="1 or more")
        self._workers = workers

    def map_unordered(
        self, function: Callable[[Any], dict[str, Any]], batches: Sequence[Batch]
    ) -> Generator[tuple[Batch, dict[str, Any]], None, None]:
        """See `Executor`. Each worker holds one batch at a time."""
        if self._workers == 1:
            for batch in batches:
                yield batch, function(batch.task)
            return

        waiting = iter(batches)
        workers: list[Worker] = []
        failure: Exception | None = None
        try:
            with interrupts_held():
                for _ in range(min(self._workers, len(batches))):
                    workers.append(Worker(function))
            for worker in workers:
                worker.give(next(waiting))
            busy: dict[Any, Worker] = {worker.pipe: worker for worker in workers}
            while busy and failure is None:
                for pipe in wait(list(busy)):
                    try:
                        batch, result = busy[pipe].take()
                    except Exception as error:
                        failure = error  # raised below, after the results that are ready now
                        continue
                    # The next batch goes out before the consumer saves this result, so that no worker idles.
                    if following := next(waiting, None):
                        busy[pipe].give(following)
                    else:
                        del busy[pipe]
                    yield batch, result
            if failure:
                raise failure
        finally:
            for worker in workers:
                worker.ask_to_stop()
            for worker in workers:
                worker.stop()


class ClusterExecutor:
    """Runs batches on an existing dask cluster, on workers that have the same mtjspice installed.

    Args:
        address: of the scheduler, as in ``tcp://host:8786``.

    Raises:
        InputError: dask.distributed is not installed, or the address is malformed.
    """

    def __init__(self, address: str) -> None:
        if not _ADDRESS.fullmatch(address):
            raise InputError("not a scheduler's address", given=address, allowed="tcp://HOST:PORT or tls://HOST:PORT")
        try:
            import distributed
        except ImportError:
            raise InputError(
                "a dask scheduler needs dask.distributed, which is not installed",
                next_step="pip install 'mtjspice[cluster]', or leave --scheduler away to work on this machine",
            ) from None
        self._address = address
        self._distributed: Any = distributed  # Any: it is typed in part only, and need not be installed

    def map_unordered(
        self, function: Callable[[Any], dict[str, Any]], batches: Sequence[Batch]
    ) -> Generator[tuple[Batch, dict[str, Any]], None, None]:
        """See `Executor`. The cluster holds two batches per thread at a time.

        Raises:
            InputError: the cluster runs another mtjspice, or none.
            SimulationError: besides, the scheduler does not answer, is lost or has no workers.
        """
        if not batches:
            return
        run = uuid.uuid4().hex  # keys are shared by everyone who uses the scheduler
        waiting = iter(batches)
        running: dict[Any, Batch] = {}
        with self._client() as client:
            while True:
                with self._loss_reported():
                    capacity = max(1, 2 * sum(client.nthreads().values()))
                    for batch in islice(waiting, max(0, capacity - len(running))):
                        # One opaque callable: dask would look for tasks of its own inside an argument.
                        call = partial(function, batch.task)
                        running[client.submit(call, key=f"{batch.key}-{run}", pure=False)] = batch
                    if not running:
                        return
                    try:
                        finished = self._distributed.wait(
                            list(running), timeout=_PATIENCE_S, return_when="FIRST_COMPLETED"
                        ).done
                    except TimeoutError:
                        client.wait_for_workers(1, timeout=_PATIENCE_S)
                        continue
                    outcomes = [(running.pop(future), future.exception() or future.result()) for future in finished]
                for batch, outcome in sorted(outcomes, key=lambda item: isinstance(item[1], Exception)):
                    if isinstance(outcome, self._distributed.KilledWorker):
                        raise SimulationError(
                            "a batch was given up: every worker that tried it died",
                            where=f"batch {batch.key}, {self._address}",
                            next_step=f"see the workers' logs; {_RESUME}",
                        )
                    if isinstance(outcome, Exception):
                        raise outcome
                    yield batch, outcome

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """Connect to a cluster that has workers, all with this very mtjspice."""
        with self._loss_reported():
            client = self._distributed.Client(self._address, timeout=_PATIENCE_S)
        with client:
            with self._loss_reported():
                client.wait_for_workers(1, timeout=_PATIENCE_S)
                found = client.get_versions(packages=["mtjspice"])
            members = {"scheduler": found["scheduler"], **found["workers"]}
            versions = {name: member["packages"]["mtjspice"] for name, member in members.items()}
            if set(versions.values()) != {__version__}:
                raise InputError(
                    "the cluster does not run this mtjspice",
                    where=self._address,
                    given=", ".join(f"{name}: {version or 'none'}" for name, version in versions.items()),
                    allowed=f"{__version__} on the scheduler and every worker",
                )
            yield client

    @contextmanager
    def _loss_reported(self) -> Iterator[None]:
        try:
            yield
        except (OSError, CancelledError) as error:
            raise SimulationError(
                "the dask scheduler does not answer, or has no workers",
                where=self._address,
                given=str(error).partition("\n")[0] or type(error).__name__,
                next_step=f"check it and its workers; {_RESUME}",
            ) from None
