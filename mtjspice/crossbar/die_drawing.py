"""Dies by chance: resistances that vary, and defects, alone or in clusters.

Clusters are a Boolean model: their centres are a Poisson process, also beyond the array's edges, and a cell is
defective where at least one cluster covers it. With an intensity of -ln(1 - r)/(mean size) that has a probability of r,
for every cell, however large the clusters are.
"""

import math
from functools import lru_cache

import numpy as np

from mtjspice.cards.die_statistics import DieStatistics
from mtjspice.crossbar.cells import Cells, Defect
from mtjspice.crossbar.dies import Die
from mtjspice.jobs.seeds import generator
from mtjspice.junction.parameters import MacrospinParameters

_DIES = 0xD1E  # the first word of the key of every die's random numbers
_LEFT_OUT = 1e-9
"""Probability of a cluster that is larger than the largest drawn."""
_ALL = 1 - 1e-12
"""The highest rate: at 1 the clusters would be infinitely many."""
_DEFECT = np.array([Defect.NONE, Defect.SHORT, Defect.OPEN, Defect.STUCK, Defect.STUCK], dtype=np.uint8)
_STATE = np.array([0, 0, 0, 1, 0], dtype=np.uint8)


def draw_dies(
    statistics: DieStatistics,
    parameters: MacrospinParameters,
    r_short_ohm: float,
    shapes: tuple[tuple[int, int], ...],
    count: int,
    root_seed: int,
    first: int = 1,
) -> tuple[Die, ...]:
    """Return `count` dies of a root seed; a die is the same however many there are.

    Args:
        r_short_ohm: of shorted cells.
        shapes: (rows, columns) of each array.
        first: number of the first of them, from 1.

    Raises:
        InputError: the seed is out of range.
    """
    return tuple(
        draw_die(statistics, parameters, r_short_ohm, shapes, generator(root_seed, (_DIES, number)), f"die_{number:04}")
        for number in range(first, first + count)
    )


def draw_die(
    statistics: DieStatistics,
    parameters: MacrospinParameters,
    r_short_ohm: float,
    shapes: tuple[tuple[int, int], ...],
    rng: np.random.Generator,
    name: str,
) -> Die:
    """Return one die; its healthy cells are antiparallel.

    R_P and TMR are lognormal with the junction card's as medians; the die's total rate is gamma distributed, cut at 1.
    Resistances are drawn first, so that they do not depend on the rate of defects.

    Args:
        r_short_ohm: of shorted cells.
        shapes: (rows, columns) of each array.
    """
    of_die = parameters.r_p_ohm * math.exp(statistics.die_percent / 100 * rng.standard_normal())
    resistances = [
        (
            of_die * np.exp(statistics.r_p_percent / 100 * rng.standard_normal(shape)),
            parameters.tmr0 * np.exp(statistics.tmr_percent / 100 * rng.standard_normal(shape)),
        )
        for shape in shapes
    ]
    rate = _die_rate(statistics, rng)
    arrays = []
    for shape, (r_p_ohm, tmr0) in zip(shapes, resistances, strict=True):
        kind = _draw_kinds(statistics, rate, shape, rng)
        arrays.append(Cells(_STATE[kind], r_p_ohm, tmr0, parameters.v_h_v, _DEFECT[kind], r_short_ohm))
    return Die(name, tuple(arrays))


def _die_rate(statistics: DieStatistics, rng: np.random.Generator) -> float:
    """Return a die's own total rate."""
    mean, variance = statistics.rates.total, statistics.rate_cv**2
    rate = mean * rng.gamma(1 / variance, variance) if variance else mean
    return min(rate, _ALL)


def _draw_kinds(statistics: DieStatistics, rate: float, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return (rows, columns) of 0 for a healthy cell, else 1 + the number of its kind; a cluster is of one kind."""
    kinds = np.zeros(shape, dtype=np.uint8)
    if rate == 0:
        return kinds
    mean_size = statistics.cluster_cells
    order = _outwards(_largest_size(mean_size))
    margin = int(order.max())
    extent = np.array(shape) + 2 * margin
    clusters = rng.poisson(-math.log1p(-rate) / mean_size * extent.prod())
    centres = rng.integers(0, extent, (clusters, 2)) - margin
    sizes = np.minimum(rng.geometric(1 / mean_size, clusters), len(order))
    mixture = np.array(statistics.rates.by_kind) / sum(statistics.rates.by_kind)
    kind_of = (1 + rng.choice(len(mixture), clusters, p=mixture)).astype(np.uint8)
    # The order has a direction, clusters have none: each is turned over at random.
    signs = rng.choice(np.array([-1, 1]), (clusters, 2))
    transposed = rng.random(clusters) < 0.5
    cluster = np.repeat(np.arange(clusters), sizes)
    step = np.arange(len(cluster)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    offsets = order[step] * signs[cluster]
    offsets = np.where(transposed[cluster, None], offsets[:, ::-1], offsets)
    places = centres[cluster] + offsets
    inside = ((places >= 0) & (places < shape)).all(axis=1)
    rows, columns = places[inside].T
    kinds[rows, columns] = kind_of[cluster[inside]]
    return kinds


def _largest_size(mean_size: float) -> int:
    """Return the size that a geometric one exceeds with a probability of `_LEFT_OUT`."""
    return 1 if mean_size == 1 else math.ceil(math.log(_LEFT_OUT) / math.log1p(-1 / mean_size))


@lru_cache(maxsize=8)
def _outwards(count: int) -> np.ndarray:
    """Return the `count` places, (count, 2), nearest to a centre, nearest first: each touches an earlier one."""
    side = math.isqrt(count) + 1
    grid = np.mgrid[-side : side + 1, -side : side + 1].reshape(2, -1).T
    return grid[np.argsort((grid**2).sum(axis=1), kind="stable")][:count]
