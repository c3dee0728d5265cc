"""Waveforms of a crossbar's deck: the signals of Fig. 4b of Mondal & Srivastava, and what the junctions do."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.report.figure import figure
from mtjspice.spice.rawfile import Waveforms

_PANELS: tuple[tuple[str, str, str, float], ...] = (
    ("row drivers [V]", r"v\(drv\d+\)", "row", 1.0),
    ("row enables [V]", r"v\(en\d+\)", "row", 1.0),
    ("column gates [V]", r"v\(gate\d+\)", "column", 1.0),
    ("column currents [uA]", r"i\(vsense\d+\)", "column", 1e6),
    ("m_z", r"v\(mz[\d_]+\)", "cell", 1.0),
)
"""Title, vectors, what they count, scale."""
_OTHER = (("voltages [V]", r"v\(.+\)", "", 1.0), ("currents [A]", r"i\(.+\)", "", 1.0))
_NS = 1e9
_MOST_LABELS = 8
_START_UP = 0.002
_SPIKES = 0.002


def draw_waveforms(waves: Waveforms, path: Path) -> None:
    """Draw the vectors of a transient over time, a panel a kind; those of unknown names only where no others are."""
    panels = [found for panel in _PANELS if (found := _members(waves, panel))]
    if not panels:
        panels = [found for panel in _OTHER if (found := _members(waves, panel))]
    with figure(path, rows=len(panels), columns=1, panel_inches=(9.0, 1.9), share_x=True) as (_, axes):
        for axis, (title, names, counted, scale) in zip(axes[:, 0], panels, strict=True):
            _draw_panel(axis, waves, names, counted, scale)
            axis.set_ylabel(title)
        axes[-1, 0].set_xlabel("time [ns]")


def _members(waves: Waveforms, panel: tuple[str, str, str, float]) -> tuple[str, list[str], str, float] | None:
    title, pattern, counted, scale = panel
    names = [name for name in waves.names if re.fullmatch(pattern, name)]
    return (title, names, counted, scale) if names else None


def _shown(waves: Waveforms, names: list[str], scale: float) -> tuple[float, float]:
    """Return limits that leave out the first moment, when nodes come up from zero, and the spikes of edges."""
    times = waves["time"]
    begun = times > times[0] + _START_UP * (times[-1] - times[0])
    values = np.concatenate([waves[name][begun] for name in names]) * scale
    low, high = np.quantile(values, (_SPIKES, 1 - _SPIKES))
    margin = 0.08 * (high - low) or 1.0
    return float(low - margin), float(high + margin)


def _draw_panel(axis: Any, waves: Waveforms, names: list[str], counted: str, scale: float) -> None:
    import matplotlib as mpl

    colours = mpl.colormaps["viridis"](np.linspace(0, 0.92, len(names)))
    time_ns = waves["time"] * _NS
    # Where there are many, those spread evenly over all of them are named.
    named = set(np.linspace(0, len(names) - 1, min(len(names), _MOST_LABELS)).astype(int).tolist())
    for k, name in enumerate(names):
        place = re.search(r"[\d_]+(?=\)$)", name)
        label = f"{counted} {place.group().strip('_')}".strip() if place and counted else name
        axis.plot(time_ns, waves[name] * scale, color=colours[k], lw=1.0, label=label if k in named else None)
    axis.set_xlim(time_ns[0], time_ns[-1])
    axis.set_ylim(*_shown(waves, names, scale))
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.04), frameon=False, ncols=1 + (len(named) > _MOST_LABELS // 2))
