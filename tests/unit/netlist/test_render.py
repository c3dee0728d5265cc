"""Nothing enters a deck unchecked, and terms that vanish stay out of it."""

import dataclasses
from collections.abc import Callable

import jinja2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtjspice.cards.array import Architecture, load_array
from mtjspice.cards.conventions import Drive
from mtjspice.crossbar.cells import Cells
from mtjspice.errors import InputError
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.netlist import render
from mtjspice.netlist.context import CampaignContext, CrossbarContext, JunctionContext, NoiseFile, PulseContext
from mtjspice.schedule import read_schedule
from mtjspice.spice.crossbar_decks import Device, read_context

JUNCTION = JunctionContext(
    alpha=0.02,
    gamma_rad_per_ns_t=176.0,
    restoring_per_ns=20.0,
    b_k_t=0.2,
    b_z_t=0.0,
    b_x_t=0.0,
    torque_t_per_a=70.0,
    asymmetry=0.3,
    p_x=0.0,
    p_z=1.0,
    r_p_ohm=5000.0,
    tmr0=2.0,
    v_h_v=0.7,
    conducts=True,
)
PULSE = PulseContext(
    junction=JUNCTION,
    card="example",
    direction="AP->P",
    drive=Drive.CURRENT,
    level=-9e-5,
    width_s=2.5e-9,
    edge_s=5e-11,
    delay_s=1e-10,
    stop_s=5e-9,
    time_step_s=5e-12,
    thermal_field_sigma_t=9e-3,
    saddle_mz=0.0,
    start=(0.1, 0.0, -0.995),
)
SMUGGLED = [
    "x\n.exec rm",
    "x\r.include y",
    "x y",
    "x;quit",
    "x`id`",
    "{{ 7 }}",
    "é",
    "",
    ".end",
    "../x",
    "a" * 80,
    "x\x00",
]


def fill(template: str, **values: object) -> str:
    return render.make_environment(jinja2.DictLoader({"t": template})).get_template("t").render(**values)


@pytest.mark.parametrize("value", ["text", 1.5, None, "1\n.end"])
def test_unchecked_output_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="unchecked"):
        fill("R1 a b {{ value }}", value=value)


def test_joining_checked_text_makes_it_unchecked_again() -> None:
    with pytest.raises(InputError, match="unchecked"):
        fill("{{ (value | name) ~ tail }}", value="a", tail="\n.end")


@pytest.mark.parametrize(
    "template", ["{{ missing }}", "{{ missing | name }}", "{{ missing | number }}", "{% if missing %}{% endif %}"]
)
def test_a_name_the_context_lacks_fails(template: str) -> None:
    with pytest.raises((jinja2.UndefinedError, InputError)):
        fill(template)


@pytest.mark.parametrize("text", SMUGGLED)
def test_a_name_cannot_smuggle_a_line_into_a_deck(text: str) -> None:
    with pytest.raises(InputError, match="cannot be written into a netlist"):
        render.render_pulse(dataclasses.replace(PULSE, card=text))


@pytest.mark.parametrize("text", ["one\ntwo", "tab\t", "{{ x }}", "{% x %}", "a" * 121, "µ"])
def test_a_comment_is_one_printable_line(text: str) -> None:
    with pytest.raises(InputError, match="comment"):
        render.comment(text)


@given(st.text())
def test_whatever_passes_as_a_name_is_one_word(text: str) -> None:
    try:
        passed = render.name(text)
    except InputError:
        return
    assert passed.split() == [text]
    assert text.isascii()
    assert not set(text) & set("{}$;|`*\"'\\/()=")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", None, True])
def test_only_finite_numbers_are_numbers(value: object) -> None:
    with pytest.raises(InputError):
        render.number(value)  # type: ignore[arg-type]


FILTERS = [
    (render.name_part, ["1_2", "drv3", "0"], ["", "a b", "A", "x1.n", "a-b", "1\n2", "a" * 62, 1, None]),
    (render.vector, ["v(mz1_2)", "i(vrow1)"], ["v(a,b)", "v(a)\n", "v(a) i(b)", "V(a)", "v()", "w(a)", "@m1[id]", 1]),
]


@pytest.mark.parametrize(("passes", "text"), [(f, text) for f, good, _ in FILTERS for text in good])
def test_parts_of_names_and_vectors_pass_as_they_are(passes: Callable[[object], str], text: str) -> None:
    assert passes(text) == text
    assert fill("{{ text }}", text=passes(text)) == text


@pytest.mark.parametrize(("refuses", "value"), [(f, value) for f, _, bad in FILTERS for value in bad])
def test_nothing_else_passes_for_part_of_a_name_or_a_vector(refuses: Callable[[object], str], value: object) -> None:
    with pytest.raises(InputError, match="this is not a"):
        refuses(value)


def test_labels_are_filled_patterns() -> None:
    assert fill('{{ "r%d_%d" | label(i, 2) }}', i=1) == "r1_2"
    for value in ("1\n.end", "1 2", 1.5e-9):
        with pytest.raises(InputError, match="not a part of a name"):
            fill('{{ "r%s" | label(i) }}', i=value)


@pytest.mark.parametrize(("value", "text"), [(0.25, "+0.25"), (-0.25, "-0.25"), (0, "+0")])
def test_a_signed_number_can_follow_a_term(value: float, text: str) -> None:
    assert fill("v(a){{ value | signed }}", value=value) == f"v(a){text}"


def test_a_macros_text_passes_only_as_a_circuit() -> None:
    """What a macro wrote is plain text again; its own pieces went through filters."""
    macro = "{% macro m(x) %}R1 a {{ x | name_part }} 1{% endmacro %}"
    assert fill(macro + "{{ m('b') | circuit }}") == "R1 a b 1"
    with pytest.raises(InputError, match="unchecked"):
        fill(macro + "{{ m('b') }}")
    with pytest.raises(InputError, match="not a part of a name"):
        fill(macro + "{{ m('b 1\nX') | circuit }}")


@pytest.fixture
def crossbar(mondal_parameters: MacrospinParameters) -> CrossbarContext:
    array = load_array("array45")
    schedule = read_schedule(np.array([1.0, -0.5]), 2, Architecture.ONE_T_ONE_R, array)
    cells = Cells.nominal(mondal_parameters, np.eye(2), 250.0)
    return read_context(schedule, cells, Device(mondal_parameters, array, 7e3), title="a read")


@pytest.mark.parametrize("text", ["one\n.exec two", "a" * 121, "{{ x }}", "µ"])
@pytest.mark.parametrize("field", ["title", "header"])
def test_a_crossbars_title_and_header_are_printable_lines(crossbar: CrossbarContext, field: str, text: str) -> None:
    smuggled = {field: text if field == "title" else ("fine", text)}
    with pytest.raises(InputError, match="comment"):
        render.render_crossbar(dataclasses.replace(crossbar, **smuggled))


@pytest.mark.parametrize("field", ["library", "model"])
@pytest.mark.parametrize("text", ["a b", "x\n.end", "../x", "a;b"])
def test_a_crossbars_library_and_model_are_one_word(crossbar: CrossbarContext, field: str, text: str) -> None:
    switches = dataclasses.replace(crossbar.switches, **{field: text})
    with pytest.raises(InputError, match="cannot be written"):
        render.render_crossbar(dataclasses.replace(crossbar, switches=switches))


def test_an_axially_symmetric_junction_renders_no_tilt_and_no_zero_fields() -> None:
    text = render.render_pulse(PULSE)
    assert "Gcx" not in text
    assert "\nIx " not in text
    assert "\nIz " not in text


def test_a_tilted_junction_in_a_field_renders_both() -> None:
    tilted = dataclasses.replace(JUNCTION, p_x=0.1, p_z=0.995, b_x_t=0.01, b_z_t=0.02, asymmetry=0.0)
    text = render.render_pulse(dataclasses.replace(PULSE, junction=tilted))
    for element in ("Gcx 0 c mx 0 0.1", "Ix 0 bx 0.01", "Iz 0 bz 0.02", "Bbz bz 0"):
        assert element in text
    assert "Ba a 0" not in text  # no asymmetry, no product


def test_a_batch_has_a_source_and_a_noise_port_for_every_junction() -> None:
    context = CampaignContext(
        junction=JUNCTION,
        drive=Drive.VOLTAGE,
        level=0.7,
        width_s=1e-9,
        edge_s=5e-12,
        stop_s=2e-9,
        sample_step_s=5e-12,
        time_step_s=5e-12,
        starts=((0.1, 0.0, -0.995),) * 9,
        noise=(NoiseFile("field1.txt", tuple("12345678"), 1e-7), NoiseFile("field2.txt", ("9",), 1e-7)),
    )
    text = render.render_campaign(context)
    assert all(f"\nV{k} p{k} 0\n+ PWL(" in text for k in range(1, 10))
    assert text.count("filesource") == 2
