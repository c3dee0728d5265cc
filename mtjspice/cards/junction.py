"""The junction card: one magnetic tunnel junction as its maker would describe it."""

import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from mtjspice.cards.conventions import Direction
from mtjspice.cards.loading import SCHEMA, Card, Section, read_card
from mtjspice.errors import CardError
from mtjspice.resources import models_folder

CardName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,40}$")]
"""Names reach netlists and file names, so they hold nothing that either could misread."""


class Geometry(Section):
    """A circular pillar."""

    diameter_m: float = Field(ge=1e-9, le=1e-6)
    free_layer_thickness_m: float = Field(ge=0.2e-9, le=20e-9)


class FreeLayer(Section):
    """The layer that switches. Give the effective anisotropy field, or the interfacial anisotropy to derive it from."""

    ms_a_per_m: float = Field(ge=1e4, le=3e6)
    alpha: float = Field(ge=1e-4, le=0.5)
    anisotropy_field_t: float | None = Field(default=None, gt=0, le=5)
    interfacial_anisotropy_j_per_m2: float | None = Field(default=None, gt=0, le=0.1)

    @model_validator(mode="after")
    def _one_anisotropy(self) -> Self:
        if (self.anisotropy_field_t is None) == (self.interfacial_anisotropy_j_per_m2 is None):
            raise ValueError("give exactly one of anisotropy_field_t and interfacial_anisotropy_j_per_m2")
        return self


class Torque(Section):
    """Slonczewski torque with efficiency P/(1 + asymmetry * cos theta)."""

    polarization: float = Field(gt=0, lt=1)
    asymmetry: float | None = Field(
        default=None, ge=0, lt=1, description="coefficient of cos theta; polarization squared when left out"
    )
    reference_tilt_rad: float = Field(
        default=0.0, ge=-0.5, le=0.5, description="tilt of the reference layer from the film normal, towards x"
    )


class AppliedField(Section):
    """Constant fields on the free layer."""

    stray_field_t: float = Field(default=0.0, ge=-1, le=1, description="along z; positive favours parallel")
    in_plane_field_t: float = Field(default=0.0, ge=-1, le=1, description="along x")


class Resistance(Section):
    """R_P constant; TMR(V) = TMR0/(1 + (V/V_h)^2). Give R_P, or the resistance-area product."""

    r_p_ohm: float | None = Field(default=None, gt=0, le=1e9)
    ra_ohm_m2: float | None = Field(default=None, gt=0, le=1e-6)
    tmr0: float = Field(gt=0, le=20, description="a ratio: 2.0 is 200 %")
    v_h_v: float = Field(gt=0.01, le=10)

    @model_validator(mode="after")
    def _one_resistance(self) -> Self:
        if (self.r_p_ohm is None) == (self.ra_ohm_m2 is None):
            raise ValueError("give exactly one of r_p_ohm and ra_ohm_m2")
        return self


class Coefficients(Section):
    """Published write coefficients of one direction, to set beside ours (eqs. 6 and 7 of Mondal & Srivastava)."""

    i0_a: float = Field(gt=0)
    i1_a: float = Field(gt=0)
    v_min_v: float = Field(gt=0)
    v_max_v: float = Field(gt=0)


class Published(Section):
    """Published coefficients and the campaign values they hold for."""

    source: str
    t0_s: float = Field(gt=0)
    t1_s: float = Field(gt=0)
    p0: float = Field(gt=0, lt=1)
    ap_to_p: Coefficients
    p_to_ap: Coefficients

    def coefficients(self, direction: Direction) -> Coefficients:
        """Return the published coefficients of `direction`."""
        return self.ap_to_p if direction is Direction.AP_TO_P else self.p_to_ap


class JunctionCard(Card):
    """One junction: geometry, magnetics, torque, fields, resistance, temperature; and where the numbers come from."""

    schema_: Literal[SCHEMA] = Field(alias="schema")  # type: ignore[valid-type]
    name: CardName
    description: str
    source: str
    not_valid_for: tuple[str, ...]
    temperature_k: float = Field(ge=1, le=1000)
    geometry: Geometry
    free_layer: FreeLayer
    torque: Torque
    field: AppliedField = AppliedField()
    resistance: Resistance
    published: Published | None = None

    @model_validator(mode="after")
    def _two_stable_states(self) -> Self:
        b_k = self.anisotropy_field_t
        if b_k <= 0:
            raise ValueError(
                f"the effective anisotropy field is {b_k:.4g} T, so the free layer lies in the plane; "
                "a perpendicular junction needs it positive"
            )
        b_z, b_x = self.field.stray_field_t, self.field.in_plane_field_t
        # Stoner-Wohlfarth astroid: inside it the energy has two minima.
        if abs(b_z) ** (2 / 3) + abs(b_x) ** (2 / 3) >= b_k ** (2 / 3):
            raise ValueError(
                f"the junction is stable in one state only: fields of {b_z:.4g} T (z) and {b_x:.4g} T (x) "
                f"lie outside the switching astroid of its anisotropy field, {b_k:.4g} T"
            )
        return self

    @property
    def area_m2(self) -> float:
        """Area of the pillar."""
        return math.pi * self.geometry.diameter_m**2 / 4

    @property
    def volume_m3(self) -> float:
        """Volume of the free layer."""
        return self.area_m2 * self.geometry.free_layer_thickness_m

    @property
    def anisotropy_field_t(self) -> float:
        """Effective perpendicular anisotropy field mu0 Hk, demagnetisation included."""
        layer = self.free_layer
        if layer.anisotropy_field_t is not None:
            return layer.anisotropy_field_t
        from mtjspice.cards.demagnetisation import effective_anisotropy_field_t

        assert layer.interfacial_anisotropy_j_per_m2 is not None
        return effective_anisotropy_field_t(
            layer.interfacial_anisotropy_j_per_m2,
            layer.ms_a_per_m,
            self.geometry.diameter_m,
            self.geometry.free_layer_thickness_m,
        )

    @property
    def r_p_ohm(self) -> float:
        """Resistance of the parallel state."""
        resistance = self.resistance
        if resistance.r_p_ohm is not None:
            return resistance.r_p_ohm
        assert resistance.ra_ohm_m2 is not None
        return resistance.ra_ohm_m2 / self.area_m2

    @property
    def torque_asymmetry(self) -> float:
        """Coefficient of cos theta in the efficiency; P^2, as for a symmetric stack, unless the card says otherwise."""
        asymmetry = self.torque.asymmetry
        return self.torque.polarization**2 if asymmetry is None else asymmetry

    @property
    def is_axially_symmetric(self) -> bool:
        """Whether nothing singles out a direction in the film plane, so that m_z alone is a Markov process."""
        return self.field.in_plane_field_t == 0 and self.torque.reference_tilt_rad == 0


def shipped_cards() -> dict[str, Path]:
    """Return the shipped junction cards: name to file."""
    return {path.stem: path for path in sorted(models_folder().glob("*.toml"))}


def find_card(name_or_path: str) -> Path:
    """Return the file of a shipped card's name, or of a path.

    Raises:
        CardError: neither; the message lists the shipped cards.
    """
    shipped = shipped_cards()
    if name_or_path in shipped:
        return shipped[name_or_path]
    path = Path(name_or_path)
    if path.is_file():
        return path
    raise CardError(
        "there is no such junction card",
        given=name_or_path,
        allowed=f"a shipped card ({', '.join(shipped)}) or the path of a TOML file",
    )


def load_card(name_or_path: str) -> JunctionCard:
    """Return the junction card of a shipped name or of a TOML file's path."""
    return read_card(find_card(name_or_path), JunctionCard)
