"""ngspice as a library: what PySpice stumbles over does not reach the user."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mtjspice.errors import NgspiceMissingError, SimulationError

session_module = pytest.importorskip("mtjspice.spice.session")

CHARGING = """* a capacitor charges
V1 a 0 DC 1
R1 a b 1e3
C1 b 0 1e-9
.tran 1e-9 1e-6 0 1e-9 uic
.end
"""


@pytest.fixture
def session() -> "session_module.NgspiceSession":
    try:
        session_module.find_library()
    except NgspiceMissingError as error:
        pytest.skip(str(error).splitlines()[0])
    return session_module.open_session()


def test_a_loaded_circuit_runs_again_with_another_value(session: "session_module.NgspiceSession") -> None:
    with session.loaded(CHARGING):
        last = []
        for volts in ("1", "2"):
            session.alter_device("v1", dc=volts)
            waves = session.waveforms()
            assert waves["time"][-1] == pytest.approx(1e-6)
            last.append(waves["v(b)"][-1])
    # After one time constant; trapezoidal at a thousandth of it errs by 1e-7, the first step of uic by 1e-5.
    np.testing.assert_allclose(last, (1 - np.exp(-1)) * np.array([1, 2]), rtol=1e-4)


def test_nothing_of_a_run_stays(session: "session_module.NgspiceSession") -> None:
    for _ in range(3):
        with session.loaded(CHARGING):
            session.waveforms()
    assert session.plot_names == ["const"]


def test_a_note_is_no_error(session: "session_module.NgspiceSession") -> None:
    session.clear_output()
    session._stderr[:] = ["Note: starting gmin stepping", "", "Warning: slow"]
    session._error_in_stderr = True
    session.send_char("stderr Warning: slow", 0)
    assert not session._error_in_stderr
    session._stderr.append("Error: singular matrix")
    session.send_char("stderr Error: singular matrix", 0)
    assert session._error_in_stderr


@pytest.mark.parametrize("fault", ["Q1 a b\n", "V2 a 0 DC 2\n"])
def test_a_bad_circuit_is_our_error_and_the_session_goes_on(
    session: "session_module.NgspiceSession", fault: str
) -> None:
    with (
        pytest.raises(SimulationError, match="could not simulate"),
        session.loaded(CHARGING.replace("C1", fault + "C1")),
    ):
        session.waveforms()
    with session.loaded(CHARGING):
        assert session.waveforms()["time"].size > 900


def test_the_unknown_version_is_not_reported(
    session: "session_module.NgspiceSession", caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), session.loaded(CHARGING):
        session.waveforms()
    assert not caplog.records


def test_a_library_that_does_not_load(tmp_path: Path) -> None:
    """In a process of its own, as PySpice can be set up once in a process."""
    code = "from mtjspice.spice.session import open_session; open_session()"
    environment = os.environ | {"NGSPICE_LIBRARY_PATH": str(tmp_path / "libngspice.so")}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "NgspiceMissingError: libngspice does not load" in run.stderr


def test_no_library_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NGSPICE_LIBRARY_PATH", raising=False)
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    with pytest.raises(NgspiceMissingError, match="apt-get install libngspice0"):
        session_module.find_library()
