"""Tables of sneak paths fit a terminal of 100 columns; their figure is drawn whole."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from mtjspice.cards.conventions import Direction
from mtjspice.report.sneak_figure import draw_sneak
from mtjspice.report.sneak_tables import biasing_table, paper_table, sneak_table
from mtjspice.surrogate.sneak import Bias, PaperCase, SchemeResult, SneakReport

RESULTS = (
    SchemeResult(2, Bias.FLOATING, 0.802, 1.314, 272.0, 123.4e-12),
    SchemeResult(4, Bias.HALF, 0.291, 0.5, 3.6e-5, 4.53e-12),
    SchemeResult(4, Bias.THIRD, 0.333, 0.333, 1e-300, 4.13e-12),
)


def rendered(table: Table) -> str:
    console = Console(width=100, file=io.StringIO())
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    assert "…" not in text  # rich's sign of a cell that was cut
    return text


def report(rows: int, columns: int, level_v: float = 1.0588) -> SneakReport:
    rng = np.random.default_rng(3)
    return SneakReport(
        phase="delta_pos_x_pos",
        bias=Bias.FLOATING,
        level_v=level_v,
        v_v=rng.uniform(-level_v, level_v, (rows, columns)),
        i_a=rng.uniform(-1e-4, 1e-4, (rows, columns)),
        row_selected=np.arange(rows) < rows // 2,
        column_selected=np.arange(columns) < columns // 2,
        probability=np.full((rows, columns), 1e-3),
    )


def test_a_phase() -> None:
    text = rendered(sneak_table(report(32, 32)))
    for kind in ("selected row, unselected column", "unselected row, selected column", "both unselected"):
        assert any(kind in line and " 256 " in line and "0.256" in line for line in text.splitlines())
    assert "V = 1.059 V" in text


def test_a_phase_that_drives_nothing() -> None:
    text = rendered(sneak_table(report(2, 2, level_v=0.0)))
    assert "V =" not in text
    assert " - " in text


def test_schemes() -> None:
    lines = [line.strip() for line in rendered(biasing_table(RESULTS)).splitlines()]
    # Energy of a phase and of the whole write.
    assert any(line.startswith("2 phases, floating") and "123.4 pJ" in line and "246.8 pJ" in line for line in lines)
    assert any(line.startswith("4 phases, V/3") and "< 1e-12" in line for line in lines)


def test_section_4_4() -> None:
    text = rendered(
        paper_table(
            [
                PaperCase(2, "average", Direction.P_TO_AP, "(V_P - V_AP)/2", 0.902, 0.902, (0.895, 0.909), 0.34),
                PaperCase(4, "average", Direction.AP_TO_P, "V_AP/3", 0.3, 0.3, (0.29, 0.31, 0.3), 1.19e-8),
            ]
        )
    )
    assert "0.967 1.033 1.000" in text
    assert "1.19e-08" in text


@pytest.mark.parametrize(
    ("side", "results"), [(1, [SchemeResult(4, Bias.HALF, 0, 0, 0, 0)]), (4, RESULTS), (32, RESULTS)]
)
def test_the_figure(side: int, results: Sequence[SchemeResult], tmp_path: Path) -> None:
    draw_sneak(report(side, side), results, tmp_path / "sneak.png")
    content = (tmp_path / "sneak.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert content.endswith(b"IEND\xaeB`\x82")
    assert len(content) > 5000
