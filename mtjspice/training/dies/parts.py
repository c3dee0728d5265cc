"""Dies as training and evaluation take them: what their cells make of weights."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mtjspice.cards.array import ArrayCard
from mtjspice.cards.die_statistics import DieStatistics
from mtjspice.cards.junction import JunctionCard
from mtjspice.cards.loading import validate_card
from mtjspice.crossbar.die_drawing import draw_die
from mtjspice.crossbar.die_files import load_dies, require_cards
from mtjspice.crossbar.die_shapes import array_shapes
from mtjspice.crossbar.dies import Die
from mtjspice.errors import InputError
from mtjspice.surrogate.die_weights import class_map, die_parts, wired_weights
from mtjspice.surrogate.read_model import ReadModel
from mtjspice.training.dies.deployment import KnownDie
from mtjspice.training.dies.known import KnownDies, Parts, nominal_parts
from mtjspice.training.dies.plan import DieMethod, DiePlan

_POOL = 0


def parts_of(model: ReadModel, dies: Sequence[Die], sizes: tuple[int, int, int], copies: int) -> list[KnownDie]:
    """Return dies, as they are and by their maps, for a network of these sizes.

    Raises:
        InputError: arrays that the network does not fit.
    """
    wires = model.array.wires.r_segment_ohm > 0
    return [
        KnownDie(
            die.name,
            die.rate,
            parts,
            _pair(model, class_map(model, die)),
            partial(wired_weights, model, die) if wires else None,
        )
        for die, parts in zip(dies, _fitting(model, dies, sizes, copies), strict=True)
    ]


def known_dies(
    plan: DiePlan,
    model: ReadModel,
    sizes: tuple[int, int, int],
    *,
    statistics: DieStatistics | None = None,
    dies: Sequence[Die] = (),
) -> KnownDies:
    """Return what a plan's training knows of dies.

    Args:
        plan: of the training.
        model: of the arrays' reads.
        sizes: of the network.
        statistics: from which a pool of dies is drawn for statistics-aware training; without, it is drawn from the
            cells of all of `dies`.
        dies: the one of training for one die, or measured ones.
    """
    if plan.method is DieMethod.IDEAL:
        return KnownDies([nominal_parts(sizes, plan.copies)])
    if plan.method.needs_a_die:
        return KnownDies(_fitting(model, dies[:1], sizes, plan.copies))
    if statistics is None:
        measured = KnownDies(_fitting(model, dies, sizes, plan.copies))
        return KnownDies([measured.mixed(plan.rng(_POOL, number)) for number in range(plan.pool)])
    shapes = array_shapes(sizes, plan.copies)
    pool = (
        draw_die(statistics, model.parameters, model.array.r_short_ohm, shapes, plan.rng(_POOL, number), "")
        for number in range(plan.pool)
    )
    return KnownDies([_pair(model, die) for die in pool])


def known_from(
    plan: DiePlan, folder: Path | None, die: str | None, card: JunctionCard, array: ArrayCard
) -> tuple[DieStatistics | None, tuple[Die, ...], dict[str, Any]]:
    """Return what a plan's training takes from a folder of dies: statistics, or dies; and where these are from.

    Raises:
        InputError: no folder where one is needed, no such die, or dies of other cards.
        DataError: there are no dies in the folder, or they cannot be read.
    """
    if plan.method is DieMethod.IDEAL:
        return None, (), {}
    if folder is None:
        raise InputError(
            f"{plan.method} training needs dies",
            next_step="make some with `mtjspice dies make`, and give their folder with --dies",
        )
    dies, provenance = load_dies(folder)
    require_cards(provenance, card, array, folder)
    if plan.method.needs_a_die:
        chosen = tuple(one for one in dies if die in (None, one.name))[:1]
        if not chosen:
            raise InputError(
                "there is no such die", where=folder, given=die, allowed=f"{dies[0].name} ... {dies[-1].name}"
            )
        return None, chosen, provenance | {"die": chosen[0].name}
    if "statistics" not in provenance:
        return None, dies, provenance
    return validate_card(provenance["statistics"], DieStatistics, str(folder)), (), provenance


def _fitting(model: ReadModel, dies: Sequence[Die], sizes: tuple[int, int, int], copies: int) -> list[Parts]:
    """Return the parts of dies, and require that a network of these sizes fits them."""
    wanted = array_shapes(sizes, copies)
    for die in dies:
        if die.shapes != wanted:
            raise InputError(
                "the network does not fit the die",
                where=die.name,
                given=f"arrays of {_shapes(wanted)} cells are needed, the die has {_shapes(die.shapes)}",
                next_step="make dies with the same --net and --copies",
            )
    return [_pair(model, die) for die in dies]


def _pair(model: ReadModel, die: Die) -> Parts:
    first, second = die_parts(model, die)
    return first, second


def _shapes(shapes: tuple[tuple[int, int], ...]) -> str:
    return " and ".join(f"{rows} x {columns}" for rows, columns in shapes)
