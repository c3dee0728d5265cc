"""CIFAR-10 and SVHN: 32 x 32 pixels in three colours, channels first.

CIFAR-10: A. Krizhevsky, Learning multiple layers of features from tiny images, University of Toronto (2009). SVHN:
Y. Netzer et al., NIPS Workshop on Deep Learning and Unsupervised Feature Learning (2011).
"""

import hashlib
import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.errors import DataError
from mtjspice.jobs.progress import ProgressBars
from mtjspice.training.published import PublishedFiles, data_folders, find_file, require_checksum

Parts = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Training images (n, 3072) uint8 and the indices of their classes (n,) int64, then the same of the test part."""

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SVHN_FILES = ("train_32x32.mat", "test_32x32.mat")

_PIXELS = 3 * 32 * 32
_CIFAR10_FILE = "cifar-10-binary.tar.gz"
_CIFAR10 = PublishedFiles(
    "cifar10",
    "https://www.cs.toronto.edu/~kriz/",
    {_CIFAR10_FILE: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
)
_BATCH = 10_000
_BATCHES = {
    "data_batch_1": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
"""SHA-256 of each batch's samples, a byte of label and the pixels, as the archive's files hold them; test part last."""
_THREADS = 2

_SVHN_URL = "http://ufldl.stanford.edu/housenumbers/"


def cifar10(progress: ProgressBars) -> Parts:
    """Return CIFAR-10, from the first of the folders of `data_folders` that has it, or downloaded.

    It is the archive of the binary version, or ``data_batch_1_images.npy.xz`` to ``test_batch_images.npy.xz``, uint8
    (10000, 32, 32, 3), and ``labels.npz`` with an array for each. SHA-256 of what is in them is checked.

    Raises:
        InputError: $MTJSPICE_DATA is no folder.
        DataError: files that cannot be read, downloaded or used.
    """
    x = np.empty((len(_BATCHES) * _BATCH, _PIXELS), np.uint8)
    y = np.empty(len(x), np.int64)
    names = list(_BATCHES)
    batches = _cifar10_batches()  # here, for a download has a bar of its own
    with progress("cifar10: batches read") as report:
        report(0, len(names))
        for done, (name, samples) in enumerate(batches, 1):
            start = names.index(name) * _BATCH
            x[start : start + _BATCH], y[start : start + _BATCH] = samples[:, 1:], samples[:, 0]
            report(done, len(names))
    return x[:-_BATCH], y[:-_BATCH], x[-_BATCH:], y[-_BATCH:]


def _cifar10_batches() -> Iterator[tuple[str, np.ndarray]]:
    """Give every batch's name and samples (10000, 3073) uint8, label first, checked, in any order."""
    for folder in data_folders(_CIFAR10.folder):
        if (folder / _CIFAR10_FILE).is_file():
            return _from_archive(folder / _CIFAR10_FILE)
        if any(_images_file(folder, name).is_file() for name in _BATCHES):
            return _from_arrays(folder)
    (path,) = _CIFAR10.paths()
    return _from_archive(path)


def _images_file(folder: Path, name: str) -> Path:
    return folder / f"{name}_images.npy.xz"


def _from_archive(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    missing = set(_BATCHES)
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = Path(member.name).stem
                if name not in missing or Path(member.name).suffix != ".bin" or not member.isfile():
                    continue
                stream = archive.extractfile(member)
                # A byte more than there should be, so that a longer file is none of the original's.
                data = stream.read(_BATCH * (1 + _PIXELS) + 1) if stream else b""
                _check_batch(name, data, path)
                missing.discard(name)
                yield name, np.frombuffer(data, np.uint8).reshape(_BATCH, 1 + _PIXELS)
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise DataError(f"cannot read {path.name}, or it is damaged", where=path.parent, given=error) from error
    if missing:
        raise DataError("the archive lacks batches", where=path, given=", ".join(sorted(missing)))


def _from_arrays(folder: Path) -> Iterator[tuple[str, np.ndarray]]:
    path = folder / "labels.npz"
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            labels = {name: stored[name] for name in _BATCHES}
    except Exception as error:  # numpy, zipfile and zlib have many ways to say it
        raise DataError("cannot read the labels of CIFAR-10", where=path, given=error) from error

    def read(name: str) -> tuple[str, np.ndarray]:
        path = _images_file(folder, name)
        try:
            images = np.load(io.BytesIO(lzma.decompress(path.read_bytes())), allow_pickle=False)
        except (OSError, EOFError, lzma.LZMAError, ValueError) as error:
            raise DataError(f"cannot read {path.name}: it is missing or damaged", where=folder, given=error) from error
        for array, shape in ((images, (_BATCH, 32, 32, 3)), (labels[name], (_BATCH,))):
            if array.dtype != np.uint8 or array.shape != shape:
                raise DataError(
                    f"{name} of CIFAR-10 has another shape or type",
                    where=folder,
                    given=f"{array.dtype} {array.shape}",
                    allowed=f"uint8 {shape}",
                )
        samples = np.empty((_BATCH, 1 + _PIXELS), np.uint8)
        samples[:, 0] = labels[name]
        samples[:, 1:] = images.transpose(0, 3, 1, 2).reshape(_BATCH, _PIXELS)
        _check_batch(name, samples.data, folder)
        return name, samples

    with ThreadPoolExecutor(_THREADS) as threads:
        yield from threads.map(read, _BATCHES)


def _check_batch(name: str, samples: bytes | memoryview, where: Path) -> None:
    found = hashlib.sha256(samples).hexdigest()
    next_step = f"remove the files, and {_CIFAR10.url}{_CIFAR10_FILE} is downloaded"
    require_checksum(found, _BATCHES[name], f"{name} of CIFAR-10", "images or labels are", where, next_step)


def svhn(folder: Path | None = None) -> Parts:
    """Return SVHN's cropped digits, from the user's own `SVHN_FILES` in a folder, or in those of `data_folders`.

    Raises:
        InputError: $MTJSPICE_DATA is no folder.
        DataError: a file that is missing, cannot be read or cannot be used.
    """
    folders = [folder] if folder else data_folders("svhn")
    x_train, y_train, x_test, y_test = (part for file in SVHN_FILES for part in _read_svhn(_svhn_file(file, folders)))
    return x_train, y_train, x_test, y_test


def _svhn_file(file: str, folders: list[Path]) -> Path:
    path = find_file(file, folders)
    if path is None:
        raise DataError(
            f"there is no {file}, and it is not downloaded",
            where=", ".join(map(str, folders)),
            next_step=f"get it from {_SVHN_URL} and put it into {folders[0]}",
        )
    return path


def _read_svhn(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the images (n, 3072) uint8 and digits (n,) int64 of a MATLAB file; label 10 in it is the digit 0."""
    from scipy.io import loadmat  # here and not above: few commands need it

    try:
        stored: dict[str, Any] = loadmat(str(path), variable_names=("X", "y"))
    except NotImplementedError as error:
        raise DataError(
            "MATLAB files of version 7.3 cannot be read",
            where=path,
            next_step=f"get the original from {_SVHN_URL}, or save it in MATLAB with -v7",
        ) from error
    except Exception as error:  # scipy, zlib and numpy have many ways to say it
        raise DataError("cannot read the images: no MATLAB file, or truncated", where=path, given=error) from error
    images, labels = (np.asarray(stored.get(name)) for name in ("X", "y"))
    count = images.shape[-1] if images.ndim else 0
    fits = count and images.dtype == np.uint8 and images.shape == (32, 32, 3, count)
    if not (fits and labels.dtype.kind in "uif" and labels.shape == (count, 1)):
        found = (f"{name} {array.dtype} {array.shape}" for name, array in stored.items() if hasattr(array, "shape"))
        raise DataError(
            "images and labels are not those of SVHN",
            where=path,
            given=", ".join(found) or "neither X nor y",
            allowed="X uint8 (32, 32, 3, n) and y, numbers (n, 1), n above 0",
        )
    digits = labels[:, 0]
    wrong = digits[~np.isin(digits, np.arange(1, 11))]
    if len(wrong):
        raise DataError("labels are out of range", where=path, given=wrong[0], allowed="1 to 9, and 10 for the digit 0")
    return images.transpose(3, 2, 0, 1).reshape(count, _PIXELS), digits.astype(np.int64) % 10
