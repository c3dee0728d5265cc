"""Figures of switching surfaces and calibrations; matplotlib is imported when one is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtjspice.calibration.regression import Threshold
from mtjspice.calibration.result import CalibrationResult, WriteCoefficients
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.report.figure import figure
from mtjspice.switching.link import inverse_link, link
from mtjspice.switching.surface import SwitchingSurface, level_column

if TYPE_CHECKING:
    from collections.abc import Mapping

_LEVEL_SCALE = {Drive.CURRENT: (1e6, "write current [µA]"), Drive.VOLTAGE: (1e3, "write voltage [mV]")}
_NS = 1e9


def draw_switching(surfaces: Mapping[Direction, SwitchingSurface], path: Path) -> None:
    """Draw P against width and against level for each direction (Mondal & Srivastava, Fig. 2)."""
    with figure(path, rows=len(surfaces), columns=2) as (_, axes):
        for row, (direction, surface) in zip(axes, surfaces.items(), strict=True):
            scale, label = _LEVEL_SCALE[surface.drive]
            unit = label.split("[")[1][:-1]
            levels, widths = surface.levels, surface.widths_s
            for i, colour in _chosen(_rising(surface.probability.max(axis=1))):
                row[0].plot(widths * _NS, surface.probability[i], color=colour, label=f"{levels[i] * scale:.0f} {unit}")
            for j, colour in _chosen(_rising(surface.probability.max(axis=0))):
                row[1].plot(levels * scale, surface.probability[:, j], color=colour, label=f"{widths[j] * _NS:.2f} ns")
            row[0].set(xlabel="pulse width [ns]", ylabel=f"P({direction.label})", ylim=(-0.02, 1.02))
            row[1].set(xlabel=label, ylim=(-0.02, 1.02))
            for axis in row:
                axis.legend(
                    title=f"{direction.label}, {surface.engine}",
                    loc="upper left",
                    bbox_to_anchor=(1.0, 1.02),
                    frameon=False,
                )


def draw_thresholds(result: CalibrationResult, drive: Drive, path: Path) -> None:
    """Draw the counts around each threshold, the fitted line, and Fokker-Planck's and the published level."""
    found = [c for c in result.coefficients if c.drive is drive and c.counts is not None]
    scale, label = _LEVEL_SCALE[drive]
    widths = (result.t0_s + result.t1_s, result.t0_s)
    with figure(path, rows=len(found), columns=2) as (_, axes):
        for row, c in zip(axes, found, strict=True):
            published = result.published_for(c.direction) if drive is Drive.CURRENT else None
            paper = (published["i0_a"], published["i0_a"] + published["i1_a"]) if published else None
            for i, (axis, width) in enumerate(zip(row, widths, strict=True)):
                fit = (c.low, c.high)[i]
                _draw_counts(axis, c, width, scale)
                _draw_line(axis, fit, result.p0, scale)
                axis.axhline(result.p0, color="0.8", zorder=0)
                low, high = (end * scale for end in _shown_interval(c, fit, width))
                axis.axvspan(low, high, color="C0", alpha=0.15, label="95 % interval")
                axis.axvline(fit.level * scale, color="C0", label=f"{result.engine}: {fit.level * scale:.4g}")
                if c.expected:
                    axis.axvline(
                        c.expected[i] * scale, color="0.3", ls="--", label=f"Fokker-Planck: {c.expected[i] * scale:.4g}"
                    )
                if paper:
                    axis.axvline(paper[i] * scale, color="C3", ls=":", label=f"published: {paper[i] * scale:.4g}")
                name = {Drive.CURRENT: ("I0", "I0 + I1"), Drive.VOLTAGE: ("V0", "V0 + V1")}[drive][i]
                axis.set(
                    xlabel=label, ylabel="P" if i == 0 else "", title=f"{c.direction.label}, {width * _NS:g} ns: {name}"
                )
                axis.set_yscale("function", functions=(_to_link, inverse_link))
                ticks = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8]
                axis.set_yticks(ticks, [f"{t:g}" for t in ticks])
                axis.set_ylim(*_shown_probabilities(c))
                axis.legend()


def draw_linear_map(result: CalibrationResult, drive: Drive, path: Path) -> None:
    """Draw P against width for |x| = 0, 1/2, 1 beside eta |x||delta| (Mondal & Srivastava, Fig. 3)."""
    found = [c for c in result.coefficients if c.drive is drive]
    scale, label = _LEVEL_SCALE[drive]
    unit = label.split("[")[1][:-1]
    with figure(path, rows=1, columns=len(found)) as (_, axes):
        for axis, c in zip(axes[0], found, strict=True):
            m = c.linear_map
            for k, x in enumerate((0.0, 0.5, 1.0)):
                i = int(np.argmin(np.abs(m.x - x)))
                name = f"|x| = {m.x[i]:g}: {m.surface.levels[i] * scale:.0f} {unit}"
                times, p = m.surface.widths_s * _NS, m.surface.probability[i]
                if m.surface.trials is None:
                    axis.plot(times, p, color=f"C{k}", label=name)
                else:
                    errors = np.abs([p - m.surface.low95[i], m.surface.high95[i] - p])
                    axis.errorbar(times, p, errors, color=f"C{k}", marker=".", lw=1, capsize=2, label=name)
                axis.plot(times, m.target[i], color=f"C{k}", ls="--", lw=1)
            axis.plot([], [], color="0.3", ls="--", lw=1, label=f"eta |x||δ|, eta = {m.eta:.3f}")
            axis.set(
                title=f"{c.direction.label}, {result.engine}: rms error {m.rmse:.3f}",
                xlabel="pulse width t0 + t1|δ| [ns]",
                ylabel="P",
                ylim=(-0.03, 1.0),
            )
            axis.legend()


def _draw_counts(axis: Any, c: WriteCoefficients, width_s: float, scale: float) -> None:
    assert c.counts is not None
    here = c.counts[np.isclose(c.counts["width_s"], width_s, rtol=1e-3, atol=0)]
    if here.empty:
        return
    p = here["probability"].to_numpy()
    # A bar that reaches zero has no place on this scale.
    low, high = here["low95"].clip(lower=1e-4).to_numpy(), here["high95"].clip(upper=1 - 1e-4).to_numpy()
    levels = here[level_column(c.drive)].to_numpy() * scale
    shown = (p > 0) & (p < 1)
    errors = np.array([p - low, high - p])[:, shown]
    axis.errorbar(levels[shown], p[shown], errors, fmt="o", ms=4, color="k", capsize=3)


def _shown_interval(c: WriteCoefficients, fit: Threshold, width_s: float) -> tuple[float, float]:
    """Return the interval, cut a little beyond the levels: an open end must not stretch the figure."""
    assert c.counts is not None
    levels = c.counts[level_column(c.drive)][np.isclose(c.counts["width_s"], width_s, rtol=1e-3, atol=0)]
    if levels.empty:
        levels = c.counts[level_column(c.drive)]
    margin = 0.3 * (levels.max() - levels.min())
    return max(fit.low95, levels.min() - margin), min(fit.high95, levels.max() + margin)


def _shown_probabilities(c: WriteCoefficients) -> tuple[float, float]:
    assert c.counts is not None
    return max(c.counts["low95"].min() / 1.5, 2e-3), min(c.counts["high95"].max() * 1.2, 0.95)


def _draw_line(axis: Any, fit: Threshold, p0: float, scale: float) -> None:
    """Draw the fitted line over the levels in view."""
    lowest, highest = axis.get_xlim()
    levels = np.linspace(lowest, highest, 50)
    axis.plot(levels, inverse_link(link(np.array(p0)) + fit.slope * (levels / scale - fit.level)), color="C0", lw=1)


def _to_link(p: np.ndarray) -> np.ndarray:
    return link(np.clip(p, 1e-9, 1 - 1e-9))


def _rising(highest: np.ndarray) -> np.ndarray:
    """Return the indices of curves that do something."""
    found = np.flatnonzero(highest > 0.02)
    return found if found.size else np.arange(len(highest))


def _chosen(indices: np.ndarray, count: int = 6) -> list[tuple[int, Any]]:
    """Return about `count` of the indices, spread evenly, each with a colour."""
    import matplotlib as mpl

    picked = np.unique(indices[np.linspace(0, len(indices) - 1, count).astype(int)])
    colours = mpl.colormaps["viridis"](np.linspace(0, 0.9, len(picked)))
    return list(zip(picked.tolist(), colours, strict=True))
