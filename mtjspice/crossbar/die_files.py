"""Dies in a folder: dies.json, which lists them and says where they are from, and an npz file for each."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.cards.array import ArrayCard
from mtjspice.cards.junction import JunctionCard
from mtjspice.crossbar.cells import Cells, Defect
from mtjspice.crossbar.dies import Die
from mtjspice.errors import DataError, InputError
from mtjspice.files import make_folder, write_json
from mtjspice.npz import load_npz, save_npz

SCHEMA = 1
INDEX = "dies.json"
_FIELDS = ("state", "r_p_ohm", "tmr0", "defect")


def cards_of(card: JunctionCard, array: ArrayCard) -> dict[str, str]:
    """Return what the provenance of dies says of their cards."""
    return {
        "card": card.name,
        "card_sha256": card.sha256,
        "array": array.name,
        "array_sha256": array.sha256,
    }


def save_dies(folder: Path, dies: Sequence[Die], provenance: dict[str, Any]) -> None:
    """Write dies into `folder`, made if missing; the list is written last, so that a folder with one is whole.

    Args:
        provenance: plain data, `cards_of` included.

    Raises:
        InputError: the folder holds other dies.
        DataError: it holds dies that cannot be read.
        OutputError: it cannot be written.
    """
    entries = [
        {"name": die.name, "shapes": _shapes(die), "defects": die.defects, "sha256": _digest(die)} for die in dies
    ]
    index = {"schema": SCHEMA, "dies": entries, "provenance": provenance}
    if (folder / INDEX).exists() and _what(_read_index(folder)) != _what(index):
        raise InputError(
            "the folder holds other dies", where=folder, next_step="choose another folder, or delete these dies"
        )
    make_folder(folder)
    for number, die in enumerate(dies, 1):
        header = {
            "name": die.name,
            "v_h_v": [cells.v_h_v for cells in die.arrays],
            "r_short_ohm": [cells.r_short_ohm for cells in die.arrays],
        }
        save_npz(folder / _file(number), SCHEMA, header, _numbered(die))
    write_json(folder / INDEX, index)


def load_dies(folder: Path) -> tuple[tuple[Die, ...], dict[str, Any]]:
    """Return the dies of a folder, and where they are from.

    Raises:
        DataError: there are none, or a file is missing, damaged or of another schema.
    """
    if not (folder / INDEX).exists():
        raise DataError(
            "there are no dies in the folder",
            where=folder,
            allowed=f"a folder with {INDEX}, as `mtjspice dies make` and `mtjspice dies load` leave it",
        )
    index = _read_index(folder)
    return tuple(_load_die(folder, number, entry) for number, entry in enumerate(index["dies"], 1)), index["provenance"]


def require_cards(provenance: dict[str, Any], card: JunctionCard, array: ArrayCard, folder: Path) -> None:
    """Require that dies are of these cards.

    Raises:
        InputError: they are of others.
    """
    for what, key, wanted in (("junction card", "card", card), ("array card", "array", array)):
        if provenance[f"{key}_sha256"] != wanted.sha256:
            was = provenance[key]
            changed = " as it was when they were made; it has changed since" if was == wanted.name else ""
            raise InputError(
                f"the dies are of another {what}",
                where=folder,
                given=wanted.name,
                allowed=f"{was}{changed}",
                next_step=f"give --{key} with the card that they were made for, or make dies for this one",
            )


def _file(number: int) -> str:
    return f"die_{number:04}.npz"


def _shapes(die: Die) -> list[list[int]]:
    return [list(shape) for shape in die.shapes]


def _numbered(die: Die) -> dict[str, np.ndarray]:
    """Return the arrays' fields, numbered from 1."""
    return {
        f"{field}_{number}": getattr(cells, field) for number, cells in enumerate(die.arrays, 1) for field in _FIELDS
    }


def _digest(die: Die) -> str:
    """Return the SHA-256 of everything a die is."""
    digest = hashlib.sha256(die.name.encode())
    for cells in die.arrays:
        digest.update(repr((cells.state.shape, float(cells.v_h_v), float(cells.r_short_ohm))).encode())
        for field in _FIELDS:
            digest.update(np.ascontiguousarray(getattr(cells, field)).tobytes())
    return digest.hexdigest()


def _what(index: dict[str, Any]) -> list[Any]:
    """Return what an index says of its dies, whenever they were made."""
    provenance = index["provenance"]
    return [[die["sha256"] for die in index["dies"]], provenance["card_sha256"], provenance["array_sha256"]]


def _read_index(folder: Path) -> dict[str, Any]:
    path = folder / INDEX
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        schema = index["schema"]
        if schema == SCHEMA:
            if not _what(index)[0]:
                raise ValueError("it lists no dies")
            return dict(index)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError("cannot read the list of dies", where=path, given=error) from error
    raise DataError("the list of dies has another schema", where=path, given=schema, allowed=SCHEMA)


def _load_die(folder: Path, number: int, entry: dict[str, Any]) -> Die:
    path = folder / _file(number)
    die = load_npz(path, SCHEMA, "die", _built)
    if _digest(die) != entry["sha256"]:
        raise DataError(
            f"the die is not the one that {INDEX} lists", where=path, next_step="make the dies again, in a new folder"
        )
    return die


def _built(header: dict[str, Any], stored: dict[str, np.ndarray]) -> Die:
    arrays = []
    for number, (v_h_v, r_short_ohm) in enumerate(zip(header["v_h_v"], header["r_short_ohm"], strict=True), 1):
        state, r_p_ohm, tmr0, defect = (stored[f"{field}_{number}"] for field in _FIELDS)
        arrays.append(Cells(state, r_p_ohm, tmr0, v_h_v, defect, r_short_ohm))
        _check(arrays[-1])
    return Die(header["name"], tuple(arrays))


def _check(cells: Cells) -> None:
    """Raise ValueError where a field does not fit the others or holds what no cell has."""
    shape = cells.state.shape
    if len(shape) != 2 or any(getattr(cells, field).shape != shape for field in _FIELDS):
        raise ValueError("shapes do not fit")
    good = (
        np.isin(cells.state, (0, 1)).all()
        and np.isin(cells.defect, list(Defect)).all()
        and (np.isfinite(cells.r_p_ohm) & (cells.r_p_ohm > 0)).all()
        and (np.isfinite(cells.tmr0) & (cells.tmr0 > -1)).all()
    )
    if not good:
        raise ValueError("a cell's value is out of range")
