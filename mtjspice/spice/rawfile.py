"""ngspice's binary raw files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtjspice.errors import SimulationError


class RawFileError(SimulationError):
    """A raw file that is missing, cut short or of another kind."""


@dataclass(frozen=True)
class Waveforms:
    """Named vectors over the time points of one transient run.

    `values` is (points, vectors) in SI units; `names` are in lower case as ngspice prints them, such as ``v(mz1)``.
    """

    names: tuple[str, ...]
    values: np.ndarray

    def __getitem__(self, name: str) -> np.ndarray:
        """Return the vector `name`, (points,)."""
        return np.asarray(self.values[:, self.names.index(name)])


def read_raw(path: Path) -> Waveforms:
    """Return the first plot of a binary raw file of real numbers.

    Lines of the header that are none of its fields, such as ngspice's notes, are passed over.

    Raises:
        RawFileError: missing, malformed, complex, or fewer numbers than the header announces.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RawFileError("ngspice left no waveforms", where=path.name, given=error.strerror) from error
    header, mark, body = content.partition(b"\nBinary:\n")
    lines = header.decode("utf-8", "replace").splitlines()
    fields = {key.strip(): text.strip() for key, colon, text in (line.partition(":") for line in lines) if colon}
    try:
        if not mark or "real" not in fields["Flags"].split():
            raise ValueError("not a binary file of real numbers")
        variables, points = int(fields["No. Variables"]), int(fields["No. Points"])
        table = [line.split() for line in lines[lines.index("Variables:") + 1 :]]
        names = [row[1].lower() for row in table if len(row) >= 3 and row[0].isdigit()]
        if variables != len(names):
            raise ValueError(f"{variables} variables announced, {len(names)} named")
        if len(body) < 8 * variables * points:
            raise ValueError(f"{variables} x {points} numbers announced, {len(body) // 8} there")
    except (KeyError, ValueError) as error:
        raise RawFileError("ngspice's waveforms cannot be read", where=path.name, given=error) from error
    values = np.frombuffer(body, count=variables * points).reshape(points, variables)
    return Waveforms(tuple(names), values)
