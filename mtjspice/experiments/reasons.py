"""Why a number of ours differs from the paper's, by rule of thumb, and what has to be known to compare them."""

from mtjspice.cards.array import Architecture
from mtjspice.cards.training import RuleName
from mtjspice.training.plan import Scenario, TrainingPlan

SONAR_UNIT = (
    "SONAR: the paper says of its MNIST and WBCD figures that they are in %; SONAR's, the average of 10 runs, may be "
    "counts of its 104 test samples: 14.2 would be 13.7 % (in brackets)"
)
_NO_NUMBER = "WBCD 2L20: the paper's number is cut off in the copy at hand"
_MISPRINT = "2L15: the paper's table prints 2L5; its text says 15 hidden neurons"
_BINARY_CONNECT = "BC: BinaryConnect in software, not in the paper: what binary weights can reach"
_REAL = "RV: the paper gives neither optimiser nor epochs nor normalisation; ours are in the training cards (Adam)"
_PROGRAMMED_1T1R = (
    "DP 1T1R: the binary weights that ours programs are better or worse than the paper's to start with (see BC), and "
    "the paper does not say how a conductance becomes a weight, on which the cost of variation depends"
)
_PROGRAMMED_1R = (
    "DP 1R: the paper gives neither the pulses nor the order in which cells are programmed; ours takes a column at a "
    "time, with all other lines floating"
)
_FIXED_POINT = (
    "per_sample: a binary synapse without memory settles at m = -E[g]/E|g| instead of where the mean gradient E[g] "
    "is 0, and from there learns no further: see docs/training.md"
)
_SMALL_DATA = "per_sample on WBCD: the paper's split, normalisation and epochs are not known; ours are random splits"
_BATCH = "batch: gradients are summed over samples in digital memory beside the array; not the paper's rule"
_COUNTER = "counter: the gradient's sign is counted in junctions beside every weight; not the paper's rule"
_MEAN_FIELD = "1R on MNIST: floating lines are solved by their mean field; ST from 2 seeds only by default"
_NO_CURVES = "the paper draws its curves without printing a number"


def reasons(plan: TrainingPlan, *, printed: bool, curve: bool, differs: bool) -> tuple[str, ...]:
    """Return notes, those on a difference last.

    Args:
        plan: what was trained.
        printed: whether the paper prints a number for it.
        curve: whether it draws one instead.
        differs: whether ours is off from the number.
    """
    in_place = plan.scenario is Scenario.STOCHASTIC
    one_r = plan.architecture is Architecture.ONE_R
    of_rule = {RuleName.BATCH: _BATCH, RuleName.COUNTER: _COUNTER}.get(plan.rule) if in_place else None
    known = [
        _BINARY_CONNECT if plan.scenario is Scenario.BINARY_CONNECT else None,
        SONAR_UNIT if printed and plan.data == "sonar" else None,
        _MISPRINT if printed and (plan.data, plan.net) == ("sonar", "2L15") else None,
        _NO_CURVES if curve else None,
        None if printed or curve or plan.scenario is Scenario.BINARY_CONNECT else _NO_NUMBER,
        _MEAN_FIELD if plan.mean_field else None,
        of_rule,
    ]
    if differs:
        known.append(_difference(plan, in_place, one_r))
    return tuple(note for note in known if note)


def _difference(plan: TrainingPlan, in_place: bool, one_r: bool) -> str | None:
    """Return why a run differs from what the paper prints; None where a note on the rule says so already."""
    if plan.scenario is Scenario.REAL:
        return _REAL
    if plan.scenario is Scenario.PROGRAMMED:
        return _PROGRAMMED_1R if one_r else _PROGRAMMED_1T1R
    if in_place and plan.rule is RuleName.PER_SAMPLE:
        return _SMALL_DATA if plan.data == "wbcd" else _FIXED_POINT
    return None
