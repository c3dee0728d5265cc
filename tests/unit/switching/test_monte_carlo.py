"""Campaigns of the engines with chance: what the counts depend on, and what becomes of trials that are lost."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.errors import SimulationError
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import LocalExecutor
from mtjspice.junction.fokker_planck import switching_probabilities
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.spice import pulses
from mtjspice.spice.pulses import PulseTrials
from mtjspice.switching import monte_carlo
from mtjspice.switching.monte_carlo import measure, measured_surface
from mtjspice.switching.points import Counts, Engine, Point

WIDTHS = (0.5e-9, 1.0e-9, 1.5e-9)
POINTS = [
    Point(Direction.AP_TO_P, Drive.CURRENT, 100e-6, WIDTHS, 70),
    Point(Direction.AP_TO_P, Drive.CURRENT, 120e-6, WIDTHS, 70),
    Point(Direction.P_TO_AP, Drive.VOLTAGE, 1.2, WIDTHS, 70),
]


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several batches to a point. (Set in this process; batches carry their own number of trials to workers.)"""
    monkeypatch.setattr(monte_carlo, "MACROSPIN_BATCH", 32)


def simulate(
    parameters: MacrospinParameters,
    points: Sequence[Point],
    *,
    workers: int = 1,
    seed: int = 5,
    engine: Engine = Engine.MACROSPIN,
    checkpoint: Checkpoint | None = None,
) -> list[Counts]:
    return measure(
        engine,
        parameters,
        points,
        time_step_s=4e-12,
        batch_size=32,
        seed=seed,
        executor=LocalExecutor(workers),
        checkpoint=checkpoint,
    )


def plain(counts: Sequence[Counts]) -> list[tuple[Point, list[int], int]]:
    return [(c.point, c.switched.tolist(), c.trials) for c in counts]


def test_counts_are_near_fokker_plancks(mondal_parameters: MacrospinParameters) -> None:
    point = Point(Direction.AP_TO_P, Drive.CURRENT, 80e-6, (1.5e-9, 2.5e-9), 1000)
    (counts,) = simulate(mondal_parameters, [point])
    p = switching_probabilities(mondal_parameters, point.direction, point.drive, [point.level], point.widths_s)[0]
    # 4 sigma of two proportions: a false alarm in 8000 choices of the seed.
    assert (np.abs(counts.probability - p) < 4 * np.sqrt(p * (1 - p) / 1000)).all()


def test_order_and_company_of_points_do_not_matter(mondal_parameters: MacrospinParameters) -> None:
    together = plain(simulate(mondal_parameters, POINTS))
    assert plain(simulate(mondal_parameters, POINTS[::-1])) == together[::-1]
    assert [plain(simulate(mondal_parameters, [point]))[0] for point in POINTS] == together
    assert plain(simulate(mondal_parameters, [POINTS[1], POINTS[1]])) == [together[1], together[1]]


def test_the_seed_matters_and_so_does_the_point(mondal_parameters: MacrospinParameters) -> None:
    point = replace(POINTS[1], trials=300)
    seeds = [plain(simulate(mondal_parameters, [point], seed=seed))[0][1] for seed in (1, 2, 3)]
    assert len({tuple(switched) for switched in seeds}) == 3
    # Different levels have different random numbers: their counts scatter independently.
    near = [replace(point, level=point.level * (1 + k * 1e-8)) for k in range(3)]
    assert len({tuple(c.switched) for c in simulate(mondal_parameters, near)}) == 3


@pytest.mark.slow
def test_the_number_of_workers_does_not_matter(mondal_parameters: MacrospinParameters) -> None:
    assert plain(simulate(mondal_parameters, POINTS, workers=2)) == plain(simulate(mondal_parameters, POINTS))


def test_a_checkpoint_gives_the_same_counts(mondal_parameters: MacrospinParameters, tmp_path: Path) -> None:
    fresh = plain(simulate(mondal_parameters, POINTS))
    for points in (POINTS[:2], POINTS):
        with Checkpoint(tmp_path, "0" * 64) as checkpoint:
            counts = plain(simulate(mondal_parameters, points, checkpoint=checkpoint))
    assert counts == fresh


def test_longer_pulses_switch_more(mondal_parameters: MacrospinParameters) -> None:
    """One trajectory answers every width; past the saddle it may return, but seldom."""
    (counts,) = simulate(mondal_parameters, [POINTS[1]])
    assert counts.switched.shape == (3,)
    assert counts.switched[0] < counts.switched[2]


def test_without_axial_symmetry_every_width_has_a_run_of_its_own(mondal_parameters: MacrospinParameters) -> None:
    tilted = replace(mondal_parameters, b_x_t=0.01)
    (alone,) = simulate(tilted, [replace(POINTS[1], widths_s=(1.5e-9,), trials=32)])
    (together,) = simulate(tilted, [replace(POINTS[1], trials=32)])
    assert together.switched.shape == (3,)
    # The same random stream (it belongs to the longest width), hence the very same trials.
    assert together.switched[2] == alone.switched[0]


def lossy(lost: int) -> Any:
    """Return an ngspice that loses the first `lost` trials of each batch and switches the others."""

    def simulate_pulses(
        parameters: MacrospinParameters,
        direction: Direction,
        drive: Drive,
        level: float,
        widths_s: Sequence[float],
        trials: int,
        rng: np.random.Generator,
        **_: float,
    ) -> PulseTrials:
        mz = np.full((trials, len(widths_s)), -float(direction.initial_mz))
        mz[:lost] = np.nan
        return PulseTrials(mz, 0.0, "stopped half-way" if lost else None)

    return simulate_pulses


def test_lost_trials_are_reported_and_not_counted(
    mondal_parameters: MacrospinParameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulses, "simulate_pulses", lossy(2))
    (counts,) = simulate(mondal_parameters, POINTS[:1], engine=Engine.NGSPICE)
    assert counts.trials == 70 - 3 * 2  # three batches
    assert counts.switched.tolist() == [64, 64, 64]
    assert counts.not_simulated == {"stopped half-way": 6}


def test_a_point_that_was_lost_whole(mondal_parameters: MacrospinParameters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulses, "simulate_pulses", lossy(99))
    (counts,) = simulate(mondal_parameters, POINTS[:1], engine=Engine.NGSPICE)
    assert (counts.trials, counts.not_simulated) == (0, {"stopped half-way": 70})
    assert np.isnan(counts.probability).all()
    assert np.isnan(measured_surface([counts], Engine.NGSPICE).probability).all()


def test_a_campaign_gives_up_when_nothing_can_be_simulated(
    mondal_parameters: MacrospinParameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulses, "simulate_pulses", lossy(99))
    with pytest.raises(SimulationError, match=r"4 batches in a row(.|\n)*stopped half-way(.|\n)*--resume"):
        simulate(mondal_parameters, POINTS[:2], engine=Engine.NGSPICE)


def test_batches_that_lost_trials_are_tried_again(
    mondal_parameters: MacrospinParameters, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(pulses, "simulate_pulses", lossy(2))
    with Checkpoint(tmp_path, "0" * 64) as checkpoint:
        (first,) = simulate(mondal_parameters, POINTS[:1], engine=Engine.NGSPICE, checkpoint=checkpoint)
        assert checkpoint.finished() == {}
        monkeypatch.setattr(pulses, "simulate_pulses", lossy(0))
        (second,) = simulate(mondal_parameters, POINTS[:1], engine=Engine.NGSPICE, checkpoint=checkpoint)
        assert len(checkpoint.finished()) == 3
    assert (first.trials, second.trials) == (64, 70)


def test_counts_become_a_surface(mondal_parameters: MacrospinParameters) -> None:
    counts = simulate(mondal_parameters, POINTS[:2])
    s = measured_surface(counts, Engine.MACROSPIN)
    assert s.levels.tolist() == [100e-6, 120e-6]
    assert s.widths_s.tolist() == list(WIDTHS)
    assert (s.switched == np.array([c.switched for c in counts])).all()
    assert s.trials is not None
    assert (s.trials == 70).all()
    assert s.engine == "macrospin"
