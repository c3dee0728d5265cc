"""Batch functions that worker processes can import, and a small campaign that tests run, kill and interrupt.

As a script: ``job_campaign.py FOLDER WORKERS SECONDS`` runs 12 batches of SECONDS each with a checkpoint in FOLDER and
writes FOLDER/results.json. Each batch leaves one line per execution in FOLDER/runs: its key, and its worker's pid.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from mtjspice.errors import SimulationError
from mtjspice.files import sha256_of, write_json
from mtjspice.jobs.batches import Batch, run_batches
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import LocalExecutor
from mtjspice.jobs.seeds import generator

IDENTITY = sha256_of("the campaign of the tests")


def draw(index: int) -> dict[str, Any]:
    """Return numbers that depend on the batch only, the first batches taking longest."""
    time.sleep(0.02 * max(0, 4 - index))
    numbers = generator(1, (7, index)).standard_normal(3)
    return {"index": index, "numbers": numbers.tolist(), "pair": (1, 0.1)}


def fail_at_three(task: tuple[int, str]) -> dict[str, Any]:
    index, kind = task
    if index == 3:
        time.sleep(0.1)
        if kind == "simulation":
            raise SimulationError("the circuit did not converge", where="batch 3", next_step="look at it")
        if kind == "bug":
            raise ZeroDivisionError("a bug in the program")
        if kind == "unpicklable":
            raise type("LocalError", (Exception,), {})("known here only")
        os.kill(os.getpid(), signal.SIGKILL)
    return {"index": index}


def record(task: tuple[str, int, float]) -> dict[str, Any]:
    """Note the start, take `seconds` in a child process, as a simulator would, note the end."""
    folder, index, seconds = task
    with subprocess.Popen([sys.executable, "-S", "-c", f"import time; time.sleep({seconds})"]) as child:
        (Path(folder) / f"{index}.child").write_text(str(child.pid))
        child.wait()
    with (Path(folder) / "runs").open("a") as runs:
        runs.write(f"{index} {os.getpid()}\n")
    return draw(index)


def main(folder: Path, workers: int, seconds: float) -> None:
    batches = [Batch(f"point-{index}", (str(folder), index, seconds)) for index in range(12)]
    try:
        with Checkpoint(folder / "checkpoint", IDENTITY) as checkpoint:
            results = run_batches(record, batches, executor=LocalExecutor(workers), checkpoint=checkpoint)
            write_json(folder / "results.json", results)
            checkpoint.remove()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
