"""What is trained with quantised synapses, and all that determines it."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from mtjspice.crossbar.ternary import WeightKind
from mtjspice.errors import InputError
from mtjspice.jobs.seeds import generator
from mtjspice.training.ternary.augmentation import Augmentation
from mtjspice.training.ternary.networks import has_filters

_TRAINING = 0x7E12A
"""First word of the keys of all random numbers of a training."""
_AUGMENTED = {"cifar10": Augmentation.SHIFT_FLIP, "svhn": Augmentation.SHIFT}
"""Data sets whose images are moved unless a plan says otherwise; digits are not mirrored."""


class TernaryRule(StrEnum):
    """How weights are updated."""

    GXNOR = "gxnor"
    """A batch's gradient makes a proposal for each weight; its remainder becomes a probability (Deng et al., 2018)."""
    COUNTER = "counter"
    """The gradient's sign counted in junctions beside every weight, without digital memory for it."""

    @property
    def epochs(self) -> int:
        """Unless a plan says otherwise."""
        return 10 if self is TernaryRule.GXNOR else 15

    @property
    def batch(self) -> int:
        """Unless a plan says otherwise; the counter's is what columns note between two transfers."""
        return 200 if self is TernaryRule.GXNOR else 100


@dataclass(frozen=True)
class Counting:
    """Settings of the counter, chosen on 10,000 held-out images of MNIST.

    Args:
        bits: of a synapse's counter.
        gain: what a layer's mean error makes of the pulse's width, 0 to 1, times the layer's mean input.
        ideal_gain: the same of ideal switching's probability.
        level: of driven rows, 0 to 1 from I0 to I0 + I1.
        least_width: of pulses that are given, 0 to 1.
        t_strong_s: pulse that sets or resets a junction.

    Raises:
        InputError: one is out of range.
    """

    bits: int = 7
    gain: float = 0.04
    ideal_gain: float = 0.0042
    level: float = 0.5
    least_width: float = 0.02
    t_strong_s: float = 10e-9

    def __post_init__(self) -> None:
        """Check the ranges."""
        gains = min(self.gain, self.ideal_gain, self.t_strong_s) > 0
        if not (2 <= self.bits <= 12 and gains and 0 <= self.level <= 1 and 0 <= self.least_width < 1):
            raise InputError(
                "a setting of the counter is out of range",
                given=", ".join(f"{name} {value:g}" for name, value in asdict(self).items()),
                allowed="2 to 12 bits, gains and times above 0, a level from 0 to 1, a least width from 0 to below 1",
            )


class Proposer(StrEnum):
    """What makes a proposed change of a weight of its gradient."""

    ADAM = "adam"
    MOMENTUM = "momentum"
    SGD = "sgd"

    @property
    def kept(self) -> int:
        """How many numbers it keeps for each weight."""
        return {Proposer.ADAM: 2, Proposer.MOMENTUM: 1, Proposer.SGD: 0}[self]

    @property
    def learning_rate(self) -> float:
        """At the start, unless a plan says otherwise."""
        # Adam's changes are of the rate's own size; the others' have that of the gradient. Chosen as `Counting`.
        return {Proposer.ADAM: 0.01, Proposer.MOMENTUM: 1000.0, Proposer.SGD: 100.0}[self]


_OF_GXNOR, _OF_COUNTER = ("proposer", "widths", "learning_rate", "last_learning_rate"), ("counting",)
"""What has no part in the other rule's results."""


@dataclass(frozen=True)
class TernaryPlan:
    """What is trained.

    Args:
        data: a data set's name, or a file.
        net: a network's name, as in `networks.NETS`, or its layers.
        weights: which a synapse holds; activations have the same values.
        rule: of updates.
        junctions: whether pulses switch junctions as calibrated; else updates have the probabilities that are aimed at,
            GXNOR's in software.
        counting: settings of the counter.
        proposer: of GXNOR's changes.
        widths: how many pulse widths the driver has; None for any.
        variation_percent: spread of resistances.
        augmentation: of training images; None for the data set's own, see `augments`.
        validation: training samples that stand in for the test part; 0 for none.
        epochs: passes over the training part; None for the rule's own.
        batch: samples in a batch; None for the rule's own.
        learning_rate: at the start; None for the proposer's own.
        last_learning_rate: as a share of that, at the end; it falls exponentially.
        card: of the junctions, by name or file.
        array: of the cells.
        number: of the network; its start, cells, order of samples and pulses are its own.
        root_seed: of all randomness.
    """

    data: str
    net: str
    weights: WeightKind = WeightKind.TERNARY
    rule: TernaryRule = TernaryRule.GXNOR
    junctions: bool = True
    counting: Counting = Counting()
    proposer: Proposer = Proposer.ADAM
    widths: int | None = None
    variation_percent: float = 0.0
    augmentation: Augmentation | None = None
    validation: int = 0
    epochs: int | None = None
    batch: int | None = None
    learning_rate: float | None = None
    last_learning_rate: float = 0.005
    card: str = "mondal2018"
    array: str = "array45"
    number: int = 0
    root_seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            InputError: a number out of range, junctions' settings without junctions, or augmentation without filters.
        """
        if self.epoch_count < 1 or self.batch_size < 2:
            raise InputError(
                "there is nothing to train",
                given=f"{self.epoch_count} epochs, {self.batch_size} samples in a batch",
                allowed="1 epoch and 2 samples, or more",
            )
        if not (self.rate > 0 and 0 < self.last_learning_rate <= 1):
            raise InputError(
                "the learning rate is out of range",
                given=f"{self.rate:g}, at the end {self.last_learning_rate:g} of it",
                allowed="above 0, and at the end above 0 to 1 of it",
            )
        if not self.junctions and (self.variation_percent or self.widths is not None):
            raise InputError(
                "ideal switching has no pulse widths, and no cells that vary",
                given=f"{self.variation_percent:g} % variation, widths {self.widths or 'of any number'}",
                allowed="neither, or the junctions' own switching",
            )
        if self.rule is TernaryRule.COUNTER and (has_filters(self.net) or self.widths is not None):
            raise InputError(
                "the counter is for layers whose units see all inputs, and pulses of any width",
                given=f"{self.net}" + (f", {self.widths} widths" if self.widths is not None else ""),
                allowed="a network such as mlp, without levels",
            )
        if self.augments is not Augmentation.NONE and not has_filters(self.net):
            raise InputError(
                "only networks with filters see images, which can be moved",
                where="augmentation",
                given=f"{self.augmentation} for {self.net}",
                allowed=f"{Augmentation.NONE}, or a network such as cnn",
            )

    @property
    def epoch_count(self) -> int:
        """Passes over the training part."""
        return self.rule.epochs if self.epochs is None else self.epochs

    @property
    def batch_size(self) -> int:
        """Samples in a batch."""
        return self.rule.batch if self.batch is None else self.batch

    @property
    def rate(self) -> float:
        """The learning rate at the start."""
        return self.proposer.learning_rate if self.learning_rate is None else self.learning_rate

    @property
    def switches(self) -> bool:
        """Whether weights are in junctions; counters are, however their accumulators switch."""
        return self.junctions or self.rule is TernaryRule.COUNTER

    @property
    def in_pairs(self) -> bool:
        """Whether a weight is a pair of junctions that pulses change."""
        return self.junctions and self.rule is TernaryRule.GXNOR and self.weights is WeightKind.TERNARY

    @property
    def augments(self) -> Augmentation:
        """What is done to training images: unless the plan says it, by the data set, for networks with filters."""
        if self.augmentation is not None:
            return self.augmentation
        return _AUGMENTED.get(self.data, Augmentation.NONE) if has_filters(self.net) else Augmentation.NONE

    def rate_in(self, epoch: int) -> float:
        """Return the learning rate of an epoch, from 0."""
        return self.rate * self.last_learning_rate ** (epoch / max(1, self.epoch_count - 1))

    def rng(self, *key: int) -> np.random.Generator:
        """Return the generator of one use."""
        return generator(self.root_seed, (_TRAINING, self.number, *key))

    def described(self) -> dict[str, Any]:
        """Return everything that determines the result, as plain data."""
        found = asdict(self) | {
            "weights": self.weights.value,
            "rule": self.rule.value,
            "proposer": self.proposer.value,
            "augmentation": self.augments.value,
            "epochs": self.epoch_count,
            "batch": self.batch_size,
            "learning_rate": self.rate,
        }
        for name in _OF_GXNOR if self.rule is TernaryRule.COUNTER else _OF_COUNTER:
            del found[name]
        return found
