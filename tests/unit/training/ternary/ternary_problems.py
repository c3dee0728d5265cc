"""What tests of quantised networks share: small images that are easily told apart."""

import numpy as np

from mtjspice.training.datasets import Dataset

CLASSES = ("a", "b", "c", "d")


def images(training: int = 600, test: int = 300, seed: int = 1) -> Dataset:
    """Four classes of 8 x 8 pixels, each around an image of its own."""
    rng = np.random.default_rng(seed)
    middles = rng.uniform(60, 200, (len(CLASSES), 64))

    def part(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % len(CLASSES)
        x = middles[labels] + 45 * rng.standard_normal((count, 64))
        return x.clip(0, 255).astype(np.uint8), labels

    return Dataset("images", *part(training), *part(test), classes=CLASSES)


def keep(data: Dataset, path: str) -> None:
    """Leave data as a user's own."""
    np.savez(path, x_train=data.x_train, y_train=data.y_train, x_test=data.x_test, y_test=data.y_test)
