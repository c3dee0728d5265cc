"""Shape anisotropy of a circular free layer."""

import math

from scipy import special

from mtjspice.units import MU_0_T_M_PER_A


def axial_demagnetising_factor(diameter_m: float, thickness_m: float) -> float:
    """Return N_z of a uniformly magnetised cylinder (magnetometric, volume average).

    N_z = 1 + 4/(3 pi p) - F(-1/2, 1/2; 2; -1/p^2) with p = thickness/diameter and F the hypergeometric function
    (exact: R. I. Joseph, J. Appl. Phys. 37, 4639, 1966, who writes it with elliptic integrals).
    N_x = N_y = (1 - N_z)/2.
    """
    aspect = thickness_m / diameter_m
    return float(1 + 4 / (3 * math.pi * aspect) - special.hyp2f1(-0.5, 0.5, 2, -(aspect**-2)))


def effective_anisotropy_field_t(
    interfacial_anisotropy_j_per_m2: float, ms_a_per_m: float, diameter_m: float, thickness_m: float
) -> float:
    """Return mu0 Hk = 2 K_i/(Ms t) - mu0 Ms (N_z - N_x), in tesla."""
    n_z = axial_demagnetising_factor(diameter_m, thickness_m)
    shape = MU_0_T_M_PER_A * ms_a_per_m * (n_z - (1 - n_z) / 2)
    return 2 * interfacial_anisotropy_j_per_m2 / (ms_a_per_m * thickness_m) - shape
