"""Cells of an own card are computed once: kept in the user's cache, and found there by content."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mtjspice.calibration.transistor import table_source
from mtjspice.cards.array import Architecture, ArrayCard, load_array
from mtjspice.cards.campaign import load_campaign
from mtjspice.cards.conventions import Direction
from mtjspice.cards.junction import JunctionCard
from mtjspice.crossbar.switches import SwitchTable
from mtjspice.jobs.progress import progress
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.resources import calibration_folder, cell_cache_folder
from mtjspice.surrogate import model as module
from mtjspice.surrogate import read_model
from mtjspice.surrogate.model import ArrayModel, array_model, save_model
from mtjspice.switching.cell_surface import CellSurface

SHIPPED = calibration_folder() / "mondal2018"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is computed, by name; the shipped results stand in for the computations."""
    found: list[str] = []

    def surface(
        parameters: MacrospinParameters, direction: Direction, report: Callable[[int, int], None]
    ) -> CellSurface:
        found.append(direction.value)
        return CellSurface.load(SHIPPED / f"cell_surface_{direction}.npz")

    def table(array: ArrayCard, r_junction_ohm: float) -> SwitchTable:
        found.append("table")
        shipped = SwitchTable.load(SHIPPED / "switch_array45.npz")
        return replace(shipped, source=table_source(array))

    monkeypatch.setattr(module, "cell_surface", surface)
    monkeypatch.setattr(read_model, "switch_table", table)
    return found


@pytest.fixture
def own(mondal: JunctionCard) -> JunctionCard:
    """The paper's junction under another name."""
    return mondal.model_copy(update={"name": "own"})


def made(card: JunctionCard, array: ArrayCard | None = None) -> ArrayModel:
    targets = load_campaign("table3").targets
    return array_model(Architecture.ONE_R, card, array or load_array("array45"), targets, progress=progress)


EVERYTHING = [*(direction.value for direction in Direction), "table"]


def test_the_shipped_card_computes_and_keeps_nothing(mondal: JunctionCard, computed: list[str], cache: Path) -> None:
    made(mondal)
    assert computed == []
    assert not cache.exists()


def test_an_own_card_is_computed_once(own: JunctionCard, computed: list[str], cache: Path) -> None:
    first = made(own)
    assert computed == EVERYTHING
    assert cell_cache_folder(own.sha256) == cache / "mtjspice" / "cells" / own.sha256[:16]
    second = made(own)
    assert computed == EVERYTHING
    np.testing.assert_array_equal(second.table.g_s_per_m, first.table.g_s_per_m)
    for direction in Direction:
        assert second.surfaces[direction].provenance == {"card": "own", "card_sha256": own.sha256}


def test_a_changed_card_is_computed_anew_even_under_a_shipped_name(
    mondal: JunctionCard, computed: list[str], cache: Path
) -> None:
    changed = mondal.model_copy(update={"description": "another"})
    made(changed)
    # Its array's table is the shipped one: it depends on the array alone.
    assert computed == EVERYTHING[:-1]
    made(mondal.model_copy(update={"description": "a third"}))
    assert computed == 2 * EVERYTHING[:-1]
    made(changed)
    assert computed == 2 * EVERYTHING[:-1]


def test_a_changed_array_is_measured_anew(mondal: JunctionCard, computed: list[str], cache: Path) -> None:
    array = load_array("array45")
    wide = array.model_copy(update={"switches": array.switches.model_copy(update={"select_width_m": 3e-6})})
    made(mondal, wide)
    made(mondal, wide)
    assert computed == ["table"]
    made(mondal, array)
    assert computed == ["table"]


@pytest.mark.parametrize("name", ["cell_surface_ap_to_p.npz", "switch_array45.npz"])
def test_a_damaged_file_is_made_again(own: JunctionCard, computed: list[str], cache: Path, name: str) -> None:
    made(own)
    path = cell_cache_folder(own.sha256) / name
    path.write_bytes(path.read_bytes()[:100])
    computed.clear()
    made(own)
    assert computed
    computed.clear()
    made(own)
    assert computed == []


def test_a_cache_that_cannot_be_written_costs_time_only(own: JunctionCard, computed: list[str], cache: Path) -> None:
    cache.write_text("a file, not a folder")
    made(own)
    made(own)
    assert computed == 2 * EVERYTHING


def test_without_a_setting_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cell_cache_folder("0123456789abcdef" * 4) == tmp_path / ".cache/mtjspice/cells/0123456789abcdef"


def test_a_saved_model_reads_back(mondal: JunctionCard, tmp_path: Path) -> None:
    save_model(made(mondal), tmp_path / "cells")
    assert CellSurface.load(tmp_path / "cells" / "cell_surface_p_to_ap.npz").direction is Direction.P_TO_AP
    assert SwitchTable.load(tmp_path / "cells" / "switch_array45.npz").source == table_source(load_array("array45"))
