"""Images for small arrays: the middle of each, averaged over squares of pixels."""

import math
from dataclasses import replace

import numpy as np

from mtjspice.errors import InputError
from mtjspice.training.datasets import Dataset


def with_inputs(data: Dataset, inputs: int) -> Dataset:
    """Return the data with as many features as a network has inputs.

    Square images of more pixels become smaller square ones: 28 x 28 to 10 x 10 by the middle 20 x 20 and means of
    2 x 2.

    Raises:
        InputError: features that are neither as many as inputs nor a square image that becomes one of so many pixels.
    """
    features = data.x_train.shape[1]
    if inputs == features:
        return data
    side, smaller = math.isqrt(features), math.isqrt(inputs)
    if side**2 != features or smaller**2 != inputs or not 0 < smaller < side:
        squares = ", ".join(str(n * n) for n in (7, 10, 14)) if side**2 == features and side >= 14 else ""
        raise InputError(
            "the network does not fit the data",
            given=f"{inputs} inputs for {features} features",
            allowed=f"{features} inputs" + (f", or smaller images of, say, {squares} pixels" if squares else ""),
        )
    return replace(data, x_train=_smaller(data.x_train, side, smaller), x_test=_smaller(data.x_test, side, smaller))


def _smaller(x: np.ndarray, side: int, smaller: int) -> np.ndarray:
    factor = side // smaller
    first = (side - factor * smaller) // 2
    middle = slice(first, first + factor * smaller)
    images = x.reshape(-1, side, side)[:, middle, middle]
    squares = images.reshape(-1, smaller, factor, smaller, factor)
    return squares.mean(axis=(2, 4), dtype=np.float32).reshape(len(x), -1)
