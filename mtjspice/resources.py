"""Where the shipped netlist templates, models and reference results are."""

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
