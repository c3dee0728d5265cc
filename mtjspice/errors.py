"""The exceptions a user can meet. Each says what, where, what was given, what is allowed and what to do next."""


class MtjspiceError(Exception):
    """Base of everything mtjspice raises on purpose.

    Args:
        what: one sentence, the fault itself.
        where: the file, key, option or run it was found in.
        given: what was found there.
        allowed: what would have been right.
        next_step: what the user can do now.
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        where: object = None,
        given: object = None,
        allowed: object = None,
        next_step: str | None = None,
    ) -> None:
        details = {"where": where, "given": given, "allowed": allowed, "next": next_step}
        lines = [what, *(f"  {name + ':':9}{text}" for name, text in details.items() if text is not None)]
        super().__init__("\n".join(lines))
        self._parts = (what, where, given, allowed, next_step)

    def __reduce__(self) -> tuple[object, ...]:
        """Travel whole between processes: keyword-only arguments do not pickle by themselves."""
        return _rebuild, (type(self), self._parts)


def _rebuild(kind: type[MtjspiceError], parts: tuple[str, object, object, object, str | None]) -> MtjspiceError:
    what, where, given, allowed, next_step = parts
    return kind(what, where=where, given=given, allowed=allowed, next_step=next_step)


class InputError(MtjspiceError):
    """The user's input is wrong: a card, a table, an option. The command exits with 2."""

    exit_code = 2


class CardError(InputError):
    """A card file that cannot be used."""


class DataError(InputError):
    """A table of measurements, a result file or a checkpoint that cannot be used."""


class ModelError(InputError):
    """A question outside the range in which a model holds, such as eq. 5 below the critical current."""


class OutputError(MtjspiceError):
    """A file or folder that cannot be written."""


class SimulationError(MtjspiceError):
    """A simulation that ran and failed."""


class NgspiceMissingError(SimulationError):
    """ngspice is not installed, or too old."""


class StoppedError(MtjspiceError):
    """The user stopped the command."""

    exit_code = 130
