"""What a plan of a training with quantised synapses refuses."""

from typing import Any

import pytest

from mtjspice.errors import InputError
from mtjspice.training.ternary.plan import Proposer, TernaryPlan


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
    ],
)
def test_plans_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        TernaryPlan("mnist", "mlp", **options)
    assert "allowed:" in str(caught.value)


def test_the_learning_rate_falls_exponentially() -> None:
    plan = TernaryPlan("mnist", "mlp", epochs=3, learning_rate=0.01, last_learning_rate=0.0001)
    assert [plan.rate_in(epoch) for epoch in range(3)] == pytest.approx([1e-2, 1e-4, 1e-6])
    assert TernaryPlan("mnist", "mlp", epochs=1).rate_in(0) == Proposer.ADAM.learning_rate
