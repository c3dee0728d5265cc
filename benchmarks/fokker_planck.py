"""Speed of the Fokker-Planck solver, beside the method of lines on a grid with a stiff integrator."""

from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.sparse import diags_array

from benchmarks._entry import entry
from benchmarks._timing import best_of
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import load_card
from mtjspice.junction.fokker_planck import switching_probabilities, switching_probability
from mtjspice.junction.parameters import MacrospinParameters

_CURRENT_A, _WIDTH_S = 140e-6, 2.5e-9
_CASE = (Direction.P_TO_AP, Drive.CURRENT)
_CELLS = 1500


def benchmarks() -> list[dict[str, Any]]:
    """Return every benchmark of this file, as `benchmarks._entry` describes."""
    return [*one_probability(), *surface()]


def one_probability() -> list[dict[str, Any]]:
    """Return the time of one P(I, t), alone and beside the grid's."""
    parameters = _parameters()
    ours_ms, grid_ms = (
        1e3 * best_of(solve)
        for solve in (
            lambda: switching_probability(parameters, *_CASE, _CURRENT_A, _WIDTH_S),
            lambda: on_a_grid(parameters),
        )
    )
    name = "Fokker-Planck, one P(I, t)"
    return [
        entry(name, ours_ms, "ms", "at most", 20),
        entry(f"{name} / finite volumes, stiff integrator", ours_ms, "ms", "at most", 1, baseline=grid_ms),
    ]


def surface() -> list[dict[str, Any]]:
    """Return the time of a surface of one direction."""
    parameters = _parameters()
    levels, widths = list(np.linspace(100e-6, 240e-6, 40)), list(np.linspace(0.1e-9, 4e-9, 40))
    seconds = best_of(lambda: switching_probabilities(parameters, *_CASE, levels, widths), repeats=1)
    return [entry("Fokker-Planck, 40 x 40 surface", seconds, "s", "at most", 5)]


def on_a_grid(parameters: MacrospinParameters) -> float:
    """Return the same P by finite volumes in the polar angle; 1500 cells bring it within 0.3 %."""
    edges = np.linspace(0, np.pi, _CELLS + 1)
    z = np.cos((edges[1:] + edges[:-1]) / 2)
    volume = np.cos(edges[:-1]) - np.cos(edges[1:])
    face, step = edges[1:-1], edges[1]
    torque = parameters.torque_t_per_a * _CURRENT_A / (1 + parameters.asymmetry * np.cos(face))
    velocity = np.cos(face) + (parameters.b_z_t - torque / parameters.alpha) / parameters.b_k_t
    drift = -np.sin(face) * velocity
    spread = 1 / (2 * parameters.delta * step)
    right, left = np.sin(face) * (drift / 2 + spread), np.sin(face) * (drift / 2 - spread)
    main = np.zeros(_CELLS)
    main[:-1] -= right
    main[1:] += left
    matrix = diags_array([main / volume, -left / volume[:-1], right / volume[1:]], offsets=[0, 1, -1]).tocsc()
    energy = -parameters.delta * (z**2 + 2 * z * parameters.b_z_t / parameters.b_k_t)
    start = np.where(z > parameters.saddle_mz, np.exp(-energy), 0.0)
    start /= (start * volume).sum()
    duration = _WIDTH_S / parameters.tau_d_s
    end = solve_ivp(lambda _, p: matrix @ p, (0, duration), start, method="BDF", jac=matrix, rtol=1e-6).y[:, -1]
    return float((end * volume)[z < parameters.saddle_mz].sum())


def _parameters() -> MacrospinParameters:
    return MacrospinParameters.from_card(load_card("mondal2018"))
