"""Thermal fields as files for ngspice's `filesource` model."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtjspice.errors import InputError
from mtjspice.files import writing
from mtjspice.netlist.context import NoiseFile

JUNCTIONS_PER_FILE = 8
"""24 columns. ngspice reads a line beyond some 512 characters as garbage, without a word."""
_FULL_SCALE = 99999
_DIGITS = 7


def write_noise(folder: Path, field_t: np.ndarray, labels: Sequence[str]) -> tuple[NoiseFile, ...]:
    """Write thermal fields as files of integers and return what a deck must know of them.

    Rounded to 1e-5 of the largest field, some 5e-5 standard deviations. File names are in lower case,
    because ngspice makes them so before it looks for the file (and takes a missing one for zero noise).

    Args:
        folder: where the deck will run.
        field_t: (samples, junctions, 3), tesla.
        labels: (junctions,), what the deck calls them.

    Raises:
        InputError: wrong shape, a value that is not finite, or not one label for each junction.
    """
    if field_t.ndim != 3 or field_t.shape[2] != 3 or 0 in field_t.shape or not np.isfinite(field_t).all():
        raise InputError(
            "this thermal field cannot be written",
            given=f"an array of shape {field_t.shape}",
            allowed="finite values, (samples, junctions, 3)",
        )
    samples, junctions, _ = field_t.shape
    if len(labels) != junctions:
        raise InputError("each junction's thermal field needs a label", given=len(labels), allowed=junctions)
    if samples > 10**_DIGITS:
        raise InputError("the simulation has too many time steps", given=samples, allowed=f"at most 1e{_DIGITS}")
    scale_t = float(np.abs(field_t).max()) / _FULL_SCALE or 1.0
    values = np.rint(field_t / scale_t).astype(np.int64).reshape(samples, 3 * junctions)
    index = np.arange(samples)[:, np.newaxis]
    files = []
    for number, first in enumerate(range(0, junctions, JUNCTIONS_PER_FILE), 1):
        members = range(first, min(first + JUNCTIONS_PER_FILE, junctions))
        columns = values[:, 3 * members.start : 3 * members.stop]
        file = NoiseFile(f"field{number}.txt", tuple(labels[k] for k in members), scale_t)
        with writing(folder / file.name):
            (folder / file.name).write_bytes(_as_text(np.hstack((index, columns))))
        files.append(file)
    return tuple(files)


def _as_text(values: np.ndarray) -> bytes:
    """Return integers as lines of fixed-width text; digit by digit over the whole array, as that is fast."""
    rows, columns = values.shape
    text = np.full((rows, columns, _DIGITS + 2), ord(" "), dtype=np.uint8)
    text[:, :, 0] += np.where(values < 0, ord("-") - ord(" "), 0).astype(np.uint8)
    rest = np.abs(values).astype(np.uint32)
    for position in range(_DIGITS, 0, -1):
        tens = rest // 10
        text[:, :, position] = rest - 10 * tens + ord("0")
        rest = tens
    text[:, -1, -1] = ord("\n")
    return text.tobytes()
