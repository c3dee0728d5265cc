"""A run's finished epochs on disk, so that one that is killed goes on where it was."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.errors import DataError, InputError
from mtjspice.files import make_folder
from mtjspice.npz import load_npz, save_npz

_SCHEMA = 1
_PAUSE_S = 1.0
"""Epochs that take less are not saved each: nothing more than that is lost."""
_FOLLOWER: ContextVar[Callable[[int], None]] = ContextVar("follower", default=lambda finished: None)


@contextmanager
def epochs_followed(follower: Callable[[int], None]) -> Iterator[None]:
    """Call `follower` with the number of a run's finished epochs after each; not for runs in other processes."""
    token = _FOLLOWER.set(follower)
    try:
        yield
    finally:
        _FOLLOWER.reset(token)


@contextmanager
def epochs_folder(folder: Path, identity: str, resume: bool) -> Iterator[Path]:
    """Give the folder of a campaign's finished epochs, files whose names begin with `identity`; an empty one goes.

    Raises:
        InputError: it holds epochs, and `resume` is not given; or another run's, and it is.
    """
    unfinished = folder / "checkpoint"
    kept = list(unfinished.glob("*.npz"))
    if kept and not resume:
        raise InputError(
            "an unfinished run holds finished epochs",
            where=folder,
            next_step="add --resume to go on with it, or choose another folder with --out",
        )
    if kept and not any(path.name.startswith(identity[:16]) for path in kept):
        raise InputError(
            "the unfinished run here is another one",
            where=folder,
            next_step="give the command, data and dies that it was started with, or choose another folder with --out",
        )
    try:
        yield make_folder(unfinished)
    finally:
        with suppress(OSError):  # it is not empty, and stays
            unfinished.rmdir()


class EpochFile:
    """One run's epochs.

    Args:
        path: of the file, or None to keep nothing, as where its folder is missing: not every cluster shares a disk.
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
        _FOLLOWER.get()(len(history) - 1)
        due = time.monotonic() - self._saved_s >= _PAUSE_S
        if due and self._path is not None and self._path.parent.is_dir():
            save_npz(self._path, _SCHEMA, {"identity": self._identity, "history": history}, state)
            self._saved_s = time.monotonic()

    def _checked(
        self, header: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
        if header["identity"] != self._identity:
            raise ValueError("the epochs belong to another run")
        return header["history"], arrays
