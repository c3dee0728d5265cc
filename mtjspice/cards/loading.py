"""TOML text to a validated card, with every fault of the file named at once."""

import difflib
import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from mtjspice.errors import CardError
from mtjspice.files import sha256_of

SCHEMA = 1


class Section(BaseModel):
    """A table of a card: frozen, every key known, no infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Card(Section):
    """A whole card file."""

    @property
    def sha256(self) -> str:
        """Hash of what the card means: independent of comments and of the order of its keys."""
        return sha256_of(self.model_dump(mode="json"))


AnyCard = TypeVar("AnyCard", bound=Card)


def parse_card(text: str, kind: type[AnyCard], where: str) -> AnyCard:
    """Return the card that `text` describes.

    Raises:
        CardError: not TOML, or any number of faults; all of them are in the message.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CardError("the card is not valid TOML", where=where, given=str(error)) from error
    return validate_card(tables, kind, where)


def validate_card(tables: dict[str, Any], kind: type[AnyCard], where: str) -> AnyCard:
    """Return the card made of the parsed `tables`; raise `CardError` with every fault found."""
    try:
        return kind.model_validate(tables)
    except ValidationError as error:
        faults = [_fault(item, kind) for item in error.errors()]
        raise CardError(
            f"the card has {len(faults)} fault{'s' if len(faults) > 1 else ''}:\n" + "\n".join(f"  - {f}" for f in faults),
            where=where,
            next_step="mend the card; `mtjspice card show mondal2018 --toml` prints a complete one",
        ) from error


def read_card(path: Path, kind: type[AnyCard]) -> AnyCard:
    """Read and validate a card file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CardError(f"cannot read the card: {reason}", where=path) from error
    return parse_card(text, kind, str(path))


def _fault(item: Any, kind: type[BaseModel]) -> str:
    """Return one validation error as a line for people."""
    location = [part for part in item["loc"] if isinstance(part, str)]
    key = ".".join(location) or "card"
    match item["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key{_nearest(location, kind)}"
        case "missing":
            return f"{key}: missing; it is required"
        case "value_error":
            return f"{key}: {item['ctx']['error']}"
        case _:
            message = item["msg"].replace("Input should", "should")
            return f"{key} = {item['input']!r}: {message}"


def _nearest(location: list[str], kind: type[BaseModel]) -> str:
    """Return a hint at the known key most like the last one of `location`, in its own table or in any other."""
    tables = {name: _model_of(field.annotation) for name, field in kind.model_fields.items()}
    own = tables.get(location[0]) if len(location) > 1 else kind
    local = list(own.model_fields) if own else []
    near = difflib.get_close_matches(location[-1], local, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    everywhere = {key: f"{name}.{key}" for name, table in tables.items() if table for key in table.model_fields}
    near = difflib.get_close_matches(location[-1], everywhere, n=1, cutoff=0.75)
    return f"; did you mean {everywhere[near[0]]}?" if near else f"; known here: {', '.join(local)}"


def _model_of(annotation: Any) -> type[BaseModel] | None:
    candidates = (annotation, *get_args(annotation))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
