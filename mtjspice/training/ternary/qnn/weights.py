"""Quantised weights and how they are changed: by GXNOR's own rule, by pulses on junctions, or by counting."""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from mtjspice.crossbar.ternary import WeightKind, synapse_weights
from mtjspice.surrogate.pulse_programmer import (
    STRONGEST,
    PulseTables,
    pulse_strength,
    switching_probability,
    switching_rate,
)
from mtjspice.surrogate.synapses import Synapses
from mtjspice.training.ternary.counted import CountedWeights

_STEEPNESS = 3.0
"""Of tanh, by which a remainder becomes a probability."""
_DROPPED = 21
"""Bits of a float32 that its leading ones leave out: four values to an octave."""
_SIGN = 1 << 31 - _DROPPED
"""The sign's place among leading bits."""
_BINS = 12
"""Of a junction's resistance."""


@dataclass
class Counts:
    """What an epoch's updates came to, summed over synapses."""

    pulses: int = 0
    """That synapses were given, or steps that they could have made in ideal updates."""
    flips: int = 0
    """Junctions that switched, or weights that changed by ideal steps and in counters."""


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
        """See `ProposedWeights`."""
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
    from the proposal's leading bits and from the synapse's class: states of its junctions, and bins in which their
    resistances lie.
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
        self._bounds, self._rows = self._new_bounds()
        self._row = self._in_state(self._rows)
        self.seen = self._in_state(self._share)
        self.counts = Counts()

    def _in_state(self, values: Any, at: Any = slice(None)) -> Any:
        """Return the sum over junctions of `values`, (2, junctions, n) in AP (0) and P (1), of synapses `at`."""
        ap, p = values[:, :, at]
        return torch.where(self._state[:, at] == 1, p, ap).sum(dim=0, dtype=values.dtype)

    def _new_bounds(self) -> tuple[Any, Any]:
        """Return bounds of a change's probability, and what junctions add, by state, to the place of a class in them.

        A class has those of decreases and of increases, by leading bits. Its place is between the two: a proposal's
        bits, with its sign, lead from there to its bound.
        """
        device, junctions = self._state.device, len(self._state)
        bins, low, high = self._binned()
        count = 1 if low is None else _BINS
        below = torch.arange(1, _SIGN // 2 + 1, dtype=torch.int32)  # up to 2, and no remainder is more than 1
        largest = (below << _DROPPED).view(torch.float32).clip(max=1.0).to(device)
        strength = pulse_strength(self._tables, self._chance(largest), torch).expand(count, -1)
        rate = torch.zeros(1, 2, _SIGN, dtype=torch.float64, device=device)
        for junction in range(junctions):
            own = torch.zeros(2, count, *rate.shape[1:], dtype=rate.dtype, device=device)
            for state in (0, 1):
                left = torch.full_like(strength, state, dtype=torch.int64)
                easiest = (end if end is None else end[state, junction, :, None].expand_as(left) for end in (low, high))
                found = switching_rate(self._tables, left, strength, *easiest, xp=torch)
                own[state, :, int(state == junction), : found.shape[-1]] = found
            rate = (rate[:, None] + own.flatten(end_dim=1)).flatten(end_dim=1)
        bounds = (-torch.expm1(-rate) * (1 + 1e-6)).flatten().float()
        bins[1] += count
        strides = [2 * _SIGN * (2 * count) ** after for after in reversed(range(junctions))]
        rows = bins * torch.tensor(strides, device=device)[:, None]
        rows[:, 0] += _SIGN
        return bounds, rows.int().expand(2, *self._state.shape)

    def _binned(self) -> tuple[Any, Any, Any]:
        """Return bins (2, junctions, n), and the least resistances at I0 and I0 + I1 in each, (2, junctions, bins).

        All by state. Where junctions are alike, there is one bin, (2, junctions, 1), and no resistances.
        """
        if self._resistance is None:
            return torch.zeros(2, len(self._state), 1, dtype=torch.int64, device=self._state.device), None, None
        low, high = self._resistance
        first, last = low.amin(dim=-1, keepdim=True), low.amax(dim=-1, keepdim=True)
        bins = ((low - first) * (_BINS / (last - first).clip(min=1e-6))).long().clip(max=_BINS - 1)
        empty = torch.ones(*low.shape[:-1], _BINS, device=low.device)
        least = [empty.scatter_reduce(-1, bins, end, "amin", include_self=False).double() for end in (low, high)]
        return bins, *least

    def update(self, change: Any, rng: Any) -> None:
        """See `ProposedWeights`."""
        steps = change / self._step
        sizes = steps.abs()
        if sizes.max() >= 1:
            self._whole_steps(steps, rng)
            sizes = steps.abs()
        self.counts.pulses += int(torch.count_nonzero(sizes >= self._least))
        place = _leading_bits(steps).add_(self._row)
        drawn = torch.rand(steps.shape, generator=rng, device=steps.device)
        at = torch.nonzero(drawn < self._bounds.index_select(0, place)).squeeze(1)
        strength = pulse_strength(self._tables, self._chance(sizes.index_select(0, at)), torch)
        self._drive(at, strength, steps.index_select(0, at) > 0, drawn.index_select(0, at))

    def _whole_steps(self, steps: Any, rng: Any) -> None:
        """Make whole steps and take them off; more than lead from one end to the other change nothing."""
        chosen = torch.nonzero(steps.abs() >= 1).squeeze(1)
        whole = steps[chosen].trunc()
        steps[chosen] -= whole
        for count in range(self._most_steps):
            further = whole.abs() > count
            at, up = chosen[further], whole[further] > 0
            self.counts.pulses += len(at)
            strength = torch.full(at.shape, STRONGEST, dtype=torch.float64, device=at.device)
            self._drive(at, strength, up, torch.rand(at.shape, generator=rng, device=at.device))

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
        self.seen[moved] = self._in_state(self._share, moved)
        self._row[moved] = self._in_state(self._rows, moved)

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
        self.seen.copy_(self._in_state(self._share))
        self._row.copy_(self._in_state(self._rows))

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
    """Return signs, exponents and first two bits of float32, as int32: of negative ones, `_SIGN` less."""
    return steps.view(torch.int32) >> _DROPPED
