"""The step that SPICE and the surrogate both take: inputs, errors and states."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from mtjspice.cards.array import Architecture
from mtjspice.errors import DataError, InputError
from mtjspice.jobs.seeds import generator


@dataclass(frozen=True)
class Step:
    """One write on an array.

    Args:
        architecture: 1T1R or 1R.
        phases: of the write.
        x: (rows,) inputs in [-1, 1].
        delta: (columns,) errors in [-1, 1].
        state: (rows, columns), 1 parallel, 0 antiparallel.
    """

    architecture: Architecture
    phases: int
    x: np.ndarray
    delta: np.ndarray
    state: np.ndarray

    @classmethod
    def drawn(
        cls, architecture: Architecture, phases: int, rows: int, columns: int, seed: int, key: tuple[int, ...] = ()
    ) -> Self:
        """Return a random step: inputs and errors uniform in [-1, 1], states even."""
        rng = generator(seed, (*key, rows, columns))
        return cls(
            architecture,
            phases,
            rng.uniform(-1, 1, rows),
            rng.uniform(-1, 1, columns),
            rng.integers(0, 2, (rows, columns)),
        )

    @classmethod
    def read(cls, architecture: Architecture, phases: int, path: Path) -> Self:
        """Return the step of a JSON file with `x`, `delta` and `state`.

        Raises:
            DataError: missing, no JSON, or without one of the three.
            InputError: states that are no matrix.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            arrays = [np.array(found[name], dtype=float) for name in ("x", "delta", "state")]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                "cannot read the step",
                where=path,
                given=error,
                allowed='{"x": [...], "delta": [...], "state": [[...], ...]}, one row of states for each input',
            ) from error
        if arrays[2].ndim != 2 or arrays[2].size == 0:
            raise InputError(
                "states must be a matrix of rows by columns", where=path, given=f"an array of shape {arrays[2].shape}"
            )
        return cls(architecture, phases, *arrays)

    @property
    def title(self) -> str:
        """The step as it is called in tables."""
        rows, columns = self.state.shape
        return f"{self.architecture} {self.phases}-phase {rows} x {columns}"

    def to_json(self) -> dict[str, Any]:
        """Return the step as plain data."""
        return {
            "architecture": self.architecture.value,
            "phases": self.phases,
            "x": self.x.tolist(),
            "delta": self.delta.tolist(),
            "state": self.state.astype(int).tolist(),
        }
