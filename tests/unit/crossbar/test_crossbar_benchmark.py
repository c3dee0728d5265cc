"""The crossbar benchmarks run, and both sides of them compute the same."""

import importlib
from typing import Any

import numpy as np
import pytest

from mtjspice.resources import checkout


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    top = checkout()
    if top is None:
        pytest.skip("benchmarks come with the source")
    monkeypatch.syspath_prepend(str(top))
    module = importlib.import_module("benchmarks.crossbar")
    monkeypatch.setattr(module, "_SHAPE", (24, 10))
    return module


def test_each_says_what_it_reached(benchmark: Any) -> None:
    rows = benchmark.benchmarks()
    assert len(rows) == 3
    for row in rows:
        if row["value"] is None:
            assert "not installed" in row["name"]
        else:
            assert isinstance(row["met"], bool)


def test_both_sides_solve_the_same_write(benchmark: Any) -> None:
    write = benchmark.Write.example(benchmark._conductances_s())
    solutions = [list(map(np.concatenate, solve(write))) for solve in (benchmark.phase, benchmark.dense_phase)]
    assert len(solutions[0]) == 6
    for ours, theirs in zip(*solutions, strict=True):
        # In so small an array the last step of the solver is a fraction of what is left.
        assert ours == pytest.approx(theirs, abs=5 * benchmark._TOLERANCE_V)
