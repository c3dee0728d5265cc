"""A lock that dies with its process, however the process dies."""

import fcntl
import os
from pathlib import Path

from mtjspice.errors import InputError
from mtjspice.files import make_folder, writing


def hold(path: Path) -> int:
    """Lock the file `path`, made with its folder where missing, and return the descriptor whose closing unlocks it.

    Descriptors are not inherited by the programs and workers a process starts, so an orphan never holds the lock.

    Raises:
        InputError: another process, or another descriptor of this one, holds the lock.
        OutputError: the file cannot be made.
    """
    while True:
        make_folder(path.parent)
        with writing(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                    return descriptor
            except BlockingIOError:
                os.close(descriptor)
                raise InputError(
                    "the same campaign is already running with this folder",
                    where=path.parent,
                    next_step="wait until it ends, stop it, or choose another folder with --out",
                ) from None
            except BaseException:
                os.close(descriptor)
                raise
        os.close(descriptor)  # its last owner removed the file between our opening and locking it: make it anew
