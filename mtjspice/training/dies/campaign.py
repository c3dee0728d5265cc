"""Networks trained for dies from several seeds, and the files that a user gets."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice import __version__
from mtjspice.cards.array import Architecture
from mtjspice.cards.die_statistics import DieStatistics
from mtjspice.crossbar.dies import Die
from mtjspice.errors import DataError, InputError
from mtjspice.files import sha256_of, write_json
from mtjspice.jobs.progress import ProgressBars
from mtjspice.surrogate.read_model import ReadModel
from mtjspice.training.datasets import Dataset, load_dataset
from mtjspice.training.dies.deployment import software_error
from mtjspice.training.dies.images import with_inputs
from mtjspice.training.dies.network import BinaryNetwork
from mtjspice.training.dies.parts import known_dies
from mtjspice.training.dies.plan import DiePlan
from mtjspice.training.dies.train import train_for_dies
from mtjspice.training.epoch_file import EpochFile, epochs_folder, epochs_followed
from mtjspice.training.networks import network_sizes
from mtjspice.training.normalise import normalise

SCHEMA = 1


@dataclass(frozen=True)
class DieTrainingResult:
    """What a plan came to.

    Args:
        plan: of the first network.
        provenance: of the dies in the loop.
        networks: one for each seed.
        errors: (seeds,) fractions of test images misclassified in software.
        losses: (seeds, epochs) of training, nats.
        samples_per_s: in training.
        elapsed_s: in all.
    """

    plan: DiePlan
    provenance: dict[str, Any]
    networks: tuple[BinaryNetwork, ...]
    errors: np.ndarray
    losses: np.ndarray
    samples_per_s: float
    elapsed_s: float

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain data, without the weights."""
        errors = self.errors
        return {
            "schema": SCHEMA,
            **self.plan.described(),
            "seeds": len(errors),
            "test_error": float(errors.mean()),
            "test_error_std": float(errors.std(ddof=1)) if len(errors) > 1 else 0.0,
            "per_seed": errors.tolist(),
            "losses": self.losses.mean(axis=0).tolist(),
            "samples_per_s": self.samples_per_s,
            "provenance": {**self.provenance, "mtjspice": __version__, "elapsed_s": round(self.elapsed_s, 1)},
        }


def images_for(data: str, net: str, validation: int, rng: np.random.Generator) -> tuple[Dataset, tuple[int, int, int]]:
    """Return normalised data for a network, and its inputs, hidden units and outputs.

    Raises:
        InputError: a network that does not have two layers, or does not fit the data.
        MtjspiceError: data that cannot be used.
    """
    loaded = load_dataset(data)
    if validation:
        loaded = loaded.with_validation(validation, rng)
    # A pixel may be the same in all images, so that its own range is none.
    found = normalise(loaded, "unit" if loaded.x_train.dtype == np.uint8 else "minmax").dataset
    given = net.split("-")
    inputs = int(given[0]) if len(given) == 3 and given[0].isdecimal() else found.x_train.shape[1]
    found = with_inputs(found, inputs)
    sizes = network_sizes(net, inputs, len(found.classes))
    if len(sizes) != 3 or sizes[-1] != len(found.classes):
        raise InputError(
            "networks on dies have two layers, and an output for each class",
            given=net,
            allowed=f"{inputs}-...-{len(found.classes)}",
        )
    return found, (sizes[0], sizes[1], sizes[2])


def train_network(
    plan: DiePlan,
    model: ReadModel,
    data: Dataset,
    sizes: tuple[int, int, int],
    *,
    statistics: DieStatistics | None = None,
    dies: Sequence[Die] = (),
    kept: EpochFile | None = None,
) -> tuple[BinaryNetwork, list[dict[str, Any]]]:
    """Return a network and its epochs; data and sizes as `images_for` returns them."""
    known = known_dies(plan, model, sizes, statistics=statistics, dies=dies)
    return train_for_dies(plan, data, sizes, known, kept or EpochFile(None, ""))


def run_die_training(
    plan: DiePlan,
    model: ReadModel,
    folder: Path,
    *,
    seeds: int,
    statistics: DieStatistics | None,
    dies: Sequence[Die],
    provenance: dict[str, Any],
    resume: bool,
    progress: ProgressBars,
    draw: Callable[[DieTrainingResult, Path], object],
) -> DieTrainingResult:
    """Train, and leave ``training.json``, ``network_0001.npz`` and so on, and a figure in `folder`.

    Args:
        plan: of the first network; the others differ in their number.
        model: of the arrays' reads.
        folder: for results; finished epochs of unfinished networks are kept there.
        seeds: how many networks.
        statistics: of dies, for statistics-aware training.
        dies: the one of training for one die, or measured ones whose cells are mixed.
        provenance: of the dies.
        resume: whether to go on with an unfinished run.
        progress: bars.
        draw: the figure.

    Raises:
        InputError: a plan that cannot be, or an unfinished run in the folder without `resume`.
        MtjspiceError: whatever else stops it.
    """
    started = time.monotonic()
    plans = [replace(plan, number=number) for number in range(seeds)]
    data, sizes = images_for(plan.data, plan.net, plan.validation, plan.validation_rng())
    # Dies that are made again are the same, but took another time.
    of_dies = {name: value for name, value in provenance.items() if name != "elapsed_s"}
    identity = sha256_of([plan.described(), model.architecture, data.sha256, of_dies])
    networks, errors, losses, trained_s, samples, of_epoch = [], [], [], 0.0, 0, len(data.x_train)
    with (
        epochs_folder(folder, identity, resume) as unfinished,
        progress(f"{Path(plan.data).stem} {plan.net} {plan.method}: epochs trained") as report,
    ):
        for number, one in enumerate(plans):

            def follow(epochs: int, finished: int = number * plan.epochs) -> None:
                nonlocal samples
                samples += of_epoch
                report(finished + epochs + 1, seeds * plan.epochs)

            report(number * plan.epochs, seeds * plan.epochs)
            kept = EpochFile(unfinished / f"{identity[:16]}-{number + 1:04d}.npz", identity)
            began = time.monotonic()
            with epochs_followed(follow):
                network, history = train_network(one, model, data, sizes, statistics=statistics, dies=dies, kept=kept)
            trained_s += time.monotonic() - began
            networks.append(network)
            errors.append(software_error(network, data))
            losses.append([record["loss"] for record in history])
            header = {
                "plan": one.described(),
                "architecture": model.architecture.value,
                "data_sha256": data.sha256,
                "software_error": errors[-1],
                "dies": provenance,
            }
            network.save(folder / f"network_{number + 1:04d}.npz", header)
    result = DieTrainingResult(
        plan,
        provenance,
        tuple(networks),
        np.array(errors),
        np.array(losses),
        samples / trained_s,
        time.monotonic() - started,
    )
    for earlier in sorted(folder.glob("network_*.npz"))[seeds:]:  # of a run with more seeds
        earlier.unlink()
    write_json(folder / "training.json", result.to_json())
    draw(result, folder / "training.png")
    shutil.rmtree(folder / "checkpoint", ignore_errors=True)
    return result


def load_networks(path: Path) -> list[tuple[BinaryNetwork, dict[str, Any]]]:
    """Return the networks of a folder that `run_die_training` left, or of one file, each with its header.

    Raises:
        DataError: there are none, or a file is damaged or does not say how its network was trained.
    """
    files = sorted(path.glob("network_*.npz")) if path.is_dir() else [path]
    if not files:
        raise DataError(
            "there is no network in the folder",
            where=path,
            next_step="train one with `mtjspice train --scenario statistics-aware`, or ideal, hardware-aware",
        )
    return [_load_trained(file) for file in files]


def _load_trained(path: Path) -> tuple[BinaryNetwork, dict[str, Any]]:
    network, header = BinaryNetwork.load(path)
    try:
        DiePlan.of(header["plan"])
        Architecture(header["architecture"])
        str(header["data_sha256"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            "the network does not say how it was trained",
            where=path,
            given=error,
            allowed="networks as `mtjspice train` leaves them",
        ) from error
    return network, header
