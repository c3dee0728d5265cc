"""Data sets: the paper's by name, a user's own by path; found on disk, or downloaded once and checked.

WBCD: W. N. Street et al., IS&T/SPIE 1905, 861 (1993). SONAR: R. P. Gorman and T. J. Sejnowski, Neural Networks 1, 75
(1988). MNIST: Y. LeCun et al., Proc. IEEE 86, 2278 (1998).
"""

import csv
import gzip
import hashlib
import math
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from mtjspice.errors import DataError, InputError
from mtjspice.jobs.progress import ProgressBars, silent
from mtjspice.jobs.seeds import generator
from mtjspice.training.colour_images import CIFAR10_CLASSES, SVHN_FILES, cifar10, svhn
from mtjspice.training.published import PublishedFiles

OWN_TEST_PART = 0.25
"""The fraction of a user's samples that a random split tests on."""
_DIGITS = tuple("0123456789")
_SPLIT = 0x5B117  # the first word of the key of random splits

_IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
_FORMATS = (
    "a .csv whose last column is the label, an .npz with x and y, or x_train, y_train, x_test and y_test, "
    f"or a folder with {', '.join(_IDX_FILES)}, or with {' and '.join(SVHN_FILES)}"
)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples to train on and samples to test on, their features as they were measured.

    Args:
        name: of the data set.
        x_train: (n, features) float32, or uint8 for images.
        y_train: (n,) int64, index into `classes`.
        x_test: (m, features), of the type of `x_train`.
        y_test: (m,) int64.
        classes: names of the classes, two or more.

    Raises:
        DataError: a part is empty, shapes or types do not match, a feature is NaN or infinite, a label is no index into
            `classes`, or a class has no training sample.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        for part, x, y in (("training", self.x_train, self.y_train), ("test", self.x_test, self.y_test)):
            _check_samples(x, y, f"{part} part of {self.name}")
            if y.dtype.kind not in "iu" or y.min() < 0 or y.max() >= len(self.classes):
                raise DataError(
                    "labels are out of range",
                    where=f"{part} part of {self.name}",
                    given=f"{y.dtype} from {y.min()} to {y.max()}",
                    allowed=f"whole numbers from 0 to {len(self.classes) - 1}, one for each class",
                )
        if self.x_train.shape[1] != self.x_test.shape[1]:
            raise DataError(
                "training part and test part differ in the number of features",
                where=self.name,
                given=f"{self.x_train.shape[1]} and {self.x_test.shape[1]}",
            )
        if self.x_train.dtype != self.x_test.dtype:
            raise DataError(
                "training part and test part differ in type, so perhaps in scale",
                where=self.name,
                given=f"{self.x_train.dtype} and {self.x_test.dtype}",
                allowed="one type, such as uint8 for pixels",
            )
        if len(self.classes) < 2:
            raise DataError(
                "there is one class only, so nothing to learn",
                where=self.name,
                given=", ".join(self.classes),
                allowed="two classes or more",
            )
        counts = np.bincount(self.y_train, minlength=len(self.classes))
        if not counts.all():
            raise DataError(
                "classes have no training sample",
                where=self.name,
                given=some_of([self.classes[empty] for empty in np.flatnonzero(counts == 0)]),
                next_step="add samples of them, leave the classes out, or split with another seed",
            )

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of samples, labels, their order and the classes, whatever the data set's name."""
        digest = hashlib.sha256(repr(self.classes).encode())
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def with_validation(self, count: int, rng: np.random.Generator) -> Self:
        """Return the data set to choose settings on: `count` training samples drawn by `rng` stand as its test part.

        Raises:
            InputError: fewer than one sample would be left in a part.
            DataError: a class has no sample left to train on.
        """
        if not 1 <= count < len(self.y_train):
            raise InputError(
                "the validation part does not fit into the training part",
                where=self.name,
                given=count,
                allowed=f"1 to {len(self.y_train) - 1} samples",
            )
        order = rng.permutation(len(self.y_train))
        held, kept = order[:count], order[count:]
        return replace(
            self,
            name=f"{self.name}-validation",
            x_train=self.x_train[kept],
            y_train=self.y_train[kept],
            x_test=self.x_train[held],
            y_test=self.y_train[held],
        )


def load_dataset(
    name_or_path: str | Path,
    split: str | None = None,
    seed: int = 1,
    number: int = 0,
    progress: ProgressBars = silent,
) -> Dataset:
    """Return the data set of that name, or a user's own from a file.

    Names: `wbcd` (split random, 200 test samples as in the paper), `sonar` (aspect, the marked halves of 104 samples;
    or random halves), `mnist`, `cifar10` and `svhn` (official). Files: CSV (random; the last column is the label, a
    header may be there), npz with `x` and `y` (random) or with `x_train`, `y_train`, `x_test` and `y_test` (official),
    and folders of four idx files named as MNIST's, or of SVHN's two (official). Own files are split at random by
    `OWN_TEST_PART`, and their labels, whole numbers or names, become classes in their order.

    Images become rows of pixels: grey ones (n, h, w) line by line, coloured ones channels first, whether they are given
    as (n, 3, h, w) or as (n, h, w, 3); a shape that could be either is taken as (n, 3, h, w).

    Published files are looked for in the folder that $MTJSPICE_DATA names and in its sub-folder of the data set's name,
    then in the cache, then downloaded into the cache; SHA-256 is checked at every load. SVHN's are the user's own:
    neither downloaded nor checked so.

    Args:
        name_or_path: of the data set.
        split: see above; by default the first that is named.
        seed: root seed of random splits; other splits do not depend on it.
        number: of the random split.
        progress: bars, for what takes seconds to read.

    Raises:
        InputError: no such name, file or split, or a seed out of range.
        DataError: a file that cannot be read, downloaded or used, or whose checksum is wrong.
    """
    rng = generator(seed, (_SPLIT, number))
    if name_or_path in _NAMED:
        return _NAMED[str(name_or_path)](split, rng, progress)
    path = Path(name_or_path)
    if path.is_dir():
        name = path.resolve().name
        _choose(split, name, "official")
        if any((path / file).is_file() for file in SVHN_FILES):
            return Dataset(name, *svhn(path), classes=_DIGITS)
        return _idx_dataset(name, [path / file for file in _IDX_FILES])
    if path.is_file() and path.suffix.lower() == ".csv":
        return _csv_dataset(path, split, rng)
    if path.is_file() and path.suffix.lower() == ".npz":
        return _npz_dataset(path, split, rng)
    raise InputError(
        "a data set of this kind cannot be read" if path.exists() else "there is no such data set",
        given=name_or_path,
        allowed=f"{', '.join(_NAMED)}, or the path of {_FORMATS}",
    )


_MNIST = PublishedFiles(
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    dict(
        zip(
            _IDX_FILES,
            (
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
            strict=True,
        )
    ),
)
_SONAR = PublishedFiles(
    "sonar",
    "https://archive.ics.uci.edu/ml/machine-learning-databases/undocumented/connectionist-bench/sonar/",
    {
        "sonar.rocks": "f79e789d9ccc291b7aebe6008dc50d74f25c123ecb6dc8f7f1fe2dcfb680ba4e",
        "sonar.mines": "f90b24e99b922ac37ec5d043dd93f3e571813137e3f80039cecbfbdac6a483f3",
    },
)


def _wbcd(split: str | None, rng: np.random.Generator, progress: ProgressBars) -> Dataset:
    """569 samples of 30 features, 200 of them to test on; class 1 is malignant."""
    _choose(split, "wbcd", "random")
    from sklearn.datasets import load_breast_cancer  # here and not above: it takes a second or two

    x, benign = load_breast_cancer(return_X_y=True)
    y = (1 - benign).astype(np.int64)
    return _random_split("wbcd", x.astype(np.float32), y, ("benign", "malignant"), 200, rng)


def _sonar(split: str | None, rng: np.random.Generator, progress: ProgressBars) -> Dataset:
    """208 samples of 60 features, half of them to test on; class 1 is a mine."""
    chosen = _choose(split, "sonar", "aspect", "random")
    x, y, train = _sonar_samples(*_SONAR.paths())
    classes = ("rock", "mine")
    if chosen == "aspect":
        return Dataset("sonar", x[train], y[train], x[~train], y[~train], classes)
    return _random_split("sonar", x, y, classes, len(y) // 2, rng)


def _sonar_samples(*paths: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features, class indices in the order of `paths`, and which samples a star marks as training samples.

    A sample reads ``*CM078: {0.0491 0.0279 ...}`` over several lines.
    """
    x, y, train = [], [], []
    for label, path in enumerate(paths):
        for star, numbers in re.findall(r"(\*?)C[RM]\d+:\s*\{([^}]*)\}", path.read_text(encoding="ascii")):
            x.append([float(number) for number in numbers.split()])
            y.append(label)
            train.append(star == "*")
    return np.array(x, dtype=np.float32), np.array(y, dtype=np.int64), np.array(train)


def _mnist(split: str | None, rng: np.random.Generator, progress: ProgressBars) -> Dataset:
    """60 000 and 10 000 images of 28 x 28 pixels, 0 background and 255 ink."""
    _choose(split, "mnist", "official")
    return _idx_dataset("mnist", _MNIST.paths())


def _cifar10(split: str | None, rng: np.random.Generator, progress: ProgressBars) -> Dataset:
    """50 000 and 10 000 images of 32 x 32 pixels in three colours."""
    _choose(split, "cifar10", "official")
    return Dataset("cifar10", *cifar10(progress), classes=CIFAR10_CLASSES)


def _svhn(split: str | None, rng: np.random.Generator, progress: ProgressBars) -> Dataset:
    """73 257 and 26 032 images of 32 x 32 pixels in three colours."""
    _choose(split, "svhn", "official")
    return Dataset("svhn", *svhn(), classes=_DIGITS)


_NAMED: dict[str, Callable[[str | None, np.random.Generator, ProgressBars], Dataset]] = {
    "wbcd": _wbcd,
    "sonar": _sonar,
    "mnist": _mnist,
    "cifar10": _cifar10,
    "svhn": _svhn,
}
DATASETS = tuple(_NAMED)
"""The names that `load_dataset` knows."""


def _idx_dataset(name: str, paths: list[Path]) -> Dataset:
    """Return the data set of the four files in the order of `_IDX_FILES`."""
    x_train, y_train, x_test, y_test = (_read_idx(path, 3 - 2 * (n % 2)) for n, path in enumerate(paths))
    return _given_split(name, paths[0].parent, x_train, y_train, x_test, y_test)


def _read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Return the array of a gzip-compressed idx file of uint8.

    Its header is 0, 0, 8 for uint8, the number of dimensions, and each length as a big-endian uint32.
    """
    try:
        data = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"cannot read {path.name}: it is missing, truncated or not gzip", where=path.parent, given=error
        ) from error
    magic = bytes((0, 0, 8, dimensions))
    if data[:4] != magic:
        raise DataError(
            "not an idx file of this kind: its first four bytes are wrong",
            where=path,
            given=data[:4].hex(" ") or "an empty file",
            allowed=f"{magic.hex(' ')}: uint8, {dimensions} dimension{'s' * (dimensions > 1)}",
        )
    start = 4 + 4 * dimensions
    shape = tuple(int.from_bytes(data[at : at + 4], "big") for at in range(4, start, 4))
    if len(data) != start + math.prod(shape):
        raise DataError(
            "the idx file is not as long as its header says",
            where=path,
            given=f"{len(data)} bytes",
            allowed=f"{start + math.prod(shape)} bytes for shape {shape}",
            next_step="get the file anew",
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _csv_dataset(path: Path, split: str | None, rng: np.random.Generator) -> Dataset:
    _choose(split, path.name, "random")
    rows: list[np.ndarray] = []
    labels: list[str] = []
    fields = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = csv.reader(stream, skipinitialspace=True)
            for row in lines:
                if not row:
                    continue
                if not fields:
                    fields = len(row)
                    if fields > 1 and all(_number(field) is None for field in row[:-1]):
                        continue  # the header
                rows.append(_csv_features(row, fields, f"{path}, line {lines.line_num}"))
                labels.append(row[-1].strip())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError("cannot read the samples", where=path, given=error) from error
    if not rows:
        raise DataError("there are no samples", where=path, allowed=_FORMATS)
    return _own_split(path, np.array(rows), np.array(labels), rng)


def _csv_features(row: list[str], fields: int, where: str) -> np.ndarray:
    """Return the features of a line, (fields - 1,) float32."""
    if len(row) != fields or fields < 2 or not row[-1].strip():
        raise DataError(
            "a line lacks its label" if len(row) == fields > 1 else "a line has the wrong number of fields",
            where=where,
            given=f"{len(row)} fields",
            allowed=f"{max(fields, 2)} fields separated by commas, as in the first line: features, then the label",
        )
    values = [_number(field) for field in row[:-1]]
    wrong = [n for n, value in enumerate(values) if value is None or not math.isfinite(value)]
    if wrong:
        raise DataError(
            "a feature is no finite number",
            where=f"{where}, field {wrong[0] + 1}",
            given=row[wrong[0]] or "nothing",
            next_step="correct the value or leave the sample out",
        )
    with np.errstate(over="ignore"):  # infinite then, and reported as such
        return np.array(values, dtype=np.float32)


def _number(field: str) -> float | None:
    try:
        return float(field)
    except ValueError:
        return None


def _npz_dataset(path: Path, split: str | None, rng: np.random.Generator) -> Dataset:
    names = ("x_train", "y_train", "x_test", "y_test")
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files if name in (*names, "x", "y")}
    except Exception as error:  # numpy, zipfile and zlib have many ways to say it
        raise DataError("cannot read the samples", where=path, given=error) from error
    if all(name in arrays for name in names):
        _choose(split, path.name, "official")
        return _given_split(path.stem, path, *(arrays[name] for name in names))
    if "x" in arrays and "y" in arrays:
        _choose(split, path.name, "random")
        return _own_split(path, arrays["x"], arrays["y"], rng)
    raise DataError(
        "the npz file lacks arrays",
        where=path,
        given=", ".join(arrays) or "none of them",
        allowed=f"x and y, or {', '.join(names)}",
    )


def _given_split(
    name: str, where: Path, x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, y_test: np.ndarray
) -> Dataset:
    """Return the data set of parts that its files tell apart."""
    x_train, x_test = (_as_features(x, where) for x in (x_train, x_test))
    for part, x, y in (("training", x_train, y_train), ("test", x_test, y_test)):
        _check_samples(x, y, f"{where}, {part} part")
    y, classes = _class_indices(np.concatenate((y_train, y_test)), where)
    return Dataset(name, x_train, y[: len(y_train)], x_test, y[len(y_train) :], classes)


def _own_split(path: Path, x: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Dataset:
    """Return the data set of a user's samples, split at random."""
    x = _as_features(x, path)
    _check_samples(x, labels, str(path))
    y, classes = _class_indices(labels, path)
    return _random_split(path.stem, x, y, classes, max(round(OWN_TEST_PART * len(y)), 1), rng)


def _random_split(
    name: str, x: np.ndarray, y: np.ndarray, classes: tuple[str, ...], test_count: int, rng: np.random.Generator
) -> Dataset:
    """Return the data set whose test part is the first `test_count` samples of a permutation; classes do not matter."""
    order = rng.permutation(len(y))
    test, train = order[:test_count], order[test_count:]
    return Dataset(name, x[train], y[train], x[test], y[test], classes)


def _choose(split: str | None, name: str, *allowed: str) -> str:
    """Return `split`, or the first of `allowed` in place of None."""
    if split is None:
        return allowed[0]
    if split not in allowed:
        raise InputError("the data set has no such split", where=name, given=split, allowed=" or ".join(allowed))
    return split


def _as_features(x: np.ndarray, where: Path) -> np.ndarray:
    """Return `x` as (n, features), channels first: uint8 as it is, other numbers in float32."""
    if x.dtype.kind not in "biuf" or x.ndim < 2:
        raise DataError(
            "features are not numbers in rows",
            where=where,
            given=f"{x.dtype} of shape {x.shape}",
            allowed="numbers of shape (samples, features), or images of more dimensions",
        )
    if x.ndim == 4 and x.shape[3] == 3 != x.shape[1]:
        x = x.transpose(0, 3, 1, 2)
    flat = x.reshape(len(x), math.prod(x.shape[1:]))
    with np.errstate(over="ignore"):  # infinite then, and reported as such
        return flat if flat.dtype == np.uint8 else flat.astype(np.float32)


def _class_indices(labels: np.ndarray, where: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the index of each label among the different ones in order, and those as text."""
    if labels.dtype.kind == "U" and all(_number(label) is not None for label in labels):
        labels = labels.astype(float)
    if labels.dtype.kind not in "biuU":
        wrong = labels if labels.dtype.kind != "f" else labels[~np.isfinite(labels) | (labels % 1 != 0)]
        if len(wrong):
            raise DataError(
                "labels are neither whole numbers nor names",
                where=where,
                given=some_of(list(dict.fromkeys(map(str, wrong)))),
                next_step="number or name the classes",
            )
    values, y = np.unique(labels, return_inverse=True)
    return y.astype(np.int64), tuple(v if isinstance(v, str) else f"{v:.0f}" for v in values.tolist())


def _check_samples(x: np.ndarray, y: np.ndarray, where: str) -> None:
    """Refuse features that are not (n, features) finite numbers, n > 0, and labels that are not (n,)."""
    if x.ndim != 2 or not x.size or y.shape != x.shape[:1]:
        raise DataError(
            "features and labels do not belong together",
            where=where,
            given=f"features of shape {x.shape}, labels of shape {y.shape}",
            allowed="(samples, features) and (samples,), at least one of each",
        )
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        sample, feature = np.argwhere(~np.isfinite(x))[0]
        raise DataError(
            "a feature is no finite number",
            where=f"{where}, sample {sample}, feature {feature}, counted from 0",
            given=x[sample, feature],
            next_step="correct the value or leave the sample out",
        )


def some_of(names: Sequence[object]) -> str:
    """Return the first few names, and how many there are."""
    return ", ".join(map(str, names[:10])) + (f", ... ({len(names)} in all)" if len(names) > 10 else "")
