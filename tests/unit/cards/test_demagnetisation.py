"""The demagnetising factor of a cylinder against known values and against its defining integral."""

import math
from itertools import pairwise

import pytest
from scipy import integrate, special

from mtjspice.cards.demagnetisation import axial_demagnetising_factor, effective_anisotropy_field_t
from mtjspice.units import MU_0_T_M_PER_A


def test_a_cylinder_as_long_as_wide() -> None:
    # 0.3116: Chen, Brug & Goldfarb, IEEE Trans. Magn. 27, 3601 (1991), magnetometric, susceptibility 0; four digits.
    assert axial_demagnetising_factor(1e-9, 1e-9) == pytest.approx(0.3116, abs=5e-5)


@pytest.mark.parametrize("aspect", [0.01, 0.026, 0.2, 3.0])
def test_the_closed_form_is_the_self_energy_of_two_charged_disks(aspect: float) -> None:
    # N_z = (2/p) integral of J1(x)^2/x^2 (1 - exp(-p x)) dx, p = thickness/radius; the tail falls as 1/x^3.
    p = 2 * aspect
    edges = [0.0, *special.jn_zeros(1, 200)]
    parts = (
        integrate.quad(lambda x: (special.j1(x) / x) ** 2 * -math.expm1(-p * x), a, b)[0] for a, b in pairwise(edges)
    )
    tail = 1 / (2 * math.pi * edges[-1] ** 2)  # J1^2 averages to 1/(pi x); here x = 629, so the rest is below 1e-6
    assert axial_demagnetising_factor(1.0, aspect) == pytest.approx(2 / p * (sum(parts) + tail), abs=1e-5 / p)


def test_a_thin_film_and_a_long_wire() -> None:
    # Thin: 1 - N_z = (p/pi) (2 ln(4/p) - 1) with p = thickness/diameter; the next term is smaller by p^2 ln p.
    aspect = 1e-3
    assert 1 - axial_demagnetising_factor(1.0, aspect) == pytest.approx(
        aspect / math.pi * (2 * math.log(4 / aspect) - 1), rel=1e-4
    )
    # Long: N_z = 4/(3 pi p); the next term is smaller by 1/p.
    assert axial_demagnetising_factor(1.0, 1e3) == pytest.approx(4 / (3 * math.pi * 1e3), rel=1e-3)


def test_the_factor_falls_with_thickness_and_stays_between_0_and_1() -> None:
    factors = [axial_demagnetising_factor(1.0, 10 ** (k / 4)) for k in range(-12, 13)]
    assert all(1 > a > b > 0 for a, b in pairwise(factors))


def test_the_film_turns_into_the_plane_at_its_critical_thickness() -> None:
    # A film of K_i = mu0 Ms^2 t_c/2 loses its anisotropy at t_c; a disk 1000 t_c wide is one to within N_x = 2e-3.
    ms, t_c = 1e6, 1.5e-9
    k_i = MU_0_T_M_PER_A * ms**2 * t_c / 2
    assert effective_anisotropy_field_t(k_i, ms, 1000 * t_c, t_c) == pytest.approx(0, abs=0.01 * MU_0_T_M_PER_A * ms)
    assert (
        effective_anisotropy_field_t(k_i, ms, 1000 * t_c, 0.8 * t_c)
        > 0
        > effective_anisotropy_field_t(k_i, ms, 1000 * t_c, 1.2 * t_c)
    )
