"""The training card: how networks are trained on one data set, for every rule."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from mtjspice.cards.loading import Card, Section, find, read_card, shipped
from mtjspice.resources import training_folder


class RuleName(StrEnum):
    """How weights are updated."""

    PER_SAMPLE = "per_sample"
    """The paper's: all cells, after every sample (Mondal & Srivastava, section 4)."""
    BATCH = "batch"
    """A gradient accumulated over samples in digital memory, then written column by column."""
    COUNTER = "counter"
    """The gradient's sign counted in junctions beside every weight."""
    REAL = "real"
    """Real-valued weights, in software."""
    BINARY_CONNECT = "binary_connect"
    """The signs of real-valued weights, in software: what binary weights can reach."""


class Switching(StrEnum):
    """What decides whether a driven junction flips."""

    PHYSICAL = "physical"
    """The calibrated surface, with pulses linear in |x| and |delta| (eqs. 6 and 7)."""
    IDEAL = "ideal"
    """P = eta |x delta|, which they stand for (eq. 2)."""


# Of hidden layers, and of the output layer. TOML has lists only.
_Positive = Annotated[float, Field(gt=0, le=1e9)]
Rates = Annotated[tuple[_Positive, _Positive], Field(strict=False)]
_Rows = Annotated[int, Field(ge=0, le=1000)]
Rows = Annotated[tuple[_Rows, _Rows], Field(strict=False)]
_Bits = Annotated[int, Field(ge=1, le=12)]
Bits = Annotated[tuple[_Bits, _Bits], Field(strict=False)]
_Share = Annotated[float, Field(ge=0, lt=1)]


class Learning(Section):
    """What every rule has. Pairs are of hidden layers and of the output layer."""

    epochs: int = Field(ge=1, le=100_000)
    bias_rows: Rows = Field(description="rows driven with x = 1")
    spread: Rates | None = Field(
        default=None,
        description="of a layer's sums while its weights are random, which sets b; "
        "without one b is the mean |W| of a network of real weights",
    )


class Software(Learning):
    """Adam on the mean squared error, with real weights or their signs."""

    batch: int = Field(ge=1, le=1_000_000)
    learning_rate: float = Field(gt=0, le=1)


class PerSample(Learning):
    """The paper's rule: literal with the defaults of the gains and of what is left out."""

    gain_x: float = Field(default=1.0, gt=0, le=1e6, description="of x, before a row's level is set")
    gain_delta: float = Field(default=1.0, gt=0, le=1e6, description="of delta, before a column's pulse is set")
    least_x: _Share = Field(default=0.0, description="rows of |x| up to it are not driven")
    least_delta: _Share = Field(default=0.0, description="columns of |delta| up to it are not written")
    eta: Rates = Field(default=(0.1, 0.1), description="of ideal switching")


class Batch(Learning):
    """G = sum of x delta over a batch; a cell's level is of gain |G|, and all pulses are as long as for `width`."""

    batch: int = Field(ge=1, le=1_000_000)
    gain: Rates = Field(description="of |G|, before a cell's level is set")
    least_level: _Share = Field(description="cells of levels up to it are not written")
    width: float = Field(ge=0, le=1, description="|delta| that all pulses are as long as")
    eta: Rates = Field(description="of ideal switching, P = eta |G|")
    decay: float = Field(gt=0, le=1, description="of gain and eta, after every epoch")


class Counter(Learning):
    """The chopped counter of junctions."""

    bits: Bits = Field(description="of each cell's counter")
    period: int = Field(ge=1, le=1_000_000_000, description="samples from one transfer of a column to the next")
    pipelined: bool = Field(description="transfer one column at a time, instead of all at the end of a period")
    least_delta: _Share = Field(description="columns of |delta| up to it are not written")
    eta: Rates = Field(description="of ideal switching")
    start: int = Field(ge=1, le=2048, description="counters start uniformly within it on either side of 0")
    output_trains: bool = Field(default=True, description="otherwise the output layer stays random")
    t_strong_s: float = Field(gt=0, le=1e-7, description="pulse that sets or resets a junction")


class TrainingCard(Card):
    """One data set's settings."""

    normalise: str
    real: Software
    binary_connect: Software
    per_sample: PerSample
    batch: Batch
    counter: Counter


def shipped_training() -> dict[str, Path]:
    """Return the shipped training cards: name to file."""
    return shipped(training_folder())


def load_training(name_or_path: str) -> TrainingCard:
    """Return the training card of a shipped name (``mnist``) or of a TOML file's path."""
    return read_card(find(name_or_path, training_folder()), TrainingCard)
