"""Speed of the exact array solver at the size of an MNIST layer, 784 x 100 cells in random states.

Seconds are the process's own CPU seconds, the best of a few repeats, so that a busy machine harms nobody.
"""

import importlib.util
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

import numpy as np

from benchmarks._entry import entry
from benchmarks._timing import best_of
from mtjspice.cards.junction import load_card
from mtjspice.crossbar.floating_kernels import eliminate_rows, relax
from mtjspice.crossbar.wired_read import effective_conductance_s
from mtjspice.junction.parameters import MacrospinParameters

_SHAPE = (784, 100)
_SEGMENT_OHM = 2.0
_TOLERANCE_V = 1e-6


class Write(NamedTuple):
    """A phase of a write, with linear cells."""

    g_s: np.ndarray
    row_v: np.ndarray
    row_floats: np.ndarray
    column_floats: np.ndarray
    """At its start."""
    switch_off: np.ndarray
    """The other columns, in the order in which they begin to float."""

    @classmethod
    def example(cls, g_s: np.ndarray) -> Self:
        """Return one in which every other line is selected."""
        rows, columns = g_s.shape
        row_floats, column_floats = np.arange(rows) % 2 == 1, np.arange(columns) % 2 == 1
        switch_off = np.random.default_rng(3).permutation(np.flatnonzero(~column_floats))
        return cls(g_s, np.where(row_floats, 0.0, 0.7), row_floats, column_floats, switch_off)


def benchmarks() -> list[dict[str, Any]]:
    """Return every benchmark of this file, as `benchmarks._entry` describes."""
    return [*wired_read(), *floating_lines()]


def wired_read() -> list[dict[str, Any]]:
    """Return the time of the whole effective matrix beside badcrossbar's for one input; says so where it is missing."""
    name = f"read with wires, all of {_size()} / badcrossbar, one input"
    compute = badcrossbar_compute()
    if compute is None:
        return [entry(f"{name} (skipped: not installed)", None, "s", "at most", 0.5)]
    g_s, v_rows_v = _conductances_s(), np.random.default_rng(2).random((_SHAPE[0], 1))
    ours_s = best_of(lambda: effective_conductance_s(g_s, _SEGMENT_OHM, _SEGMENT_OHM), repeats=3)
    theirs_s = best_of(lambda: compute(v_rows_v, 1 / g_s, _SEGMENT_OHM), repeats=2)
    return [entry(name, ours_s, "s", "at most", 0.5, baseline=theirs_s)]


def floating_lines() -> list[dict[str, Any]]:
    """Return the mean time of a solution in a write phase, beside that of forming and solving the dense problem.

    Half the rows are driven, half the columns selected. These switch off one after another; each solution is good to a
    microvolt.
    """
    write = Write.example(_conductances_s())
    ours_us, dense_us = (
        1e6 * best_of(lambda solve=solve: [0 for _ in solve(write)]) / (len(write.switch_off) + 1)  # type: ignore[misc]
        for solve in (phase, dense_phase)
    )
    name = f"floating lines, {_size()}"
    return [
        entry(name, ours_us, "us", "at most", 50),
        entry(f"{name} / dense Schur complement", ours_us, "us", "at most", 0.1, baseline=dense_us),
    ]


def phase(write: Write) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the lines' voltages at the start and after every column that has switched off; changed in place."""
    row_v, column_v, column_floats = write.row_v.copy(), np.zeros(len(write.column_floats)), write.column_floats.copy()
    columns = eliminate_rows(write.g_s, None, 1.0, row_v, column_v, write.row_floats, write.g_s)
    relax(write.g_s, columns, row_v, column_v, column_floats, _TOLERANCE_V)
    yield row_v, column_v
    for column in write.switch_off:
        column_floats[column] = True
        relax(write.g_s, columns, row_v, column_v, column_floats, _TOLERANCE_V)
        yield row_v, column_v


def dense_phase(write: Write) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the same by numpy, each time from the conductances."""
    column_floats = write.column_floats.copy()
    yield dense(write, column_floats)
    for column in write.switch_off:
        column_floats[column] = True
        yield dense(write, column_floats)


def dense(write: Write, column_floats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lines' voltages: floating rows eliminated, a dense problem for the floating columns."""
    floating = write.g_s[:, column_floats]
    both = floating[write.row_floats]
    row_s = write.g_s[write.row_floats].sum(axis=1)
    schur_s = np.diag(floating.sum(axis=0)) - both.T @ (both / row_s[:, None])
    column_v = np.zeros(len(column_floats))
    column_v[column_floats] = np.linalg.solve(schur_s, write.row_v[~write.row_floats] @ floating[~write.row_floats])
    row_v = write.row_v.copy()
    row_v[write.row_floats] = both @ column_v[column_floats] / row_s
    return row_v, column_v


def badcrossbar_compute() -> Callable[..., Any] | None:
    """Return `badcrossbar.compute`, or None where it is not installed.

    Its plotting needs cairo, and it warns where that is missing; it also sets up logging to stdout. Neither is wanted.
    """
    if importlib.util.find_spec("badcrossbar") is None:
        return None
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    with warnings.catch_warnings(record=True):
        import badcrossbar
    root.handlers[:] = handlers
    root.setLevel(level)
    return getattr(badcrossbar, "compute", None)


def _conductances_s() -> np.ndarray:
    parameters = MacrospinParameters.from_card(load_card("mondal2018"))
    parallel = np.random.default_rng(1).random(_SHAPE) < 0.5
    return np.where(parallel, 1.0, 1 / (1 + parameters.tmr0)) / parameters.r_p_ohm


def _size() -> str:
    return f"{_SHAPE[0]} x {_SHAPE[1]}"
