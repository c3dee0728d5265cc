"""A run's finished epochs on disk, so that one that is killed goes on where it was."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.errors import DataError
from mtjspice.npz import load_npz, save_npz

_SCHEMA = 1
_PAUSE_S = 1.0
"""Epochs that take less are not saved each: nothing more than that is lost."""


class EpochFile:
    """One run's epochs.

    Args:
        path: of the file, or None to keep nothing.
        identity: of everything that determines the run; epochs of another are not used.
    """

    def __init__(self, path: Path | None, identity: str) -> None:
        self._path, self._identity, self._saved_s = path, identity, time.monotonic()

    def load(self) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
        """Return the records of finished epochs and the state after the last; nothing where there is no intact file."""
        if self._path is not None:
            with suppress(DataError):
                history, state = load_npz(self._path, _SCHEMA, "epochs of a run", self._checked)
                return history, state
        return [], {}

    def save(self, history: list[dict[str, Any]], state: dict[str, np.ndarray]) -> None:
        """Write them, whole or not at all, unless that was a moment ago.

        Raises:
            OutputError: the folder cannot be written.
        """
        if self._path is not None and time.monotonic() - self._saved_s >= _PAUSE_S:
            save_npz(self._path, _SCHEMA, {"identity": self._identity, "history": history}, state)
            self._saved_s = time.monotonic()

    def _checked(
        self, header: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
        if header["identity"] != self._identity:
            raise ValueError("the epochs belong to another run")
        return header["history"], arrays
