"""The arrays that a network of weights in differential pairs takes."""

import re
from collections.abc import Sequence

from mtjspice.errors import InputError

_SIZES = re.compile(r"\d{1,5}(-\d{1,5})+")
_MOST_CELLS = 10_000_000
_MOST_COPIES = 100


def die_shapes(net: str, copies: int = 1) -> tuple[tuple[int, int], ...]:
    """Return (rows, columns) of each layer's array for layer sizes such as ``100-90-10``.

    Rows are inputs, without biases. Columns 2 j and 2 j + 1, from 0, are the plus and the minus cell of output j; the
    last layer has each of its outputs `copies` times.

    Raises:
        InputError: not layer sizes, copies out of range, or a die of more cells than fit.
    """
    sizes = [int(part) for part in net.split("-")] if _SIZES.fullmatch(net) else []
    if not sizes or 0 in sizes:
        raise InputError("these are no layer sizes", given=net, allowed="inputs-...-outputs, such as 100-90-10")
    if not 1 <= copies <= _MOST_COPIES:
        raise InputError("the number of copies is out of range", given=copies, allowed=f"1 to {_MOST_COPIES}")
    shapes = array_shapes(sizes, copies)
    if (cells := sum(rows * columns for rows, columns in shapes)) > _MOST_CELLS:
        raise InputError("the die is too large", given=f"{cells:,} cells", allowed=f"up to {_MOST_CELLS:,}")
    return shapes


def array_shapes(sizes: Sequence[int], copies: int) -> tuple[tuple[int, int], ...]:
    """Return (rows, columns) of each layer's array: inputs, and two for each output, of which the last have copies."""
    *hidden, outputs = sizes[1:]
    return tuple(zip(sizes[:-1], [2 * n for n in (*hidden, outputs * copies)], strict=True))
