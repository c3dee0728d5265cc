"""Physical constants (SI, CODATA 2018) and numbers as text."""

import math

HBAR_J_S = 1.054571817e-34
E_CHARGE_C = 1.602176634e-19
K_BOLTZMANN_J_PER_K = 1.380649e-23
MU_0_T_M_PER_A = 1.25663706212e-6
GAMMA_RAD_PER_S_T = 1.76085963023e11
"""Gyromagnetic ratio of the electron; precession is gamma * B."""

_PREFIXES = {
    -18: "a", -15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T",
}  # fmt: skip


def spice_number(value: float) -> str:
    """Return `value` as a number every SPICE reads alike.

    Plain exponents, never suffixes: ngspice takes ``1MOhm`` for a milliohm and ``1F`` for a femtofarad.

    Raises:
        ValueError: `value` is not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value!r} cannot be written into a netlist")
    return f"{value:.9g}"


def format_si(value: float, unit: str, digits: int = 4) -> str:
    """Return `value` for people, with an SI prefix: ``format_si(6.04e-5, "A") == "60.4 uA"``."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    value = float(f"{value:.{digits}g}")  # first, so that 999.99 nA becomes 1 uA
    exponent = 3 * math.floor(math.log10(abs(value)) / 3 + 1e-12)
    exponent = min(max(exponent, min(_PREFIXES)), max(_PREFIXES))
    return f"{value / 10.0**exponent:.{digits}g} {_PREFIXES[exponent]}{unit}"
