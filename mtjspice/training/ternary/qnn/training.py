"""A network in training: forward and back in PyTorch, weights in software or in junctions."""

import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from mtjspice.cards.training import Switching
from mtjspice.crossbar.ternary import WeightKind, synapse_states
from mtjspice.surrogate.ideal_array import write_device
from mtjspice.surrogate.model import ArrayModel
from mtjspice.surrogate.pulse_programmer import pulse_tables
from mtjspice.surrogate.synapses import new_junctions, synapses
from mtjspice.training.datasets import Dataset
from mtjspice.training.epoch_file import EpochFile
from mtjspice.training.rule import Hardware
from mtjspice.training.ternary.augmentation import augmented
from mtjspice.training.ternary.counted import CountedWeights
from mtjspice.training.ternary.networks import Layer, QuantisedNet
from mtjspice.training.ternary.plan import Proposer, TernaryPlan, TernaryRule
from mtjspice.training.ternary.qnn.changes import Changes
from mtjspice.training.ternary.qnn.weights import (
    CounterWeights,
    Counts,
    IdealWeights,
    JunctionWeights,
    ProposedWeights,
    Weights,
)

_CUDA = torch.cuda.is_available()
_START, _CELLS, _ORDER, _PULSES, _MOVES = range(1, 6)
_SCALE_RATE = 0.01
"""Of the batch normalisation's parameters, by Adam, to the end and whatever proposes changes of weights."""
_NEAR = 1e-4
"""Added to a batch's variance."""
_TEST_BATCH = 1000
_FEW_READS = 1e6
"""Of weights, an image; `mlp` has a quarter of that, `cnn` four times as many."""


def quantised(x: Any, kind: WeightKind) -> Any:
    """Return activations of the kind's values, with a slope of 1 where |x| <= 1.

    Ternary ones step at +-1/2, with derivative windows of half-width 1/2 around the steps; binary ones at 0.
    """
    near = x.clamp(-1, 1)
    stepped = near.round() if kind is WeightKind.TERNARY else torch.where(near < 0, -1.0, 1.0)
    return near + (stepped - near).detach()


class QuantisedTraining(ABC):
    """A network in training.

    Args:
        plan: of it.
        net: its layers.
        data: features in [-1, 1], or pixels uint8, which are brought there batch by batch.
        model: of the junctions; None for ideal updates.
    """

    def __init__(self, plan: TernaryPlan, net: QuantisedNet, data: Dataset, model: ArrayModel | None) -> None:
        self._plan, self._net, self._data = plan, net, data
        self._device = torch.device("cuda" if _CUDA else "cpu")
        self._weights: Weights = self._new_weights(model)
        ends = np.cumsum([0, *(layer.weights for layer in net.layers)])
        self._leaves = [
            self._weights.seen[start:end].view(_shape(layer, net)).detach().requires_grad_()
            for layer, (start, end) in zip(net.layers, itertools.pairwise(ends), strict=True)
        ]
        widths = [layer.outputs for layer in net.layers]
        self._gains = [torch.ones(width, device=self._device, requires_grad=True) for width in widths]
        self._offsets = [torch.zeros(width, device=self._device, requires_grad=True) for width in widths]
        self._means = [torch.zeros(width, device=self._device) for width in widths]
        self._variances = [torch.ones(width, device=self._device) for width in widths]
        self._scale_changes = Changes(Proposer.ADAM, 2 * sum(widths), self._device)

    @abstractmethod
    def _new_weights(self, model: ArrayModel | None) -> Weights:
        """Return the weights at the start."""

    @abstractmethod
    def _generator(self, number: int) -> Any:
        """Return what draws an epoch's pulses."""

    @abstractmethod
    def _step(self, x: np.ndarray, y: np.ndarray, rate: float, rng: Any) -> Any:
        """Learn a batch and return its loss."""

    def epoch(self, number: int) -> dict[str, Any]:
        """Train one epoch, from 0, and return what happened."""
        plan, data = self._plan, self._data
        order, moves = plan.rng(_ORDER, number).permutation(len(data.x_train)), plan.rng(_MOVES, number)
        rng = self._generator(number)
        counts = self._weights.counts = Counts()
        began, losses = time.monotonic(), []
        batch = min(plan.batch_size, len(order))
        for start in range(0, len(order) - batch + 1, batch):
            chosen = order[start : start + batch]
            x = augmented(data.x_train[chosen].reshape(-1, *self._net.image), plan.augments, moves)
            losses.append(self._step(x, data.y_train[chosen], plan.rate_in(number), rng))
        elapsed_s = time.monotonic() - began
        updates = len(losses) * len(self._weights.seen)
        return {
            "loss": float(torch.stack(losses).mean()),
            "test_error": self.error(data.x_test, data.y_test),
            "pulsed": counts.pulses / updates,
            "flipped": counts.flips / updates,
            "epoch_s": elapsed_s,
        }

    @property
    def _scales(self) -> list[Any]:
        return [*self._gains, *self._offsets]

    def _rescale(self, slopes: Sequence[Any]) -> None:
        """Change what batch normalisation learns."""
        change = self._scale_changes.of(torch.cat(slopes), _SCALE_RATE)
        for scale, part in zip(self._scales, change.split([len(scale) for scale in self._scales]), strict=True):
            scale.add_(part)

    def _mean_loss(self, x: Any, y: Any, signals: list[tuple[Any, Any]] | None = None) -> Any:
        """Return the mean squared hinge of a batch: targets are +1 for the class and -1 for the others."""
        outputs = self._outputs(x, training=True, signals=signals)
        targets = 2.0 * functional.one_hot(y, outputs.shape[1]) - 1.0
        return (1.0 - targets * outputs).clamp(min=0).square().mean()

    def _outputs(self, x: Any, training: bool, signals: list[tuple[Any, Any]] | None = None) -> Any:
        """Return the outputs (n, classes) of images (n, channels, height, width).

        Where `signals` are given, inputs and sums of each layer, whose units see all, are put there.
        """
        for n, (layer, weight) in enumerate(zip(self._net.layers, self._leaves, strict=True)):
            inputs = x
            x = functional.conv2d(x, weight, padding=layer.padding) if layer.kernel else x.flatten(1) @ weight.T
            if layer.pools:
                x = functional.max_pool2d(x, 2)
            if signals is not None:
                signals.append((inputs.flatten(1), x))
            mean, variance = self._means[n], self._variances[n]
            x = functional.batch_norm(x.float(), mean, variance, self._gains[n], self._offsets[n], training, 0.1, _NEAR)
            if n < len(self._leaves) - 1:
                x = quantised(x, self._plan.weights)
        return x

    def _images(self, x: np.ndarray) -> Any:
        """Return samples as images in [-1, 1]."""
        images = torch.tensor(x, device=self._device).view(-1, *self._net.image)  # a copy: x may be read-only
        return images.float().div_(255).mul_(2).sub_(1) if images.dtype == torch.uint8 else images

    def error(self, x: np.ndarray, y: np.ndarray) -> float:
        """Return the fraction of samples (n, features) of classes (n,) that are misclassified."""
        return float(np.mean(np.concatenate(list(self._guesses(x))) != y))

    def _guesses(self, x: np.ndarray) -> Iterator[np.ndarray]:
        with torch.no_grad():
            for start in range(0, len(x), _TEST_BATCH):
                outputs = self._outputs(self._images(x[start : start + _TEST_BATCH]), training=False)
                yield outputs.argmax(dim=1).cpu().numpy()

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that training has changed, by name."""
        found = self._weights.state()
        found |= {name: tensor.detach().cpu().numpy() for name, tensor in self._tensors()}
        return found | {"scale_steps": np.array(self._scale_changes.steps)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from what `state` returned."""
        self._weights.restore(state)
        with torch.no_grad():
            for name, tensor in self._tensors():
                tensor.copy_(torch.from_numpy(state[name]))
        self._scale_changes.steps = int(state["scale_steps"])

    def _tensors(self) -> Iterator[tuple[str, Any]]:
        groups = {
            "gain": self._gains,
            "offset": self._offsets,
            "mean": self._means,
            "variance": self._variances,
            "scale_kept": self._scale_changes.kept,
        }
        for name, tensors in groups.items():
            for n, tensor in enumerate(tensors):
                yield f"{name}_{n}", tensor

    def trained(self) -> dict[str, np.ndarray]:
        """Return the network by name: of layer n ``weights_n``, (outputs, inputs) int8, what it takes to normalise, and
        what holds the weights: ``states_n``, (junctions, outputs, inputs) uint8, or ``counters_n`` int16.
        """
        layers = self._net.layers
        ends = np.cumsum([layer.weights for layer in layers])[:-1]
        found = {
            f"{name}_{n}": part.reshape(*part.shape[:-1], layer.outputs, layer.inputs)
            for name, stored in self._weights.stored().items()
            for n, (layer, part) in enumerate(zip(layers, np.split(stored, ends, axis=-1), strict=True))
        }
        normalising = ("gain", "offset", "mean", "variance")
        return found | {
            name: tensor.detach().cpu().numpy() for name, tensor in self._tensors() if name.startswith(normalising)
        }


class GxnorTraining(QuantisedTraining):
    """A network in training by GXNOR; arguments as for `QuantisedTraining`, and:

    Args:
        accelerated: whether losses are compiled and their products in bfloat16, as is worth it on CUDA.
    """

    _weights: ProposedWeights

    def __init__(
        self,
        plan: TernaryPlan,
        net: QuantisedNet,
        data: Dataset,
        model: ArrayModel | None,
        accelerated: bool = _CUDA,
    ) -> None:
        super().__init__(plan, net, data, model)
        self._accelerated = accelerated
        self._changes = Changes(plan.proposer, len(self._weights.seen), self._device)
        self._loss = torch.compile(self._mean_loss) if accelerated else self._mean_loss

    def _new_weights(self, model: ArrayModel | None) -> ProposedWeights:
        plan, layers = self._plan, self._net.layers
        rng = plan.rng(_START)
        start = [rng.choice(plan.weights.weights, (layer.outputs, layer.inputs)) for layer in layers]
        if model is None:
            return IdealWeights(plan.weights, np.concatenate([weights.ravel() for weights in start]), self._device)
        device = write_device(model)
        states = [synapse_states(plan.weights, weights, rng) for weights in start]
        cells = plan.rng(_CELLS)
        found = [
            synapses(model, device, plan.weights, new_junctions(model, state, plan.variation_percent, cells))
            for state in states
        ]
        return JunctionWeights(pulse_tables(model, plan.widths, device), found, states, self._device)

    def _generator(self, number: int) -> Any:
        return torch.Generator(self._device).manual_seed(int(self._plan.rng(_PULSES, number).integers(2**63)))

    def _step(self, x: np.ndarray, y: np.ndarray, rate: float, rng: Any) -> Any:
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._accelerated):
            loss = self._loss(self._images(x), torch.from_numpy(y).to(self._device))
        found = torch.autograd.grad(loss, [*self._leaves, *self._scales])
        with torch.no_grad():
            gradient = torch.cat([part.flatten() for part in found[: len(self._leaves)]])
            self._weights.update(self._changes.of(gradient, rate), rng)
            self._rescale(found[len(self._leaves) :])
        return loss.detach()

    def state(self) -> dict[str, np.ndarray]:
        """See `QuantisedTraining`."""
        kept = {f"kept_{n}": tensor.cpu().numpy() for n, tensor in enumerate(self._changes.kept)}
        return super().state() | kept | {"steps": np.array(self._changes.steps)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """See `QuantisedTraining`."""
        super().restore(state)
        self._changes.steps = int(state["steps"])
        for n, tensor in enumerate(self._changes.kept):
            tensor.copy_(torch.from_numpy(state[f"kept_{n}"]))


class CounterTraining(QuantisedTraining):
    """A network in training by counters."""

    _weights: CounterWeights

    def _new_weights(self, model: ArrayModel | None) -> CounterWeights:
        plan = self._plan
        assert model is not None  # counters are junctions, however they switch
        switching = Switching.PHYSICAL if plan.junctions else Switching.IDEAL
        hardware = Hardware(model, phases=1, variation_percent=plan.variation_percent, switching=switching)
        shapes = [(layer.inputs, layer.outputs) for layer in self._net.layers]
        counted = CountedWeights(plan.weights, hardware, shapes, plan.counting, plan.rng(_START))
        return CounterWeights(counted, self._device)

    def _generator(self, number: int) -> np.random.Generator:
        return self._plan.rng(_PULSES, number)

    def _step(self, x: np.ndarray, y: np.ndarray, rate: float, rng: np.random.Generator) -> Any:
        signals: list[tuple[Any, Any]] = []
        loss = self._mean_loss(self._images(x), torch.from_numpy(y).to(self._device), signals)
        inputs, sums = zip(*signals, strict=True)
        found = torch.autograd.grad(loss, [*sums, *self._scales])
        with torch.no_grad():
            self._weights.learn([one.detach() for one in inputs], found[: len(sums)], rng)
            self._rescale(found[len(sums) :])
        return loss.detach()

    def _images(self, x: np.ndarray) -> Any:
        """Return samples, from 0 to 1: a row that is not driven is not written, and most of an image is dark."""
        return super()._images(x).add_(1).div_(2)


def _shape(layer: Layer, net: QuantisedNet) -> tuple[int, ...]:
    """Return the shape of a layer's weights as PyTorch has it."""
    if not layer.kernel:
        return layer.outputs, layer.inputs
    return layer.outputs, layer.inputs // layer.kernel**2, layer.kernel, layer.kernel


def train_quantised(
    plan: TernaryPlan, net: QuantisedNet, data: Dataset, model: ArrayModel | None, kept: EpochFile
) -> tuple[dict[str, np.ndarray], list[dict[str, Any]]]:
    """Return a trained network, as `QuantisedTraining.trained` does, and the records of its epochs.

    Args:
        plan: of the training.
        net: the layers.
        data: features in [-1, 1], or pixels uint8.
        model: of the junctions; None for ideal updates.
        kept: finished epochs, from which it goes on.
    """
    kind = CounterTraining if plan.rule is TernaryRule.COUNTER else GxnorTraining
    run = kind(plan, net, data, model)
    history, state = kept.load()
    if history:
        run.restore(state)
    with _threads(net):
        for epoch in range(len(history), plan.epoch_count):
            history.append(run.epoch(epoch))
            kept.save(history, run.state())
    return run.trained(), history


@contextmanager
def _threads(net: QuantisedNet) -> Iterator[None]:
    """Use one thread for a small network, whose threads would mostly wait for each other, longest on busy cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if net.reads < _FEW_READS else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
