"""Array cards: the shipped one, a user's own with a library beside it, and what is refused."""

import tomllib
from pathlib import Path

import pytest

from mtjspice.cards.array import Architecture, ArrayCard, SwitchKind, load_array
from mtjspice.cards.loading import validate_card
from mtjspice.errors import CardError
from mtjspice.resources import arrays_folder

SHIPPED = arrays_folder() / "array45.toml"


def tables() -> dict:
    return tomllib.loads(SHIPPED.read_text())


def fault(card: dict) -> str:
    with pytest.raises(CardError) as error:
        validate_card(card, ArrayCard, "my.toml")
    return str(error.value)


def test_the_shipped_card_is_the_documented_array() -> None:
    """T_rd 5 ns, V_read 0.1 V, edges of 50 ps, 2 ohm and 0.5 fF a segment are the agreed assumptions."""
    array = load_array("array45")
    assert (array.read.t_read_s, array.read.v_read_v) == (5e-9, 0.1)
    assert (array.wires.r_segment_ohm, array.wires.c_segment_f) == (2.0, 0.5e-15)
    assert array.timing.edge_s == 50e-12
    assert array.switches.kind is SwitchKind.BSIM4
    assert array == load_array(str(SHIPPED))


def test_an_edge_is_at_50_percent_midway_between_the_gates_levels() -> None:
    levels = load_array("array45").levels
    assert levels.gate_mid_v == pytest.approx((levels.gate_on_v + levels.gate_off_v) / 2)
    assert levels.gate_off_v < levels.gate_mid_v < levels.gate_on_v


def test_architectures_have_their_write_schemes_the_usual_one_first() -> None:
    assert Architecture.ONE_T_ONE_R.phases == (2,)
    assert Architecture.ONE_R.phases == (4, 2)


def test_a_missing_card_lists_the_shipped_ones() -> None:
    with pytest.raises(CardError, match=r"no such card(.|\n)*array45"):
        load_array("array46")


@pytest.mark.parametrize("beside", [True, False])
def test_a_library_is_looked_for_beside_the_card_first(tmp_path: Path, beside: bool) -> None:
    (tmp_path / "own.toml").write_text(SHIPPED.read_text().replace('"array45"', '"own"'))
    if beside:
        (tmp_path / "generic45.lib").write_text(".model nmos_generic45 nmos level=1\n")
    library = load_array(str(tmp_path / "own.toml")).switches.library
    assert library == (str(tmp_path / "generic45.lib") if beside else "generic45.lib")


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("read", "v_read_v", 0.0),
        ("read", "t_read_s", -5e-9),
        ("read", "r_feedback_ohm", float("inf")),
        ("wires", "r_segment_ohm", -1.0),
        ("wires", "c_segment_f", float("nan")),
        ("wires", "r_segment_ohm", "2"),
        ("switches", "kind", "psp"),
        ("switches", "select_width_m", 2.0),  # metres, where micrometres were meant
        ("switches", "row_width_per_cell_m", 0.0),
        ("switches", "column_width_per_cell_m", True),
        ("switches", "r_on_ohm", 0.0),
        ("switches", "model", "NMOS"),
        ("switches", "model", "nmos 1"),
        ("switches", "model", "n\n.end"),
        ("levels", "gate_on_v", 0.0),
        ("levels", "gate_off_v", 0.1),
        ("levels", "bulk_v", 0.1),
        ("timing", "edge_s", 0.0),
        ("timing", "time_step_s", 1e-9),
        ("timing", "gap_s", 0.0),
    ],
)
def test_a_value_out_of_range_is_named(table: str, key: str, value: object) -> None:
    card = tables()
    card[table][key] = value
    assert f"{table}.{key}" in fault(card)


def test_a_bulk_below_ground_is_refused() -> None:
    card = tables()
    card["levels"]["bulk_v"] = -1.0
    assert "lies below ground, which is -0.9 V from the common mode" in fault(card)


def test_a_gap_holds_four_edges() -> None:
    card = tables()
    card["timing"]["gap_s"] = 4 * card["timing"]["edge_s"]  # the shortest; rounding does not refuse it
    validate_card(card, ArrayCard, "my.toml")
    card["timing"]["gap_s"] = 3.9 * card["timing"]["edge_s"]
    assert "must hold four edges, 2e-10 s" in fault(card)


@pytest.mark.parametrize("table", ["read", "wires", "switches", "levels", "timing"])
def test_every_table_is_needed_and_every_key_is_known(table: str) -> None:
    card = tables()
    card[table]["colour"] = 1
    assert f"{table}.colour" in fault(card)
    del card[table]
    assert table in fault(card)


def test_all_faults_are_named_at_once() -> None:
    card = tables()
    card["read"]["v_read_v"] = 0.0
    card["r_short_ohm"] = -1.0
    message = fault(card)
    assert "read.v_read_v" in message
    assert "r_short_ohm" in message
