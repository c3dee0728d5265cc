"""What a command came to, for tests that run it in their own process by the fixture `mtjspice`."""

from collections.abc import Callable
from typing import NamedTuple


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


Command = Callable[..., Outcome]
