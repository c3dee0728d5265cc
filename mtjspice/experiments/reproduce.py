"""The paper's tables and figures of training, from a list of runs to files."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mtjspice.cards.training import RuleName
from mtjspice.errors import InputError
from mtjspice.experiments import fig6, fig7, table5, table6
from mtjspice.experiments.reproduction import Cell, Conditions, Reproduction
from mtjspice.experiments.runs import finish_runs, shipped_results
from mtjspice.files import make_folder, write_json
from mtjspice.jobs.executors import Executor
from mtjspice.jobs.progress import ProgressBars
from mtjspice.training.plan import TrainingPlan


class Experiment(StrEnum):
    """What can be reproduced."""

    TABLE5 = "table5"
    TABLE6 = "table6"
    FIG6 = "fig6"
    FIG7 = "fig7"
    DIES = "dies"


@dataclass(frozen=True)
class _Made:
    title: str
    cells: Callable[[Conditions], list[Cell]]
    curves: bool


_EXPERIMENTS = {
    Experiment.TABLE5: _Made(table5.TITLE, table5.table5, curves=False),
    Experiment.TABLE6: _Made(table6.TITLE, table6.table6, curves=False),
    Experiment.FIG6: _Made(fig6.TITLE, fig6.fig6, curves=True),
    Experiment.FIG7: _Made(fig7.TITLE, fig7.fig7, curves=True),
}
_RULES = (RuleName.PER_SAMPLE, RuleName.BATCH, RuleName.COUNTER)
"""Of training in crossbars; the first is for 1R arrays, too."""


def reproduce(
    experiment: Experiment,
    conditions: Conditions,
    folder: Path,
    *,
    executor: Executor,
    progress: ProgressBars,
    draw: Callable[[Reproduction, Path], object],
) -> Reproduction:
    """Train what is not on disk, and leave the table or figure as JSON and as `draw` has it in `folder`.

    Raises:
        InputError: a rule that does not train its arrays (figures are of 1R), or a quick version among the
            shipped results.
        MtjspiceError: whatever stops a training; finished runs are kept in ``folder/runs``.
    """
    made = _EXPERIMENTS[experiment]
    allowed = _RULES[:1] if made.curves else _RULES
    if conditions.rule not in allowed:
        raise InputError(
            "the rule does not train the arrays of this table or figure",
            given=f"{experiment} --rule {conditions.rule}",
            allowed=" or ".join(f"--rule {rule}" for rule in allowed),
        )
    if conditions.quick and folder.resolve().is_relative_to(shipped_results().resolve()):
        raise InputError(
            "a quick version does not belong among the shipped results", where=folder, next_step="choose another --out"
        )
    cells = tuple(made.cells(conditions))
    plans = [cell.run for cell in cells if isinstance(cell.run, TrainingPlan)]
    results = finish_runs(plans, folder, title=f"{experiment}: epochs trained", executor=executor, progress=progress)
    reproduction = Reproduction(experiment.value, made.title, conditions, cells, results, made.curves)
    make_folder(folder)
    write_json(folder / f"{reproduction.stem}.json", reproduction.to_json())
    draw(reproduction, folder)
    return reproduction
