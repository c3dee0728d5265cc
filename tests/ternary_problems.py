"""What tests of quantised networks share: small images that are easily told apart."""

import numpy as np

from mtjspice.training.datasets import Dataset

CLASSES = ("a", "b", "c", "d")


def images(training: int = 600, test: int = 300, seed: int = 1, pixels: int = 64) -> Dataset:
    """Four classes, of 8 x 8 pixels unless told, each around an image of its own."""
    rng = np.random.default_rng(seed)
    middles = rng.uniform(60, 200, (len(CLASSES), pixels))

    def part(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % len(CLASSES)
        x = middles[labels] + 45 * rng.standard_normal((count, pixels))
        return x.clip(0, 255).astype(np.uint8), labels

    return Dataset("images", *part(training), *part(test), classes=CLASSES)


def colour_images(count: int, side: int = 12, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return images (count, side, side, 3) of four classes, a colour around a place each, and their classes."""
    rng = np.random.default_rng(seed)
    colours = np.array([(220, 60, 60), (60, 220, 60), (60, 60, 220), (200, 200, 60)])
    labels = np.arange(count) % len(CLASSES)
    rows, columns = rng.integers(2, side - 2, (2, count, 1, 1))
    far = (np.arange(side)[:, None] - rows) ** 2 + (np.arange(side) - columns) ** 2
    x = (
        40
        + np.exp(-far / 8)[..., None] * colours[labels][:, None, None]
        + 20 * rng.standard_normal((count, side, side, 3))
    )
    return x.clip(0, 255).astype(np.uint8), labels


def keep(data: Dataset, path: str) -> None:
    """Leave data as a user's own."""
    np.savez(path, x_train=data.x_train, y_train=data.y_train, x_test=data.x_test, y_test=data.y_test)
