"""Arrays of a network in differential pairs."""

import pytest

from mtjspice.crossbar.die_shapes import die_shapes
from mtjspice.errors import InputError


def test_rows_are_inputs_and_columns_pairs_of_outputs() -> None:
    assert die_shapes("100-90-10") == ((100, 180), (90, 20))
    assert die_shapes("9-2") == ((9, 4),)


def test_copies_are_of_the_last_layer() -> None:
    assert die_shapes("100-90-10", 3) == ((100, 180), (90, 60))


@pytest.mark.parametrize("net", ["", "100", "100-", "-10", "100-0-10", "100-90.5-10", "2L20", "a-b", "100 - 10"])
def test_what_are_no_layer_sizes(net: str) -> None:
    with pytest.raises(InputError, match=r"no layer sizes(.|\n)*100-90-10"):
        die_shapes(net)


@pytest.mark.parametrize("copies", [0, -1, 101])
def test_copies_out_of_range(copies: int) -> None:
    with pytest.raises(InputError, match=r"copies is out of range(.|\n)*1 to 100"):
        die_shapes("100-90-10", copies)


def test_a_die_that_is_too_large() -> None:
    with pytest.raises(InputError, match="the die is too large"):
        die_shapes("99999-99999")
