"""Speed of the macrospin, per trajectory-nanosecond, beside what one could use instead.

All sides run the paper's junction at 300 K under 60 uA with a time step of 2 ps, on one core, compiled beforehand.
Seconds are the process's own CPU seconds, the best of a few repeats, so that a busy machine harms nobody.
"""

import importlib.util
import math
from typing import Any

import numba
import numpy as np

from benchmarks._entry import entry
from benchmarks._timing import best_of
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import load_card
from mtjspice.junction.macrospin import simulate_pulses
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.thermal import boltzmann_start, thermal_field_sigma_t
from mtjspice.units import MU_0_T_M_PER_A

_STEP_S = 2e-12
_CURRENT_A = 60e-6
_TRIALS = 4096
_NANOSECONDS = 2.5
_CMTJ_NANOSECONDS = 100.0
_NAME = "macrospin"
_UNIT = "traj-ns/s"


def benchmarks() -> list[dict[str, Any]]:
    """Return every benchmark of this file, as `benchmarks._entry` describes."""
    return [*speed(), *against_numpy(), *against_cmtj()]


def speed() -> list[dict[str, Any]]:
    """Return the absolute speed of one core."""
    return [entry(_NAME, _ours(), _UNIT, "at least", 18_000)]


def against_numpy() -> list[dict[str, Any]]:
    """Return the speed beside a Heun scheme written with numpy, vectorised over trajectories."""
    return [entry(f"{_NAME} / vectorised numpy Heun", _ours(), _UNIT, "at least", 5, baseline=_numpy_heun())]


def against_cmtj() -> list[dict[str, Any]]:
    """Return the speed beside cmtj's stochastic Heun solver; says so where cmtj is not installed."""
    if importlib.util.find_spec("cmtj") is None:
        return [entry(f"{_NAME} / cmtj (skipped: not installed)", None, _UNIT, "at least", 5)]
    return [entry(f"{_NAME} / cmtj", _ours(), _UNIT, "at least", 5, baseline=_cmtj_heun())]


def scalar_heun_us_per_ns(time_step_s: float = 5e-12) -> float:
    """Return the time of a plain scalar Heun loop for one junction, us per trajectory-ns: the yardstick for ngspice."""
    parameters, rng, steps = _parameters(), np.random.default_rng(1), 200_000
    sigma = thermal_field_sigma_t(parameters, time_step_s)
    torque = parameters.torque_t_per_a * _CURRENT_A
    numbers = (
        parameters.alpha,
        parameters.b_k_t,
        parameters.b_z_t,
        torque,
        parameters.asymmetry,
        sigma,
        parameters.gamma_prime * time_step_s,
    )
    seconds = best_of(lambda: _scalar_heun(steps, rng, *numbers), repeats=3)
    return seconds * 1e6 / (steps * time_step_s * 1e9)


@numba.njit
def _scalar_rate(x, y, z, hx, hy, hz, alpha, b_k, b_z, torque, asymmetry):  # type: ignore[no-untyped-def]
    bz = b_k * z + b_z + hz
    a = torque / (1.0 + asymmetry * z)
    qx, qy, qz = alpha * hx, alpha * hy, alpha * bz + a
    wx = hx + y * qz - z * qy
    wy = hy + z * qx - x * qz
    wz = bz - alpha * a + x * qy - y * qx
    return wy * z - wz * y, wz * x - wx * z, wx * y - wy * x


@numba.njit
def _scalar_heun(steps, rng, alpha, b_k, b_z, torque, asymmetry, sigma, angle):  # type: ignore[no-untyped-def]
    """Kept simple on purpose: one junction, one step after the other, a fresh normal wherever one is needed."""
    x, y, z = 0.05, 0.0, -math.sqrt(1 - 0.05**2)
    for _ in range(steps):
        hx, hy, hz = sigma * rng.standard_normal(), sigma * rng.standard_normal(), sigma * rng.standard_normal()
        dx, dy, dz = _scalar_rate(x, y, z, hx, hy, hz, alpha, b_k, b_z, torque, asymmetry)
        px, py, pz = x + angle * dx, y + angle * dy, z + angle * dz
        ex, ey, ez = _scalar_rate(px, py, pz, hx, hy, hz, alpha, b_k, b_z, torque, asymmetry)
        x, y, z = x + angle * (dx + ex) / 2, y + angle * (dy + ey) / 2, z + angle * (dz + ez) / 2
        norm = math.sqrt(x * x + y * y + z * z)
        x, y, z = x / norm, y / norm, z / norm
    return z


def _parameters() -> MacrospinParameters:
    return MacrospinParameters.from_card(load_card("mondal2018"))


def _ours() -> float:
    """Return trajectory-ns/s of `simulate_pulses`, start and noise included."""
    parameters, rng = _parameters(), np.random.default_rng(1)

    def run() -> None:
        widths = [_NANOSECONDS * 1e-9]
        simulate_pulses(
            parameters, Direction.AP_TO_P, Drive.CURRENT, _CURRENT_A, widths, _TRIALS, rng, time_step_s=_STEP_S
        )

    return _TRIALS * _NANOSECONDS / best_of(run)


def _numpy_heun() -> float:
    """Return trajectory-ns/s of the loop one writes with numpy: components apart, np.cross avoided as too slow."""
    parameters, rng, steps = _parameters(), np.random.default_rng(1), 100
    sigma = thermal_field_sigma_t(parameters, _STEP_S)
    angle = parameters.gamma_prime * _STEP_S
    alpha, torque = parameters.alpha, parameters.torque_t_per_a * _CURRENT_A

    def cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return np.stack((u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]))

    def rate(m: np.ndarray, h: np.ndarray) -> np.ndarray:
        b = h.copy()
        b[2] += parameters.b_k_t * m[2] + parameters.b_z_t
        a = torque / (1 + parameters.asymmetry * m[2])
        q = alpha * b
        q[2] += a
        b[2] -= alpha * a
        return cross(b + cross(m, q), m)

    start = np.ascontiguousarray(boltzmann_start(parameters, Direction.AP_TO_P, _TRIALS, rng).T)

    def run() -> None:
        m = start
        for _ in range(steps):
            h = sigma * rng.standard_normal((3, _TRIALS))
            first = rate(m, h)
            m = m + angle / 2 * (first + rate(m + angle * first, h))
            m /= np.sqrt((m**2).sum(axis=0))

    return _TRIALS * steps * _STEP_S * 1e9 / best_of(run)


def cmtj_junction(current_a: float) -> Any:
    """Return the paper's junction as cmtj has it, in AP: one layer, temperature, Slonczewski torque."""
    import cmtj

    card, parameters = load_card("mondal2018"), _parameters()
    no_demagnetisation = [cmtj.CVector(0, 0, 0)] * 3
    layer = cmtj.Layer.createSTTLayer(
        id="free",
        mag=cmtj.CVector(0.05, 0, -math.sqrt(1 - 0.05**2)),
        anis=cmtj.CVector(0, 0, 1),
        Ms=card.free_layer.ms_a_per_m * MU_0_T_M_PER_A,
        thickness=card.geometry.free_layer_thickness_m,
        cellSurface=card.area_m2,
        demagTensor=no_demagnetisation,
        damping=parameters.alpha,
        # cmtj's efficiency is P l^2/(l^2 + 1 + (l^2 - 1) c), ours polarization/2/(1 + asymmetry c).
        SlonczewskiSpacerLayerParameter=math.sqrt((1 + parameters.asymmetry) / (1 - parameters.asymmetry)),
        spinPolarisation=card.torque.polarization / (1 + parameters.asymmetry),
    )
    layer.setReferenceLayer(cmtj.CVector(0, 0, 1))
    junction = cmtj.Junction([layer])
    junction.setLayerAnisotropyDriver("free", cmtj.constantDriver(parameters.b_k_t * card.free_layer.ms_a_per_m / 2))
    junction.setLayerTemperatureDriver("free", cmtj.constantDriver(parameters.temperature_k))
    stray = cmtj.CVector(0, 0, parameters.b_z_t / MU_0_T_M_PER_A)
    junction.setLayerExternalFieldDriver("free", cmtj.AxialDriver(stray))
    junction.setLayerCurrentDriver("free", cmtj.constantDriver(current_a / card.area_m2))
    return junction


def cmtj_run(junction: Any, nanoseconds: float) -> None:
    """Run cmtj's stochastic Heun solver; it logs as seldom as it can."""
    import cmtj

    junction.clearLog()
    junction.runSimulation(nanoseconds * 1e-9, _STEP_S, nanoseconds * 1e-9, solverMode=cmtj.SolverMode.Heun)


def _cmtj_heun() -> float:
    """Return trajectory-ns/s of cmtj."""
    junction = cmtj_junction(_CURRENT_A)
    return _CMTJ_NANOSECONDS / best_of(lambda: cmtj_run(junction, _CMTJ_NANOSECONDS))
