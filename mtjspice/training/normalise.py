"""Features brought into [-1, 1], in which rows are driven; every choice is fitted on the training part only."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mtjspice.errors import DataError, InputError
from mtjspice.training.datasets import Dataset, some_of

_BLOCK = 4096  # samples at a time, so that double precision does not cost a copy in double precision


@dataclass(frozen=True)
class Normalised:
    """A data set whose features are in [-1, 1].

    Args:
        dataset: float32 features.
        clipped_train: fraction of the training part's features that lay outside and were clipped.
        clipped_test: the same of the test part.
    """

    dataset: Dataset
    clipped_train: float
    clipped_test: float


def normalise(dataset: Dataset, choice: str) -> Normalised:
    """Return `dataset` normalised by one of `NORMALISATIONS`, then clipped to [-1, 1].

    `none`: features as they are. `unit`: divided by 255 where they are uint8, else by the largest magnitude of the
    training part. `minmax`: each feature's range over the training part becomes [-1, 1]. `zscore_half`: each feature
    less its mean, over two standard deviations.

    Raises:
        InputError: there is no such choice.
        DataError: a feature is constant over the training part, so that `minmax` or `zscore_half` cannot scale it, or
            all are 0 and `unit` cannot.
    """
    if choice not in NORMALISATIONS:
        raise InputError("there is no such normalisation", given=choice, allowed=", ".join(NORMALISATIONS))
    offset, scale = NORMALISATIONS[choice](dataset)
    x_train, clipped_train = _scaled(dataset.x_train, offset, scale)
    x_test, clipped_test = _scaled(dataset.x_test, offset, scale)
    return Normalised(replace(dataset, x_train=x_train, x_test=x_test), clipped_train, clipped_test)


_Fit = tuple[np.ndarray | float, np.ndarray | float]
"""Offset and scale, for all features or (features,): x becomes (x - offset)/scale."""


def _none(dataset: Dataset) -> _Fit:
    return 0.0, 1.0


def _unit(dataset: Dataset) -> _Fit:
    x = dataset.x_train
    if x.dtype == np.uint8:
        return 0.0, 255.0
    largest = float(max(x.max(), -x.min()))
    if not largest:
        raise DataError("all features are 0 in the training part", where=dataset.name, next_step="check the data")
    return 0.0, largest


def _minmax(dataset: Dataset) -> _Fit:
    low, high = _ranges(dataset)
    return (high + low) / 2, (high - low) / 2


def _zscore_half(dataset: Dataset) -> _Fit:
    _ranges(dataset)
    x = dataset.x_train
    return x.mean(axis=0, dtype=float), 2 * x.std(axis=0, dtype=float)


NORMALISATIONS: dict[str, Callable[[Dataset], _Fit]] = {
    "none": _none,
    "unit": _unit,
    "minmax": _minmax,
    "zscore_half": _zscore_half,
}
"""Each fits offset and scale on the training part."""


def _ranges(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest and largest value of each feature in the training part, (features,); no two are equal."""
    low, high = (extreme(axis=0).astype(float) for extreme in (dataset.x_train.min, dataset.x_train.max))
    constant = np.flatnonzero(low == high)
    if constant.size:
        raise DataError(
            "features are constant over the training part and cannot be scaled",
            where=dataset.name,
            given=f"features {some_of(constant.tolist())}, counted from 0",
            next_step="leave them out, or normalise by unit, which keeps them",
        )
    return low, high


def _scaled(x: np.ndarray, offset: np.ndarray | float, scale: np.ndarray | float) -> tuple[np.ndarray, float]:
    """Return (x - offset)/scale clipped to [-1, 1] in float32, and the clipped fraction."""
    scaled = np.empty(x.shape, dtype=np.float32)
    clipped = 0
    for start in range(0, len(x), _BLOCK):
        # Rounded to float32 before it is compared: the ends of the fitted range are 1 then, and count as inside.
        block = ((x[start : start + _BLOCK] - offset) / scale).astype(np.float32)
        clipped += int(np.count_nonzero(np.abs(block) > 1))
        np.clip(block, -1, 1, out=scaled[start : start + _BLOCK])
    return scaled, clipped / x.size
