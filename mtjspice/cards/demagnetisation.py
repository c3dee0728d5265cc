"""Shape anisotropy of a circular free layer."""

import numpy as np
from scipy import integrate, special

from mtjspice.units import MU_0_T_M_PER_A


def axial_demagnetising_factor(diameter_m: float, thickness_m: float) -> float:
    """Return N_z of a uniformly magnetised cylinder (magnetometric, volume average).

    From the self-energy of the two charged disks: N_z = (2/p) * integral of J1(x)^2/x^2 (1 - exp(-p x)) dx over
    x > 0, with p = thickness/radius. N_x = N_y = (1 - N_z)/2.
    """
    p = 2 * thickness_m / diameter_m

    def integrand(x: float) -> float:
        return float((special.j1(x) / x) ** 2 * -np.expm1(-p * x))

    # Between zeros of J1 the integrand is smooth; beyond the last one J1^2 averages to 1/(pi x).
    edges = np.concatenate(([0.0], special.jn_zeros(1, 400)))
    body = sum(integrate.quad(integrand, a, b)[0] for a, b in zip(edges[:-1], edges[1:], strict=True))
    tail, _ = integrate.quad(lambda x: -np.expm1(-p * x) / (np.pi * x**3), edges[-1], np.inf)
    return float(2 / p * (body + tail))


def effective_anisotropy_field_t(
    interfacial_anisotropy_j_per_m2: float, ms_a_per_m: float, diameter_m: float, thickness_m: float
) -> float:
    """Return mu0 Hk = 2 K_i/(Ms t) - mu0 Ms (N_z - N_x), in tesla."""
    n_z = axial_demagnetising_factor(diameter_m, thickness_m)
    shape = MU_0_T_M_PER_A * ms_a_per_m * (n_z - (1 - n_z) / 2)
    return 2 * interfacial_anisotropy_j_per_m2 / (ms_a_per_m * thickness_m) - shape
