"""ngspice as a library, for a circuit that stays loaded: PySpice's `NgSpiceShared` with four repairs.

Beside today's ngspice, PySpice 1.5 takes a ``Note:`` or a blank line on stderr for a failed command; warns that it does
not know the version; looks for ``libngspice.so``, which Debian ships with the developer's files only; and keeps every
run's vectors and every circuit until told otherwise.
"""

import ctypes.util
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import numpy as np
from PySpice.Spice.NgSpice.Shared import NgSpiceShared

from mtjspice.errors import NgspiceMissingError, SimulationError
from mtjspice.spice.rawfile import Waveforms

HOW_TO_GET = (
    "install it: `apt-get install libngspice0`, `brew install libngspice` or `conda install -c conda-forge ngspice-lib`"
)


def find_library() -> str:
    """Return the name or path of libngspice: NGSPICE_LIBRARY_PATH if set, else what the dynamic linker knows.

    Raises:
        NgspiceMissingError: there is none.
    """
    library = os.environ.get("NGSPICE_LIBRARY_PATH") or ctypes.util.find_library("ngspice")
    if library is None:
        raise NgspiceMissingError("libngspice is not installed", where="the linker's path", next_step=HOW_TO_GET)
    return library


class NgspiceSession(NgSpiceShared):  # type: ignore[misc]
    """`NgSpiceShared` repaired; get it from `open_session`.

    What it inherits acts on the loaded circuit: ``alter_device("v1", dc="2")``, ``exec_command(...)``.
    """

    @property
    def library_path(self) -> str:
        """Where libngspice is."""
        return find_library()

    def send_char(self, message: str, ngspice_id: int) -> int:
        """Take back the verdict "error" where all that stderr holds is notes, warnings and blank lines."""
        self._error_in_stderr = any(
            line.strip() and not line.startswith(("Note:", "Warning:")) for line in self._stderr
        )
        return 0

    @contextmanager
    def loaded(self, deck: str) -> Iterator[None]:
        """Load a circuit for the length of the block; then remove it and all its vectors.

        Raises:
            SimulationError: ngspice does not accept the deck.
        """
        with _as_simulation_error(self):
            self.load_circuit(deck)
        try:
            yield
        finally:
            self.destroy()
            self.remove_circuit()

    def waveforms(self) -> Waveforms:
        """Run the loaded circuit's analysis and return its vectors; nothing of the run stays in memory.

        Raises:
            SimulationError: the run failed.
        """
        with _as_simulation_error(self):
            self.run()
            vectors = {_as_in_raw_files(name): vector._data for name, vector in self.plot(None, self.last_plot).items()}
            self.destroy()
        return Waveforms(tuple(vectors), np.column_stack(list(vectors.values())))


@cache
def open_session() -> NgspiceSession:
    """Return this process's session: libngspice keeps its state in globals, so there is one.

    Raises:
        NgspiceMissingError: no libngspice, or one that does not load.
    """
    # What PySpice logs as an error it also raises; the rest is notes, and the version that it does not know.
    logging.getLogger("PySpice").setLevel(logging.CRITICAL)
    try:
        session = NgspiceSession()
    except OSError as error:
        raise NgspiceMissingError("libngspice does not load", given=error, next_step=HOW_TO_GET) from error
    session.exec_command("set num_threads=1")
    return session


def _as_in_raw_files(name: str) -> str:
    """Return a vector's name as in raw files: ``v(out)`` for the library's ``out``, ``i(v1)`` for ``v1#branch``."""
    if name.endswith("#branch"):
        return f"i({name.removesuffix('#branch')})"
    return name if name == "time" else f"v({name})"


@contextmanager
def _as_simulation_error(session: NgspiceSession) -> Iterator[None]:
    """Turn PySpice's errors, which are NameErrors without a message, into ours with ngspice's last words."""
    try:
        yield
    except NameError as error:
        words = "\n           ".join([*session._stdout, *session._stderr][-8:])
        raise SimulationError(
            "ngspice could not simulate the loaded circuit", where=words or None, given=error
        ) from error
