"""Files of published data sets: found on disk, or downloaded once, and checked."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from mtjspice.errors import DataError, InputError

DATA_FOLDER = "MTJSPICE_DATA"
"""The environment variable that names a folder of data sets."""


def data_folders(name: str) -> list[Path]:
    """Return where a data set's files are looked for: $MTJSPICE_DATA, its sub-folder of that name, the cache.

    Raises:
        InputError: $MTJSPICE_DATA is no folder.
    """
    import pooch  # here and not above: few commands need it

    cache = Path(pooch.os_cache("mtjspice")) / name
    given = os.environ.get(DATA_FOLDER)
    if not given:
        return [cache]
    if not Path(given).is_dir():
        raise InputError(f"${DATA_FOLDER} is no folder", given=given, next_step=f"correct or unset {DATA_FOLDER}")
    return [Path(given), Path(given) / name, cache]


def find_file(file: str, folders: list[Path]) -> Path | None:
    """Return the file in the first of `folders` that has it."""
    return next((folder / file for folder in folders if (folder / file).is_file()), None)


def require_checksum(found: str, wanted: str, what: str, damaged: str, where: Path, next_step: str) -> None:
    """Require a SHA-256.

    Args:
        found: in hexadecimal digits.
        wanted: the original's.
        what: it is of.
        damaged: what may be, with its verb.
        where: it is.
        next_step: if it is another.

    Raises:
        DataError: it is another.
    """
    if found != wanted:
        raise DataError(
            f"the checksum of {what} is wrong: {damaged} damaged, or not the original",
            where=where,
            given=f"sha256 {found}",
            allowed=f"sha256 {wanted}",
            next_step=next_step,
        )


@dataclass(frozen=True)
class PublishedFiles:
    """A published data set.

    Args:
        folder: that holds it, in the cache and in $MTJSPICE_DATA.
        url: where it comes from, with a slash at the end.
        sha256: by file.
    """

    folder: str
    url: str
    sha256: dict[str, str]

    def paths(self) -> list[Path]:
        """Return where the files are, in the order of `sha256`, all checked.

        Raises:
            InputError: $MTJSPICE_DATA is no folder.
            DataError: a file that cannot be read or downloaded, or whose checksum is wrong.
        """
        return [self._find(file) for file in self.sha256]

    def _find(self, file: str) -> Path:
        folders = data_folders(self.folder)
        path = find_file(file, folders)
        if path is None:
            return self._download(file, folders[-1])
        try:
            with path.open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise DataError(f"cannot read {file}", where=path.parent, given=error) from error
        next_step = f"remove the file, and it is downloaded anew; or put the original of {self.url}{file} there"
        require_checksum(found, self.sha256[file], file, "the file is", path, next_step)
        return path

    def _download(self, file: str, folder: Path) -> Path:
        import pooch

        by_hand = f"put the file by hand into {folder}, or into a folder that {DATA_FOLDER} names"
        try:
            return Path(pooch.retrieve(self.url + file, f"sha256:{self.sha256[file]}", fname=file, path=folder))
        except OSError as error:  # requests' errors are among these
            raise DataError(
                f"cannot download {file}", where=self.url, given=error, next_step=f"try again, or {by_hand}"
            ) from error
        except ValueError as error:  # what came has another checksum; pooch kept nothing of it
            raise DataError(
                f"the download of {file} is damaged, or not the original",
                where=self.url,
                given=error,
                allowed=f"sha256 {self.sha256[file]}",
                next_step=f"try again, or {by_hand}",
            ) from error
