"""The waveforms of a deck: a crossbar's as in Mondal & Srivastava, Fig. 4b; those of another deck by their units."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.errors import InputError
from mtjspice.report.figure import figure
from mtjspice.spice.rawfile import Waveforms

_LEGEND_ENTRIES = 8
_LISTED_JUNCTIONS = 6
_WIDTH_IN, _LANE_IN = 9.0, 0.22
_START_UP = 5
_EDGES_PERCENT = 2.0
"""Of a current's samples at either end, those that its spikes at edges may take: they do not set the axis."""
_KEPT, _TO_PARALLEL, _TO_ANTIPARALLEL = "0.7", "C0", "C3"


@dataclass(frozen=True)
class _Panel:
    """Vectors of one kind: what stands beside them, and how they are drawn over times in ns."""

    pattern: str
    label: str
    draw: Callable[[Any, np.ndarray, dict[str, np.ndarray]], None]


def draw_waveforms(waves: Waveforms, path: Path) -> None:
    """Draw panels over time, one below the other, as PNG.

    A crossbar's: the rows' drivers, the gates, a 1R array's lines, the columns' currents and every junction's m_z.
    Vectors of a deck with other names are drawn as voltages and currents; those that are neither are left out.

    Raises:
        InputError: neither a voltage nor a current is there.
        OutputError: the file cannot be written.
    """
    found = [(panel, _matching(panel, waves)) for panel in _CROSSBAR]
    known = {name for panel in (*_CROSSBAR, _AUXILIARY) for name in _matching(panel, waves)}
    found += [
        (panel, {name: v for name, v in _matching(panel, waves).items() if name not in known}) for panel in _OTHERS
    ]
    shown = [(panel, vectors) for panel, vectors in found if vectors]
    if not shown:
        raise InputError(
            "there is nothing to draw",
            given=", ".join(waves.names),
            allowed="vectors named v(...) or i(...) over time",
            next_step="name some on the deck's .save line, or leave that out to save all",
        )
    heights = [_height_in(panel, len(vectors)) for panel, vectors in shown]
    time_ns = waves["time"] * 1e9
    with figure(path, len(shown), 1, width_in=_WIDTH_IN, heights_in=heights, share_x=True) as (drawing, axes):
        for axis, (panel, vectors) in zip(axes[:, 0], shown, strict=True):
            panel.draw(axis, time_ns, vectors)
            axis.set_ylabel(panel.label)
        axes[-1, 0].set(xlabel="time [ns]", xlim=(time_ns[0], time_ns[-1]))
        drawing.align_ylabels()


def _matching(panel: _Panel, waves: Waveforms) -> dict[str, np.ndarray]:
    """Return a panel's vectors by what is in their brackets, numbers in their order."""
    return {name: waves[name] for name in sorted(waves.names, key=_by_number) if re.fullmatch(panel.pattern, name)}


def _by_number(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _inner(name: str) -> str:
    """Return what a vector is of: ``drv1`` for ``v(drv1)``."""
    return name[2:-1]


def _height_in(panel: _Panel, lines: int) -> float:
    return float(np.clip(_LANE_IN * (lines + 1), 0.8, 3.5)) if panel.draw is _draw_lanes else 1.6


def _draw_lanes(axis: Any, time_ns: np.ndarray, vectors: dict[str, np.ndarray]) -> None:
    """Draw signals with two levels, one above the other, the first on top."""
    low, high = min(v.min() for v in vectors.values()), max(v.max() for v in vectors.values())
    height = 0.7 / max(high - low, 1e-9)
    bottoms = np.arange(len(vectors))[::-1]
    for bottom, values in zip(bottoms, vectors.values(), strict=True):
        lane = bottom + (values - low) * height
        axis.fill_between(time_ns, bottom, lane, color="C0", alpha=0.15, lw=0)
        axis.plot(time_ns, lane, color="C0", lw=1)
    # Beyond some lanes their names would overlap.
    every = -(-len(vectors) // 16)
    axis.set_yticks(bottoms[::every] + 0.35, [_inner(name) for name in vectors][::every], fontsize=8)
    axis.tick_params(axis="y", length=0)
    axis.grid(visible=False, axis="y")
    axis.set_ylim(-0.2, len(vectors))


def _draw_lines(axis: Any, time_ns: np.ndarray, vectors: dict[str, np.ndarray]) -> None:
    """Draw lines with a legend, of some of them where there are many."""
    import matplotlib as mpl

    count = len(vectors)
    few = count <= _LEGEND_ENTRIES
    named = set(np.linspace(0, count - 1, min(count, _LEGEND_ENTRIES)).astype(int).tolist())
    for k, (name, values) in enumerate(vectors.items()):
        colour = f"C{k}" if few else mpl.colormaps["viridis"](0.95 * k / (count - 1))
        axis.plot(time_ns, values, color=colour, lw=1, label=_inner(name) if k in named else None)
    _add_legend(axis)


def _draw_currents(axis: Any, time_ns: np.ndarray, vectors: dict[str, np.ndarray]) -> None:
    """Draw each step's mean current in uA; spikes at edges that exceed all else are cut off, and the panel says so."""
    # The trapezoidal rule lets a capacitance's current ring from sample to sample; the mean of two is its charge's.
    middle_ns = (time_ns[1:] + time_ns[:-1]) / 2
    currents = {name: (i[1:] + i[:-1]) / 2 * 1e6 for name, i in vectors.items()}
    _draw_lines(axis, middle_ns, currents)
    # Evenly in time: ngspice takes more points where more happens.
    even_ns = np.linspace(middle_ns[0], middle_ns[-1], 4 * len(middle_ns))
    evenly = np.array([np.interp(even_ns, middle_ns, i) for i in currents.values()])
    ends = np.percentile(evenly, [_EDGES_PERCENT, 100 - _EDGES_PERCENT], axis=1)
    low, high = float(ends.min()), float(ends.max())
    largest = max(float(np.abs(i).max()) for i in currents.values())
    if largest > 1.5 * max(-low, high) > 0:
        margin = 0.2 * (high - low)
        axis.set_ylim(low - margin, high + margin)
        axis.text(
            0.995, 0.04, "spikes at edges are cut off", transform=axis.transAxes, ha="right", fontsize=7, color="0.3",
            bbox={"color": "white", "alpha": 0.7, "pad": 1},
        )  # fmt: skip


def _draw_states(axis: Any, time_ns: np.ndarray, vectors: dict[str, np.ndarray]) -> None:
    """Draw every m_z, coloured by how its junction ends, 1 parallel and -1 antiparallel."""
    fates: dict[str, list[str]] = {_KEPT: [], _TO_PARALLEL: [], _TO_ANTIPARALLEL: []}
    for name, mz in vectors.items():
        began, ended = mz[0] > 0, mz[-1] > 0
        colour = _KEPT if began == ended else _TO_PARALLEL if ended else _TO_ANTIPARALLEL
        fates[colour].append(_inner(name).removeprefix("mz"))
        axis.plot(time_ns, mz, color=colour, lw=0.6 if colour == _KEPT else 1.1, zorder=1 if colour == _KEPT else 2)
    for colour, text in ((_TO_PARALLEL, "AP→P"), (_TO_ANTIPARALLEL, "P→AP"), (_KEPT, "as it began")):
        labels = fates[colour]
        if labels:
            listed = colour != _KEPT and len(labels) <= _LISTED_JUNCTIONS
            axis.plot([], [], color=colour, label=f"{text}: {_wrapped(labels) if listed else len(labels)}")
    axis.set_ylim(-1.1, 1.1)
    _add_legend(axis)


def _wrapped(labels: list[str]) -> str:
    """Return junctions three to a line."""
    return "\n".join(" ".join(labels[k : k + 3]) for k in range(0, len(labels), 3))


def _add_legend(axis: Any) -> None:
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.05), frameon=False, labelspacing=0.2, handlelength=1.2)


_CROSSBAR = (
    _Panel(r"v\(drv\d+[ab]?\)", "row drivers\n[V]", _draw_lines),
    _Panel(r"v\(en\d+\)", "row\nenables", _draw_lanes),
    _Panel(r"v\(gate\d+\)", "column\ngates", _draw_lanes),
    _Panel(r"v\(row\d+\)", "rows\n[V]", _draw_lines),
    _Panel(r"v\(col\d+\)", "columns\n[V]", _draw_lines),
    _Panel(r"i\(vsense\d+\)", "column\ncurrents [µA]", _draw_currents),
    _Panel(r"v\(mz\d+_\d+[ab]?\)", "m_z", _draw_states),
)
_AUXILIARY = _Panel(r"v\((bulk|gateref|sum\d+)\)|i\(v(bulk|gateref|ref|row\d+[ab]?|(en|gate)\d+)\)", "", _draw_lines)
"""What a crossbar's deck saves for its energy and its outputs, and what would only crowd the figure."""
_OTHERS = (_Panel(r"v\(.*\)", "voltages\n[V]", _draw_lines), _Panel(r"i\(.*\)", "currents\n[µA]", _draw_currents))
