"""Write pulses on many junctions, simulated by ngspice: one netlist per call."""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.errors import InputError, NgspiceMissingError, SimulationError
from mtjspice.files import writing
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.pulse_checks import check_amount, check_pulses, check_relaxation
from mtjspice.junction.thermal import boltzmann_start, thermal_field_t
from mtjspice.junction.time_step import check_time_step, check_torque
from mtjspice.netlist.context import CampaignContext
from mtjspice.netlist.render import render_campaign
from mtjspice.spice.decks import MOST_TRIAL_STEPS, junction_context
from mtjspice.spice.ngspice import NgspiceTimeoutError, run_deck
from mtjspice.spice.noise import write_noise

_TIGHTER = 4
"""A failed batch is run again with this many time points per noise sample."""
_USUAL_S_PER_TRIAL_STEP = 12e-6
"""What a junction costs per time point: 3 ms per trajectory-ns at 4 ps."""
_PATIENCE, _LEAST_TIME_LIMIT_S = 20, 60.0
"""A run is stopped when it takes this many times what it usually would, and not before this long."""
_NORM_LIMIT = 0.05
"""A magnetisation this far from unit length is no solution: the step does not resolve the precession."""


class UnphysicalError(SimulationError):
    """ngspice ended well, but |m| left 1."""


@dataclass(frozen=True)
class PulseTrials:
    """What a batch of trials came to.

    mz: (trials, widths), m_z at the end of each pulse; NaN where the trial could not be simulated.
    norm_error: the largest ||m| - 1| over the batch; NaN where nothing was simulated.
    reason: why trials are missing; None where none is.
    """

    mz: np.ndarray
    norm_error: float
    reason: str | None


def simulate_pulses(
    parameters: MacrospinParameters,
    direction: Direction,
    drive: Drive,
    level: float,
    widths_s: Sequence[float] | np.ndarray,
    trials: int,
    rng: np.random.Generator,
    *,
    time_step_s: float,
    relax_s: float = 0.0,
) -> PulseTrials:
    """Simulate rectangular pulses of several widths from the equilibrium of `direction`'s initial state.

    One trajectory per trial, as long as the longest pulse, answers every width: until a shorter pulse ends, the two are
    the same. A batch that fails, other than by its time limit, is run once more, with tighter steps on the same noise;
    failing again, its trials are reported as not simulated. The time limit is twenty times what such a run usually
    takes, and a minute at least.

    Args:
        level: magnitude, in the drive's unit; the direction gives the sign.
        widths_s: pulse widths, in any order.
        trials: junctions in the netlist; 16 to 64 are fastest.
        time_step_s: of the noise and of the simulation.
        relax_s: time at zero drive between the pulse and the reading of m_z; unless 0, there is one width.

    Raises:
        ModelError: the time step does not resolve the motion.
        InputError: a level, width, step or count out of range; relaxation after several widths; more steps than a
            netlist should take.
        NgspiceMissingError: no usable ngspice.
        OutputError: no room for scratch files.
    """
    widths = np.asarray(widths_s, dtype=float)
    _check(parameters, drive, level, widths, trials, relax_s, time_step_s)
    start = boltzmann_start(parameters, direction, trials, rng)
    steps = math.ceil((widths.max() + relax_s) / time_step_s - 1e-6)
    field_t = thermal_field_t(parameters, steps, trials, time_step_s, rng)
    ends_s = widths + relax_s
    try:
        times, m = _tried_twice(
            parameters,
            direction,
            drive,
            level,
            start,
            field_t,
            time_step_s,
            width_s=float(widths[0]) if relax_s > 0 else None,
            stop_s=float(ends_s.max()),
        )
    except NgspiceMissingError:
        raise
    except SimulationError as error:
        return PulseTrials(np.full((trials, widths.size), np.nan), math.nan, str(error))
    mz = np.stack([np.interp(ends_s, times, m[:, trial, 2]) for trial in range(trials)])
    return PulseTrials(mz, _norm_error(m), None)


def trajectories(
    parameters: MacrospinParameters,
    direction: Direction,
    drive: Drive,
    level: float,
    start: np.ndarray,
    field_t: np.ndarray,
    time_step_s: float,
    *,
    stop_s: float | None = None,
    width_s: float | None = None,
    points_per_sample: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Return times (points,) and magnetisations (points, trials, 3) of one netlist of junctions, on a given noise path.

    Args:
        level: magnitude, on from t = 0.
        start: (trials, 3), unit vectors.
        field_t: (steps + 1, trials, 3), tesla, a sample every `time_step_s`, joined by straight lines.
        stop_s: where the run ends; at the last sample if left out.
        width_s: where the pulse ends, if it ends within the run.
        points_per_sample: time points per noise sample.

    Raises:
        NgspiceMissingError: no usable ngspice.
        OutputError: no room for scratch files.
        SimulationError: the run failed; the kinds are in `spice.ngspice`, and `UnphysicalError` here.
    """
    stop = (field_t.shape[0] - 1) * time_step_s if stop_s is None else stop_s
    trials = start.shape[0]
    trial_steps = trials * points_per_sample * stop / time_step_s
    time_limit_s = max(_LEAST_TIME_LIMIT_S, _PATIENCE * _USUAL_S_PER_TRIAL_STEP * trial_steps)
    scratch = Path(tempfile.gettempdir(), "the simulation's scratch files")
    with writing(scratch), tempfile.TemporaryDirectory(prefix="mtjspice-") as name:
        folder = Path(name)
        context = CampaignContext(
            junction=junction_context(parameters, conducts=drive is Drive.VOLTAGE),
            drive=drive,
            level=direction.current_sign * level,
            width_s=width_s,
            edge_s=time_step_s,
            stop_s=stop,
            sample_step_s=time_step_s,
            time_step_s=time_step_s / points_per_sample,
            starts=tuple((mx, my, mz) for mx, my, mz in start.tolist()),
            noise=write_noise(folder, field_t, [str(k + 1) for k in range(trials)]),
        )
        waves = run_deck(render_campaign(context), folder, stop_s=stop, time_limit_s=time_limit_s)
    columns = [waves.names.index(f"v(m{axis}{k + 1})") for k in range(trials) for axis in "xyz"]
    m = waves.values[:, columns].reshape(-1, trials, 3)
    if _norm_error(m) > _NORM_LIMIT:
        raise UnphysicalError(
            "the simulated magnetisation is no unit vector",
            given=f"| |m| - 1 | up to {_norm_error(m):.2g}",
            allowed=f"{_NORM_LIMIT:g}",
            next_step="use a shorter time step",
        )
    return waves["time"], m


def _tried_twice(*arguments: Any, **keywords: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return `trajectories`; where the run fails, once more with tighter steps on the same noise.

    Out of time it is given up: tighter steps would take longer still.
    """
    try:
        return trajectories(*arguments, **keywords)
    except (NgspiceMissingError, NgspiceTimeoutError):
        raise
    except SimulationError:
        return trajectories(*arguments, **keywords, points_per_sample=_TIGHTER)


def _norm_error(m: np.ndarray) -> float:
    return float(np.abs(np.linalg.norm(m, axis=2) - 1).max())


def _check(
    parameters: MacrospinParameters,
    drive: Drive,
    level: float,
    widths: np.ndarray,
    trials: int,
    relax_s: float,
    time_step_s: float,
) -> None:
    check_pulses(np.array([level]), widths)
    check_relaxation(relax_s, widths)
    check_time_step(parameters, time_step_s)
    if time_step_s >= widths.min():
        raise InputError(
            "a pulse is shorter than a time step", given=f"{widths.min():g} s", allowed=f"above {time_step_s:g} s"
        )
    check_torque(parameters, drive, level, time_step_s)
    check_amount(widths.max() + relax_s, time_step_s, trials, MOST_TRIAL_STEPS)
