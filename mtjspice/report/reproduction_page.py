"""The page and the figure that go with a reproduction."""

from pathlib import Path

from mtjspice.experiments.reproduction import Reproduction
from mtjspice.files import write_text
from mtjspice.report.reproduction_figures import draw_bars, draw_curves
from mtjspice.report.reproduction_tables import reproduction_markdown


def draw_reproduction(reproduction: Reproduction, folder: Path) -> None:
    """Write ``NAME.md`` and ``NAME.png`` into `folder`.

    Raises:
        OutputError: the folder cannot be written.
    """
    write_text(folder / f"{reproduction.stem}.md", reproduction_markdown(reproduction))
    (draw_curves if reproduction.curves else draw_bars)(reproduction, folder / f"{reproduction.stem}.png")
