"""Which dies a batch meets."""

from dataclasses import replace

import numpy as np
import pytest
from die_problems import SIZES, dies, parts, plan

from mtjspice.cards.die_statistics import load_die_statistics
from mtjspice.errors import InputError
from mtjspice.surrogate.read_model import ReadModel
from mtjspice.training.dies.known import KnownDies
from mtjspice.training.dies.parts import known_dies, parts_of
from mtjspice.training.dies.plan import DieMethod


def test_a_batch_meets_different_dies_with_both_their_arrays(select1500: ReadModel) -> None:
    of_dies = parts(select1500, 0.1, 6)
    known, rng, met = KnownDies(of_dies), np.random.default_rng(1), set()
    for _ in range(20):
        first, second = known.some(3, rng)
        assert first.a.shape == (3, 16, 12)
        assert second.b.shape == (3, 12, 4)
        which = [
            next(
                n
                for n, (one, other) in enumerate(of_dies)
                if (one.a == first.a[k]).all() and (other.b == second.b[k]).all()
            )
            for k in range(3)
        ]
        assert len(set(which)) == 3
        met |= set(which)
    assert met == set(range(6))
    for count in (6, 100):
        assert known.some(count, rng)[0].a.shape == (6, 16, 12)


def test_a_mixed_die_has_pairs_of_the_others(select1500: ReadModel) -> None:
    of_dies = parts(select1500, 0.1, 4)
    known = KnownDies(of_dies)
    for n, layer in enumerate(known.mixed(np.random.default_rng(2))):
        pairs = {(a, b) for die in of_dies for a, b in zip(die[n].a.ravel(), die[n].b.ravel(), strict=True)}
        assert {(a, b) for a, b in zip(layer.a.ravel(), layer.b.ravel(), strict=True)} <= pairs
        assert layer.a.shape == of_dies[0][n].a.shape
        assert not any(np.array_equal(layer.a, die[n].a) for die in of_dies)


def test_what_each_method_knows(select1500: ReadModel) -> None:
    some = dies(select1500, 0.1, 3)
    rng = np.random.default_rng(3)

    def known(method: DieMethod, **given: object) -> KnownDies:
        return known_dies(plan(method), select1500, SIZES, **given)  # type: ignore[arg-type]

    ideal = known(DieMethod.IDEAL)
    assert ideal.count == 1
    assert (ideal.some(1, rng)[0].a == 1).all()
    for method in (DieMethod.HARDWARE_AWARE, DieMethod.CHIP_IN_THE_LOOP):
        one = known(method, dies=some)
        assert one.count == 1
        np.testing.assert_array_equal(one.some(1, rng)[1].b[0], parts(select1500, 0.1, 3)[0][1].b)
    statistics = load_die_statistics("borders2024").at_rate(0.1)
    drawn, mixed = (
        known(DieMethod.STATISTICS_AWARE, statistics=statistics),
        known(DieMethod.STATISTICS_AWARE, dies=some),
    )
    assert drawn.count == mixed.count == plan().pool
    # The same for the same plan, other dies for its next network, and none of those that are evaluated.
    again = known(DieMethod.STATISTICS_AWARE, statistics=statistics)
    next_one = known_dies(replace(plan(DieMethod.STATISTICS_AWARE), number=1), select1500, SIZES, statistics=statistics)
    np.testing.assert_array_equal(drawn.some(64, rng)[0].b, again.some(64, rng)[0].b)
    assert not np.array_equal(drawn.some(64, rng)[0].b, next_one.some(64, rng)[0].b)


def test_a_network_that_does_not_fit(select1500: ReadModel) -> None:
    with pytest.raises(InputError) as caught:
        parts_of(select1500, dies(select1500, 0.1, 1), SIZES, copies=2)
    for words in ("the network does not fit the die", "die_0001", "12 x 16 cells are needed", "16 x 24 and 12 x 8"):
        assert words in str(caught.value)


def test_wires_are_known_where_there_are_any(select1500: ReadModel) -> None:
    (die,) = dies(select1500, 0.1, 1)
    wires = select1500.array.wires.model_copy(update={"r_segment_ohm": 1.0})
    wired = replace(select1500, array=select1500.array.model_copy(update={"wires": wires}))
    assert parts_of(select1500, [die], SIZES, 1)[0].wired is None
    (found,) = parts_of(wired, [die], SIZES, 1)
    assert found.wired is not None
    assert (found.name, found.rate) == (die.name, die.rate)
    first, second = (np.ones(shape, np.int8) for shape in ((16, 12), (12, 4)))
    seen = found.wired((first, second))
    ideal = found.parts[0].a + found.parts[0].b
    assert 0 < np.abs(seen[0] - ideal).max() < 0.5
    assert found.mapped[0].a.shape == (16, 12)
