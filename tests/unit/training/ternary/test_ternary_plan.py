"""What a plan of a training with quantised synapses refuses."""

from typing import Any

import pytest

from mtjspice.errors import InputError
from mtjspice.training.ternary.augmentation import Augmentation
from mtjspice.training.ternary.plan import Counting, Proposer, TernaryPlan, TernaryRule


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": 0},
        {"batch": 1},
        {"learning_rate": 0.0},
        {"last_learning_rate": 0.0},
        {"last_learning_rate": 1.5},
        {"junctions": False, "widths": 2},
        {"junctions": False, "variation_percent": 10.0},
        {"augmentation": Augmentation.SHIFT},
        {"rule": TernaryRule.COUNTER, "net": "cnn"},
        {"rule": TernaryRule.COUNTER, "widths": 2},
    ],
)
def test_plans_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        TernaryPlan(**{"data": "mnist", "net": "mlp"} | options)
    assert "allowed:" in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"bits": 1},
        {"bits": 13},
        {"gain": 0.0},
        {"ideal_gain": -1.0},
        {"level": 1.1},
        {"least_width": 1.0},
        {"t_strong_s": 0.0},
    ],
)
def test_counters_that_cannot_be(settings: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="a setting of the counter is out of range"):
        Counting(**settings)


def test_epochs_and_batches_are_the_rules_own_unless_the_plan_says_otherwise() -> None:
    plans = [TernaryPlan("mnist", "mlp", rule=rule) for rule in TernaryRule]
    assert [(plan.epoch_count, plan.batch_size) for plan in plans] == [(10, 200), (15, 100)]
    assert [plan.described()["batch"] for plan in plans] == [200, 100]
    assert TernaryPlan("mnist", "mlp", epochs=3, batch=50).described()["epochs"] == 3


def test_the_learning_rate_falls_exponentially() -> None:
    plan = TernaryPlan("mnist", "mlp", epochs=3, learning_rate=0.01, last_learning_rate=0.0001)
    assert [plan.rate_in(epoch) for epoch in range(3)] == pytest.approx([1e-2, 1e-4, 1e-6])
    assert TernaryPlan("mnist", "mlp", epochs=1).rate_in(0) == Proposer.ADAM.learning_rate


@pytest.mark.parametrize(
    ("data", "net", "given", "expected"),
    [
        ("cifar10", "cifar-small", None, "shift-flip"),
        ("svhn", "8C3-10", None, "shift"),
        ("mnist", "cnn", None, "none"),
        ("own.npz", "8C3-10", None, "none"),
        ("cifar10", "3072-10", None, "none"),
        ("cifar10", "cifar", Augmentation.NONE, "none"),
        ("mnist", "cnn", Augmentation.SHIFT, "shift"),
    ],
)
def test_images_are_moved_by_the_data_unless_the_plan_says_otherwise(
    data: str, net: str, given: Augmentation | None, expected: str
) -> None:
    plan = TernaryPlan(data, net, augmentation=given)
    assert plan.augments == expected
    assert plan.described()["augmentation"] == expected
