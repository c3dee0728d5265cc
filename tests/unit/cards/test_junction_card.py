"""Junction cards: the shipped ones, and every way to get one wrong."""

import contextlib
import copy
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtjspice.cards.conventions import Direction
from mtjspice.cards.junction import JunctionCard, find_card, load_card, shipped_cards
from mtjspice.cards.loading import parse_card, validate_card
from mtjspice.errors import CardError
from mtjspice.junction.parameters import MacrospinParameters

TEXT = shipped_cards()["mondal2018"].read_text()


def changed(*edits: tuple[str, object]) -> dict:
    """The shipped card's tables with the dotted keys of `edits` set; None removes one."""
    tables = tomllib.loads(TEXT)
    for dotted, value in edits:
        *path, key = dotted.split(".")
        table = tables
        for name in path:
            table = table.setdefault(name, {})
        if value is None:
            del table[key]
        else:
            table[key] = value
    return tables


def faults(*edits: tuple[str, object]) -> str:
    with pytest.raises(CardError) as error:
        validate_card(changed(*edits), JunctionCard, "my.toml")
    assert "my.toml" in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("name", ["interfacial65", "mondal2018"])
def test_shipped_cards_load_under_their_own_name(name: str) -> None:
    card = load_card(name)
    assert card.name == name == find_card(name).stem
    assert card.not_valid_for
    assert card == load_card(str(shipped_cards()[name]))


def test_the_interfacial_card_is_a_sensible_memory_cell() -> None:
    card = load_card("interfacial65")
    parameters = MacrospinParameters.from_card(card)
    assert 50 < parameters.delta < 80  # ten years need some 45 (1 ns attempt time), easy writing less than some 80
    assert parameters.is_axially_symmetric
    assert card.r_p_ohm == pytest.approx(5e-12 / (3.14159265 / 4 * (65e-9) ** 2))
    # The UMN model passes 0.618 of the current's spin on for AP -> P, and 1.5 times less for P -> AP.
    currents = [parameters.critical_current_a(direction) for direction in Direction]
    assert currents[1] / currents[0] == pytest.approx(1.5)
    assert card.torque.polarization / (1 - card.torque_asymmetry) == pytest.approx(0.6183, abs=1e-4)


def test_hash_follows_the_meaning_not_the_text(mondal: JunctionCard) -> None:
    reordered = "\n".join(line.split(" #")[0] for line in TEXT.splitlines()) + "\n# the end\n"
    assert parse_card(reordered, JunctionCard, "x").sha256 == mondal.sha256
    warmer = validate_card(changed(("temperature_k", 301)), JunctionCard, "x")
    assert warmer.sha256 != mondal.sha256


def test_whole_numbers_may_stand_for_real_ones(mondal: JunctionCard) -> None:
    assert validate_card(changed(("temperature_k", 300)), JunctionCard, "x") == mondal


def test_asymmetry_defaults_to_polarization_squared(mondal: JunctionCard) -> None:
    assert mondal.torque_asymmetry == mondal.torque.polarization**2
    assert validate_card(changed(("torque.asymmetry", 0.0)), JunctionCard, "x").torque_asymmetry == 0


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("geometry.diameter_nm", "geometry.diameter_nm: unknown key; did you mean diameter_m?"),
        ("torque.polarisation", "torque.polarisation: unknown key; did you mean polarization?"),
        ("torque.alpha", "torque.alpha: unknown key; did you mean free_layer.alpha?"),
        ("temperatur_k", "temperatur_k: unknown key; did you mean temperature_k?"),
        ("stray_field_t", "stray_field_t: unknown key; did you mean field.stray_field_t?"),
        ("published.ap_to_p.i0", "published.ap_to_p.i0: unknown key; did you mean i0_a?"),
        ("resistance.zzz", "resistance.zzz: unknown key; known here: r_p_ohm, ra_ohm_m2, tmr0, v_h_v"),
        ("schema_", "schema_: unknown key; did you mean schema?"),
    ],
)
def test_an_unknown_key_gets_the_nearest_known_one(key: str, hint: str) -> None:
    assert hint in faults((key, 1.0))


def test_an_unknown_table_gets_the_nearest_known_one() -> None:
    assert "freelayer: unknown key; did you mean free_layer?" in faults(("freelayer", {"alpha": 0.1}))


@pytest.mark.parametrize("key", ["name", "schema", "temperature_k", "geometry", "free_layer.alpha", "resistance.tmr0"])
def test_a_missing_key_is_named(key: str) -> None:
    assert f"{key}: missing" in faults((key, None))


def test_every_fault_is_named_at_once_with_range_and_unit() -> None:
    message = faults(
        ("geometry.diameter_m", 50),
        ("free_layer.ms_a_per_m", -1e6),
        ("free_layer.alfa", 0.02),
        ("resistance.tmr0", 206),
        ("resistance.ra_ohm_m2", 9.6e-12),
        ("temperature_k", 0),
        ("torque.polarization", None),
    )
    assert "the card has 7 faults" in message
    assert "geometry.diameter_m = 50: must be a number at least 1e-09 m and at most 1e-06 m" in message
    assert "free_layer.ms_a_per_m = -1000000.0: must be a number at least 10000 A/m and at most 3e+06 A/m" in message
    assert "resistance.ra_ohm_m2 = 9.6e-12: both of this and r_p_ohm given" in message
    assert "temperature_k = 0: must be a number at least 1 K and at most 1000 K" in message


@pytest.mark.parametrize("value", ["0.0218", True, [0.0218], {"value": 0.0218}, float("nan"), float("inf"), -0.02])
def test_only_a_number_is_a_number(value: object) -> None:
    assert "must be a number at least 0.0001 and at most 0.5" in faults(("free_layer.alpha", value))


def test_a_table_must_be_a_table() -> None:
    assert "geometry = 50: must be a table" in faults(("geometry", 50))


@pytest.mark.parametrize("schema", [0, 2, "1"])
def test_a_card_of_another_version_says_so(schema: object) -> None:
    message = faults(("schema", schema))
    assert "schema = " in message
    if schema != "1":
        assert "the card is of another version; this mtjspice reads schema 1" in message


@pytest.mark.parametrize(
    "name", ["", "a b", "2fast", "../../etc/x", "a/b", "x\n.include y", "x\n", "a.b", "x" * 42, "é", "a;b", "$x"]
)
def test_a_name_cannot_smuggle_anything_into_a_deck_or_path(name: str) -> None:
    assert "must start with a letter and hold only letters, digits, _ and -" in faults(("name", name))


@pytest.mark.parametrize("text", ["a\n.control", "a\r.end", "a\u2028b", "\x1b[2J", " "])
def test_a_description_is_one_printable_line(text: str) -> None:
    assert "must be one line of printable text" in faults(("description", text))


@pytest.mark.parametrize("fields", [(0.19, 0.0), (-0.19, 0.0), (0.0, 0.19), (0.07, 0.08)])
def test_a_junction_with_one_stable_state_is_refused(fields: tuple[float, float]) -> None:
    # (0.07, 0.08) lies outside the astroid of 0.1864 T although each field alone lies inside.
    message = faults(("field.stray_field_t", fields[0]), ("field.in_plane_field_t", fields[1]))
    assert "stable in one state only" in message
    assert "0.1864 T" in message


def test_fields_inside_the_astroid_are_accepted() -> None:
    edits = (("field.stray_field_t", 0.03), ("field.in_plane_field_t", 0.05), ("torque.reference_tilt_rad", 0.1))
    card = validate_card(changed(*edits), JunctionCard, "x")
    assert not MacrospinParameters.from_card(card).is_axially_symmetric


def test_a_layer_in_the_plane_is_refused_beside_unrelated_faults() -> None:
    message = faults(
        ("free_layer.anisotropy_field_t", None),
        ("free_layer.interfacial_anisotropy_j_per_m2", 0.6e-3),
        ("resistance.v_h_v", -1),
    )
    assert "2 faults" in message
    assert "free_layer: the effective anisotropy field is -" in message
    assert "lies in the plane" in message


@pytest.mark.parametrize(
    ("first", "second", "key"),
    [
        ("free_layer.anisotropy_field_t", "free_layer.interfacial_anisotropy_j_per_m2", "anisotropy_field_t"),
        ("resistance.r_p_ohm", "resistance.ra_ohm_m2", "r_p_ohm"),
    ],
)
def test_alternatives_are_given_once(first: str, second: str, key: str) -> None:
    assert f"{second}: neither of this and {key} given" in faults((first, None))
    assert f"both of this and {key} given" in faults((second, 1e-3 if "anis" in second else 1e-12))
    # A bad value is one fault, not also a missing one.
    assert "1 fault:" in faults((first, -1.0))


@pytest.mark.parametrize("text", ["schema = ", "a = 1\na = 2", "x = [" * 3000, "x = " + "1" * 5000, "\x00"])
def test_what_is_not_toml_is_refused(text: str) -> None:
    with pytest.raises(CardError, match=r"not valid TOML(.|\n)*my\.toml"):
        parse_card(text, JunctionCard, "my.toml")


def test_what_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes('name = "é"'.encode("latin-1"))
    with pytest.raises(CardError, match="not UTF-8"):
        load_card(str(path))


def test_an_unreadable_card_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT)

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(CardError, match=r"cannot read the card: Permission denied"):
        load_card(str(path))


@pytest.mark.parametrize("name", ["nowhere.toml", "", "/", "x" * 5000, "a\x00b"])
def test_a_missing_card_lists_the_shipped_ones(name: str) -> None:
    with pytest.raises(CardError, match=r"there is no such card(.|\n)*interfacial65, mondal2018"):
        find_card(name)


def test_a_misspelt_card_gets_the_nearest_one() -> None:
    with pytest.raises(CardError, match="did you mean mondal2018"):
        find_card("mondal2108")


def test_the_message_is_short_even_for_a_long_value() -> None:
    assert len(faults(("temperature_k", list(range(10_000))))) < 500


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def every_key(tables: dict, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    keys = [(*path, key) for key in tables]
    return keys + [
        deep for key, value in tables.items() if isinstance(value, dict) for deep in every_key(value, (*path, key))
    ]


@given(path=st.sampled_from(every_key(tomllib.loads(TEXT))), value=anything, extra=st.text())
def test_nothing_but_a_card_or_a_card_error_comes_out(path: tuple[str, ...], value: object, extra: str) -> None:
    tables = copy.deepcopy(tomllib.loads(TEXT))
    table = tables
    for name in path[:-1]:
        table = table[name]
    table[path[-1]] = value
    table[extra] = value
    with contextlib.suppress(CardError):
        validate_card(tables, JunctionCard, "x")
