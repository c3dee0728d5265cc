"""What the templates are given: plain frozen numbers, SI unless the name says otherwise."""

from collections.abc import Iterator
from dataclasses import dataclass

from mtjspice.cards.array import Architecture, Levels, SwitchKind
from mtjspice.cards.conventions import Drive
from mtjspice.schedule import Points


@dataclass(frozen=True)
class JunctionContext:
    """The junction subcircuit, `junction.cir.j2`. Time is in ns there, fields are in tesla.

    Terms whose number is zero (`restoring_per_ns`, `b_z_t`, `b_x_t`, `p_x`, `asymmetry`) stay out of the text.
    Without `conducts` the terminals are a short: enough, and faster, where a source imposes the current.
    With `varies` an instance may have an r_p and a tmr0 of its own.
    """

    alpha: float
    gamma_rad_per_ns_t: float
    restoring_per_ns: float
    b_k_t: float
    b_z_t: float
    b_x_t: float
    torque_t_per_a: float
    asymmetry: float
    p_x: float
    p_z: float
    r_p_ohm: float
    tmr0: float
    v_h_v: float
    conducts: bool
    varies: bool = False


@dataclass(frozen=True)
class PulseContext:
    """One junction and one pulse, `pulse.cir.j2`, with noise that ngspice makes itself."""

    junction: JunctionContext
    card: str
    direction: str
    drive: Drive
    level: float
    width_s: float
    edge_s: float
    delay_s: float
    stop_s: float
    time_step_s: float
    thermal_field_sigma_t: float
    saddle_mz: float
    start: tuple[float, float, float]


@dataclass(frozen=True)
class NoiseFile:
    """A file of thermal fields in units of `scale_t`: three columns for each of the junctions labelled `junctions`."""

    name: str
    junctions: tuple[str, ...]
    scale_t: float


@dataclass(frozen=True)
class CampaignContext:
    """A batch of equal junctions, `campaign.cir.j2`, each with its start, its own source and its own noise.

    The level is on from t = 0. It ends at `width_s` (at 50 %, within `edge_s`), or never where that is None.
    """

    junction: JunctionContext
    drive: Drive
    level: float
    width_s: float | None
    edge_s: float
    stop_s: float
    sample_step_s: float
    time_step_s: float
    starts: tuple[tuple[float, float, float], ...]
    noise: tuple[NoiseFile, ...]


@dataclass(frozen=True)
class CellContext:
    """What stands at one crossing.

    Args:
        row, column: from 1.
        kind: ``live`` switches, ``frozen`` keeps its state, ``resistor`` is r_ohm, ``open`` is nothing.
        start: of the magnetisation, a unit vector; (0, 0, mz) where it is frozen.
        r_p_ohm, tmr0: its own, or None where it is as the junction's.
        junction: which one of a crossing's junctions, ``a`` or ``b``; empty where there is one.
    """

    row: int
    column: int
    kind: str
    start: tuple[float, float, float] = (0.0, 0.0, 1.0)
    r_p_ohm: float | None = None
    tmr0: float | None = None
    r_ohm: float = 0.0
    junction: str = ""

    @property
    def label(self) -> str:
        """What its elements and nodes are named after."""
        return f"{self.row}_{self.column}{self.junction}"


@dataclass(frozen=True)
class SwitchSize:
    """One role's transistor, or ideal switch."""

    width_m: float
    r_on_ohm: float


@dataclass(frozen=True)
class SwitchContext:
    """The switches of an array: `library` is the name of a file beside the deck."""

    kind: SwitchKind
    library: str
    model: str
    length_m: float
    select: SwitchSize
    row: SwitchSize
    column: SwitchSize

    def of(self, role: str) -> SwitchSize:
        """Return the size of a role's switch."""
        return {"select": self.select, "row": self.row, "column": self.column}[role]


@dataclass(frozen=True)
class SenseContext:
    """Sense amplifiers, and the resistors of their reference column."""

    r_feedback_ohm: float
    r_reference_ohm: float


@dataclass(frozen=True)
class CrossbarContext:
    """A crossbar with its drivers, `crossbar.cir.j2`: an operating point where `stop_s` is None, else a transient.

    Args:
        header: comment lines under the title.
        row_points, gate_points, enable_points, reference_points: corners of the sources' waveforms.
        minus_saddle: the saddle's m_z with its sign turned, as it is added to m_z in a measurement.
        sources: (node, source) of all that deliver energy.
        people: with measurements, and a raw file for `mtjspice simulate`.
        compiled_model: the OSDI file of the junction's Verilog-A model, beside the deck; empty for the subcircuit.
    """

    title: str
    header: tuple[str, ...]
    architecture: Architecture
    rows: int
    columns: int
    cells: tuple[CellContext, ...]
    junction: JunctionContext
    r_segment_ohm: float
    c_segment_f: float
    switches: SwitchContext
    levels: Levels
    sense: SenseContext
    row_points: tuple[Points, ...]
    gate_points: tuple[Points, ...]
    enable_points: tuple[Points, ...]
    reference_points: Points
    noise: tuple[NoiseFile, ...]
    sample_step_s: float
    time_step_s: float
    stop_s: float | None
    minus_saddle: float
    people: bool
    raw_name: str
    compiled_model: str = ""

    def cell(self, row: int, column: int) -> CellContext:
        """Return the cell at a crossing, from 1."""
        return self.cells[(row - 1) * self.columns + column - 1]

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
        return tuple(self._sources())

    def _sources(self) -> Iterator[tuple[str, str]]:
        yield "bulk", "vbulk"
        for i in range(1, self.rows + 1):
            yield f"drv{i}", f"vrow{i}"
            if self.architecture is Architecture.ONE_R:
                yield f"en{i}", f"ven{i}"
        for j in range(1, self.columns + 1):
            yield f"gate{j}", f"vgate{j}"
        yield "gateref", "vgateref"

    @property
    def saved(self) -> tuple[str, ...]:
        """The vectors of the raw file."""
        found = [f"v(mz{cell.label})" for cell in self.cells if cell.kind == "live"]
        for node, source in self.sources:
            found += [f"v({node})", f"i({source})"]
        for j in range(1, self.columns + 1):
            found += [f"i(vsense{j})", f"v(sum{j})"]
        if self.people and self.architecture is Architecture.ONE_R:
            found += [f"v(row{i})" for i in range(1, self.rows + 1)]
            found += [f"v(col{j})" for j in range(1, self.columns + 1)]
        return (*found, "i(vref)")


@dataclass(frozen=True)
class TransistorContext:
    """One transistor, `transistor_sweep.cir.j2` and `transistor_cycle.cir.j2`; sweeps are (first, last, step)."""

    library: str
    model: str
    width_m: float
    length_m: float
    levels: Levels
    mean_v: tuple[float, float, float]
    difference_v: tuple[float, float, float]
    edge_s: float
    on_s: float
    stop_s: float
    r_drain_ohm: float
    line_v: float
