"""Sets of dies in a folder, as commands make them: drawn by chance, or from measured maps."""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mtjspice import __version__
from mtjspice.cards.array import Architecture, ArrayCard
from mtjspice.cards.die_statistics import DieStatistics
from mtjspice.cards.junction import JunctionCard
from mtjspice.crossbar.die_drawing import draw_dies
from mtjspice.crossbar.die_files import SCHEMA, cards_of, save_dies
from mtjspice.crossbar.die_maps import read_maps
from mtjspice.crossbar.dies import KINDS, Die
from mtjspice.errors import InputError
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.surrogate.read_model import read_model

_MOST_CELLS = 100_000_000
"""Of all dies together; two gigabytes."""


def make_dies(
    folder: Path,
    statistics: DieStatistics,
    card: JunctionCard,
    array: ArrayCard,
    shapes: tuple[tuple[int, int], ...],
    count: int,
    seed: int,
) -> tuple[Die, ...]:
    """Draw dies 1 to `count` of a seed and save them.

    Raises:
        InputError: the folder holds other dies, the seed is out of range, or there are more cells than fit.
        OutputError: it cannot be written.
    """
    started = time.monotonic()
    if (cells := count * sum(rows * columns for rows, columns in shapes)) > _MOST_CELLS:
        raise InputError("the dies are too many", given=f"{cells:,} cells", allowed=f"up to {_MOST_CELLS:,} together")
    dies = draw_dies(statistics, MacrospinParameters.from_card(card), array.r_short_ohm, shapes, count, seed)
    drawn = {"statistics": statistics.model_dump(mode="json", by_alias=True), "statistics_sha256": statistics.sha256}
    _save(folder, dies, card, array, {"seed": seed, **drawn}, started)
    return dies


def load_maps(
    folder: Path,
    maps: Path,
    card: JunctionCard,
    array: ArrayCard,
    in_series_ohm: float | None,
    shapes: tuple[tuple[int, int], ...] | None,
) -> tuple[Die, ...]:
    """Read dies from a file of maps, measured at the array's read voltage, and save them.

    Args:
        in_series_ohm: in each reading beside its junction; that of a read of the array card's 1T1R cells without.

    Raises:
        DataError: the maps cannot be used.
        InputError: the folder holds other dies, or a resistance in series is out of range.
        OutputError: the folder cannot be written.
        NgspiceMissingError: the card's transistor has to be measured, and there is no ngspice.
    """
    started = time.monotonic()
    if in_series_ohm is None:
        in_series_ohm = read_model(Architecture.ONE_T_ONE_R, card, array).in_series_ohm
    dies = read_maps(
        maps,
        MacrospinParameters.from_card(card),
        v_read_v=array.read.v_read_v,
        in_series_ohm=in_series_ohm,
        r_short_ohm=array.r_short_ohm,
        shapes=shapes,
    )
    measured = {"maps": maps.name, "maps_sha256": hashlib.sha256(maps.read_bytes()).hexdigest()}
    _save(folder, dies, card, array, {**measured, "in_series_ohm": in_series_ohm}, started)
    return dies


def dies_summary(dies: Sequence[Die]) -> dict[str, Any]:
    """Return what is wrong with dies, as plain data; rates are fractions of a die's cells."""
    rates = [die.rate for die in dies]
    best, worst = (dies[rates.index(extreme)] for extreme in (min(rates), max(rates)))
    return {
        "schema": SCHEMA,
        "dies": len(dies),
        "shapes": [list(shape) for shape in dies[0].shapes],
        "cells": dies[0].cells,
        "defects": {kind: sum(die.defects[kind] for die in dies) for kind in KINDS},
        "rate": {"mean": sum(rates) / len(rates), "best": min(rates), "worst": max(rates)},
        "best": best.name,
        "worst": worst.name,
        "per_die": [{"name": die.name, "rate": die.rate, "defects": die.defects} for die in dies],
    }


def _save(
    folder: Path,
    dies: Sequence[Die],
    card: JunctionCard,
    array: ArrayCard,
    source: dict[str, Any],
    started_s: float,
) -> None:
    provenance = {"mtjspice": __version__, **source, **cards_of(card, array)}
    save_dies(folder, dies, provenance | {"elapsed_s": round(time.monotonic() - started_s, 1)})
