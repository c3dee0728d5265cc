"""Figures of waveforms: which panels a deck gets, and that they stay readable."""

from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import pytest

from mtjspice.errors import InputError, OutputError
from mtjspice.report.waveforms import draw_waveforms
from mtjspice.spice.rawfile import Waveforms

TIME_S = np.linspace(0, 10e-9, 501)
PULSE = ((TIME_S > 5e-9) & (TIME_S < 7e-9)).astype(float)


def crossbar(rows: int, columns: int, architecture: str = "1t1r") -> Waveforms:
    """Waveforms as a crossbar's deck saves them; junction 1_1 turns to P, 1_2 to AP, the others stay at AP."""
    vectors = {"time": TIME_S, "v(bulk)": -0.9 + 0 * TIME_S, "i(vbulk)": 0 * TIME_S, "v(gateref)": PULSE}
    for i in range(1, rows + 1):
        vectors |= {f"v(drv{i})": PULSE * i / rows, f"i(vrow{i})": PULSE * 1e-4}
        if architecture == "1r":
            vectors |= {f"v(en{i})": PULSE, f"i(ven{i})": PULSE, f"v(row{i})": PULSE}
        for j in range(1, columns + 1):
            vectors[f"v(mz{i}_{j})"] = -0.99 + 0 * TIME_S
    for j in range(1, columns + 1):
        vectors |= {f"v(gate{j})": 3.3 * PULSE - 0.9, f"i(vsense{j})": PULSE * 1e-4 * j, f"v(sum{j})": PULSE}
        if architecture == "1r":
            vectors[f"v(col{j})"] = PULSE
    vectors |= {"v(mz1_1)": np.linspace(-1, 1, 501), "v(mz1_2)": np.linspace(1, -1, 501), "i(vref)": 0 * TIME_S}
    return waveforms(vectors)


def waveforms(vectors: dict[str, np.ndarray]) -> Waveforms:
    return Waveforms(tuple(vectors), np.column_stack(list(vectors.values())))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures that a test saves, to look into."""
    figures = []
    save = matplotlib.figure.Figure.savefig

    def keep(self: matplotlib.figure.Figure, *args: Any, **kwargs: Any) -> None:
        figures.append(self)
        save(self, *args, **kwargs)

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", keep)
    return figures


def labels(figure: Any) -> list[str]:
    return [axis.get_ylabel().replace("\n", " ") for axis in figure.axes]


def legend(axis: Any) -> list[str]:
    return [text.get_text() for text in axis.get_legend().get_texts()]


def test_a_1t1r_step_is_drawn_as_fig_4b(tmp_path: Path, drawn: list[Any]) -> None:
    draw_waveforms(crossbar(4, 4), tmp_path / "waves.png")
    assert (tmp_path / "waves.png").read_bytes().startswith(b"\x89PNG")
    (figure,) = drawn
    assert labels(figure) == ["row drivers [V]", "column gates", "column currents [µA]", "m_z"]
    assert legend(figure.axes[-1]) == ["AP→P: 1_1", "P→AP: 1_2", "as it began: 14"]
    assert figure.axes[-1].get_xlim() == pytest.approx((0, 10))


def test_a_1r_step_shows_enables_and_floating_lines_too(tmp_path: Path, drawn: list[Any]) -> None:
    draw_waveforms(crossbar(2, 3, "1r"), tmp_path / "waves.png")
    assert labels(drawn[0]) == [
        "row drivers [V]", "row enables", "column gates", "rows [V]", "columns [V]", "column currents [µA]", "m_z",
    ]  # fmt: skip


def test_legends_of_a_large_array_name_eight_lines_in_their_order(tmp_path: Path, drawn: list[Any]) -> None:
    draw_waveforms(crossbar(20, 12), tmp_path / "waves.png")
    drivers, gates, currents, _ = drawn[0].axes
    assert legend(drivers)[::7] == ["drv1", "drv20"]
    assert len(legend(drivers)) == len(legend(currents)) == 8
    assert len(drivers.get_lines()) == 20
    assert [tick.get_text() for tick in gates.get_yticklabels()] == [f"gate{j}" for j in range(1, 13)]


def test_spikes_and_ringing_do_not_set_the_scale(tmp_path: Path, drawn: list[Any]) -> None:
    """A current of 1 uA with one spike of 1 mA, and one that alternates by 10 uA around it from sample to sample."""
    spike = 1e-6 + 0 * TIME_S
    spike[100] = 1e-3
    ringing = 1e-6 + 1e-5 * np.where(np.arange(TIME_S.size) % 2, 1, -1)
    draw_waveforms(waveforms({"time": TIME_S, "i(vsense1)": spike, "i(vsense2)": ringing}), tmp_path / "waves.png")
    (axis,) = drawn[0].axes
    assert max(np.abs(axis.get_ylim())) < 5
    assert [text.get_text() for text in axis.texts] == ["spikes at edges are cut off"]
    np.testing.assert_allclose(axis.get_lines()[1].get_ydata(), 1.0, rtol=1e-9)


def test_another_deck_has_voltages_and_currents(tmp_path: Path, drawn: list[Any]) -> None:
    vectors = {"time": TIME_S, "v(out)": PULSE, "v(mz)": PULSE, "i(v1)": 0 * TIME_S, "p_write": PULSE}
    draw_waveforms(waveforms(vectors), tmp_path / "waves.png")
    assert labels(drawn[0]) == ["voltages [V]", "currents [µA]"]
    assert legend(drawn[0].axes[0]) == ["mz", "out"]


def test_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing to draw[\s\S]*time, p_write"):
        draw_waveforms(waveforms({"time": TIME_S, "p_write": PULSE}), tmp_path / "waves.png")
    assert not list(tmp_path.iterdir())


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write waves\.png"):
        draw_waveforms(crossbar(2, 2), tmp_path / "none" / "waves.png")
