"""A trained network on many dies: what is done on each of them, and what errors it makes there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mtjspice.errors import InputError
from mtjspice.jobs.seeds import generator
from mtjspice.training.datasets import Dataset
from mtjspice.training.dies.calibrate import calibrated, trimmed
from mtjspice.training.dies.chip import IDEAL_SENSING, Chip, Sensing, on_die, software
from mtjspice.training.dies.fine_tune import FINE_TUNING, fine_tuned
from mtjspice.training.dies.known import Parts
from mtjspice.training.dies.network import BinaryNetwork
from mtjspice.training.dies.remap import Places, best_places, identity, moved, placed, worth_of
from mtjspice.training.rule import Hardware

_NOISE, _IMAGES, _COUNTERS = 0xE7A1, 0xE7A2, 0xE7A3
_WORTH_IMAGES = 5000


@dataclass(frozen=True)
class Deployment:
    """What is done on every die, beyond writing the network.

    Args:
        remap: whether rows and columns are exchanged around its known defects.
        calibration_images: without labels, by which its columns are calibrated; 0 for none.
        trim_images: with labels, by which its outputs are trimmed; 0 for none.
        fine_tune_images: with labels, by which its weights are fine-tuned (`fine_tune`); 0 for none.
        sensing: what sense amplifiers do.
    """

    remap: bool = False
    calibration_images: int = 0
    trim_images: int = 0
    fine_tune_images: int = 0
    sensing: Sensing = IDEAL_SENSING

    def __post_init__(self) -> None:
        if self.fine_tune_images and not self.calibration_images:
            raise InputError(
                "fine-tuning works on calibrated columns",
                given="no images for calibration",
                next_step="calibrate, too: with 2048 images, say",
            )

    @property
    def needs(self) -> str:
        """What has to be known of each die."""
        labelled = max(self.trim_images, self.fine_tune_images)
        needs = [
            *(["map of defects"] if self.remap else []),
            *([f"{self.calibration_images} images"] if self.calibration_images else []),
            *([f"{labelled} labelled images"] if labelled else []),
        ]
        return ", ".join(needs) or "nothing"


@dataclass(frozen=True, eq=False)
class KnownDie:
    """One die.

    Args:
        name: of it.
        rate: fraction of its cells that are defective.
        parts: as it is.
        mapped: as its map of defects has it.
        wired: what a read makes of weights, (rows, columns) of each array, where lines have resistance; None without.
    """

    name: str
    rate: float
    parts: Parts
    mapped: Parts
    wired: Callable[[tuple[np.ndarray, ...]], tuple[np.ndarray, ...]] | None = None


AS_IS = Deployment()


def software_error(network: BinaryNetwork, data: Dataset, deployment: Deployment = AS_IS, root_seed: int = 1) -> float:
    """Return the fraction of test images that the network misclassifies without any fault.

    Its columns are set with the same images as on a die: those of a network that will be calibrated do not fit before.

    Raises:
        InputError: as `errors_on_dies`.
    """
    chip = software(network.written)
    return _set_up(network, chip, data, deployment, _order(data, deployment, root_seed)).error(
        chip, data.x_test, data.y_test
    )


def errors_on_dies(
    network: BinaryNetwork,
    dies: Sequence[KnownDie],
    data: Dataset,
    deployment: Deployment,
    root_seed: int,
    report: Callable[[int, int], None] = lambda done, all_: None,
    hardware: Hardware | None = None,
) -> np.ndarray:
    """Return the fraction of test images misclassified on each die, (dies,).

    Images for calibration, trim and fine-tuning are of the training part; what errors cost, for remapping, is found
    there too. Fine-tuning takes wires and sense amplifiers for ideal.

    Args:
        network: as trained.
        dies: on which it is written.
        data: normalised.
        deployment: what is done on each.
        root_seed: of images and noise.
        report: called with how many dies are done, and all.
        hardware: of the counters, for fine-tuning.

    Raises:
        InputError: more images for one of them than the training part has, or a single one, which has no deviation.
    """
    chosen = _order(data, deployment, root_seed)
    worth = worth_of(network, data.x_train[:_WORTH_IMAGES], data.y_train[:_WORTH_IMAGES]) if deployment.remap else None
    errors = np.empty(len(dies))
    for number, die in enumerate(dies):
        places = identity(network) if worth is None else best_places(network, worth, die.mapped)
        written = network
        if deployment.fine_tune_images:
            assert hardware is not None
            unlabelled, labelled = (
                chosen[:count] for count in (deployment.calibration_images, deployment.fine_tune_images)
            )
            written = fine_tuned(
                network,
                moved(die.parts, places),
                data.x_train[unlabelled],
                data.x_train[labelled],
                data.y_train[labelled],
                hardware,
                FINE_TUNING,
                generator(root_seed, (_COUNTERS, number)),
            )
        chip = Chip(_seen(written, die, places), deployment.sensing, generator(root_seed, (_NOISE, number)))
        set_up = _set_up(written, chip, data, deployment, chosen)
        errors[number] = set_up.error(chip, data.x_test, data.y_test)
        report(number + 1, len(dies))
    return errors


def _seen(network: BinaryNetwork, die: KnownDie, places: tuple[Places, ...]) -> tuple[np.ndarray, ...]:
    """Return the weights as the die's arrays are read, at their logical rows and columns."""
    if die.wired is None:
        return on_die(network.written, moved(die.parts, places))
    seen = die.wired(tuple(placed(weight, place) for weight, place in zip(network.written, places, strict=True)))
    return tuple(weight[np.ix_(*place)] for weight, place in zip(seen, places, strict=True))


def _order(data: Dataset, deployment: Deployment, root_seed: int) -> np.ndarray:
    """Return the training part's images in the order in which a deployment takes them."""
    uses = {
        "calibrate": deployment.calibration_images,
        "trim": deployment.trim_images,
        "fine-tune": deployment.fine_tune_images,
    }
    for use, images in uses.items():
        if images and not 2 <= images <= len(data.x_train):
            raise InputError(
                f"the number of images to {use} with is out of range",
                where=data.name,
                given=images,
                allowed=f"2 to {len(data.x_train)}, the training part; or 0 for none",
            )
    return generator(root_seed, (_IMAGES,)).permutation(len(data.x_train))


def _set_up(
    network: BinaryNetwork, chip: Chip, data: Dataset, deployment: Deployment, chosen: np.ndarray
) -> BinaryNetwork:
    if deployment.calibration_images:
        network = calibrated(network, chip, data.x_train[chosen[: deployment.calibration_images]])
    if deployment.trim_images:
        labelled = chosen[: deployment.trim_images]
        network = trimmed(network, chip, data.x_train[labelled], data.y_train[labelled])
    return network
