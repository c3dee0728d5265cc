"""ngspice missing, too old, hanging, crashing, stopping half-way: played by small shell scripts put first on PATH."""

import errno
import math
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.errors import InputError, NgspiceMissingError, OutputError
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.spice.ngspice import (
    NgspiceCrashError,
    NgspiceIncompleteError,
    NgspiceTimeoutError,
    find_ngspice,
    run_deck,
)
from mtjspice.spice.pulses import PulseTrials, simulate_pulses
from mtjspice.spice.rawfile import RawFileError

Fake = Callable[..., Path]
SHORT_RAW = (
    r"printf 'Title: x\nFlags: real\nNo. Variables: 1\nNo. Points: 1\nVariables:\n\t0\ttime\ttime\nBinary:\n"
    r"\0\0\0\0\0\0\0\0' > waves.raw"
)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Put an ngspice on PATH that prints a version and then runs a line of shell."""

    def make(action: str = "exit 0", version: str = "** ngspice-39 : Circuit level simulation program") -> Path:
        program = tmp_path / "bin" / "ngspice"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{version}"; exit 0; fi\n{action}\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
        return program

    return make


def pulses(parameters: MacrospinParameters, **changes: object) -> PulseTrials:
    arguments: dict[str, object] = {
        "parameters": parameters,
        "direction": Direction.AP_TO_P,
        "drive": Drive.CURRENT,
        "level": 90e-6,
        "widths_s": [1e-10, 2e-10],
        "trials": 3,
        "rng": np.random.default_rng(1),
        "time_step_s": 5e-12,
    }
    return simulate_pulses(**(arguments | changes))  # type: ignore[arg-type]


def test_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NgspiceMissingError) as caught:
        find_ngspice()
    for way in ("apt-get", "brew", "conda"):
        assert way in str(caught.value)


def test_too_old(fake: Fake) -> None:
    fake(version="** ngspice-31 : Circuit level simulation program")
    with pytest.raises(NgspiceMissingError, match=r"too old[\s\S]*ngspice 31[\s\S]*36 or later"):
        find_ngspice()


def test_without_a_version(fake: Fake) -> None:
    fake(version="hello")
    with pytest.raises(NgspiceMissingError, match="does not say its version"):
        find_ngspice()


def test_that_cannot_be_run(fake: Fake) -> None:
    fake().write_text("no program")
    with pytest.raises(NgspiceMissingError, match="does not say its version"):
        find_ngspice()


def test_hanging_is_ended_with_all_it_started(fake: Fake, tmp_path: Path) -> None:
    fake("sleep 300 & echo $! > child; wait")
    started = time.monotonic()
    with pytest.raises(NgspiceTimeoutError, match="did not end in time"):
        run_deck("* x", tmp_path, stop_s=1e-9, time_limit_s=0.3)
    assert time.monotonic() - started < 10
    child = (tmp_path / "child").read_text().strip()
    state = subprocess.run(["ps", "-o", "stat=", "-p", child], capture_output=True, text=True, check=False).stdout
    assert state.strip() in ("", "Z")  # gone, or dead and not yet collected by init


def test_crashing_shows_its_last_words(fake: Fake, tmp_path: Path) -> None:
    fake("echo doAnalyses: singular matrix >&2; exit 3")
    with pytest.raises(NgspiceCrashError, match="singular matrix") as caught:
        run_deck("* x", tmp_path, stop_s=1e-9, time_limit_s=10)
    assert "exit status 3" in str(caught.value)


def test_killed_by_a_signal(fake: Fake, tmp_path: Path) -> None:
    fake("kill -SEGV $$")
    with pytest.raises(NgspiceCrashError, match="exit status -11"):
        run_deck("* x", tmp_path, stop_s=1e-9, time_limit_s=10)


def test_writing_nothing(fake: Fake, tmp_path: Path) -> None:
    fake()
    with pytest.raises(RawFileError, match="left no waveforms"):
        run_deck("* x", tmp_path, stop_s=1e-9, time_limit_s=10)


def test_stopping_half_way_with_status_0(fake: Fake, tmp_path: Path) -> None:
    fake(SHORT_RAW)
    with pytest.raises(NgspiceIncompleteError, match="stopped before the end"):
        run_deck("* x", tmp_path, stop_s=1e-9, time_limit_s=10)


def test_a_batch_that_fails_twice_is_reported_not_dropped(
    fake: Fake, tmp_path: Path, mondal_parameters: MacrospinParameters
) -> None:
    runs = tmp_path / "runs"
    fake(f"grep '^.tran' deck.cir >> {runs}; cat field1.txt | cksum >> {runs}; echo timestep too small; exit 1")
    result = pulses(mondal_parameters)
    assert result.mz.shape == (3, 2)
    assert np.isnan(result.mz).all()
    assert math.isnan(result.norm_error)
    assert result.reason is not None
    assert "timestep too small" in result.reason
    first, noise, second, same_noise = runs.read_text().splitlines()
    assert noise == same_noise
    assert float(second.split()[1]) == pytest.approx(float(first.split()[1]) / 4)


def test_a_hanging_batch_is_reported_and_not_tried_again(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mondal_parameters: MacrospinParameters
) -> None:
    monkeypatch.setattr("mtjspice.spice.pulses._LEAST_TIME_LIMIT_S", 0.3)
    fake(f"echo run >> {tmp_path / 'runs'}; sleep 300")
    reason = pulses(mondal_parameters).reason
    assert reason is not None
    assert "did not end in time" in reason
    assert (tmp_path / "runs").read_text() == "run\n"


def test_large_batches_get_more_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mondal_parameters: MacrospinParameters
) -> None:
    """A minute, or twenty times 12 us for each trial and time point: also when tried again with four times as many."""
    limits = []

    def run_deck(*_: object, time_limit_s: float, **__: object) -> None:
        limits.append(time_limit_s)
        raise NgspiceCrashError("crash")

    monkeypatch.setattr("mtjspice.spice.pulses.run_deck", run_deck)
    pulses(mondal_parameters)
    pulses(mondal_parameters, widths_s=[10e-9], trials=256)
    assert limits == pytest.approx([60, 60, 122.88, 4 * 122.88])


def test_a_missing_ngspice_is_no_failed_batch(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mondal_parameters: MacrospinParameters
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NgspiceMissingError):
        pulses(mondal_parameters)


def test_a_full_disk_is_one_clear_message(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, mondal_parameters: MacrospinParameters
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    fake()
    monkeypatch.setattr("mtjspice.spice.pulses.write_noise", full)
    with pytest.raises(OutputError, match="scratch files: No space left"):
        pulses(mondal_parameters)


@pytest.mark.parametrize(
    "changes",
    [
        {"level": -1e-6},
        {"level": math.nan},
        {"widths_s": []},
        {"widths_s": [0.0]},
        {"widths_s": [math.inf]},
        {"trials": 0},
        {"time_step_s": 0.0},
        {"time_step_s": 1e-9},
        {"relax_s": -1e-9},
        {"relax_s": 1e-9},
        {"time_step_s": 20e-12, "widths_s": [1e-9]},
        {"widths_s": [4e-12]},
        {"level": 5.0},
        {"widths_s": [1e-3]},
        {"widths_s": [1e300]},
        {"trials": 10**12},
    ],
)
def test_impossible_pulses_are_refused(mondal_parameters: MacrospinParameters, changes: dict[str, object]) -> None:
    with pytest.raises(InputError):
        pulses(mondal_parameters, **changes)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"time_step_s": 20e-12, "widths_s": [1e-9]}, "precession"),
        ({"level": 5.0}, "check the level's unit"),
        ({"widths_s": [1e-3]}, r"at most 1e\+07: 1.7e-05 s for 3 trials"),
        ({"relax_s": 1e-9}, "one width"),
    ],
)
def test_a_refusal_says_what_would_do(
    mondal_parameters: MacrospinParameters, changes: dict[str, object], text: str
) -> None:
    with pytest.raises(InputError, match=text):
        pulses(mondal_parameters, **changes)
