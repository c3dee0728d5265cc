"""Compiled kernels: Stratonovich Heun steps of the macrospin, taken as rotations.

Heun's predictor and corrector see the noise at both ends of a step, so the scheme converges to the Stratonovich
solution, the one that keeps |m| = 1 and relaxes to Boltzmann's distribution. The corrector rotates m about the mean of
its two angular velocities instead of adding their increments and renormalising. Both are deterministically of order 2
and weakly of order 1, but the latter opens the precession cone by (w dt)^4/8 a step, which takes (w dt)^3/(8 alpha) off
the damping; the rotation leaves the cone alone. What remains is that a precessing m feels the white field weakened
by (w dt)^2/8, as if it were colder by (w dt)^2/4. All of this is measured in the tests.

Arrays are (component, trajectory), so that the innermost loop is contiguous, free of branches, and runs in SIMD
lanes. No fastmath: each trajectory is the same sequence of roundings whatever its neighbours are.
"""

import math
from typing import NamedTuple

import numpy as np

from mtjspice.junction.compiled import compiled

_LANES = 512
"""Trajectories that stay in the first-level cache while they take a block of steps."""

_RANGE = 2**21
_SIXTH = _RANGE // 6
_KICK = math.sqrt(_RANGE / (2 * _SIXTH))
"""sqrt(3), but for the 21 bits that stand for a probability of 1/6: the variance is exact."""


class Torques(NamedTuple):
    """What turns m: fields in tesla, and the torque's numerator a0 + a1 c in tesla, c = m . p."""

    alpha: float
    b_k: float
    b_z: float
    b_x: float
    p_x: float
    p_z: float
    a0: float
    a1: float
    asymmetry: float


@compiled(forceinline=True)
def _turn(x, y, z, hx, hy, hz, torques):  # type: ignore[no-untyped-def]
    """Return w of dm/dt = gamma' w x m, in tesla, at m = (x, y, z) and thermal field h (see `junction.parameters`)."""
    c = torques.p_x * x + torques.p_z * z
    a = (torques.a0 + torques.a1 * c) / (1.0 + torques.asymmetry * c)
    ax, az = a * torques.p_x, a * torques.p_z
    bx, by, bz = torques.b_x + hx, hy, torques.b_k * z + torques.b_z + hz
    alpha = torques.alpha
    qx, qy, qz = alpha * bx + ax, alpha * by, alpha * bz + az
    return bx - alpha * ax + y * qz - z * qy, by + z * qx - x * qz, bz - alpha * az + x * qy - y * qx


@compiled(forceinline=True)
def _step(x, y, z, hx, hy, hz, kx, ky, kz, angle, torques):  # type: ignore[no-untyped-def]
    """Return m after one Heun step with thermal fields h at its start and k at its end; angle = gamma' dt in 1/T."""
    ux, uy, uz = _turn(x, y, z, hx, hy, hz, torques)
    px, py, pz = x + angle * (uy * z - uz * y), y + angle * (uz * x - ux * z), z + angle * (ux * y - uy * x)
    vx, vy, vz = _turn(px, py, pz, kx, ky, kz, torques)
    quarter = 0.25 * angle
    ux, uy, uz = quarter * (ux + vx), quarter * (uy + vy), quarter * (uz + vz)
    # Cayley's rotation m + 2 (u x m + u x (u x m))/(1 + u^2), whose angle is |2u| up to third order.
    dx, dy, dz = uy * z - uz * y, uz * x - ux * z, ux * y - uy * x
    scale = 2.0 / (1.0 + ux * ux + uy * uy + uz * uz)
    return (
        x + scale * (dx + uy * dz - uz * dy),
        y + scale * (dy + uz * dx - ux * dz),
        z + scale * (dz + ux * dy - uy * dx),
    )


@compiled(forceinline=True)
def _kick(word, shift):  # type: ignore[no-untyped-def]
    """Return -1, 0 or 1 with probabilities 1/6, 2/3, 1/6 from the 21 bits of `word` above `shift`."""
    bits = np.int64(word >> np.uint64(shift)) & (_RANGE - 1)
    return np.float64(bits >= _RANGE - _SIXTH) - np.float64(bits < _SIXTH)


@compiled()
def advance(m, words, sigma_t, angle, torques):  # type: ignore[no-untyped-def]
    """Advance m in place, each step under a white thermal field that is constant within the step.

    Each component of the field is -sqrt(3), 0 or sqrt(3) sigma with probabilities 1/6, 2/3, 1/6. The first five moments
    are those of a normal, and a scheme of weak order up to two cannot tell the difference (Kloeden and Platen,
    "Numerical Solution of Stochastic Differential Equations", chapter 14). Drawing normals would take longer
    than the step.

    Args:
        m: (3, trajectories), unit vectors.
        words: (steps, trajectories), uint64, random bits.
        sigma_t: standard deviation of the thermal field per axis for this step size.
        angle: gamma' dt, 1/T.
        torques: a `Torques`.
    """
    trajectories = m.shape[1]
    size = sigma_t * _KICK
    for low in range(0, trajectories, _LANES):
        high = min(low + _LANES, trajectories)
        x, y, z = m[0, low:high], m[1, low:high], m[2, low:high]
        for step in range(words.shape[0]):
            word = words[step, low:high]
            for k in range(high - low):
                hx, hy, hz = size * _kick(word[k], 0), size * _kick(word[k], 21), size * _kick(word[k], 42)
                x[k], y[k], z[k] = _step(x[k], y[k], z[k], hx, hy, hz, hx, hy, hz, angle, torques)


@compiled()
def follow(path, field_t, angle, torques):  # type: ignore[no-untyped-def]
    """Fill `path` from its first point, under a thermal field that is linear between time points.

    Args:
        path: (steps + 1, 3, trajectories); path[0] is the start.
        field_t: (steps + 1, 3, trajectories), tesla.
        angle: gamma' dt, 1/T.
        torques: a `Torques`.
    """
    for step in range(path.shape[0] - 1):
        x, y, z = path[step]
        u, v, w = path[step + 1]
        hx, hy, hz = field_t[step]
        kx, ky, kz = field_t[step + 1]
        for k in range(x.size):
            u[k], v[k], w[k] = _step(x[k], y[k], z[k], hx[k], hy[k], hz[k], kx[k], ky[k], kz[k], angle, torques)
