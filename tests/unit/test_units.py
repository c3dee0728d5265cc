"""Numbers as text."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtjspice.units import format_si, spice_number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_spice_number_holds_no_suffix_and_reads_back(value: float) -> None:
    text = spice_number(value)
    assert set(text) <= set("0123456789.e+-")
    assert float(text) == pytest.approx(value, rel=1e-8)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_spice_number_is_finite(value: float) -> None:
    with pytest.raises(ValueError, match="netlist"):
        spice_number(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (6.04e-5, "60.4 uA"), (1e-3, "1 mA"), (1000.0, "1 kA"), (-2.5e-9, "-2.5 nA"), (0.0, "0 A"), (1.0, "1 A"),
        (1e-21, "0.001 aA"), (3e15, "3000 TA"), (math.inf, "inf A"),
    ],
)  # fmt: skip
def test_numbers_for_people(value: float, text: str) -> None:
    assert format_si(value, "A") == text
