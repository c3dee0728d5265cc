"""The array card: how a crossbar reads its junctions."""

from pydantic import Field

from mtjspice.cards.loading import Section


class ArrayCard(Section):
    """Read conditions of an array; assumptions of ours, the paper states none."""

    v_read_v: float = Field(default=0.1, gt=0, le=2)
    t_read_s: float = Field(default=5e-9, gt=0, le=1e-3)
