"""Training images moved and mirrored at random, so that a network does not learn where things are."""

from enum import StrEnum

import numpy as np

FARTHEST = 4
"""Pixels by which an image is moved, at most, each way."""


class Augmentation(StrEnum):
    """What is done to each training image whenever it is seen."""

    NONE = "none"
    SHIFT = "shift"
    SHIFT_FLIP = "shift-flip"


def augmented(images: np.ndarray, how: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Return images (n, channels, height, width), each moved on its own; what moves in repeats the edge.

    All moves by -`FARTHEST` to `FARTHEST` rows and columns are equally likely. With `SHIFT_FLIP` every other image, on
    average, is mirrored left-right after that.
    """
    if how is Augmentation.NONE:
        return images
    count, _, height, width = images.shape
    down, right = rng.integers(0, 2 * FARTHEST + 1, (2, count))
    edges = ((0, 0), (0, 0), (FARTHEST, FARTHEST), (FARTHEST, FARTHEST))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(images, edges, "edge"), (height, width), axis=(2, 3))
    moved = windows[np.arange(count), :, down, right]
    if how is Augmentation.SHIFT_FLIP:
        mirrored = rng.random(count) < 0.5
        moved[mirrored] = moved[mirrored, ..., ::-1]
    return moved
