"""A die with weights written onto it, as its sense amplifiers see it."""

import math
from dataclasses import dataclass, field

import numpy as np

from mtjspice.errors import InputError
from mtjspice.training.dies.known import Parts


@dataclass(frozen=True)
class Sensing:
    """What sense amplifiers and converters do to a column's sum; nothing by default.

    Args:
        full_scale: sums beyond it, on either side, are clipped; in units of the sum of a column whose inputs are all 1.
            None for no limit.
        noise: deviation of what each read adds, in units of one weight at x = 1.
        bits: of the converter, from -full_scale to full_scale; None for no rounding.
    """

    full_scale: float | None = None
    noise: float = 0.0
    bits: int | None = None

    def __post_init__(self) -> None:
        if self.full_scale is not None and not 0 < self.full_scale < math.inf:
            raise InputError("the full scale is out of range", given=f"{self.full_scale:g}", allowed="above 0, finite")
        if not 0 <= self.noise < math.inf:
            raise InputError("the read noise is out of range", given=f"{self.noise:g}", allowed="0 or more, finite")
        if self.bits is not None and not 1 <= self.bits <= 24:
            raise InputError("the converter's bits are out of range", given=self.bits, allowed="1 to 24")
        if self.bits is not None and self.full_scale is None:
            raise InputError("a converter has a full scale", given="bits without it", next_step="give a full scale too")

    def sensed(self, sums: np.ndarray, rows: int, rng: np.random.Generator) -> np.ndarray:
        """Return what becomes of sums, (n, columns), of a column of so many rows."""
        if self.noise:
            sums = sums + np.float32(self.noise) * rng.standard_normal(sums.shape, np.float32)
        if self.full_scale is not None:
            limit = np.float32(self.full_scale * rows)
            sums = sums.clip(-limit, limit)
            if self.bits is not None:
                step = 2 * limit / np.float32(2**self.bits - 1)
                sums = np.round((sums + limit) / step) * step - limit
        return sums


IDEAL_SENSING = Sensing()


@dataclass(frozen=True, eq=False)
class Chip:
    """Weights on arrays, as they are read.

    Args:
        seen: (rows, columns) of each layer, in units of a nominal weight.
        sensing: of the columns.
        rng: of read noise.
    """

    seen: tuple[np.ndarray, ...]
    sensing: Sensing = IDEAL_SENSING
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def read(self, layer: int, x: np.ndarray) -> np.ndarray:
        """Return the sums of a layer's columns, (n, columns), for inputs `x`, (n, rows)."""
        seen = self.seen[layer]
        return self.sensing.sensed(x @ seen, len(seen), self.rng)


def software(weights: tuple[np.ndarray, ...]) -> Chip:
    """Return weights as software has them."""
    return Chip(tuple(weight.astype(np.float32) for weight in weights))


def on_die(weights: tuple[np.ndarray, ...], parts: Parts) -> tuple[np.ndarray, ...]:
    """Return what reads make of weights of +1 and -1 written onto a die of these parts: W_eff = a W + b."""
    return tuple(part.a * weight + part.b for part, weight in zip(parts, weights, strict=True))
