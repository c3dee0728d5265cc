"""The exception tree."""

import inspect
import pickle

import pytest

from mtjspice import errors
from mtjspice.errors import (
    CardError,
    InputError,
    MtjspiceError,
    NgspiceMissingError,
    OutputError,
    SimulationError,
    StoppedError,
)

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]


def test_the_message_says_what_where_given_allowed_and_next() -> None:
    error = CardError("it is wrong", where="a.toml", given=3, allowed="1 or 2", next_step="mend it")
    assert str(error).splitlines() == [
        "it is wrong",
        "  where:   a.toml",
        "  given:   3",
        "  allowed: 1 or 2",
        "  next:    mend it",
    ]
    assert str(CardError("it is wrong")) == "it is wrong"


@pytest.mark.parametrize("kind", KINDS)
def test_errors_travel_whole_between_processes(kind: type[MtjspiceError]) -> None:
    error = kind("what", where="here", given=0, allowed="more", next_step="go on")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == str(error)


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_exits_with_2_a_failed_run_with_1_a_stopped_one_as_shells_do(kind: type[MtjspiceError]) -> None:
    assert issubclass(kind, MtjspiceError)
    expected = 2 if issubclass(kind, InputError) else 130 if kind is StoppedError else 1
    assert kind.exit_code == expected


def test_what_is_no_input_error() -> None:
    assert not any(issubclass(kind, InputError) for kind in (OutputError, SimulationError, NgspiceMissingError))
