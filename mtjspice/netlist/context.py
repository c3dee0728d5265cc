"""What the templates are given: plain frozen numbers, SI unless the name says otherwise."""

from dataclasses import dataclass

from mtjspice.cards.conventions import Drive


@dataclass(frozen=True)
class JunctionContext:
    """The junction subcircuit, `junction.cir.j2`. Time is in ns there, fields are in tesla.

    Terms whose number is zero (`restoring_per_ns`, `b_z_t`, `b_x_t`, `p_x`, `asymmetry`) stay out of the text.
    Without `conducts` the terminals are a short: enough, and faster, where a source imposes the current.
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
    """A file of thermal fields in units of `scale_t`: three columns for each of the junctions numbered `junctions`."""

    name: str
    junctions: tuple[int, ...]
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
