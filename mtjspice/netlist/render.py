"""Context -> template -> lint: the only way netlist text is made."""

import re
from functools import cache
from typing import Any

import jinja2

from mtjspice.errors import InputError
from mtjspice.netlist.context import CampaignContext, CrossbarContext, PulseContext, TransistorContext
from mtjspice.netlist.lint import check_deck
from mtjspice.netlist.ternary import TernaryContext
from mtjspice.resources import netlists_folder
from mtjspice.units import spice_number

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,60}", re.ASCII)
_PART = re.compile(r"[a-z0-9_]{1,61}", re.ASCII)
_VECTOR = re.compile(r"[vi]\([a-z0-9_]{1,61}\)", re.ASCII)
_PRINTABLE = re.compile(r"[ -~]{0,120}", re.ASCII)


class CheckedText(str):
    """Text that passed one of the filters below, and so may enter a deck."""


def number(value: float) -> CheckedText:
    """Return a finite number as SPICE text.

    Raises:
        InputError: not a finite number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError("a netlist takes numbers here", given=repr(value), allowed="a finite number")
    try:
        return CheckedText(spice_number(value))
    except ValueError as error:
        raise InputError(str(error), given=repr(value), allowed="a finite number") from error


def name(value: str) -> CheckedText:
    """Return a name of a card, file or node.

    Raises:
        InputError: it holds anything but letters, digits, dot, hyphen and underscore.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise InputError(
            "this name cannot be written into a netlist",
            given=repr(value),
            allowed="a letter, then letters, digits, '.', '-' or '_'; at most 61",
        )
    return CheckedText(value)


def comment(value: str) -> CheckedText:
    """Return text for a comment line.

    Raises:
        InputError: more than one line, a character that does not print, or braces that a template would read.
    """
    if not isinstance(value, str) or not _PRINTABLE.fullmatch(value) or "{{" in value or "{%" in value:
        raise InputError(
            "this text cannot be written into a netlist's comment",
            given=repr(value),
            allowed="one line of at most 120 printable ASCII characters",
        )
    return CheckedText(value)


def name_part(value: str) -> CheckedText:
    """Return the part of a node's or an element's name that follows its letter.

    Raises:
        InputError: it holds anything but lower-case letters, digits and underscore.
    """
    return _matching(value, _PART, "a part of a name", "lower-case letters, digits and '_'; at most 61")


def vector(value: str) -> CheckedText:
    """Return the name of a saved vector, ``v(node)`` or ``i(source)``.

    Raises:
        InputError: it is not one.
    """
    return _matching(value, _VECTOR, "a vector", "v(node) or i(source)")


def label(pattern: str, *numbers: object) -> CheckedText:
    """Return a node's or an element's name made of a template's own pattern: ``"r%d_%d" | label(i, j)``."""
    return name_part((pattern % numbers).lower())


def circuit(value: str) -> CheckedText:
    """Let a macro's text through: every piece of it went through a filter inside the macro."""
    return CheckedText(value)


def signed(value: float) -> CheckedText:
    """Return a number with its sign, to be added to what stands before it."""
    text = number(value)
    return text if text.startswith("-") else CheckedText(f"+{text}")


def _matching(value: str, pattern: re.Pattern[str], what: str, allowed: str) -> CheckedText:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InputError(f"this is not {what} of a netlist", given=repr(value), allowed=allowed)
    return CheckedText(value)


def only_checked(value: Any) -> Any:
    """Refuse template output that passed none of the filters, so that no text reaches a deck unchecked."""
    if not isinstance(value, CheckedText):
        raise InputError(
            "unchecked text was about to enter a netlist",
            given=repr(value),
            next_step="use one of the filters `number`, `name`, `comment` in the template",
        )
    return value


def make_environment(loader: jinja2.BaseLoader) -> jinja2.Environment:
    """Return the Jinja environment of netlists: undefined names fail, and so does unchecked output."""
    environment = jinja2.Environment(
        loader=loader,
        undefined=jinja2.StrictUndefined,
        finalize=only_checked,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    filters = (number, name, comment, name_part, vector, label, circuit, signed)
    environment.filters |= {function.__name__: function for function in filters}
    return environment


@cache
def _shipped() -> jinja2.Environment:
    return make_environment(jinja2.FileSystemLoader(netlists_folder()))


def fill(template: str, context: object) -> str:
    """Return the text of a shipped template, not yet linted; the template knows its context as `deck`.

    Raises:
        InputError: text in the context that must not enter a deck.
    """
    return _shipped().get_template(template).render(deck=context)


def render_pulse(context: PulseContext) -> str:
    """Return the deck of one pulse, checked: stands alone, to be opened and run by people."""
    return check_deck(fill("pulse.cir.j2", context))


def render_campaign(context: CampaignContext) -> str:
    """Return the deck of one batch, checked: to be run in a folder with its noise files."""
    return check_deck(fill("campaign.cir.j2", context))


def render_crossbar(context: CrossbarContext) -> str:
    """Return the deck of a crossbar, checked: to be run in a folder with its transistor library and noise files."""
    return check_deck(fill("crossbar.cir.j2", context))


def render_ternary(context: TernaryContext) -> str:
    """Return the deck of an array of ternary synapses, checked: to be run as a crossbar's."""
    return check_deck(fill("ternary.cir.j2", context))


def render_transistor_sweep(context: TransistorContext) -> str:
    """Return the deck that tabulates a transistor that is on, checked."""
    return check_deck(fill("transistor_sweep.cir.j2", context))


def render_transistor_cycle(context: TransistorContext) -> str:
    """Return the deck of one on-off cycle of a transistor's gate, checked."""
    return check_deck(fill("transistor_cycle.cir.j2", context))
