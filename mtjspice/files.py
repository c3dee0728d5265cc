"""Files that appear whole or not at all, and content hashes."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from mtjspice.errors import OutputError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an operating-system refusal to write `path` into an `OutputError`."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"cannot write {path.name}: {error.strerror or error}",
            where=path.parent,
            next_step="free some space or choose another folder with --out; finished work is kept",
        ) from error


def make_folder(folder: Path) -> Path:
    """Create `folder` and its parents; raise `OutputError` if that is refused."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Call `write` on a temporary neighbour of `path`, flush it to disk, then rename it to `path`.

    Raises:
        OutputError: the folder is missing, read-only or full; `path` is left as it was.
    """
    with writing(path):
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                write(stream)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    write_whole(path, lambda stream: stream.write(text.encode()))


def write_json(path: Path, value: Any) -> None:
    """Write JSON, whole or not at all; refuses NaN and infinity."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def sha256_of(value: Any) -> str:
    """Return the SHA-256 of text, or of plain data by its canonical JSON."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
