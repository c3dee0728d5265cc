"""One line of the benchmarks' table."""

from typing import Any, Literal

Bound = Literal["at least", "at most"]


def entry(
    name: str, value: float | None, unit: str, bound: Bound, target: float, *, baseline: float | None = None
) -> dict[str, Any]:
    """Return a benchmark as plain data.

    `ratio` is value / baseline, as the name says: "macrospin / cmtj". `target` is what has to be reached, `bound` from
    which side: by the ratio in an entry with a baseline, else by the value. What was not measured is None.
    """
    ratio = None if value is None or baseline is None else value / baseline
    judged = ratio if baseline is not None else value
    met = None if judged is None else judged >= target if bound == "at least" else judged <= target
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "baseline": baseline,
        "ratio": ratio,
        "bound": bound,
        "target": target,
        "met": met,
    }
