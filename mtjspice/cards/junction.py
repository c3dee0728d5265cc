"""The junction card: one magnetic tunnel junction as its maker would describe it."""

import math
from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator

from mtjspice.cards.conventions import Direction
from mtjspice.cards.demagnetisation import effective_anisotropy_field_t
from mtjspice.cards.loading import Card, Section, find, read_card, shipped
from mtjspice.resources import models_folder


class Geometry(Section):
    """A circular pillar."""

    diameter_m: float = Field(ge=1e-9, le=1e-6)
    free_layer_thickness_m: float = Field(ge=0.2e-9, le=20e-9)


class FreeLayer(Section):
    """The layer that switches. Give the effective anisotropy field, or the interfacial anisotropy to derive it from."""

    ms_a_per_m: float = Field(ge=1e4, le=3e6)
    alpha: float = Field(ge=1e-4, le=0.5)
    anisotropy_field_t: float | None = Field(default=None, gt=0, le=5)
    interfacial_anisotropy_j_per_m2: float | None = Field(default=None, gt=0, le=0.1, validate_default=True)

    @field_validator("interfacial_anisotropy_j_per_m2")
    @classmethod
    def _one_anisotropy(cls, value: float | None, others: ValidationInfo) -> float | None:
        return _instead_of("anisotropy_field_t", value, others)

    def effective_field_t(self, geometry: Geometry) -> float:
        """Return mu0 Hk, as given or from the interfacial anisotropy less the demagnetising field of `geometry`."""
        if self.interfacial_anisotropy_j_per_m2 is None:
            assert self.anisotropy_field_t is not None
            return self.anisotropy_field_t
        return effective_anisotropy_field_t(
            self.interfacial_anisotropy_j_per_m2,
            self.ms_a_per_m,
            geometry.diameter_m,
            geometry.free_layer_thickness_m,
        )


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

    r_p_ohm: float | None = Field(default=None, ge=1, le=1e9)
    ra_ohm_m2: float | None = Field(default=None, ge=1e-14, le=1e-6, validate_default=True)
    tmr0: float = Field(gt=0, le=20, description="a ratio: 2.0 is 200 %")
    v_h_v: float = Field(ge=0.01, le=10)

    @field_validator("ra_ohm_m2")
    @classmethod
    def _one_resistance(cls, value: float | None, others: ValidationInfo) -> float | None:
        return _instead_of("r_p_ohm", value, others)


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

    source: str
    not_valid_for: tuple[str, ...] = Field(strict=False)  # TOML has lists only
    temperature_k: float = Field(ge=1, le=1000)
    geometry: Geometry
    free_layer: FreeLayer
    torque: Torque
    field: AppliedField = Field(default=AppliedField(), validate_default=True)
    resistance: Resistance
    published: Published | None = None

    # Validators of one table each, not of the card, so that they speak beside the faults of unrelated tables.

    @field_validator("free_layer")
    @classmethod
    def _perpendicular(cls, layer: FreeLayer, others: ValidationInfo) -> FreeLayer:
        if "geometry" in others.data and (b_k := layer.effective_field_t(others.data["geometry"])) <= 0:
            raise ValueError(
                f"the effective anisotropy field is {b_k:.4g} T, so the free layer lies in the plane; a perpendicular "
                "junction needs a thinner layer, a lower Ms or a stronger interfacial anisotropy"
            )
        return layer

    @field_validator("field")
    @classmethod
    def _two_stable_states(cls, field: AppliedField, others: ValidationInfo) -> AppliedField:
        if not {"geometry", "free_layer"} <= others.data.keys():
            return field
        b_k = others.data["free_layer"].effective_field_t(others.data["geometry"])
        b_z, b_x = field.stray_field_t, field.in_plane_field_t
        # Stoner-Wohlfarth astroid: inside it the energy has two minima.
        if abs(b_z) ** (2 / 3) + abs(b_x) ** (2 / 3) >= b_k ** (2 / 3):
            raise ValueError(
                f"the junction is stable in one state only: fields of {b_z:.4g} T (z) and {b_x:.4g} T (x) "
                f"lie outside the switching astroid of its anisotropy field, {b_k:.4g} T"
            )
        return field

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
        return self.free_layer.effective_field_t(self.geometry)

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


def shipped_cards() -> dict[str, Path]:
    """Return the shipped junction cards: name to file."""
    return shipped(models_folder())


def find_card(name_or_path: str) -> Path:
    """Return the file of a shipped card's name, or of a path.

    Raises:
        CardError: neither; the message lists the shipped cards.
    """
    return find(name_or_path, models_folder())


def load_card(name_or_path: str) -> JunctionCard:
    """Return the junction card of a shipped name or of a TOML file's path."""
    return read_card(find_card(name_or_path), JunctionCard)


def _instead_of(other: str, value: float | None, others: ValidationInfo) -> float | None:
    """Return `value` if exactly one of it and `other` is given; silent where `other` has a fault of its own."""
    if other in others.data and (value is None) == (others.data[other] is None):
        raise ValueError(f"{'neither' if value is None else 'both'} of this and {other} given; give one of them")
    return value
