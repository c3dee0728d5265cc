"""ngspice as a process: found, checked, run within a time limit, and its result checked."""

import os
import re
import shutil
import signal
import subprocess
from functools import cache
from pathlib import Path

import numpy as np

from mtjspice.errors import NgspiceMissingError, SimulationError
from mtjspice.spice.rawfile import Waveforms, read_raw

OLDEST = 36
"""The oldest ngspice accepted (January 2022). Measured with 39; nothing newer is asked of it."""
HOW_TO_GET = "install it: `apt-get install ngspice`, `brew install ngspice` or `conda install -c conda-forge ngspice`"
_TAIL_LINES = 12
_PROGRESS = re.compile(r"\s*Reference value")


class NgspiceTimeoutError(SimulationError):
    """ngspice ran past its time limit and was killed."""


class NgspiceCrashError(SimulationError):
    """ngspice ended with an error status or by a signal."""


class NgspiceIncompleteError(SimulationError):
    """ngspice ended well but stopped before the last time point."""


def find_ngspice() -> str:
    """Return the path of ngspice.

    Raises:
        NgspiceMissingError: not on PATH, too old, or it does not answer.
    """
    path = shutil.which("ngspice")
    if path is None:
        raise NgspiceMissingError("ngspice is not installed", where="PATH", next_step=HOW_TO_GET)
    version = ngspice_version(path)
    if version < OLDEST:
        raise NgspiceMissingError(
            "this ngspice is too old",
            where=path,
            given=f"ngspice {version}",
            allowed=f"{OLDEST} or later",
            next_step=HOW_TO_GET,
        )
    return path


@cache
def ngspice_version(path: str) -> int:
    """Return the version number that the ngspice at `path` gives.

    Raises:
        NgspiceMissingError: it gives none.
    """
    try:
        answer = subprocess.run(
            [path, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        answer = str(error)
    version = re.search(r"ngspice-(\d+)", answer)
    if version is None:
        raise NgspiceMissingError(
            "ngspice does not say its version", where=path, given=answer[:200] or "nothing", next_step=HOW_TO_GET
        )
    return int(version.group(1))


def run_deck(deck: str, folder: Path, *, stop_s: float, time_limit_s: float) -> Waveforms:
    """Run the transient analysis of a deck in `folder` and return its waveforms.

    Args:
        deck: netlist text; files it names are in `folder`.
        folder: a folder of this run's own.
        stop_s: the time that the analysis must reach.
        time_limit_s: wall-clock limit; ngspice and all it started are killed past it.

    Raises:
        NgspiceMissingError: no usable ngspice.
        NgspiceTimeoutError, NgspiceCrashError, NgspiceIncompleteError, RawFileError: the run failed.
    """
    waveforms, log = _simulate(deck, folder, time_limit_s)
    times = waveforms["time"]
    # An aborted analysis still writes its raw file and may exit with 0.
    if times.size == 0 or times[-1] < stop_s * (1 - 1e-6) or not np.isfinite(waveforms.values).all():
        reached = f"{times[-1]:.4g} s" if times.size else "nothing"
        raise NgspiceIncompleteError(
            "ngspice stopped before the end", given=reached, allowed=f"{stop_s:.4g} s", where=log
        )
    return waveforms


def run_points(deck: str, folder: Path, *, points: int, time_limit_s: float) -> Waveforms:
    """Run the operating point or the sweep of a deck in `folder` and return its `points` points.

    Raises:
        NgspiceMissingError: no usable ngspice.
        NgspiceTimeoutError, NgspiceCrashError, NgspiceIncompleteError, RawFileError: the run failed.
    """
    waveforms, log = _simulate(deck, folder, time_limit_s)
    found = len(waveforms.values)
    if found < points or not np.isfinite(waveforms.values).all():
        raise NgspiceIncompleteError(
            "ngspice did not find every operating point", given=found, allowed=points, where=log
        )
    return waveforms


def _simulate(deck: str, folder: Path, time_limit_s: float) -> tuple[Waveforms, str]:
    """Return the waveforms of a deck run in `folder`, and the last lines of ngspice's output."""
    # OpenMP threads of ngspice spin and slow it down, above all beside other processes.
    (folder / ".spiceinit").write_text("set num_threads=1\n")
    (folder / "deck.cir").write_text(deck)
    raw = folder / "waves.raw"
    raw.unlink(missing_ok=True)
    _, log = run_ngspice(["-b", "-r", raw.name, "deck.cir"], folder, time_limit_s)
    return read_raw(raw), log


def run_ngspice(arguments: list[str], folder: Path, time_limit_s: float) -> tuple[str, str]:
    """Run ngspice in `folder`; return its standard output, and the last lines of all that it printed.

    Raises:
        NgspiceMissingError: no usable ngspice.
        NgspiceTimeoutError, NgspiceCrashError: it ran past the limit, or failed.
    """
    with subprocess.Popen(
        [find_ngspice(), *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, complaints = process.communicate(timeout=time_limit_s)
        except subprocess.TimeoutExpired as error:
            raise NgspiceTimeoutError(
                "ngspice did not end in time and was stopped",
                given=f"more than {time_limit_s:g} s",
                next_step="simulate fewer junctions together, or allow more time",
            ) from error
        finally:
            # Its session is its own, so Ctrl-C does not reach it: whatever ends us ends it here.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    # Its progress, too, goes to standard error.
    lines = [line for line in f"{output}\n{complaints}".splitlines() if line.strip() and not _PROGRESS.match(line)]
    tail = "\n           ".join(lines[-_TAIL_LINES:])
    if process.returncode:
        raise NgspiceCrashError("ngspice failed", given=f"exit status {process.returncode}", where=tail or None)
    return output, tail
