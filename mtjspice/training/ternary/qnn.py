"""Training of quantised networks (Deng et al., 2018), with updates by GXNOR's rule or by pulses on junctions.

The only module that needs PyTorch, of the extra `qnn`.
"""

import itertools
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from mtjspice.cards.training import Switching
from mtjspice.crossbar.ternary import WeightKind, synapse_states, synapse_weights
from mtjspice.errors import InputError
from mtjspice.surrogate.ideal_array import write_device
from mtjspice.surrogate.model import ArrayModel
from mtjspice.surrogate.pulse_programmer import (
    STRONGEST,
    PulseTables,
    pulse_strength,
    pulse_tables,
    switching_probability,
    switching_rate,
)
from mtjspice.surrogate.synapses import Synapses, new_junctions, synapses
from mtjspice.training.datasets import Dataset
from mtjspice.training.epoch_file import EpochFile
from mtjspice.training.rule import Hardware
from mtjspice.training.ternary.augmentation import augmented
from mtjspice.training.ternary.counted import CountedWeights
from mtjspice.training.ternary.networks import Layer, QuantisedNet
from mtjspice.training.ternary.plan import Proposer, TernaryPlan, TernaryRule

try:
    import torch
    from torch.nn import functional
except ModuleNotFoundError as error:
    raise InputError("quantised networks need PyTorch: pip install 'mtjspice[qnn]', the extra `qnn`") from error

_CUDA = torch.cuda.is_available()
_START, _CELLS, _ORDER, _PULSES, _MOVES = range(1, 6)
_STEEPNESS = 3.0
"""Of tanh, by which a remainder becomes a probability."""
_DECAYS = (0.9, 0.999)
_SMALLEST = 1e-8
"""Of Adam."""
_MOMENTUM = 0.9
_SCALE_RATE = 0.01
"""Of the batch normalisation's parameters, by Adam, to the end and whatever proposes changes of weights."""
_NEAR = 1e-4
"""Added to a batch's variance."""
_DROPPED = 21
"""Bits of a float32 that its leading ones leave out: four values to an octave."""
_BINS = 12
"""Of a junction's resistance."""
_TEST_BATCH = 1000


@dataclass
class Counts:
    """What an epoch's updates came to, summed over synapses."""

    pulses: int = 0
    """Synapses that were given a pulse, or, in ideal updates, could have made a step."""
    flips: int = 0
    """Junctions that switched, or ideal steps."""


class Weights(Protocol):
    """The weights of all layers, (n,), and how they are changed."""

    seen: Any
    """(n,) float32, as a read sees them; changed in place."""
    counts: Counts

    def state(self) -> dict[str, np.ndarray]:
        """Return all that updates have changed, by name."""

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from what `state` returned, which may have more in it."""

    def stored(self) -> dict[str, np.ndarray]:
        """Return what is stored: ``weights``, (n,) int8, and what holds them, (..., n), by name."""


class ProposedWeights(Weights, Protocol):
    """Such as change by proposals."""

    def update(self, change: Any, rng: Any) -> None:
        """Change weights by a proposal, (n,)."""


class IdealWeights:
    """GXNOR's own rule: whole steps, and the remainder as the probability of one more."""

    def __init__(self, kind: WeightKind, start: np.ndarray, device: Any) -> None:
        self._step = kind.step
        self.seen = torch.from_numpy(start.astype(np.float32)).to(device)
        self.counts = Counts()

    def update(self, change: Any, rng: Any) -> None:
        """See `Weights`."""
        steps = change.abs().div_(self._step)
        whole = steps.floor()
        chance = torch.tanh_(steps.sub_(whole).mul_(_STEEPNESS))
        taken = whole.add_(torch.rand(chance.shape, generator=rng, device=chance.device) < chance)
        before = self.seen.clone()
        self.seen.add_(taken.mul_(self._step).copysign_(change)).clamp_(-1, 1)
        self.counts.pulses += int(torch.count_nonzero(change))
        self.counts.flips += int(torch.count_nonzero(before != self.seen))

    def state(self) -> dict[str, np.ndarray]:
        """See `Weights`."""
        return self.stored()

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """See `Weights`."""
        self.seen.copy_(torch.from_numpy(state["weights"].astype(np.float32)))

    def stored(self) -> dict[str, np.ndarray]:
        """See `Weights`."""
        return {"weights": self.seen.cpu().numpy().astype(np.int8)}


class JunctionWeights:
    """Weights in junctions: an increase drives M1 from AP to P and M2 from P to AP, a decrease the other way round.

    Nothing is read before it is written: a junction that is where it is driven to stays. The remainder of a proposal
    sets the pulse; each whole step is a pulse at the strongest.

    Few synapses change, so that probabilities are worked out for few: those whose random number is below a bound, known
    from the proposal's leading bits and from the bins in which the synapse's resistances lie.
    """

    def __init__(self, tables: PulseTables, layers: list[Synapses], start: list[np.ndarray], device: Any) -> None:
        """Take junctions; `start` has the states (junctions, columns, rows) of each layer."""

        def put(array: np.ndarray) -> Any:
            return torch.from_numpy(np.ascontiguousarray(array)).to(device)

        def joined(parts: list[np.ndarray], keep: int) -> Any:
            return put(np.concatenate([part.reshape(*part.shape[:keep], -1) for part in parts], axis=-1))

        self._kind = kind = layers[0].kind
        self._step = kind.step
        self._most_steps = len(kind.weights) - 1
        self._tables = tables.converted(put)
        self._least = math.atanh(-math.expm1(-(tables.first**4))) / _STEEPNESS
        self._state = joined(start, 1)
        self._share = joined([layer.share for layer in layers], 2)
        self._switches = joined([layer.switches for layer in layers], 1)
        resistance = joined([layer.resistance for layer in layers], 3)
        nominal = bool(torch.allclose(resistance, torch.ones_like(resistance), atol=1e-6))
        self._resistance = None if nominal else resistance
        self._lowest_bits = _leading_bits(torch.tensor([self._least])).item() - 1
        self._bounds, self._classes = self._new_bounds()
        self.seen = self._read()
        self.counts = Counts()

    def _read(self) -> Any:
        return torch.where(self._state == 1, self._share[1], self._share[0]).sum(dim=0)

    def _new_bounds(self) -> tuple[Any, Any]:
        """Return bounds of a change's probability, and the places of synapses in them: down (0), up (1).

        Bounds come by direction, bin of resistance of each junction, and leading bits of the proposal; the first one is
        0, for proposals that get no pulse. Places are None where junctions are alike.
        """
        device = self._state.device
        ends = torch.arange(self._lowest_bits + 2, _leading_bits(torch.ones(1)).item() + 2, dtype=torch.int32)
        largest = (ends << _DROPPED).view(torch.float32).clip(max=1.0).to(device)
        strength = pulse_strength(self._tables, self._chance(largest), torch)

        def rates(state: int, low: Any = None, high: Any = None) -> Any:
            """Return rates out of a state: (bits,), or (bins, bits) of the easiest junction in each bin."""
            if low is None:
                return switching_rate(
                    self._tables, torch.full_like(strength, state, dtype=torch.int64), strength, xp=torch
                )
            shape = (len(low), len(strength))
            left = torch.full(shape, state, device=device)
            low, high = (end.double()[:, None].expand(shape) for end in (low, high))
            return switching_rate(self._tables, left, strength.expand(shape), low, high, xp=torch)

        if self._resistance is None:
            # The same up and down.
            return self._as_bounds(
                rates(0) + rates(1) if len(self._state) == 2 else torch.maximum(rates(0), rates(1))
            ), None
        bins, low, high = self._binned(self._resistance)
        found, classes = [], []
        for up in (0, 1):
            place = torch.zeros_like(bins[0, 0])
            rate = torch.zeros(1, len(strength), dtype=torch.float64, device=device)
            for junction in range(len(self._state)):
                state = junction if up else 1 - junction
                place = place * _BINS + bins[state, junction]
                own = rates(state, low[state, junction], high[state, junction])
                rate = (rate[:, None] + own[None]).flatten(end_dim=1)
            classes.append((place + up * len(rate)) * (len(strength) + 1))
            found.append(self._as_bounds(rate))
        return torch.cat(found), torch.stack(classes).int()

    @staticmethod
    def _as_bounds(rate: Any) -> Any:
        """Return probabilities of rates (..., bits) in one row, each with a 0 before it."""
        return functional.pad(-torch.expm1(-rate) * (1 + 1e-6), (1, 0)).flatten().float()

    @staticmethod
    def _binned(resistance: Any) -> tuple[Any, Any, Any]:
        """Return bins (2, junctions, n), and the least resistances at I0 and I0 + I1 in each, (2, junctions, bins)."""
        low, high = resistance
        first, last = low.amin(dim=-1, keepdim=True), low.amax(dim=-1, keepdim=True)
        bins = ((low - first) * (_BINS / (last - first).clip(min=1e-6))).long().clip(max=_BINS - 1)
        empty = torch.ones(*low.shape[:-1], _BINS, device=low.device)
        least = [empty.scatter_reduce(-1, bins, end, "amin", include_self=False) for end in (low, high)]
        return bins, *least

    def update(self, change: Any, rng: Any) -> None:
        """See `Weights`."""
        steps = change.abs().div_(self._step)
        if steps.max() >= 1:
            self._whole_steps(steps, change, rng)
        self.counts.pulses += int(torch.count_nonzero(steps >= self._least))
        place = (_leading_bits(steps) - self._lowest_bits).clip_(min=0)
        if self._classes is not None:
            place += torch.where(change > 0, self._classes[1], self._classes[0])
        drawn = torch.rand(steps.shape, generator=rng, device=steps.device)
        at = torch.nonzero(drawn < self._bounds.index_select(0, place)).squeeze(1)
        strength = pulse_strength(self._tables, self._chance(steps.index_select(0, at)), torch)
        self._drive(at, strength, change.index_select(0, at) > 0, drawn.index_select(0, at))

    def _whole_steps(self, steps: Any, change: Any, rng: Any) -> None:
        """Make whole steps and take them off; more than lead from one end to the other change nothing."""
        chosen = torch.nonzero(steps >= 1).squeeze(1)
        whole = steps[chosen].floor()
        steps[chosen] -= whole
        for count in range(self._most_steps):
            at = chosen[whole > count]
            self.counts.pulses += len(at)
            strength = torch.full(at.shape, STRONGEST, dtype=torch.float64, device=at.device)
            self._drive(at, strength, change[at] > 0, torch.rand(at.shape, generator=rng, device=at.device))

    @staticmethod
    def _chance(steps: Any) -> Any:
        # A remainder that rounds to certainty has no rate.
        return torch.tanh(_STEEPNESS * steps.double()).clip(max=1 - 2.0**-24)

    def _drive(self, at: Any, strength: Any, up: Any, drawn: Any) -> None:
        """Pulse the synapses `at`, (m,) increasing; `drawn`, (m,) uniform in [0, 1), decides."""
        first = torch.where(up, 0, 1)
        chances = [
            self._chance_of(junction, at, left, strength)
            for junction, left in enumerate((first, 1 - first)[: len(self._state)])
        ]
        # Both flip below the product, and either alone in a stretch of its own: so that they are independent.
        if len(chances) == 1:
            flips = [drawn < chances[0]]
        else:
            one, other = chances
            both = one * other
            flips = [drawn < one, (drawn < both) | ((drawn >= one) & (drawn < one + other - both))]
        for junction, flipping in enumerate(flips):
            moved = at[flipping]
            self._state[junction, moved] ^= 1
            self.counts.flips += len(moved)
        moved = at[torch.stack(flips).any(dim=0)]
        states = self._state[:, moved]
        self.seen[moved] = torch.where(states == 1, self._share[1][:, moved], self._share[0][:, moved]).sum(dim=0)

    def _chance_of(self, junction: int, at: Any, left: Any, strength: Any) -> Any:
        """Return the probabilities that a junction of synapses `at` is in the state `left`, and leaves it."""
        moves = (self._state[junction].index_select(0, at) == left) & self._switches[junction].index_select(0, at)
        if self._resistance is None:
            chance = switching_probability(self._tables, left, strength, xp=torch)
        else:
            place = (left * len(self._state) + junction) * self.seen.numel() + at
            low, high = self._resistance.view(2, -1).index_select(1, place).double()
            chance = switching_probability(self._tables, left, strength, low, high, xp=torch)
        return chance * moves

    def state(self) -> dict[str, np.ndarray]:
        """See `Weights`."""
        return {"states": self._state.cpu().numpy().copy()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """See `Weights`."""
        self._state.copy_(torch.from_numpy(state["states"]))
        self.seen.copy_(self._read())

    def stored(self) -> dict[str, np.ndarray]:
        """See `Weights`; ``states`` are (junctions, n)."""
        found = self.state()
        return found | {"weights": synapse_weights(self._kind, found["states"])}


class CounterWeights:
    """Weights in counters of junctions, which learn by themselves from inputs and slopes of a batch."""

    def __init__(self, counted: CountedWeights, device: Any) -> None:
        self._counted = counted
        self.seen = torch.from_numpy(_joined(counted.weights())).to(device)
        self.counts = Counts()

    def learn(self, x: list[Any], slopes: list[Any], rng: np.random.Generator) -> None:
        """Learn a batch; arguments as for `CountedWeights.learn`, as tensors."""
        pulses, flips = self._counted.learn(
            [one.cpu().numpy() for one in x], [one.cpu().numpy() for one in slopes], rng
        )
        self._read()
        self.counts.pulses += pulses
        self.counts.flips += flips

    def _read(self) -> None:
        self.seen.copy_(torch.from_numpy(_joined(self._counted.weights())))

    def state(self) -> dict[str, np.ndarray]:
        """See `Weights`."""
        return self._counted.state()

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """See `Weights`."""
        self._counted.restore(state)
        self._read()

    def stored(self) -> dict[str, np.ndarray]:
        """See `Weights`; ``counters`` are what they hold, from 0."""
        return {"weights": _joined(self._counted.written()), "counters": _joined(self._counted.held())}


def _joined(layers: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([layer.ravel() for layer in layers])


def _leading_bits(steps: Any) -> Any:
    """Return exponents and first two bits of float32 magnitudes, as int32; they rise with them."""
    return steps.view(torch.int32) >> _DROPPED


class Changes:
    """Proposed changes, from gradients: Adam, momentum or plain descent."""

    def __init__(self, proposer: Proposer, size: int, device: Any) -> None:
        self.kept = [torch.zeros(size, device=device) for _ in range(proposer.kept)]
        self.steps = 0

    def of(self, gradient: Any, rate: float) -> Any:
        """Return the change of (n,) parameters; it may be overwritten."""
        self.steps += 1
        if not self.kept:
            return gradient.mul(-rate)
        if len(self.kept) == 1:
            return self.kept[0].mul_(_MOMENTUM).add_(gradient, alpha=1 - _MOMENTUM).mul(-rate)
        first, second = self.kept
        first.lerp_(gradient, 1 - _DECAYS[0])
        second.mul_(_DECAYS[1]).addcmul_(gradient, gradient, value=1 - _DECAYS[1])
        scale = rate * math.sqrt(1 - _DECAYS[1] ** self.steps) / (1 - _DECAYS[0] ** self.steps)
        return second.sqrt().add_(_SMALLEST).reciprocal_().mul_(first).mul_(-scale)


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
        batch = min(plan.batch, len(order))
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
    for epoch in range(len(history), plan.epochs):
        history.append(run.epoch(epoch))
        kept.save(history, run.state())
    return run.trained(), history
