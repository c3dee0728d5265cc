"""Where thresholds and maps come from: a deterministic engine, a simulation campaign, or a user's measurements."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from mtjspice.calibration.placement import bracket, level_where
from mtjspice.calibration.regression import Line, Rows, Threshold, fit_line, fit_threshold
from mtjspice.cards.campaign import CampaignCard
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.errors import DataError, ModelError, SimulationError
from mtjspice.jobs.checkpoint import Checkpoint
from mtjspice.jobs.executors import Executor, LocalExecutor
from mtjspice.jobs.progress import ProgressBars
from mtjspice.junction.closed_form import lowest_current_a
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import critical_level
from mtjspice.junction.time_step import check_time_step
from mtjspice.switching.deterministic import deterministic_surface, probabilities
from mtjspice.switching.link import link
from mtjspice.switching.monte_carlo import add_up, measure, measured_surface
from mtjspice.switching.points import Counts, Engine, Point
from mtjspice.switching.surface import SwitchingSurface

_EXACT_MAP_POINTS = 21
_PLACEMENT_TRIALS = 1024
_PLACEMENT_LEVELS = 10
_CURVED = 0.01
"""A p-value below this: so many counts, over so wide a range, that the line's curvature shows."""


@dataclass(frozen=True)
class Question:
    """The level where P(level, width) = P0."""

    direction: Direction
    drive: Drive
    width_s: float


@dataclass(frozen=True)
class Answer:
    """A threshold, and what it rests on."""

    threshold: Threshold
    expected: float | None = None
    counts: pd.DataFrame | None = None


@dataclass(frozen=True)
class MapQuestion:
    """The square between two levels and two widths."""

    direction: Direction
    drive: Drive
    levels: tuple[float, float]
    widths_s: tuple[float, float]


class Source(Protocol):
    """One engine, as a calibration sees it."""

    engine: Engine
    not_simulated: dict[str, int]

    @property
    def drives(self) -> tuple[Drive, ...]:
        """The drives that it can answer for."""

    def thresholds(self, questions: Sequence[Question]) -> list[Answer]:
        """Return the level where P = P0 for each question."""

    def maps(self, questions: Sequence[MapQuestion]) -> list[SwitchingSurface]:
        """Return equally spaced levels by equally spaced widths for each question."""


class ExactSource:
    """Fokker-Planck, or the closed form."""

    def __init__(self, engine: Engine, parameters: MacrospinParameters, campaign: CampaignCard) -> None:
        self.engine = engine
        self.not_simulated: dict[str, int] = {}
        self._parameters = parameters
        self._p0 = campaign.targets.p0

    @property
    def drives(self) -> tuple[Drive, ...]:
        return (Drive.CURRENT,) if self.engine is Engine.CLOSED_FORM else tuple(Drive)

    def level(self, question: Question, probability: float) -> float:
        """Return the level that switches with `probability` at the question's width."""
        q = question

        def at(level: float) -> float:
            return float(probabilities(self.engine, self._parameters, q.direction, q.drive, [level], [q.width_s])[0, 0])

        start = 2 * critical_level(self._parameters, q.direction, q.drive)
        if self.engine is not Engine.CLOSED_FORM:
            return level_where(at, probability, start)
        lowest_a = lowest_current_a(self._parameters, q.direction, q.width_s)
        if at(lowest_a) > probability:
            raise ModelError(
                f"eq. 5 does not reach down to P = {probability:g} at this width",
                where=f"{q.direction.label}, {q.width_s:.4g} s",
                given=f"P = {at(lowest_a):.4g} at its minimum, {lowest_a:.4g} A",
                next_step="use --engine fokker_planck, or shorter widths in the campaign card",
            )
        return level_where(at, probability, start, lowest_a)

    def thresholds(self, questions: Sequence[Question]) -> list[Answer]:
        return [Answer(Threshold.exact(self.level(question, self._p0))) for question in questions]

    def maps(self, questions: Sequence[MapQuestion]) -> list[SwitchingSurface]:
        n = _EXACT_MAP_POINTS
        return [
            deterministic_surface(
                self.engine,
                self._parameters,
                q.direction,
                q.drive,
                np.linspace(*q.levels, n),
                np.linspace(*q.widths_s, n),
            )
            for q in questions
        ]


class SimulatedSource:
    """ngspice or the macrospin: levels are placed at foreseen probabilities, then simulated."""

    def __init__(
        self,
        engine: Engine,
        parameters: MacrospinParameters,
        campaign: CampaignCard,
        *,
        seed: int,
        executor: Executor,
        checkpoint: Checkpoint | None,
        progress: ProgressBars,
    ) -> None:
        if engine is Engine.NGSPICE:  # the macrospin chooses its own step
            check_time_step(parameters, campaign.time_step_s)
        self.engine = engine
        self.not_simulated: dict[str, int] = {}
        self._parameters = parameters
        self._campaign = campaign
        self._seed = seed
        self._executor = executor
        self._checkpoint = checkpoint
        self._progress = progress

    @property
    def drives(self) -> tuple[Drive, ...]:
        return tuple(Drive)

    def thresholds(self, questions: Sequence[Question]) -> list[Answer]:
        trials = self._campaign.boundaries.trials_per_level
        exact = ExactSource(Engine.FOKKER_PLANCK, self._parameters, self._campaign)
        points = [
            [Point(q.direction, q.drive, level, (q.width_s,), trials) for level in levels]
            for q, levels in zip(questions, self._placed(questions, exact), strict=True)
        ]
        counts = iter(self._measure("thresholds", [point for group in points for point in group]))
        answers = []
        for question, group in zip(questions, points, strict=True):
            own = [next(counts) for _ in group]
            expected = (
                exact.thresholds([question])[0].threshold.level if self._parameters.is_axially_symmetric else None
            )
            answers.append(Answer(self._fitted(question, own), expected, counts_table(own)))
        return answers

    def _fitted(self, question: Question, counts: Sequence[Counts]) -> Threshold:
        try:
            return fit_threshold(rows_of(counts), question.width_s, self._campaign.targets.p0)
        except DataError as error:
            raise SimulationError(
                "the simulated counts do not hold a threshold",
                where=f"{question.direction.label}, {question.drive.value} drive, {question.width_s:.4g} s",
                given=error,
                next_step="raise boundaries.trials_per_level in the campaign card, or try another --seed",
            ) from error

    def maps(self, questions: Sequence[MapQuestion]) -> list[SwitchingSurface]:
        plan = self._campaign.map
        points = []
        for q in questions:
            widths = tuple(float(w) for w in np.linspace(*q.widths_s, plan.widths))
            for level in np.linspace(*q.levels, plan.levels):
                points.append(Point(q.direction, q.drive, float(level), widths, plan.trials_per_level))
        counts = self._measure("maps", points)
        groups = [counts[i : i + plan.levels] for i in range(0, len(counts), plan.levels)]
        return [measured_surface(group, self.engine) for group in groups]

    def _placed(self, questions: Sequence[Question], exact: ExactSource) -> list[list[float]]:
        """Return the levels to simulate: at the campaign's probabilities, as well as they can be foreseen."""
        targets = self._campaign.boundaries.probabilities
        if self._parameters.is_axially_symmetric:
            return [[exact.level(question, p) for p in targets] for question in questions]
        levels = []
        with self._progress("macrospin: placement") as on_progress:
            for done, question in enumerate(questions):
                on_progress(done, len(questions))
                levels.append(self._placed_by_macrospin(question, targets))
            on_progress(len(questions), len(questions))
        return levels

    def _placed_by_macrospin(self, question: Question, targets: tuple[float, ...]) -> list[float]:
        """Return levels interpolated between a few macrospin simulations, which need no symmetry."""

        def at(level: float) -> float:
            point = Point(question.direction, question.drive, level, (question.width_s,), _PLACEMENT_TRIALS)
            (counts,) = measure(
                Engine.MACROSPIN,
                self._parameters,
                [point],
                time_step_s=self._campaign.time_step_s,
                batch_size=self._campaign.batch_size,
                seed=self._seed,
                executor=LocalExecutor(1),
            )
            # Half a trial at either end keeps the scale finite.
            return float((counts.switched[0] + 0.5) / (counts.trials + 1))

        start = 2 * critical_level(self._parameters, question.direction, question.drive)
        low, high = bracket(at, targets[0] / 2, targets[-1] * 1.2, start)
        tried = np.geomspace(low, high, _PLACEMENT_LEVELS)
        rising = isotonic_regression(link(np.array([at(float(level)) for level in tried]))).x
        # Ties of the isotonic fit are spread a little, so that every target has one level.
        rising = rising + 1e-9 * np.arange(_PLACEMENT_LEVELS)
        return [float(level) for level in np.interp(link(np.array(targets)), rising, tried)]

    def _measure(self, title: str, points: Sequence[Point]) -> list[Counts]:
        with self._progress(f"{self.engine}: {title}") as on_progress:
            counts = measure(
                self.engine,
                self._parameters,
                points,
                time_step_s=self._campaign.time_step_s,
                batch_size=self._campaign.batch_size,
                seed=self._seed,
                executor=self._executor,
                checkpoint=self._checkpoint,
                on_progress=on_progress,
            )
        self.not_simulated = add_up([self.not_simulated, *(c.not_simulated for c in counts)])
        for c in counts:
            if c.trials == 0:
                raise SimulationError(
                    "no trial could be simulated",
                    where=f"{c.point.direction.label}, {c.point.level:.4g} {c.point.drive.unit}",
                    given="; ".join(c.not_simulated),
                )
        return counts


class MeasuredSource:
    """A user's counts: thresholds and maps from the straight lines fitted to them."""

    engine = Engine.MEASURED

    def __init__(self, counts: Sequence[Counts], campaign: CampaignCard) -> None:
        self.not_simulated: dict[str, int] = {}
        self._counts = counts
        self._p0 = campaign.targets.p0

    @property
    def drives(self) -> tuple[Drive, ...]:
        return (self._counts[0].point.drive,)

    def thresholds(self, questions: Sequence[Question]) -> list[Answer]:
        answers = []
        for q in questions:
            own = self._of(q.direction)
            rows = rows_of(own).at_width(q.width_s)
            threshold = fit_threshold(rows, q.width_s, self._p0)
            if threshold.fit_p_value < _CURVED:
                threshold = fit_threshold(rows.near(self._p0), q.width_s, self._p0)
            near = [c for c in own if np.isin(c.point.widths_s, rows.widths_s).any()]
            answers.append(Answer(threshold, None, counts_table(near)))
        return answers

    def maps(self, questions: Sequence[MapQuestion]) -> list[SwitchingSurface]:
        return [self._map(q) for q in questions]

    def _map(self, question: MapQuestion) -> SwitchingSurface:
        levels, widths = (np.linspace(*ends, _EXACT_MAP_POINTS) for ends in (question.levels, question.widths_s))
        rows = rows_of(self._of(question.direction))
        lines: dict[bytes, Line] = {}
        probability = np.empty((len(levels), len(widths)))
        for column, width in enumerate(widths):
            near = rows.at_width(float(width))
            key = np.unique(near.widths_s).tobytes()
            if key not in lines:
                lines[key] = fit_line(near)
            probability[:, column] = lines[key].probability(levels, float(width))
        return SwitchingSurface(
            question.direction, question.drive, levels, widths, probability, engine=self.engine.value
        )

    def _of(self, direction: Direction) -> list[Counts]:
        own = [c for c in self._counts if c.point.direction is direction]
        if not own:
            raise DataError(
                f"the measurements hold no {direction.value} pulses",
                allowed="pulses of both directions",
                next_step=f"add rows with direction {direction.value}",
            )
        return own


def rows_of(counts: Sequence[Counts]) -> Rows:
    """Return counts of one direction as rows for a regression, one for each level and width."""
    sizes = [len(c.switched) for c in counts]
    return Rows(
        levels=np.repeat([c.point.level for c in counts], sizes),
        widths_s=np.concatenate([c.point.widths_s for c in counts]),
        switched=np.concatenate([c.switched for c in counts]),
        trials=np.repeat([c.trials for c in counts], sizes),
    )


def counts_table(counts: Sequence[Counts]) -> pd.DataFrame:
    """Return counts as a table in the columns that the `measured` engine reads."""
    surfaces = [measured_surface([c], Engine.MEASURED).table() for c in counts]
    return pd.concat(surfaces, ignore_index=True)
