"""Where the shipped netlist templates, models and reference results are, and where computed cells are kept."""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def checkout() -> Path | None:
    """Return the source checkout this package runs from, or None when it was installed from a wheel."""
    top = _PACKAGE.parent
    return top if (top / "netlists").is_dir() and (top / "pyproject.toml").is_file() else None


def _folder(name: str) -> Path:
    top = checkout()
    return top / name if top else _PACKAGE / "data" / name


def netlists_folder() -> Path:
    """Return the folder of Jinja netlist templates."""
    return _folder("netlists")


def models_folder() -> Path:
    """Return the folder of shipped junction cards and transistor cards."""
    return _folder("models")


def calibration_folder() -> Path:
    """Return the folder of campaign cards and reference calibrations."""
    return _folder("calibration")


def arrays_folder() -> Path:
    """Return the folder of shipped array cards."""
    return models_folder() / "arrays"


def transistors_folder() -> Path:
    """Return the folder of shipped transistor libraries."""
    return models_folder() / "transistors"


def cell_cache_folder(card_sha256: str) -> Path:
    """Return the user's folder of what was computed for the cells of a card that is not shipped."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "mtjspice" / "cells" / card_sha256[:16]


def training_folder() -> Path:
    """Return the folder of shipped training cards."""
    return models_folder() / "training"


def dies_folder() -> Path:
    """Return the folder of shipped statistics of dies."""
    return models_folder() / "dies"


def energy_folder() -> Path:
    """Return the folder of shipped energy cards."""
    return models_folder() / "energy"
