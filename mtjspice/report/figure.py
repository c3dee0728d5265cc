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
    panel_inches: tuple[float, float] = (5.2, 3.6),
    share_x: bool = False,
) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield a figure and its (rows, columns) axes, and save it as PNG, whole or not at all."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(panel_inches[0] * columns, panel_inches[1] * rows), layout="constrained", dpi=110)
    FigureCanvasAgg(drawing)
    axes = drawing.subplots(rows, columns, squeeze=False, sharex=share_x)
    for axis in axes.flat:
        axis.grid(alpha=0.25)
    yield drawing, axes
    for axis in axes.flat:
        legend = axis.get_legend()
        if legend:
            for text in [*legend.get_texts(), legend.get_title()]:
                text.set_fontsize(8)
    write_whole(path, lambda stream: drawing.savefig(stream, format="png"))
