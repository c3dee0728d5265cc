"""The numbers of a card that its physics needs, and what follows from them in closed form.

Fields are in tesla (B = mu0 H) and m is the unit magnetisation of the free layer:

    dm/dt = gamma/(1 + alpha^2) (w x m),    w = P + m x Q,
    P = b - alpha a p,    Q = alpha b + a p,    b = (b_x, 0, b_k m_z + b_z) + thermal field,
    a = -torque_t_per_a i/(1 + asymmetry c),    c = m . p,

with p the direction of the reference layer and i the current from the pinned to the free terminal (Slonczewski 1996;
solved for dm/dt). A positive current favours antiparallel.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from scipy.optimize import minimize_scalar

from mtjspice.cards.conventions import Direction
from mtjspice.cards.junction import JunctionCard
from mtjspice.units import E_CHARGE_C, GAMMA_RAD_PER_S_T, HBAR_J_S, K_BOLTZMANN_J_PER_K


@dataclass(frozen=True)
class MacrospinParameters:
    """One junction as a macrospin; SI units and tesla."""

    alpha: float
    b_k_t: float
    b_z_t: float
    b_x_t: float
    torque_t_per_a: float
    asymmetry: float
    p_x: float
    p_z: float
    moment_a_m2: float
    temperature_k: float
    r_p_ohm: float
    tmr0: float
    v_h_v: float

    @classmethod
    def from_card(cls, card: JunctionCard) -> Self:
        """Return the parameters of `card`."""
        moment = card.free_layer.ms_a_per_m * card.volume_m3
        tilt = card.torque.reference_tilt_rad
        return cls(
            alpha=card.free_layer.alpha,
            b_k_t=card.anisotropy_field_t,
            b_z_t=card.field.stray_field_t,
            b_x_t=card.field.in_plane_field_t,
            torque_t_per_a=HBAR_J_S * card.torque.polarization / (2 * E_CHARGE_C * moment),
            asymmetry=card.torque_asymmetry,
            p_x=math.sin(tilt),
            p_z=math.cos(tilt),
            moment_a_m2=moment,
            temperature_k=card.temperature_k,
            r_p_ohm=card.r_p_ohm,
            tmr0=card.resistance.tmr0,
            v_h_v=card.resistance.v_h_v,
        )

    @property
    def is_axially_symmetric(self) -> bool:
        """Whether m_z alone is a Markov process."""
        return self.b_x_t == 0 and self.p_x == 0

    @property
    def thermal_energy_j(self) -> float:
        """k_B T."""
        return K_BOLTZMANN_J_PER_K * self.temperature_k

    @property
    def gamma_prime(self) -> float:
        """gamma/(1 + alpha^2), rad/(s T)."""
        return GAMMA_RAD_PER_S_T / (1 + self.alpha**2)

    @property
    def tau_d_s(self) -> float:
        """Relaxation time (1 + alpha^2)/(alpha gamma mu0 Hk)."""
        return 1 / (self.alpha * self.gamma_prime * self.b_k_t)

    @property
    def delta(self) -> float:
        """Thermal stability without fields, Ms V mu0 Hk/(2 k_B T)."""
        return self.moment_a_m2 * self.b_k_t / (2 * self.thermal_energy_j)

    def barrier_scale(self, direction: Direction) -> float:
        """Return d, the energy over k_B T being d theta^2 near the pole that `direction` starts from; without b_x."""
        field_t = self.b_k_t + direction.initial_mz * self.b_z_t
        return self.moment_a_m2 * field_t / (2 * self.thermal_energy_j)

    def delta_from(self, direction: Direction) -> float:
        """Return the energy barrier of leaving the initial state of `direction` at zero current, over k_B T."""
        well = self.energy_over_kt(self.well_mz(direction))
        return self.energy_over_kt(self.saddle_mz) - well

    def energy_over_kt(self, mz: float) -> float:
        """Return the lowest energy at m_z over azimuth, over k_B T."""
        in_plane = abs(self.b_x_t) * math.sqrt(max(1 - mz**2, 0.0))
        return -self.moment_a_m2 * (self.b_k_t * mz**2 / 2 + self.b_z_t * mz + in_plane) / self.thermal_energy_j

    @cached_property
    def saddle_mz(self) -> float:
        """m_z of the energy saddle between the two states; -b_z/b_k when no field lies in the plane."""
        if self.b_x_t == 0:
            return -self.b_z_t / self.b_k_t
        return _argmin(lambda mz: -self.energy_over_kt(mz), *self._inflections)

    def well_mz(self, direction: Direction) -> float:
        """Return m_z of the energy minimum that `direction` starts from; +-1 when no field lies in the plane."""
        if self.b_x_t == 0:
            return float(direction.initial_mz)
        low, high = self._inflections
        return _argmin(self.energy_over_kt, *((-1.0, low) if direction is Direction.AP_TO_P else (high, 1.0)))

    def initial_projection(self, direction: Direction) -> float:
        """Return m . p of the energy minimum that `direction` starts from; +-1 without a tilt and a field in the plane.

        In the plane, m of a well points along the field.
        """
        mz = self.well_mz(direction)
        mx = math.copysign(math.sqrt(max(1 - mz**2, 0.0)), self.b_x_t)
        return self.p_z * mz + self.p_x * mx

    @property
    def _inflections(self) -> tuple[float, float]:
        """m_z where the energy's second derivative changes sign: the saddle lies between, the wells outside."""
        mz = math.sqrt(1 - (abs(self.b_x_t) / self.b_k_t) ** (2 / 3))
        return -mz, mz

    def critical_current_a(self, direction: Direction) -> float:
        """Return I_c0, the magnitude at which the initial state loses its stability at zero temperature.

        alpha (b_k + b_z m) (1 + asymmetry m)/torque with m = +-1 the initial m_z; for axial symmetry, and
        neglecting fields in the plane and the tilt otherwise.
        """
        mz = direction.initial_mz
        return self.alpha * (self.b_k_t + mz * self.b_z_t) * (1 + mz * self.asymmetry) / self.torque_t_per_a


def _argmin(function: Callable[[float], float], low: float, high: float) -> float:
    return float(minimize_scalar(function, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x)
