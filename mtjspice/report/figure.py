"""How figures are made: without a screen, whole or not at all."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mtjspice.files import write_whole


@contextmanager
def figure(
    path: Path,
    rows: int,
    columns: int,
    *,
    width_in: float | None = None,
    heights_in: Sequence[float] | None = None,
    share_x: bool = False,
) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield a figure and its (rows, columns) axes, and save it as PNG, whole or not at all.

    Args:
        width_in: of the figure, inches; left out, every column has 5.2.
        heights_in: (rows,) inches; left out, every row has 3.6.
        share_x: one x axis for all.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    heights = list(heights_in or [3.6] * rows)
    size = (width_in or 5.2 * columns, sum(heights))
    drawing = Figure(figsize=size, layout="constrained", dpi=110)
    FigureCanvasAgg(drawing)
    axes = drawing.subplots(rows, columns, squeeze=False, sharex=share_x, height_ratios=heights)
    for axis in axes.flat:
        axis.grid(alpha=0.25)
    yield drawing, axes
    for axis in axes.flat:
        legend = axis.get_legend()
        if legend:
            for text in [*legend.get_texts(), legend.get_title()]:
                text.set_fontsize(8)
    write_whole(path, lambda stream: drawing.savefig(stream, format="png"))
