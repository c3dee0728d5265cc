"""Drawn dies have the statistics that their card says. Seeds are fixed; bounds of 3 sigma say of which draws."""

import numpy as np
import pytest
from scipy import ndimage, stats

from mtjspice.cards.die_statistics import DieStatistics, Rates, load_die_statistics
from mtjspice.crossbar.cells import Defect
from mtjspice.crossbar.die_drawing import draw_die, draw_dies
from mtjspice.crossbar.dies import KINDS, Die
from mtjspice.junction.parameters import MacrospinParameters

SHAPES = ((100, 180), (90, 20))
CELLS = 19_800


def statistics(rate: float = 0.01, **changes: float) -> DieStatistics:
    return load_die_statistics("borders2024").at_rate(rate).model_copy(update=changes)


def drawn(parameters: MacrospinParameters, of: DieStatistics, count: int, seed: int = 1) -> tuple[Die, ...]:
    return draw_dies(of, parameters, 250.0, SHAPES, count, seed)


def defective(die: Die) -> np.ndarray:
    """Return the first array's defects, (100, 180) bool."""
    return die.arrays[0].defect != Defect.NONE


def assert_mean(values: list[float], expected: float) -> None:
    """Within 3 sigma of the mean, by the values' own scatter."""
    assert abs(np.mean(values) - expected) < 3 * np.std(values, ddof=1) / np.sqrt(len(values))


def test_a_die_has_its_arrays_and_its_card(mondal_parameters: MacrospinParameters) -> None:
    (die,) = drawn(mondal_parameters, statistics(0.1), 1)
    assert (die.name, die.shapes, die.cells) == ("die_0001", SHAPES, CELLS)
    for cells in die.arrays:
        assert (cells.v_h_v, cells.r_short_ohm) == (mondal_parameters.v_h_v, 250.0)
        assert {cells.state.dtype, cells.defect.dtype} == {np.dtype(np.uint8)}
        # Healthy, open and shorted cells are antiparallel: only a stuck one is not.
        np.testing.assert_array_equal(cells.state == 1, (cells.defect == Defect.STUCK) & (cells.state == 1))
    assert sum(die.defects.values()) == sum(int((cells.defect != 0).sum()) for cells in die.arrays)


@pytest.mark.parametrize("cluster_cells", [1.0, 6.0])
def test_rates_have_their_mean_and_their_spread(mondal_parameters: MacrospinParameters, cluster_cells: float) -> None:
    rate, cv, count = 0.02, 0.5, 200
    rates = [die.rate for die in drawn(mondal_parameters, statistics(rate, cluster_cells=cluster_cells), count)]
    assert_mean(rates, rate)
    # A die's count adds to the gamma's variance: r/n a cell, times E[size^2]/E[size] = 2 m - 1 for geometric sizes.
    expected = (cv * rate) ** 2 + rate * (2 * cluster_cells - 1) / CELLS
    # The variance of n draws scatters by sqrt((kurtosis - 1)/n); a gamma's kurtosis is 3 + 6 cv^2.
    scatter = np.sqrt((2 + 6 * cv**2) / count)
    assert abs(np.var(rates, ddof=1) / expected - 1) < 3 * scatter


def test_without_a_spread_of_rates_defects_are_binomial(mondal_parameters: MacrospinParameters) -> None:
    counts = [die.rate * CELLS for die in drawn(mondal_parameters, statistics(0.02, rate_cv=0.0), 200)]
    expected = stats.binom(CELLS, 0.02)
    assert abs(np.mean(counts) - expected.mean()) < 3 * expected.std() / np.sqrt(200)
    assert abs(np.var(counts, ddof=1) / expected.var() - 1) < 3 * np.sqrt(2 / 200)


@pytest.mark.parametrize("cluster_cells", [1.0, 6.0])
def test_kinds_are_mixed_as_the_card_says(mondal_parameters: MacrospinParameters, cluster_cells: float) -> None:
    of = statistics(0.05, cluster_cells=cluster_cells)
    dies = drawn(mondal_parameters, of, 100)
    for kind, rate in zip(KINDS, of.rates.by_kind, strict=True):
        assert_mean([die.defects[kind] / CELLS for die in dies], rate)


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_alone(mondal_parameters: MacrospinParameters, kind: str) -> None:
    rates = Rates(**{k: 0.1 * (k == kind) for k in KINDS})
    (die,) = drawn(mondal_parameters, statistics().model_copy(update={"rates": rates}), 1)
    assert {k for k, count in die.defects.items() if count} == {kind}


def test_resistances_are_lognormal_around_the_card(mondal_parameters: MacrospinParameters) -> None:
    """Kolmogorov-Smirnov, and the correlation of R_P and TMR, at a false-alarm rate of 0.1 %."""
    (die,) = drawn(mondal_parameters, statistics(r_p_percent=12.0, tmr_percent=4.0), 1)
    cells = die.arrays[0]
    z_p = np.log(cells.r_p_ohm / mondal_parameters.r_p_ohm).ravel() / 0.12
    z_tmr = np.log(cells.tmr0 / mondal_parameters.tmr0).ravel() / 0.04
    for z in (z_p, z_tmr):
        assert stats.kstest(z, stats.norm.cdf).pvalue > 1e-3
    assert stats.pearsonr(z_p, z_tmr).pvalue > 1e-3


def test_a_die_s_own_factor_is_common_to_its_cells(mondal_parameters: MacrospinParameters) -> None:
    of = statistics(r_p_percent=0.0, tmr_percent=0.0, die_percent=8.0)
    dies = draw_dies(of, mondal_parameters, 250.0, ((3, 4), (2, 2)), 200, 1)
    factors = [die.arrays[0].r_p_ohm[0, 0] / mondal_parameters.r_p_ohm for die in dies]
    for die, factor in zip(dies, factors, strict=True):
        for cells in die.arrays:
            np.testing.assert_allclose(cells.r_p_ohm, factor * mondal_parameters.r_p_ohm, rtol=1e-12)
            np.testing.assert_allclose(cells.tmr0, mondal_parameters.tmr0, rtol=1e-12)
    assert stats.kstest(np.log(factors) / 0.08, stats.norm.cdf).pvalue > 1e-3


def test_without_spreads_and_defects_a_die_is_nominal(mondal_parameters: MacrospinParameters) -> None:
    (die,) = drawn(mondal_parameters, statistics(0.0, r_p_percent=0.0, tmr_percent=0.0), 1)
    assert die.rate == 0
    for cells in die.arrays:
        assert (cells.r_p_ohm == mondal_parameters.r_p_ohm).all()
        assert (cells.tmr0 == mondal_parameters.tmr0).all()


@pytest.mark.parametrize("cluster_cells", [1.0, 6.0])
def test_a_rate_of_1_is_every_cell(mondal_parameters: MacrospinParameters, cluster_cells: float) -> None:
    (die,) = drawn(mondal_parameters, statistics(1.0, rate_cv=0.0, cluster_cells=cluster_cells), 1)
    assert die.rate == 1


def beside_each_other(masks: list[np.ndarray]) -> float:
    """Return how often the cell beside a defective one, along rows or columns, is defective too."""
    pairs = sum(int((m[1:] & m[:-1]).sum()) + int((m[:, 1:] & m[:, :-1]).sum()) for m in masks)
    firsts = sum(int(m[:-1].sum()) + int(m[:, :-1].sum()) for m in masks)
    return pairs / firsts


def test_clusters_are_neighbours_and_single_defects_are_not(mondal_parameters: MacrospinParameters) -> None:
    rate = 0.02
    alone, clustered = (
        [defective(d) for d in drawn(mondal_parameters, statistics(rate, rate_cv=0.0, cluster_cells=m), 40)]
        for m in (1.0, 6.0)
    )
    # Independent: as often as anywhere else. There are 29,000 pairs with a defective first: sigma is 0.0008.
    assert abs(beside_each_other(alone) - rate) < 3 * 0.0008
    assert beside_each_other(clustered) > 0.4
    # The same rate in every cell, also along the edges, which clusters reach over from outside.
    edge = np.ones((100, 180), dtype=bool)
    edge[1:-1, 1:-1] = False
    assert_mean([float(m[edge].mean()) for m in clustered], rate)
    assert_mean([float(m[~edge].mean()) for m in clustered], rate)


def test_clusters_have_no_direction(mondal_parameters: MacrospinParameters) -> None:
    """Plus and minus cells are columns beside each other: a direction would be a bias."""
    dies = drawn(mondal_parameters, statistics(0.02, rate_cv=0.0, cluster_cells=2.0), 100)
    masks = [defective(die) for die in dies]
    along = [int((m[:, 1:] & m[:, :-1]).sum()) / (100 * 179) for m in masks]
    across = [int((m[1:] & m[:-1]).sum()) / (99 * 180) for m in masks]
    assert_mean([a - b for a, b in zip(along, across, strict=True)], 0.0)


def test_clusters_are_compact_of_one_kind_and_of_geometric_size(mondal_parameters: MacrospinParameters) -> None:
    """So few that they seldom touch: connected groups of cells, away from the edges, are clusters."""
    mean = 5.0
    of = statistics(2e-3, rate_cv=0.0, cluster_cells=mean)
    die = draw_die(of, mondal_parameters, 250.0, ((1500, 1500),), np.random.default_rng(4), "large")
    cells = die.arrays[0]
    labels, count = ndimage.label(cells.defect)
    boxes = [
        (part, box)
        for part, box in enumerate(ndimage.find_objects(labels), 1)
        if all(side.start > 0 and side.stop < 1500 for side in box)
    ]
    sizes = np.array([int((labels[box] == part).sum()) for part, box in boxes])
    assert count > 700
    # Some 3 % of clusters touch another: a mean larger by as much. Geometric sizes scatter by sqrt(m (m - 1)).
    assert abs(sizes.mean() - mean) < 0.05 * mean + 3 * np.sqrt(mean * (mean - 1) / count)
    assert abs((sizes == 1).mean() - 1 / mean) < 0.02 + 3 * np.sqrt(0.16 / count)
    one_kind = [len(np.unique(cells.defect[box][labels[box] == part])) == 1 for part, box in boxes]
    assert np.mean(one_kind) > 0.95
    # A disc of n cells is about sqrt(4 n/pi) wide; of the few that touch some are longer.
    widths = np.array([max(side.stop - side.start for side in box) for _, box in boxes])
    assert np.mean(widths <= np.sqrt(4 * sizes / np.pi) + 1) > 0.95


def test_a_die_does_not_depend_on_how_many_there_are(mondal_parameters: MacrospinParameters) -> None:
    few, many = (drawn(mondal_parameters, statistics(), count, seed=7) for count in (2, 4))
    for one, other in zip(few, many, strict=False):
        assert one.name == other.name
        for a, b in zip(one.arrays, other.arrays, strict=True):
            for field in ("state", "r_p_ohm", "tmr0", "defect"):
                np.testing.assert_array_equal(getattr(a, field), getattr(b, field))
    assert (many[2].arrays[0].r_p_ohm != many[3].arrays[0].r_p_ohm).any()
    (another,) = drawn(mondal_parameters, statistics(), 1, seed=8)
    assert (another.arrays[0].r_p_ohm != few[0].arrays[0].r_p_ohm).any()


def test_resistances_do_not_depend_on_the_rate(mondal_parameters: MacrospinParameters) -> None:
    (low,), (high,) = (drawn(mondal_parameters, statistics(rate), 1) for rate in (0.001, 0.1))
    for a, b in zip(low.arrays, high.arrays, strict=True):
        np.testing.assert_array_equal(a.r_p_ohm, b.r_p_ohm)
        np.testing.assert_array_equal(a.tmr0, b.tmr0)
    assert low.rate < high.rate
