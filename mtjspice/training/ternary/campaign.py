"""Quantised networks trained from several seeds, and the files that a user gets."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice import __version__
from mtjspice.cards.array import load_array
from mtjspice.cards.junction import load_card
from mtjspice.crossbar.cells import require_spread
from mtjspice.errors import InputError
from mtjspice.files import sha256_of, write_json
from mtjspice.jobs.progress import ProgressBars, silent
from mtjspice.npz import save_npz
from mtjspice.surrogate.model import load_model
from mtjspice.training.counter import PULSES
from mtjspice.training.datasets import Dataset, load_dataset
from mtjspice.training.epoch_file import EpochFile, epochs_folder, epochs_followed
from mtjspice.training.normalise import normalise
from mtjspice.training.ternary.augmentation import Augmentation
from mtjspice.training.ternary.energy import PairEnergy, pair_energy, training_energy
from mtjspice.training.ternary.networks import QuantisedNet, quantised_net
from mtjspice.training.ternary.plan import TernaryPlan, TernaryRule

SCHEMA = 1
_GRADIENT_BITS = _KEPT_BITS = 32
"""Of digital memory for each weight: its gradient over a batch, and each number that makes a proposal of it."""


@dataclass(frozen=True)
class TernaryResult:
    """What a plan came to.

    Args:
        plan: of the first network.
        net: its layers.
        data: of training, named as the plan has it.
        histories: (seeds,) records of epochs: ``loss``, ``test_error``, ``epoch_s``, and for each synapse and batch
            ``pulsed``, the pulses it was given, which the counter gives for every sample, and ``flipped``, junctions
            that switched, or weights that changed in software and in counters.
        first_weights: (outputs, inputs) int8, the first network's first layer.
        synapse: the energy card's; None where there are no pairs of junctions.
        elapsed_s: in all.
    """

    plan: TernaryPlan
    net: QuantisedNet
    data: Dataset
    histories: tuple[list[dict[str, Any]], ...]
    first_weights: np.ndarray
    synapse: PairEnergy | None
    elapsed_s: float

    @property
    def errors(self) -> np.ndarray:
        """(seeds,) fractions of test samples misclassified after the last epoch: none is chosen by the test part."""
        return np.array([history[-1]["test_error"] for history in self.histories])

    def by_epoch(self, name: str) -> np.ndarray:
        """Return what epochs' records hold, (seeds, epochs)."""
        return np.array([[record[name] for record in history] for history in self.histories])

    @property
    def _batch(self) -> int:
        return min(self.plan.batch_size, len(self.data.x_train))

    @property
    def price(self) -> dict[str, Any]:
        """What the rule takes: digital bits and junctions for each weight, and write phases a batch.

        By GXNOR rows are written one after another, their columns at once, for changes have no form that rows share. By
        the counter all are written at once, those of either sign of input after one another, and once a batch each
        column has strong pulses. Both keep a batch's inputs of all layers, and their errors.
        """
        plan = self.plan
        if plan.rule is TernaryRule.COUNTER:
            return {
                "junctions": 1 + plan.counting.bits,
                "digital_bits": 0,
                "write_phases_per_batch": 2 * self._batch + PULSES * max(layer.outputs for layer in self.net.layers),
            }
        return {
            "junctions": plan.weights.junctions if plan.junctions else 0,
            "digital_bits": _GRADIENT_BITS + _KEPT_BITS * plan.proposer.kept + (0 if plan.junctions else 2),
            "write_phases_per_batch": max(layer.inputs for layer in self.net.layers) if plan.junctions else 0,
        }

    @property
    def energy(self) -> dict[str, Any] | None:
        """What reads and updates take, as `training_energy` says it; None for synapses that the card is not of.

        The card's are pairs. A single junction is read against a reference column, of which it knows nothing.
        """
        if self.synapse is None:
            return None
        samples = len(self.data.x_train)
        batch = self._batch
        batches = samples // batch
        pulses = self.by_epoch("pulsed").mean(axis=0) * self.net.weights * batches
        return training_energy(self.synapse, self.net, batches * batch, pulses)

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain data, without the weights."""
        errors = self.errors
        return {
            "schema": SCHEMA,
            **self.plan.described(),
            "seeds": len(errors),
            "weights_in_all": self.net.weights,
            "samples": len(self.data.x_train),
            "test_samples": len(self.data.x_test),
            "test_error": float(errors.mean()),
            "test_error_std": float(errors.std(ddof=1)) if len(errors) > 1 else 0.0,
            "per_seed": errors.tolist(),
            "losses": self.by_epoch("loss").mean(axis=0).tolist(),
            "test_errors": self.by_epoch("test_error").mean(axis=0).tolist(),
            "pulsed": self.by_epoch("pulsed").mean(axis=0).tolist(),
            "flipped": self.by_epoch("flipped").mean(axis=0).tolist(),
            "epoch_s": float(np.median(self.by_epoch("epoch_s"))),
            "price": self.price,
            "energy": self.energy,
            "data_sha256": self.data.sha256,
            "provenance": {"mtjspice": __version__, "elapsed_s": round(self.elapsed_s, 1)},
        }


def quantised_problem(plan: TernaryPlan, progress: ProgressBars = silent) -> tuple[Dataset, QuantisedNet]:
    """Return a plan's data, features in [-1, 1] or pixels as they are, and its network.

    Raises:
        InputError: a network that there is not, or that does not fit the data; augmentation of what is no image.
        MtjspiceError: data that cannot be used.
    """
    data = load_dataset(plan.data, seed=plan.root_seed, progress=progress)
    if plan.validation:
        data = data.with_validation(plan.validation, plan.rng())
    net = quantised_net(plan.net, data.x_train.shape[1], len(data.classes))
    if data.x_train.dtype == np.uint8:
        return data, net
    if plan.augments is not Augmentation.NONE:
        # Each feature is brought to [-1, 1] by its own range, and could not take another's place.
        raise InputError(
            "only images can be moved",
            where=plan.data,
            given=f"augmentation {plan.augments}, features {data.x_train.dtype}",
            allowed=f"pixels uint8, or augmentation {Augmentation.NONE}",
        )
    return normalise(data, "minmax").dataset, net


def run_ternary(
    plan: TernaryPlan,
    folder: Path,
    *,
    seeds: int,
    resume: bool,
    progress: ProgressBars,
    draw: Callable[[TernaryResult, Path], object],
) -> TernaryResult:
    """Train, and leave ``training.json``, ``network_0001.npz`` and so on, and a figure in `folder`.

    Args:
        plan: of the first network; the others differ in their number.
        folder: for results; finished epochs of unfinished networks are kept there.
        seeds: how many networks.
        resume: whether to go on with an unfinished run.
        progress: bars.
        draw: the figure.

    Raises:
        InputError: a plan that cannot be, PyTorch is missing, or an unfinished run in the folder without `resume`.
        MtjspiceError: whatever else stops it.
    """
    # Here and not above: PyTorch may be missing, and is slow.
    from mtjspice.training.ternary.qnn.training import train_quantised

    started = time.monotonic()
    require_spread(plan.variation_percent)
    data, net = quantised_problem(plan, progress)
    identity = sha256_of([plan.described(), data.sha256, load_card(plan.card).sha256, load_array(plan.array).sha256])
    model = load_model("1t1r", plan.card, plan.array, progress=progress) if plan.switches else None
    synapse = pair_energy(plan.card) if plan.in_pairs else None
    histories, weights = [], []
    with (
        epochs_folder(folder, identity, resume) as unfinished,
        progress(f"{Path(plan.data).stem} {plan.net} {plan.weights}: epochs trained") as report,
    ):
        report(0, seeds * plan.epoch_count)
        for number in range(seeds):
            one = replace(plan, number=number)
            kept = EpochFile(unfinished / f"{identity[:16]}-{number + 1:04d}.npz", identity)

            def follow(epochs: int, finished: int = number * plan.epoch_count) -> None:
                report(finished + epochs + 1, seeds * plan.epoch_count)

            with epochs_followed(follow):
                network, history = train_quantised(one, net, data, model, kept)
            save_npz(folder / f"network_{number + 1:04d}.npz", SCHEMA, {"plan": one.described()}, network)
            histories.append(history)
            weights.append(network["weights_0"])
    result = TernaryResult(plan, net, data, tuple(histories), weights[0], synapse, time.monotonic() - started)
    for earlier in sorted(folder.glob("network_*.npz"))[seeds:]:  # of a run with more seeds
        earlier.unlink()
    write_json(folder / "training.json", result.to_json())
    draw(result, folder / "training.png")
    shutil.rmtree(folder / "checkpoint", ignore_errors=True)
    return result
