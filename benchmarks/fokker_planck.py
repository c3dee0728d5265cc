"""Speed of the Fokker-Planck solver, beside the method of lines on a grid with a stiff integrator."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.sparse import diags_array

from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import load_card
from mtjspice.junction.fokker_planck import switching_probabilities, switching_probability
from mtjspice.junction.parameters import MacrospinParameters

_CURRENT_A, _WIDTH_S = 140e-6, 2.5e-9
_CELLS = 1500
_REPEATS = 5


def benchmarks() -> list[dict[str, Any]]:
    """Return every benchmark of this file: name, value, unit, baseline in the same unit, ratio."""
    parameters = MacrospinParameters.from_card(load_card("mondal2018"))
    case = (parameters, Direction.P_TO_AP, Drive.CURRENT)
    single_s = _best_of(lambda: switching_probability(*case, _CURRENT_A, _WIDTH_S))
    grid_s = _best_of(lambda: _on_a_grid(parameters))
    levels, widths = np.linspace(100e-6, 240e-6, 40), np.linspace(0.1e-9, 4e-9, 40)
    surface_s = _best_of(lambda: switching_probabilities(*case, list(levels), list(widths)), repeats=1)
    return [
        {
            "name": "Fokker-Planck, one P(I, t), vs finite volumes with a stiff integrator",
            "value": single_s * 1e3,
            "unit": "ms",
            "baseline": grid_s * 1e3,
            "ratio": grid_s / single_s,
        },
        {"name": "Fokker-Planck, 40 x 40 surface", "value": surface_s, "unit": "s", "baseline": None, "ratio": None},
    ]


def _on_a_grid(parameters: MacrospinParameters) -> float:
    """Return the same P by finite volumes in the polar angle; 1500 cells bring it within about 0.2 %."""
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


def _best_of(function: Callable[[], object], repeats: int = _REPEATS) -> float:
    function()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)
