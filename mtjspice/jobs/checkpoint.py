"""Finished batches on disk: one checked file each, kept until the whole campaign is done."""

import json
import os
import shutil
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from mtjspice.errors import InputError, OutputError
from mtjspice.files import sha256_of, write_text, writing
from mtjspice.jobs.lock import hold


class Checkpoint:
    """The finished batches of one campaign, held by one process at a time.

    Files are ``folder/<identity[:16]>/<key>.json``. Use it in a ``with`` statement, or `close` it.

    Args:
        folder: where checkpoints are kept; made if missing.
        identity: SHA-256, in hexadecimal, of everything that determines the results.

    Attributes:
        discarded: batch files that `finished` found truncated or altered and renamed to ``*.damaged``.

    Raises:
        InputError: another command works on this checkpoint.
        OutputError: the folder cannot be made or written.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.discarded: list[Path] = []
        self._identity = identity
        self._folder = folder / identity[:16]
        # Unlocks on close(), or when the object is forgotten.
        self._unlock = weakref.finalize(self, os.close, hold(self._folder / "lock"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let other commands use the checkpoint; finished batches stay, an empty one goes."""
        if self._unlock.alive and not any(self._folder.glob("*.json")):
            with suppress(OutputError):
                self.remove()
        self._unlock()

    def finished(self) -> dict[str, dict[str, Any]]:
        """Return the results by batch key, setting damaged files aside so that their batches are run again.

        Raises:
            OutputError: a damaged file cannot be set aside.
        """
        results = {}
        with writing(self._folder):
            for unfinished in self._folder.glob(".*.part"):  # left by a process that was killed while it wrote
                unfinished.unlink()
            for path in sorted(self._folder.glob("*.json")):
                result = self._read(path)
                if result is None:
                    self.discarded.append(path.replace(path.with_suffix(".damaged")))
                else:
                    results[path.stem] = result
        return results

    def require_resume(self, resume: bool) -> None:
        """Refuse to go on with an unfinished run unless `resume` says so.

        Raises:
            InputError: there are finished batches and `resume` is not given.
        """
        count = len(self.finished())
        if count and not resume:
            raise InputError(
                f"an unfinished run holds {count} finished batch{'es' if count > 1 else ''}",
                where=self._folder.parent.parent,
                next_step="add --resume to go on with it, or choose another folder with --out",
            )

    def save(self, key: str, result: dict[str, Any]) -> None:
        """Store one finished batch, whole or not at all; `result` is plain JSON data with text keys.

        Raises:
            OutputError: the disk is full or read-only; every batch saved before is intact.
        """
        record = {"key": key, "identity": self._identity, "sha256": self._checksum(key, result), "result": result}
        write_text(self._folder / f"{key}.json", json.dumps(record, allow_nan=False))

    def remove(self) -> None:
        """Delete the checkpoint once the results are safe elsewhere, and close it.

        Raises:
            OutputError: the files cannot be deleted.
        """
        grave = self._folder.with_name(f".{self._folder.name}.removed")
        with writing(self._folder):
            shutil.rmtree(grave, ignore_errors=True)
            # Renamed first: whoever comes meanwhile finds no checkpoint rather than half of one.
            self._folder.replace(grave)
            shutil.rmtree(grave)
            with suppress(OSError):  # others' checkpoints may be beside this one
                self._folder.parent.rmdir()
        self._unlock()

    def _checksum(self, key: str, result: dict[str, Any]) -> str:
        return sha256_of([self._identity, key, result])

    def _read(self, path: Path) -> dict[str, Any] | None:
        """Return the result in a batch file, or None where it is not what `save` wrote for this key and identity."""
        try:
            record = json.loads(path.read_bytes())
            result: dict[str, Any] = record["result"]
            intact = record["sha256"] == self._checksum(path.stem, result)
        except (ValueError, TypeError, KeyError):
            return None
        return result if intact else None
