"""Weights in counters: what counts mean, how often updates are noted, and that chopping takes a cell's rate away."""

from collections.abc import Callable

import numpy as np
import pytest

from mtjspice.cards.conventions import Direction
from mtjspice.cards.training import Switching
from mtjspice.crossbar.ternary import WeightKind
from mtjspice.surrogate.model import ArrayModel
from mtjspice.training.rule import Hardware
from mtjspice.training.ternary.counted import CountedWeights
from mtjspice.training.ternary.plan import Counting

SHAPES = [(40, 25), (25, 8)]
SAMPLES = 6
Made = Callable[..., CountedWeights]


@pytest.fixture
def made(model: ArrayModel) -> Made:
    """Return new weights."""

    def counted(
        kind: WeightKind = WeightKind.TERNARY,
        switching: Switching = Switching.IDEAL,
        percent: float = 0.0,
        shapes: list[tuple[int, int]] = SHAPES,
        seed: int = 1,
        **settings: float,
    ) -> CountedWeights:
        hardware = Hardware(model, phases=1, variation_percent=percent, switching=switching)
        return CountedWeights(kind, hardware, shapes, Counting(**settings), np.random.default_rng(seed))

    return counted


def batch(rng: np.random.Generator, samples: int = SAMPLES) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return inputs of both layers, and slopes."""
    x = [rng.random((samples, 40)).astype(np.float32), rng.integers(-1, 2, (samples, 25)).astype(np.float32)]
    return x, [rng.standard_normal((samples, columns)).astype(np.float32) for _, columns in SHAPES]


@pytest.mark.parametrize("bits", [2, 5, 7])
def test_quarters_of_a_counters_range_are_weights(made: Made, bits: int) -> None:
    counted = made(bits=bits)
    for held, written, seen in zip(counted.held(), counted.written(), counted.weights(), strict=True):
        assert (held.min(), held.max()) == (0, 2**bits - 1)
        np.testing.assert_array_equal(written, np.array([-1, 0, 0, 1])[held * 4 // 2**bits])
        np.testing.assert_allclose(seen, written, atol=1e-6)
    halves = made(WeightKind.BINARY, bits=bits)
    for held, written, seen in zip(halves.held(), halves.written(), halves.weights(), strict=True):
        np.testing.assert_array_equal(written, np.where(held < 2 ** (bits - 1), -1, 1))
        np.testing.assert_allclose(seen, written, atol=1e-6)


def test_reads_see_junctions_that_vary(made: Made) -> None:
    """Two junctions of the mean's weight: less than one that varies by 10 %, whose TMR is some 1.3, in units of it."""
    counted = made(percent=10.0)
    off = np.concatenate([(w - s).ravel() for w, s in zip(counted.weights(), counted.written(), strict=True)])
    assert 0.05 < off.std() < 0.3


def test_counters_move_with_the_chop_and_never_against_it(made: Made) -> None:
    counted, rng = made(ideal_gain=0.2), np.random.default_rng(2)
    for chop in (1, -1, 1, -1):
        before = counted.held()
        counted.learn(*batch(rng), rng)
        for was, now in zip(before, counted.held(), strict=True):
            moved = now.astype(int) - was
            assert set(np.unique(moved)) == {0, chop}


def test_weights_go_against_the_slope(made: Made) -> None:
    """Column 0 of each layer has positive slopes, column 1 negative ones, column 2 none; inputs are positive."""
    counted, rng = made(ideal_gain=0.3, bits=4), np.random.default_rng(3)
    slopes = [np.zeros((SAMPLES, columns), np.float32) for _, columns in SHAPES]
    for slope in slopes:
        slope[:, 0], slope[:, 1] = 1.0, -1.0
    start = counted.held()
    for _ in range(60):
        counted.learn([np.ones((SAMPLES, rows), np.float32) for rows, _ in SHAPES], slopes, rng)
    for was, held, written in zip(start, counted.held(), counted.written(), strict=True):
        assert (written[0] == -1).all()
        assert (written[1] == 1).all()
        np.testing.assert_array_equal(held[2], was[2])


def noted(counted: CountedWeights, x: float, slope: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Return for each layer the share of each row's cells that a batch of equal inputs and slopes notes."""
    start = counted.held()
    xs = [np.full((SAMPLES, SHAPES[0][0]), x, np.float32), np.ones((SAMPLES, SHAPES[1][0]), np.float32)]
    counted.learn(xs, [np.full((SAMPLES, columns), slope, np.float32) for _, columns in SHAPES], rng)
    # A counter at its end cannot show what was noted.
    return [
        np.ma.masked_where(was == 2**7 - 1, now != was).mean(axis=0).filled(np.nan)
        for was, now in zip(start, counted.held(), strict=True)
    ]


def within_4_sigma(found: list[list[np.ndarray]], wanted: tuple[float, float]) -> None:
    """Check each layer's mean over rows, which are driven independently, as a row's cells are not.

    A false alarm once in 16,000, for many rows.
    """
    for rows, share in zip(zip(*found, strict=True), wanted, strict=True):
        shares = np.concatenate(rows)
        assert len(shares) >= 500
        assert np.nanmean(shares) == pytest.approx(share, abs=4 * np.nanstd(shares) / np.sqrt(len(shares)))


def test_ideal_updates_are_noted_as_often_as_wanted(made: Made) -> None:
    """A mean error has the gain over the mean input: inputs of 0.4 get 0.05 where they are driven, at 40 % of rows."""
    found = [noted(made(ideal_gain=0.02, seed=n), 0.4, -0.3, np.random.default_rng(n)) for n in range(20)]
    within_4_sigma(found, (1 - (1 - 0.4 * 0.05) ** SAMPLES, 1 - (1 - 0.02) ** SAMPLES))


def test_pulses_note_as_often_as_the_surface_says(made: Made, model: ArrayModel) -> None:
    """At the current of rows and the width of the error, 0.3 of the range, or 0.75 where inputs are 0.4."""
    settings = Counting(gain=0.3)
    v = model.drive.coefficients[Direction.AP_TO_P].voltage_v(np.array(settings.level))
    p = [
        float(model.surfaces[Direction.AP_TO_P].at(v, model.drive.t0_s + width * model.drive.t1_s, model.select_ohm))
        for width in (0.75, 0.3)
    ]
    assert 0.02 < p[1] < p[0] < 0.3
    found = [
        noted(made(switching=Switching.PHYSICAL, gain=0.3, seed=n), 0.4, -0.3, np.random.default_rng(n))
        for n in range(20)
    ]
    within_4_sigma(found, (1 - (1 - 0.4 * p[0]) ** SAMPLES, 1 - (1 - p[1]) ** SAMPLES))


def test_small_errors_get_no_pulse(made: Made) -> None:
    """One column's error is 1 % of the longest pulse, where 2 % are the least; most others move."""
    counted, rng = made(switching=Switching.PHYSICAL, gain=0.3), np.random.default_rng(4)
    slopes = [np.full((SAMPLES, columns), -1.0, np.float32) for _, columns in SHAPES]
    for slope in slopes:
        slope[:, 0] *= 0.03
    start = counted.held()
    for _ in range(10):
        counted.learn([np.ones((SAMPLES, rows), np.float32) for rows, _ in SHAPES], slopes, rng)
    for was, now in zip(start, counted.held(), strict=True):
        np.testing.assert_array_equal(now[0], was[0])
        assert (now[1:] != was[1:]).mean() > 0.5


def test_where_nothing_is_wrong_nothing_is_learnt(made: Made) -> None:
    counted, rng = made(), np.random.default_rng(5)
    x, slopes = batch(rng)
    start = counted.held()
    for inputs, errors in ((x, [0 * slope for slope in slopes]), ([0 * one for one in x], slopes)):
        assert counted.learn(inputs, errors, rng) == (0, 0)
    for was, now in zip(start, counted.held(), strict=True):
        np.testing.assert_array_equal(now, was)


def test_pulses_and_changes_are_counted(made: Made) -> None:
    counted, rng = made(bits=3, ideal_gain=0.1), np.random.default_rng(6)
    x, slopes = batch(rng)
    x[0] = np.round(x[0])  # driven for sure, or not at all
    for chop in (1, -1):
        wanted = sum(
            int((-chop * inputs[:, None, :] * errors[:, :, None] > 0).sum())
            for inputs, errors in zip(x, slopes, strict=True)
        )
        before = counted.written()
        pulses, flips = counted.learn(x, slopes, rng)
        assert pulses == wanted
        assert flips == sum(int((a != b).sum()) for a, b in zip(before, counted.written(), strict=True)) > 0


def test_it_goes_on_from_a_state(made: Made) -> None:
    first, again = made(percent=10.0), made(percent=10.0)
    rng = np.random.default_rng(7)
    for _ in range(3):
        first.learn(*batch(rng), rng)
    again.restore(first.state())
    for _ in range(2):
        for counted in (first, again):
            rng = np.random.default_rng(8)
            counted.learn(*batch(rng), rng)
    assert first.state().keys() == again.state().keys()
    for name, array in first.state().items():
        np.testing.assert_array_equal(again.state()[name], array)


@pytest.mark.slow
def test_chopping_takes_a_cells_own_rate_away(made: Made) -> None:
    """Errors of either sign, equally often, move no counter on average, however unlike cells are.

    Cells are noted at rates of their own, which spread by a factor. A column's cells share its errors, so that columns
    are what is independent: of their mean drifts, and of the slopes of drift over rate within them, means are within 4
    sigma of 0 (Student's t of 49 degrees: a false alarm once in 4,600 each). Counters with a bit that is misread, or
    not set, jump, and are left out.
    """
    counted = made(switching=Switching.PHYSICAL, percent=20.0, shapes=[(60, 50)], gain=0.1, bits=12)
    (layer,) = counted._layers
    rng = np.random.default_rng(9)
    start = counted.held()[0].astype(int)
    sound = ((layer.reads_p | layer.reads_ap) == 0) & (start > 100) & (start < 2**12 - 100)
    events, before = np.zeros(start.shape), start
    x = [np.ones((4, 60), np.float32)]
    for _ in range(100):
        counted.learn(x, [rng.choice((-1.0, 1.0), (4, 50)).astype(np.float32)], rng)
        held = counted.held()[0].astype(int)
        moves = np.abs(held - before)
        events, before, sound = events + moves, held, sound & (moves <= 1)
    assert sound.mean() > 0.7
    drift, rate = (np.ma.masked_where(~sound, values) for values in (before - start, events))
    assert np.quantile(rate.compressed(), 0.9) > 2 * np.quantile(rate.compressed(), 0.1)
    centred = rate - rate.mean(axis=1, keepdims=True)
    for columns in (drift.mean(axis=1), (drift * centred).sum(axis=1) / (centred**2).sum(axis=1)):
        assert abs(columns.mean()) < 4 * columns.std(ddof=1) / np.sqrt(len(columns))
