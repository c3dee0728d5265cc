"""Speed of the junction in ngspice, per trajectory-nanosecond, beside a plain scalar Heun loop at the same step.

The paper's junction at 300 K under 60 uA, 5 ps, pulses of 2.5 ns. Everything counts: noise files, netlist, ngspice's
start, its run, and reading its waveforms. Seconds are CPU seconds of this process and of ngspice, the best of a few
repeats, so that a busy machine harms nobody.
"""

import shutil
from typing import Any

import numpy as np

from benchmarks._entry import entry
from benchmarks._timing import cpu_s
from benchmarks.macrospin import scalar_heun_us_per_ns
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import load_card
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.spice.pulses import simulate_pulses

_STEP_S = 5e-12
_WIDTH_S = 2.5e-9
_CURRENT_A = 60e-6
_BATCHES = (16, 32, 64)
_REPEATS = 8
_UNIT = "us/traj-ns"


def benchmarks() -> list[dict[str, Any]]:
    """Return every benchmark of this file, as `benchmarks._entry` describes."""
    name = "ngspice / scalar Heun"
    if shutil.which("ngspice") is None:
        return [entry(f"{name} (skipped: not installed)", None, _UNIT, "at most", 130)]
    return [
        entry(f"{name}, batch {trials}", ours, _UNIT, "at most", 130, baseline=baseline)
        for trials in _BATCHES
        for ours, baseline in [us_per_ns(trials)]
    ]


def us_per_ns(trials: int) -> tuple[float, float]:
    """Return the CPU time of a batch of `trials` junctions and that of the scalar Heun loop, us per trajectory-ns.

    Turn by turn, so that a machine that is slower for a while is so for both.
    """
    parameters = MacrospinParameters.from_card(load_card("mondal2018"))
    arguments = (parameters, Direction.AP_TO_P, Drive.CURRENT, _CURRENT_A, [_WIDTH_S], trials)
    batches_s, baselines = [], []
    for seed in range(_REPEATS):
        before = cpu_s()
        simulate_pulses(*arguments, np.random.default_rng(seed), time_step_s=_STEP_S)
        batches_s.append(cpu_s() - before)
        baselines.append(scalar_heun_us_per_ns(_STEP_S))
    return min(batches_s) / (trials * _WIDTH_S) * 1e-3, min(baselines)
