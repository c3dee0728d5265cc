"""A deck that people wrote or edited, run as it is, where it is: its waveforms and what it measured."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtjspice.errors import InputError, SimulationError
from mtjspice.files import writing
from mtjspice.spice.ngspice import NgspiceIncompleteError, find_ngspice, run_ngspice
from mtjspice.spice.rawfile import RawFileError, Waveforms, read_raw

_CONTROL = re.compile(r"^\s*\.control\b(.*?)^\s*\.endc\b", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_WRITE = re.compile(r"^\s*write\s+(\S+)", re.IGNORECASE | re.MULTILINE)
_QUIT = re.compile(r"^\s*quit\b", re.IGNORECASE | re.MULTILINE)
_TRAN = re.compile(r"^\s*\.?tran\s+\S+\s+(\S+)", re.IGNORECASE | re.MULTILINE)
_READ = re.compile(r"^[^*\n]*?\bfile\s*=\s*\"([^\"\n]+)\"", re.IGNORECASE | re.MULTILINE)
_NUMBER = re.compile(r"(\d*\.?\d+(?:e[-+]?\d+)?)(mil|meg|[tgkmunpfa])?[a-z]*", re.IGNORECASE)
_SUFFIXES = {
    "t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "mil": 25.4e-6, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15,
    "a": 1e-18,
}  # fmt: skip
_MEASUREMENT = re.compile(
    r"^\s*([a-z_][\w#.]*(?:\([\w#.]+\))?)\s*=\s*([-+]?\d[-+.\de]*)(?:\s+\w+=\s*\S+)*\s*$", re.IGNORECASE | re.MULTILINE
)
"""``name = value``, as `print` and `meas` say it; the latter may add ``at= ...`` or ``from= ... to= ...``."""
_NO_CONVERGENCE = re.compile(
    r"timestep too small|singular matrix|no convergence|iteration limit|simulation\(s\) aborted", re.IGNORECASE
)


class DeckConvergenceError(SimulationError):
    """The equations of a deck have no solution that ngspice finds."""


@dataclass(frozen=True)
class Simulation:
    """What a deck left: `waveforms` is None where it writes none, as the operating point of a read does not."""

    waveforms: Waveforms | None
    measurements: dict[str, float]
    """What the deck measured or printed, by name, in SI units, in the deck's order."""
    elapsed_s: float


def simulate_deck(path: Path, *, time_limit_s: float) -> Simulation:
    """Run `path` with ``ngspice -b`` in its own folder; the deck's `.control` block runs, measures and writes.

    Args:
        path: a deck; the files that it names are beside it.
        time_limit_s: wall-clock limit; ngspice is killed past it.

    Raises:
        InputError: no such deck, a file of noise that is not there, or a deck that writes no waveforms or never quits.
        OutputError: an older raw file that cannot be removed.
        NgspiceMissingError: no usable ngspice.
        DeckConvergenceError: ngspice gave up before the transient's end, or before its start.
        NgspiceTimeoutError, NgspiceCrashError, NgspiceIncompleteError, RawFileError: the run failed otherwise.
    """
    text = _deck_text(path)
    find_ngspice()
    raw = _raw_path(text, path)
    if raw is not None:
        with writing(raw):
            raw.unlink(missing_ok=True)
    started = time.monotonic()
    output, log = run_ngspice(["-b", path.name], path.parent, time_limit_s)
    elapsed_s = time.monotonic() - started
    waveforms = None
    if raw is not None:
        waveforms = _waveforms(raw, _stop_s(text), output, log)
    elif _NO_CONVERGENCE.search(output + log):
        raise _not_converging("no operating point", None, log)
    measurements = {name.lower(): float(value) for name, value in _MEASUREMENT.findall(output)}
    return Simulation(waveforms, measurements, elapsed_s)


def _deck_text(path: Path) -> str:
    """Return a deck without its title, having looked for the files that ngspice would miss without a word."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(
            "cannot read the deck",
            where=path,
            given=error.strerror,
            next_step="give the path of a deck; `mtjspice netlist step --out DIR` writes one",
        ) from error
    text = text.partition("\n")[2]
    # ngspice takes a missing file of noise for no noise.
    missing = [name for name in _READ.findall(text) if not (path.parent / name).is_file()]
    if missing:
        raise InputError(
            "a file that the deck reads is not there",
            where=path,
            given=", ".join(missing),
            next_step="put it beside the deck, under a name in lower case, or write the deck again",
        )
    return text


def _raw_path(text: str, path: Path) -> Path | None:
    """Return where a deck writes its waveforms: None where it has no transient and so none to write."""
    control = "\n".join(_CONTROL.findall(text))
    written = _WRITE.search(control)
    if not written and _TRAN.search(text):
        raise InputError(
            "the deck writes no waveforms",
            where=path,
            next_step="add the line `write waves.raw` after `run` in its .control block"
            if control
            else "add these lines before .end: `.control`, `run`, `write waves.raw`, `quit`, `.endc`",
        )
    if control and not _QUIT.search(control):
        raise InputError(
            "the deck's .control block does not end ngspice", where=path, next_step="add the line `quit` before .endc"
        )
    return path.parent / written.group(1) if written else None


def _stop_s(text: str) -> float | None:
    """Return the time that a deck's transient must reach, or None where it is no plain number."""
    found = _TRAN.search(text)
    number = _NUMBER.fullmatch(found.group(1)) if found else None
    return float(number.group(1)) * _SUFFIXES.get((number.group(2) or "").lower(), 1.0) if number else None


def _waveforms(raw: Path, stop_s: float | None, output: str, log: str) -> Waveforms:
    """Return the waveforms of a run that went all the way."""
    gave_up = _NO_CONVERGENCE.search(output + log)
    if not raw.is_file():
        if gave_up:
            raise _not_converging("nothing", stop_s, log)
        raise RawFileError("the deck ran and left no waveforms", where=log or None, given=f"no {raw.name}")
    waves = read_raw(raw)
    if waves.names[0] != "time":
        raise RawFileError(
            "the deck's waveforms are not over time",
            where=raw,
            given=f"vectors over {waves.names[0]}",
            next_step="let it `write` after its transient analysis, before any other",
        )
    times = waves["time"]
    reached = f"{times[-1]:.4g} s" if times.size else "nothing"
    short = times.size == 0 or (stop_s is not None and times[-1] < stop_s * (1 - 1e-6))
    # An aborted analysis still writes its raw file, and ngspice exits with 0.
    if gave_up and (short or stop_s is None):
        raise _not_converging(reached, stop_s, log)
    if short or not np.isfinite(waves.values).all():
        raise NgspiceIncompleteError(
            "ngspice stopped before the end",
            given=reached,
            allowed=None if stop_s is None else f"{stop_s:.4g} s",
            where=log or None,
        )
    return waves


def _not_converging(reached: str, stop_s: float | None, log: str) -> DeckConvergenceError:
    return DeckConvergenceError(
        "the deck does not converge",
        given=reached,
        allowed=None if stop_s is None else f"{stop_s:.4g} s",
        where=log or None,
        next_step="look at what you changed last; a shorter step on .tran, or longer edges of sources, may help",
    )
