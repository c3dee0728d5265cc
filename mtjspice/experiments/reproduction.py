"""A table or a figure of a paper as a list of cells: what is printed, the run that answers it, and why they differ."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mtjspice import __version__
from mtjspice.cards.array import Architecture, ArrayCard
from mtjspice.cards.junction import JunctionCard
from mtjspice.cards.training import RuleName, load_training
from mtjspice.experiments.paper_values import SONAR_TEST_SAMPLES
from mtjspice.experiments.reasons import reasons
from mtjspice.experiments.runs import run_key
from mtjspice.training.plan import Scenario, TrainingPlan

SCHEMA = 1
_SEEDS = {"sonar": 10, "mnist": 3, "wbcd": 10}
_MEAN_FIELD_SEEDS = 2
_MEAN_FIELD_EPOCHS = 2
_QUICK_SEEDS = 2
_QUICK_EPOCHS = 5
"""Of the per-sample rule; the others' epochs are short."""
_QUICK_LACKS = "left out by --quick"


@dataclass(frozen=True)
class Conditions:
    """What all runs of a table or figure have in common.

    Args:
        junction: card of the junctions.
        array: card of the arrays.
        rule: of training in crossbars.
        quick: a minute's version, with MNIST left out.
        seeds: of every run; by data set when left out.
        root_seed: of all randomness.
    """

    junction: JunctionCard
    array: ArrayCard
    rule: RuleName = RuleName.PER_SAMPLE
    quick: bool = False
    seeds: int | None = None
    root_seed: int = 1

    def run(
        self,
        data: str,
        net: str,
        scenario: Scenario,
        architecture: Architecture = Architecture.ONE_T_ONE_R,
        *,
        phases: int | None = None,
        variation_percent: float = 0.0,
    ) -> TrainingPlan | str:
        """Return what is trained, or why nothing is. 1R arrays on MNIST are solved by their mean field."""
        in_place = scenario is Scenario.STOCHASTIC
        one_r = architecture is Architecture.ONE_R
        if in_place and one_r and self.rule is not RuleName.PER_SAMPLE:
            return f"{self.rule} writes columns one at a time, and is for 1T1R arrays only"
        if self.quick and data == "mnist":
            return _QUICK_LACKS
        mean_field = one_r and data == "mnist"
        seeds = _MEAN_FIELD_SEEDS if mean_field and in_place else _SEEDS[data]
        plan = TrainingPlan(
            data=data,
            net=net,
            scenario=scenario,
            card=load_training(data),
            junction=self.junction,
            array=self.array,
            # Whatever does not use the rule is shared by the rules' tables.
            rule=self.rule if in_place else RuleName.PER_SAMPLE,
            architecture=architecture,
            phases=phases,
            variation_percent=variation_percent,
            mean_field=mean_field,
            seeds=self.seeds or (_QUICK_SEEDS if self.quick else seeds),
            root_seed=self.root_seed,
        )
        if in_place and mean_field:
            return plan.with_epochs(min(plan.epochs, _MEAN_FIELD_EPOCHS))
        if in_place and self.quick and self.rule is RuleName.PER_SAMPLE:
            return plan.with_epochs(min(plan.epochs, _QUICK_EPOCHS))
        return plan


@dataclass(frozen=True)
class Cell:
    """One number of a table, or one curve of a figure.

    Args:
        section: the part of the table, or the panel, it stands in.
        row: its row, or the curve's name.
        column: its column; none for a curve.
        data: the data set.
        net: the network.
        run: what is trained for it, or why nothing is.
        printed: the paper's number; None where it has none.
    """

    section: str
    row: str
    column: str
    data: str
    net: str
    run: TrainingPlan | str
    printed: float | None = None

    @property
    def readings(self) -> tuple[float, ...]:
        """The fractions that the printed number can mean: in %, and SONAR's also as a count of its test samples."""
        if self.printed is None:
            return ()
        return (self.printed / 100, *([self.printed / SONAR_TEST_SAMPLES] if self.data == "sonar" else []))


def curve(conditions: Conditions, data: str, net: str, name: str, **how: Any) -> Cell:
    """Return the cell of a training on 1R arrays, with `how` as for `Conditions.run`."""
    run = conditions.run(data, net, Scenario.STOCHASTIC, Architecture.ONE_R, **how)
    return Cell(section=f"{data.upper()} {net}", row=name, column="", data=data, net=net, run=run)


@dataclass(frozen=True)
class Reproduction:
    """A table or figure, the paper's beside ours.

    Args:
        name: such as ``table5``.
        title: what it shows.
        conditions: of its runs.
        cells: all of them.
        results: finished runs by `run_key`, as `TrainingResult.to_json` has them.
        curves: whether cells are curves.
    """

    name: str
    title: str
    conditions: Conditions
    cells: tuple[Cell, ...]
    results: Mapping[str, dict[str, Any]]
    curves: bool

    @property
    def stem(self) -> str:
        """Name of its files, which tells the default rule's full version from all others."""
        rule = "" if self.conditions.rule is RuleName.PER_SAMPLE else f"_{self.conditions.rule}"
        return f"{self.name}{rule}{'_quick' * self.conditions.quick}"

    @property
    def command(self) -> str:
        """What makes it."""
        asked = self.conditions
        options = [
            *([f"--rule {asked.rule}"] if asked.rule is not RuleName.PER_SAMPLE else []),
            *(["--quick"] if asked.quick else []),
            *([f"--seeds {asked.seeds}"] if asked.seeds else []),
            *([f"--seed {asked.root_seed}"] if asked.root_seed != 1 else []),
        ]
        return " ".join(["mtjspice reproduce", self.name, *options])

    @property
    def sections(self) -> dict[str, tuple[Cell, ...]]:
        """Cells by section."""
        names = dict.fromkeys(cell.section for cell in self.cells)
        return {name: tuple(cell for cell in self.cells if cell.section == name) for name in names}

    def result(self, cell: Cell) -> dict[str, Any] | None:
        """Return the cell's run, or None where nothing is trained for it."""
        return None if isinstance(cell.run, str) else self.results[run_key(cell.run)]

    def notes(self, cell: Cell) -> tuple[str, ...]:
        """Return what a reader of the cell should know, and why ours differs where it does."""
        result = self.result(cell)
        if isinstance(cell.run, str) or result is None:
            return (str(cell.run),)
        return reasons(
            cell.run, printed=cell.printed is not None, curve=self.curves, differs=differs(cell.readings, result)
        )

    @cached_property
    def marks(self) -> dict[str, str]:
        """A letter for each note, in their order."""
        texts = dict.fromkeys(note for cell in self.cells for note in self.notes(cell))
        return {text: "abcdefghijklmnopqrstuvwxyz"[number] for number, text in enumerate(texts)}

    @property
    def ratios(self) -> dict[str, float]:
        """For each panel of a figure, the last curve's test error over the first one's."""
        errors = {
            section: [result["test_error"] for cell in cells if (result := self.result(cell))]
            for section, cells in self.sections.items()
        }
        return {section: e[-1] / e[0] for section, e in errors.items() if self.curves and len(e) > 1 and e[0]}

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain data; errors are fractions, `printed` is as the paper has it."""
        asked = self.conditions
        return {
            "schema": SCHEMA,
            "name": self.name,
            "title": self.title,
            "rule": asked.rule.value,
            "quick": asked.quick,
            "cells": [self._cell_json(cell) for cell in self.cells],
            "error_ratios": self.ratios,
            "notes": {mark: text for text, mark in self.marks.items()},
            "provenance": {
                "mtjspice": __version__,
                "command": self.command,
                "seed": asked.root_seed,
                "junction_sha256": asked.junction.sha256,
                "array_sha256": asked.array.sha256,
                "elapsed_s": round(sum(result["provenance"]["elapsed_s"] for result in self.results.values()), 1),
            },
        }

    def _cell_json(self, cell: Cell) -> dict[str, Any]:
        found: dict[str, Any] = {
            "data": cell.data,
            "net": cell.net,
            "row": cell.row,
            "column": cell.column,
            "printed": cell.printed,
            "printed_as_fractions": list(cell.readings),
            "notes": [self.marks[note] for note in self.notes(cell)],
        }
        result = self.result(cell)
        if isinstance(cell.run, str) or result is None:
            return found | {"run": None}
        names = ["test_error", "test_error_std", "per_seed", "seeds", "epochs", "mean_field", "variation_percent"]
        names += ["phases", "flips_per_sample", "false_flips_per_sample", *(["train_mse"] if self.curves else [])]
        return found | {"run": run_key(cell.run), "rule": cell.run.learns_by.value} | {n: result[n] for n in names}


def differs(readings: tuple[float, ...], result: dict[str, Any]) -> bool:
    """Return whether a run is off from every reading of the paper's number: a point, and two standard errors."""
    standard_error = result["test_error_std"] / math.sqrt(result["seeds"])
    limit = max(0.01, 2 * standard_error)
    return bool(readings) and all(abs(result["test_error"] - reading) > limit for reading in readings)
