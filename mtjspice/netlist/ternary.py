"""What the template of ternary synapses is given."""

from dataclasses import dataclass

from mtjspice.cards.array import Levels
from mtjspice.netlist.context import CellContext, JunctionContext, NoiseFile, SwitchContext
from mtjspice.schedule import Points


@dataclass(frozen=True)
class TernaryContext:
    """An array of ternary synapses, `ternary.cir.j2`: an operating point where `stop_s` is None, else a transient.

    Args:
        header: comment lines under the title.
        pairs: (M1, M2) of each crossing, row by row.
        line_points: corners of the lines' waveforms, of both lines of a row one after the other.
        gate_points: of the columns' gates.
        minus_saddle: the saddle's m_z with its sign turned, as it is added to m_z in a measurement.
        people: with measurements, and a raw file for `mtjspice simulate`.
    """

    title: str
    header: tuple[str, ...]
    rows: int
    columns: int
    pairs: tuple[tuple[CellContext, CellContext], ...]
    junction: JunctionContext
    r_segment_ohm: float
    c_segment_f: float
    switches: SwitchContext
    levels: Levels
    r_feedback_ohm: float
    line_points: tuple[Points, ...]
    gate_points: tuple[Points, ...]
    noise: tuple[NoiseFile, ...]
    sample_step_s: float
    time_step_s: float
    stop_s: float | None
    minus_saddle: float
    people: bool
    raw_name: str

    def pair(self, row: int, column: int) -> tuple[CellContext, CellContext]:
        """Return the junctions of a crossing, from 1."""
        return self.pairs[(row - 1) * self.columns + column - 1]

    @property
    def cells(self) -> tuple[CellContext, ...]:
        """Every junction."""
        return tuple(cell for pair in self.pairs for cell in pair)

    @property
    def has_live(self) -> bool:
        """Whether a junction switches."""
        return any(cell.kind == "live" for cell in self.cells)

    @property
    def has_frozen(self) -> bool:
        """Whether a junction keeps its state."""
        return any(cell.kind == "frozen" for cell in self.cells)

    @property
    def sources(self) -> tuple[tuple[str, str], ...]:
        """(node, voltage source) of every source that delivers energy; the common mode is zero volts."""
        lines = [f"{i}{side}" for i in range(1, self.rows + 1) for side in "ab"]
        gates = [str(j) for j in range(1, self.columns + 1)]
        return (
            ("bulk", "vbulk"),
            *((f"drv{line}", f"vrow{line}") for line in lines),
            *((f"gate{gate}", f"vgate{gate}") for gate in gates),
        )

    @property
    def saved(self) -> tuple[str, ...]:
        """The vectors of the raw file."""
        found = [f"v(mz{cell.label})" for cell in self.cells if cell.kind == "live"]
        for node, source in self.sources:
            found += [f"v({node})", f"i({source})"]
        for j in range(1, self.columns + 1):
            found += [f"i(vsense{j})", f"v(sum{j})"]
        return tuple(found)
