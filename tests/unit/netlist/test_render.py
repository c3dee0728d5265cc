"""Nothing enters a deck unchecked, and terms that vanish stay out of it."""

import dataclasses

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtjspice.cards.conventions import Drive
from mtjspice.errors import InputError
from mtjspice.netlist import render
from mtjspice.netlist.context import CampaignContext, JunctionContext, NoiseFile, PulseContext

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
