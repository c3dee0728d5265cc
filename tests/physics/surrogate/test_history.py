"""What the surrogate remembers from pulse to pulse, against exact propagation of the Fokker-Planck equation.

Each case goes through `History` with 400 one-cell trials. Their first depths are the quantiles of the exponential
distribution instead of draws, so that what is left is, but for 1/400, the rule's own error, and not chance.

Abbreviations of voltages (V) per direction; segments are (voltage, ns):

    AP -> P   a 0.15   b 0.30   c 0.50   e 0.60   f 0.75        P -> AP   a 0.20   b 0.35   c 0.70   e 0.85   f 1.05

Measured with the mean of four runs of 600 trials (FP exact, EP equal probability, this rule):

    segments                            AP -> P  FP      EP    rule      P -> AP  FP      EP    rule
    f 1.5, 0 0.9                          0.0453  0.0432  0.0433           0.0534  0.0524  0.0517
    f 1.5, a 0.9                          0.0834  0.0432  0.0817           0.1045  0.0524  0.1033
    f 1.5, b 0.9                          0.1444  0.0432  0.1417           0.1676  0.0524  0.1667
    f 1.5, b 0.3                          0.0742  0.0432  0.0733           0.0872  0.0524  0.0867
    e 2.0, b 0.5                          0.0411  0.0210  0.0400           0.0984  0.0471  0.0983
    b 2.5, e 2.0                          0.1191  0.2448  0.1183           0.2587  0.0471  0.2483
    c 1.5, e 1.0                          0.0215  0.0321  0.0233           0.0772  0.0981  0.0800
    f 0.8, c 1.5                          0.0585  0.0274  0.0517           0.1074  0.0731  0.1000
    f 1.2, c 1.0                          0.1310  0.0695  0.1267           0.2070  0.1482  0.2050
    c 1.0, f 0.8                          0.0086  0.0193  0.0117           0.0171  0.0000  0.0217
    e 1.5, 0 0.2, e 1.5                   0.2182  0.2662  0.2067           0.4718  0.5589  0.4617
    e 1.5, 0 1.0, e 1.5                   0.0892  0.2662  0.0587           0.1784  0.5589  0.1338
    f 1.2, 0 0.2, f 1.2                   0.5034  0.5608  0.4954           0.6382  0.7112  0.6317
    f 1.2, -a 0.2, f 1.2                  0.4784  0.0037  0.4688           0.5977  0.0021  0.5896
    f 1.2, -1 mV 0.001, f 1.2             0.5605  0.0037  0.5600           0.7108  0.0021  0.7100
    f 1.2, 0 0.2, -a 2.5, 0 0.2, f 1.2    0.0127  0.0037  0.0142           0.0031  0.0021  0.0054
    f 1.8, 0 20, f 1.8                    0.3130  0.9389  0.3017           0.4218  0.9802  0.4175

EP's 0.0000 is a fresh pulse of f for 0.8 ns, 5e-8: c for 1 ns had switched nobody, and so counts for nothing.
"""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.linalg import expm

from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import JunctionCard
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.network import Solution
from mtjspice.jobs.progress import progress
from mtjspice.junction import fokker_planck
from mtjspice.surrogate.history import History
from mtjspice.surrogate.model import ArrayModel, array_model

TRIALS, TOGETHER = 400, 50
VOLTS = {
    Direction.AP_TO_P: {"0": 0.0, "mv": 0.001, "a": 0.15, "b": 0.3, "c": 0.5, "e": 0.6, "f": 0.75},
    Direction.P_TO_AP: {"0": 0.0, "mv": 0.001, "a": 0.2, "b": 0.35, "c": 0.7, "e": 0.85, "f": 1.05},
}

# Segments; the rule's own error in P (the larger of the two directions', rounded up).
CASES = [
    ("f 1.5, 0 0.9", 0.003),
    ("f 1.5, a 0.9", 0.003),
    ("f 1.5, b 0.9", 0.004),
    ("f 1.5, b 0.3", 0.002),
    ("e 2.0, b 0.5", 0.002),
    ("b 2.5, e 2.0", 0.011),
    ("c 1.5, e 1.0", 0.003),
    ("f 0.8, c 1.5", 0.008),
    ("f 1.2, c 1.0", 0.005),
    ("c 1.0, f 0.8", 0.005),
    ("e 1.5, 0 0.2, e 1.5", 0.012),
    ("e 1.5, 0 1.0, e 1.5", 0.046),
    ("f 1.2, 0 0.2, f 1.2", 0.009),
    ("f 1.2, -a 0.2, f 1.2", 0.010),
    ("f 1.2, -mv 0.001, f 1.2", 0.002),
    ("f 1.2, 0 0.2, -a 2.5, 0 0.2, f 1.2", 0.003),
    ("f 1.8, 0 20, f 1.8", 0.012),
]
EQUAL_PROBABILITY_HOLDS = {"f 1.5, 0 0.9", "f 1.2, 0 0.2, -a 2.5, 0 0.2, f 1.2"}
"""Nothing but a gap follows the pulse, or a long pulse back makes all be forgotten."""
REDRAWN = {"f 1.2, 0 0.2, -a 2.5, 0 0.2, f 1.2", "f 1.8, 0 20, f 1.8"}
"""Here noise replaces nearly all that the depths were, and P is a draw after all."""

Segments = list[tuple[float, float]]


def segments_of(text: str, direction: Direction) -> Segments:
    """Return (volts, positive out of the initial state, and seconds)."""
    found = []
    for part in text.split(", "):
        name, ns = part.split(" ")
        sign, letter = (-1, name[1:]) if name.startswith("-") else (1, name)
        found.append((sign * VOLTS[direction][letter], float(ns) * 1e-9))
    return found


class Even(np.random.Generator):
    """Draws whose exponential arrays are quantiles in random order; the n-th of several interleaves with the others."""

    def __init__(self, number: int, of: int) -> None:
        super().__init__(np.random.PCG64(number))
        self._offset = (number + 0.5) / of

    def exponential(self, scale: float = 1.0, size: Sequence[int] | None = None) -> np.ndarray | float:
        if size is None:
            return super().exponential(scale)
        count = int(np.prod(size))
        return -scale * np.log(self.permutation((np.arange(count) + self._offset) / count)).reshape(size)


@pytest.fixture(scope="module")
def model(mondal: JunctionCard) -> ArrayModel:
    targets = load_campaign("table3").targets
    return array_model(Architecture.ONE_R, mondal, load_array("array45"), targets, progress=progress)


def uniform(cells: Cells, v_v: float) -> Solution:
    """Return one voltage over all cells, each behind no resistance: they know nothing of each other."""
    v = np.full(cells.state.shape, v_v)
    rows, columns = cells.state.shape
    conductance, _ = cells.conductance_s(v)
    return Solution(
        v_junction_v=v,
        i_cell_a=v * conductance,
        v_row_v=np.full(rows, v_v),
        v_column_v=np.zeros(columns),
        i_row_a=np.zeros(rows),
        i_column_a=np.zeros(columns),
        r_series_ohm=np.zeros(v.shape),
        kcl_residual_a=0.0,
    )


def histories(
    model: ArrayModel, direction: Direction, segments: Segments, trials: int, pieces: int = 1
) -> list[History]:
    """Return what went through the segments, each of them in `pieces` of equal length."""
    start = np.full((1, TOGETHER), int(direction is Direction.P_TO_AP))
    found = []
    for number in range(trials // TOGETHER):
        cells = Cells.nominal(model.parameters, start, model.array.r_short_ohm)
        history = History(model, cells, Even(number, trials // TOGETHER))
        for v_v, t_s in segments:
            for _ in range(pieces):
                advance(history, direction.current_sign * v_v, t_s / pieces)
        found.append(history)
    return found


def advance(history: History, v_v: float, t_s: float) -> None:
    """Let all of `t_s` pass, flip after flip."""
    if v_v == 0:
        history.rest(t_s)
        return
    while t_s > 1e-20:
        t_s -= history.advance(uniform(history.cells, v_v), t_s)


def switched(direction: Direction, found: list[History]) -> float:
    start = int(direction is Direction.P_TO_AP)
    return float(np.mean([history.cells.state != start for history in found]))


def exact(model: ArrayModel, direction: Direction, segments: Segments) -> float:
    """Return P after the segments, by Fokker-Planck's matrix exponentials one after another."""
    parameters, modes = model.parameters, 256
    operator = fokker_planck._operator(parameters, modes)
    density, well = fokker_planck._start_and_well(parameters, direction, modes)
    other = next(one for one in Direction if one is not direction)
    for v_v, t_s in segments:
        drives = direction if v_v >= 0 else other
        torque = fokker_planck._torque_velocity(parameters, drives, Drive.VOLTAGE, abs(v_v), operator.z, 0.0)
        density = expm((operator.field + operator.drift(torque)) * (t_s / parameters.tau_d_s)) @ density
    return float(1 - well @ density)


def equal_probability(model: ArrayModel, direction: Direction, segments: Segments) -> float:
    """Return P by the rule that goes on where the new voltage's P equals the probability so far."""
    surface, p = model.surfaces[direction], 0.0
    for v_v, t_s in segments:
        if v_v > 0:
            until_s = min(float(surface.time_s(v_v, p, 0.0)) + t_s, surface.widths_s[-1])
            p = max(p, float(surface.at(v_v, until_s, 0.0)))
        elif v_v < 0:
            p = 0.0
    return p


@pytest.mark.slow
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(("text", "error"), CASES)
def test_the_flipped_fraction_is_that_of_fokker_planck(
    model: ArrayModel, direction: Direction, text: str, error: float
) -> None:
    """Allowed: the rule's error and the quantiles' spacing; where depths are drawn anew, 3.3 binomial sigma."""
    segments = segments_of(text, direction)
    p = exact(model, direction, segments)
    chance = 3.3 * np.sqrt(p * (1 - p) / TRIALS) if text in REDRAWN else 0.0
    allowed = error + 1 / TRIALS + chance
    assert abs(switched(direction, histories(model, direction, segments, TRIALS)) - p) < allowed
    if text not in EQUAL_PROBABILITY_HOLDS:
        assert abs(equal_probability(model, direction, segments) - p) > allowed


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("text", ["f 1.5", "f 1.2, b 0.3", "f 0.9, -a 0.2, f 0.9", "e 1.5, 0 0.2, e 1.0"])
def test_events_that_change_nothing_change_nothing(model: ArrayModel, direction: Direction, text: str) -> None:
    """A segment in five pieces is the same segment: other cells' flips and columns' ends do not touch a cell.

    The depths are the same quantiles. The noise of the few tenths of a ns in which there is any moves less than 2 of
    100 across the saddle.
    """
    segments = segments_of(text, direction)
    whole, pieces = (switched(direction, histories(model, direction, segments, 100, number)) for number in (1, 5))
    assert whole > 0
    assert abs(whole - pieces) <= 0.02


def test_an_ordinary_generator_gives_the_single_pulses_probability(model: ArrayModel) -> None:
    """1,000 independent trials; 3.3 sigma, a false alarm in 1,000."""
    direction, trials = Direction.AP_TO_P, 1000
    surface = model.surfaces[direction]
    start = np.zeros((20, trials // 20))
    history = History(model, Cells.nominal(model.parameters, start, 250.0), np.random.default_rng(3))
    advance(history, direction.current_sign * 0.75, 1.5e-9)
    p = float(surface.at(0.75, 1.5e-9, 0.0))
    assert abs(switched(direction, [history]) - p) < 3.3 * np.sqrt(p * (1 - p) / trials)
    assert history.flips.max() == 1


@pytest.mark.parametrize("direction", Direction)
def test_a_junction_that_has_settled_is_driven_back_by_the_other_voltage_only(
    model: ArrayModel, direction: Direction
) -> None:
    # Three times over the threshold's exposure: all of them flip, once.
    (history,) = histories(model, direction, [(1.2 * VOLTS[direction]["f"], 5e-9), (0.0, 30e-9)], TOGETHER)
    assert (history.flips == 1).all()
    advance(history, direction.current_sign * VOLTS[direction]["f"], 2e-9)
    assert (history.flips == 1).all()
    back = next(one for one in Direction if one is not direction)
    advance(history, back.current_sign * 1.2 * VOLTS[back]["f"], 5e-9)
    assert (history.flips == 2).all()
