"""Raw files: whole ones are read, others are refused."""

from pathlib import Path

import numpy as np
import pytest

from mtjspice.spice.rawfile import RawFileError, read_raw

HEADER = """Title: * x
Date: today
Plotname: Transient Analysis
Flags: real
No. Variables: 2
No. Points: 3
Variables:
\t0\ttime\ttime
\t1\tV(Out)\tvoltage
Binary:
"""
VALUES = np.arange(6.0).reshape(3, 2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "waves.raw"


@pytest.mark.parametrize("note", ["", "Note: something\n", "Note: No compatibility mode selected!\n\n"])
def test_vectors_are_found_by_name_whatever_notes_precede_them(path: Path, note: str) -> None:
    path.write_bytes((note + HEADER).encode() + VALUES.tobytes())
    waves = read_raw(path)
    assert waves.names == ("time", "v(out)")
    np.testing.assert_array_equal(waves["v(out)"], VALUES[:, 1])


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (HEADER, VALUES.tobytes()[:-1]),
        (HEADER, b""),
        (HEADER.replace("real", "complex"), VALUES.tobytes()),
        (HEADER.replace("Binary", "Values"), VALUES.tobytes()),
        (HEADER.replace("No. Points: 3", "No. Points:"), VALUES.tobytes()),
        (HEADER.replace("No. Variables: 2", "No. Variables: 3"), VALUES.tobytes()),
        (HEADER.replace("Flags: real\n", ""), VALUES.tobytes()),
        ("", b""),
    ],
)
def test_anything_else_is_refused(path: Path, header: str, body: bytes) -> None:
    path.write_bytes(header.encode() + body)
    with pytest.raises(RawFileError):
        read_raw(path)


def test_a_missing_file_is_refused(path: Path) -> None:
    with pytest.raises(RawFileError, match="left no waveforms"):
        read_raw(path)
