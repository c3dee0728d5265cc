"""What a command came to, for tests that run it in their own process by the fixture `mtjspice`."""

from collections.abc import Callable
from typing import NamedTuple


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


Command = Callable[..., Outcome]


def refused(outcome: Outcome, status: int, *messages: str) -> None:
    """Check for one message on stderr, and nothing else."""
    assert outcome.status == status, outcome.err
    assert outcome.out == ""
    assert outcome.err.count("error: ") == 1
    assert "Traceback" not in outcome.err
    for message in messages:
        assert message in outcome.err
