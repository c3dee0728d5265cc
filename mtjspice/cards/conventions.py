"""The words that every room shares: switching directions and kinds of drive."""

from enum import StrEnum


class Direction(StrEnum):
    """A switching direction. m_z = +1 is parallel (P), m_z = -1 antiparallel (AP)."""

    AP_TO_P = "ap_to_p"
    P_TO_AP = "p_to_ap"

    @property
    def initial_mz(self) -> int:
        """m_z of the well that the junction starts in."""
        return -1 if self is Direction.AP_TO_P else 1

    @property
    def current_sign(self) -> int:
        """Sign of the switching current; positive flows from the pinned to the free terminal and favours AP."""
        return self.initial_mz

    @property
    def label(self) -> str:
        """The direction as it is printed."""
        return "AP->P" if self is Direction.AP_TO_P else "P->AP"


class Drive(StrEnum):
    """What a write pulse holds constant while the junction turns."""

    CURRENT = "current"
    VOLTAGE = "voltage"

    @property
    def unit(self) -> str:
        """Unit of the pulse's level."""
        return "A" if self is Drive.CURRENT else "V"
