"""Finished runs on disk, a JSON file each, named by all that determines it: who asks for one again finds it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

RUNS = "runs"
"""Folder of a table's runs."""


def find_kept(key: str, wanted: dict[str, Any], folders: Iterable[Path]) -> dict[str, Any] | None:
    """Return the run `key` of the first folder whose file says all that is `wanted`, by name.

    A file that is damaged, or of another run, counts as none.
    """
    for path in (folder / RUNS / f"{key}.json" for folder in folders):
        try:
            found: dict[str, Any] = json.loads(path.read_bytes())
            if all(found[name] == value for name, value in wanted.items()):
                return found
        except (OSError, ValueError, TypeError, KeyError):
            continue
    return None


def rounded(value: Any, digits: int) -> Any:
    """Return plain data with floats to so many digits."""
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, list):
        return [rounded(item, digits) for item in value]
    if isinstance(value, dict):
        return {name: rounded(item, digits) for name, item in value.items()}
    return value
