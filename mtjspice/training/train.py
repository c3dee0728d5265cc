"""Training from Python: one call, no files."""

from enum import StrEnum
from typing import Any, TypeVar

from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.junction import load_card
from mtjspice.cards.training import RuleName, Switching, load_training, shipped_training
from mtjspice.errors import InputError
from mtjspice.jobs.progress import progress
from mtjspice.training.campaign import TrainingResult, hardware_of, tasks_of
from mtjspice.training.plan import Scenario, TrainingPlan
from mtjspice.training.task import Followed, train_task

Choice = TypeVar("Choice", bound=StrEnum)

_OWN_DATA_CARD, _IMAGES_CARD = "wbcd", "mnist"
"""The settings of data sets that have no card of their own, and of images among them."""
_IMAGES = ("cifar10", "svhn")


def training_plan(
    data: str,
    net: str,
    *,
    scenario: str = Scenario.STOCHASTIC,
    rule: str = RuleName.PER_SAMPLE,
    arch: str = Architecture.ONE_T_ONE_R,
    switching: str = Switching.PHYSICAL,
    settings: str | None = None,
    epochs: int | None = None,
    card: str = "mondal2018",
    array: str = "array45",
    **others: Any,
) -> TrainingPlan:
    """Return the plan to train `net` on `data`.

    Args:
        data: a data set's name, or a file.
        net: a network's name or layer sizes.
        scenario: ``rv``, ``bc``, ``dp`` or ``st``.
        rule: ``per_sample``, ``batch`` or ``counter``.
        arch: ``1t1r`` or ``1r``.
        switching: ``physical`` or ``ideal``.
        settings: a training card's name or file; without one the card that is named like the data.
        epochs: instead of the training card's.
        card: the junctions'.
        array: the arrays'.
        others: whatever else a `TrainingPlan` has, such as ``seeds`` or ``variation_percent``.

    Raises:
        CardError: a card that is not there, or cannot be used.
        InputError: a choice that there is not.
    """
    plan = TrainingPlan(
        data=data,
        net=net,
        scenario=_one_of(Scenario, scenario),
        card=load_training(settings or _card_of(data)),
        junction=load_card(card),
        array=load_array(array),
        rule=_one_of(RuleName, rule),
        architecture=_one_of(Architecture, arch),
        switching=_one_of(Switching, switching),
        **others,
    )
    return plan if epochs is None else plan.with_epochs(epochs)


def _card_of(data: str) -> str:
    if data in shipped_training():
        return data
    return _IMAGES_CARD if data in _IMAGES else _OWN_DATA_CARD


def _one_of(kind: type[Choice], given: str) -> Choice:
    try:
        return kind(given)
    except ValueError:
        raise InputError("there is no such choice", given=given, allowed=", ".join(kind)) from None


def train(data: str, net: str, **options: Any) -> TrainingResult:
    """Train in this process, with `options` as for `training_plan`.

    Raises:
        InputError: a plan that cannot be.
    """
    plan = training_plan(data, net, **options)
    tasks = tasks_of(plan, hardware_of(plan, progress))
    return TrainingResult(plan, tuple(train_task(Followed(task, None, "")) for task in tasks), elapsed_s=0.0)
