"""The array card of the goldens, and the same without what is not ideal."""

from mtjspice.cards.array import SwitchKind, load_array

ARRAY = load_array("array45")
IDEAL_ARRAY = ARRAY.model_copy(
    update={
        "switches": ARRAY.switches.model_copy(update={"kind": SwitchKind.IDEAL}),
        "wires": ARRAY.wires.model_copy(update={"r_segment_ohm": 0.0}),
    }
)
