"""npz files with a header in JSON: surfaces on disk."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mtjspice import __version__
from mtjspice.errors import DataError
from mtjspice.files import write_whole

Result = TypeVar("Result")


def save_npz(path: Path, schema: int, header: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Write `arrays`, and `header` with the numbers of the schema and of this version, whole or not at all."""
    text = json.dumps({"schema": schema, "mtjspice": __version__, **header})
    write_whole(path, lambda stream: np.savez(stream, header=np.array(text), **arrays))


def load_npz(
    path: Path, schema: int, what: str, build: Callable[[dict[str, Any], dict[str, np.ndarray]], Result]
) -> Result:
    """Return what `build` makes of the header and the arrays that `save_npz` wrote; `what` names it in errors.

    Raises:
        DataError: missing, damaged, refused by `build`, or of another schema.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            header = json.loads(str(stored["header"]))
            arrays = {name: stored[name] for name in stored.files if name != "header"}
        if header["schema"] == schema:
            return build(header, arrays)
    except Exception as error:
        raise DataError(f"cannot read the {what}", where=path, given=error) from error
    raise DataError(f"the {what} has another schema", where=path, given=header["schema"], allowed=schema)
