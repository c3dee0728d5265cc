"""TOML text to a validated card, with every fault of the file named at once."""

import difflib
import reprlib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.fields import FieldInfo

from mtjspice.errors import CardError
from mtjspice.files import sha256_of

SCHEMA = 1


def _plain_name(value: str) -> str:
    plain = value.isascii() and value.replace("-", "_").isidentifier() and value[0] != "_"
    if not plain or len(value) > 41:
        raise ValueError("must start with a letter and hold only letters, digits, _ and -, at most 41 of them")
    return value


def _one_line(value: str) -> str:
    if not value.isprintable() or not value.strip():
        raise ValueError("must be one line of printable text")
    return value


CardName = Annotated[str, AfterValidator(_plain_name)]
"""Names reach netlists and file names, so they hold nothing that either could misread."""

OneLine = Annotated[str, AfterValidator(_one_line)]
"""Text that can stand in a comment or a title without ending it."""


class Section(BaseModel):
    """A table of a card: frozen, every key known, a number is a number, no infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Card(Section):
    """A whole card file."""

    schema_: int = Field(alias="schema")
    name: CardName
    description: OneLine

    @field_validator("schema_")
    @classmethod
    def _schema_we_read(cls, value: int) -> int:
        if value != SCHEMA:
            raise ValueError(f"the card is of another version; this mtjspice reads schema {SCHEMA}")
        return value

    @property
    def sha256(self) -> str:
        """Hash of what the card means: independent of comments and of the order of its keys."""
        return sha256_of(self.model_dump(mode="json"))


AnyCard = TypeVar("AnyCard", bound=Card)


def shipped(folder: Path) -> dict[str, Path]:
    """Return the cards that ship in `folder`: name to file."""
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def find(name_or_path: str, folder: Path) -> Path:
    """Return the file of a card that ships in `folder`, or of a path.

    Raises:
        CardError: neither; the message lists the shipped cards.
    """
    cards = shipped(folder)
    if name_or_path in cards:
        return cards[name_or_path]
    path = Path(name_or_path)
    try:
        found = path.is_file()
    except OSError:  # such as a name that is too long
        found = False
    if found:
        return path
    near = difflib.get_close_matches(path.stem, cards, n=1)
    raise CardError(
        "there is no such card",
        given=name_or_path,
        allowed=f"a shipped card ({', '.join(cards)}) or the path of a TOML file",
        next_step=f"did you mean {near[0]}?" if near else None,
    )


def read_card(path: Path, kind: type[AnyCard]) -> AnyCard:
    """Read and validate a card file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CardError(f"cannot read the card: {reason}", where=path) from error
    return parse_card(text, kind, str(path))


def parse_card(text: str, kind: type[AnyCard], where: str) -> AnyCard:
    """Return the card that `text` describes.

    Raises:
        CardError: not TOML, or any number of faults; all of them are in the message.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also integers of thousands of digits, brackets a thousand deep
        raise CardError("the card is not valid TOML", where=where, given=error) from error
    return validate_card(tables, kind, where)


def validate_card(tables: dict[str, Any], kind: type[AnyCard], where: str) -> AnyCard:
    """Return the card made of the parsed `tables`; raise `CardError` with every fault found."""
    try:
        return kind.model_validate(tables)
    except ValidationError as error:
        faults = [f"\n  - {_fault(item, kind)}" for item in error.errors()]
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise CardError(
            f"the card has {count}:{''.join(faults)}",
            where=where,
            next_step="mend the card, and check it again with `mtjspice card check FILE`",
        ) from error


def _fault(item: Any, kind: type[BaseModel]) -> str:
    """Return one validation error as a line for people."""
    location = [part for part in item["loc"] if isinstance(part, str)]
    *tables, key = location or ["card"]
    name = ".".join(location)
    given = f"{name} = {reprlib.repr(item['input'])}"
    match item["type"]:
        case "extra_forbidden":
            return f"{name}: unknown key{_nearest(tables, key, kind)}"
        case "missing":
            return f"{name}: missing"
        case "model_type":
            return f"{given}: must be a table"
        case "value_error" if isinstance(item["input"], BaseModel | dict | None):
            return f"{name}: {item['ctx']['error']}"
        case "value_error":
            return f"{given}: {item['ctx']['error']}"
        case _:
            field = _fields(_table(tables, kind)).get(key)
            allowed = _allowed(field, key) if field else None
            message = f"must be {allowed}" if allowed else item["msg"].replace("Input should", "must")
            return f"{given}: {message.replace('tuple', 'list')}"


_UNITS = {
    "_a_per_m": "A/m", "_j_per_m2": "J/m^2", "_ohm_m2": "ohm m^2", "_ohm": "ohm", "_rad": "rad",
    "_m": "m", "_t": "T", "_k": "K", "_v": "V", "_s": "s", "_a": "A", "_j": "J",
}  # fmt: skip
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def _allowed(field: FieldInfo, key: str) -> str | None:
    """Return the numbers that `field` takes, in words and with their unit; None if it takes no number."""
    kinds = (field.annotation, *get_args(field.annotation))
    if float not in kinds and int not in kinds:
        return None
    unit = next((f" {unit}" for suffix, unit in _UNITS.items() if key.endswith(suffix)), "")
    bounds = [
        f"{words} {getattr(limit, name):g}{unit}"
        for limit in field.metadata
        for name, words in _BOUNDS.items()
        if hasattr(limit, name)
    ]
    number = "a number" if float in kinds else "a whole number"
    return f"{number} {' and '.join(bounds)}" if bounds else number


def _nearest(tables: list[str], key: str, kind: type[BaseModel]) -> str:
    """Return a hint at the known key most like `key`: the same elsewhere, else one alike here, else alike elsewhere."""
    here = _fields(_table(tables, kind))
    everywhere = {path[-1]: ".".join(path) for path in _paths(kind)}
    if key in everywhere:
        return f"; did you mean {everywhere[key]}?"
    if near := difflib.get_close_matches(key, here, n=1, cutoff=0.5):
        return f"; did you mean {near[0]}?"
    if near := difflib.get_close_matches(key, everywhere, n=1, cutoff=0.75):
        return f"; did you mean {everywhere[near[0]]}?"
    return f"; known here: {', '.join(here)}"


def _fields(kind: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the keys of a table as the card spells them."""
    return {field.alias or name: field for name, field in kind.model_fields.items()}


def _paths(kind: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    """Yield the path of every key of a card."""
    for key, field in _fields(kind).items():
        yield (key,)
        if model := _model_of(field):
            yield from ((key, *path) for path in _paths(model))


def _table(tables: list[str], kind: type[BaseModel]) -> type[BaseModel]:
    """Return the model of the table at the path `tables`."""
    for name in tables:
        kind = _model_of(_fields(kind)[name]) or kind
    return kind


def _model_of(field: FieldInfo) -> type[BaseModel] | None:
    candidates = (field.annotation, *get_args(field.annotation))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
