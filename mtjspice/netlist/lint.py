"""Checks of a finished deck: what ngspice would misread in silence is refused here."""

import re
from collections.abc import Iterator

from mtjspice.errors import InputError

LONGEST_LINE = 200
DIRECTIVES = frozenset(
    {".subckt", ".ends", ".model", ".options", ".save", ".tran", ".op", ".dc", ".include", ".control", ".endc", ".end"}
)
COMMANDS = frozenset(
    {"set", "run", "let", "meas", "print", "echo", "pre_osdi", "linearize", "asciiplot", "wrdata", "write"}
    | {"if", "else", "end", "quit"}
)
"""What a `.control` block may say. Not there, on purpose: shell, source, cd and whatever else reaches out."""

_NODE = re.compile(r"[a-z0-9_]+")
_FILE = re.compile(r"[a-z0-9_.-]+")
"""Beside the deck, and in lower case: ngspice makes those in a `.model` so, and takes a missing one for silence."""
_QUOTED = re.compile(r'"([^"]*)"')
_NODES_OF = {"r": 2, "c": 2, "i": 2, "v": 2, "b": 2, "f": 2, "g": 4, "m": 4, "s": 4, "e": 4, "n": 8}


def check_deck(text: str) -> str:
    """Return `text` unchanged if it is a sound deck.

    Raises:
        InputError: naming every fault by its line.
    """
    faults = list(_faults(text))
    if faults:
        raise InputError("the netlist has faults:\n" + "\n".join(f"  - {fault}" for fault in faults))
    return text


def _faults(text: str) -> Iterator[str]:
    yield from _text_faults(text)
    yield from _block_faults(text)
    yield from _element_faults(text)


def _text_faults(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > LONGEST_LINE:
            yield f"line {number}: {len(line)} characters; ngspice's readers are safe up to {LONGEST_LINE}"
        if not (line.isascii() and (line.isprintable() or not line)):
            yield f"line {number}: a character that does not print: {line!r}"
        if "{{" in line or "{%" in line:
            yield f"line {number}: an unfilled template: {line}"


def _block_faults(text: str) -> Iterator[str]:
    """Yield directives and commands that are not allowed, and blocks that do not match."""
    open_blocks: list[str] = []
    last = ""
    for number, statement in _statements(text):
        line = statement.lower()
        last = line.split()[0]
        if open_blocks and open_blocks[-1] == ".control" and last != ".endc":
            if last not in COMMANDS or any(sign in line for sign in "`;|<>"):
                yield f"line {number}: not allowed in a .control block: {line}"
            elif last in ("write", "pre_osdi") and not _names_one_file(statement):
                yield f"line {number}: {last} names one file beside the deck, in lower case: {statement}"
            elif last == "wrdata" and not _FILE.fullmatch(" ".join(statement.split()[1:2])):
                yield f"line {number}: wrdata names a file beside the deck, in lower case: {statement}"
            continue
        if not last.startswith("."):
            continue
        if last not in DIRECTIVES:
            yield f"line {number}: directive not allowed: {line}"
        elif last == ".include" and not _names_one_file(statement):
            yield f"line {number}: .include names one file beside the deck, in lower case: {statement}"
        elif last == ".model" and any(not _FILE.fullmatch(name) for name in _QUOTED.findall(statement)):
            yield f"line {number}: .model names files beside the deck, in lower case: {statement}"
        elif last in (".subckt", ".control"):
            if open_blocks:
                yield f"line {number}: {last} inside {open_blocks[-1]}"
            open_blocks.append(last)
        elif last in (".ends", ".endc") and (
            not open_blocks or open_blocks.pop() != {".ends": ".subckt", ".endc": ".control"}[last]
        ):
            yield f"line {number}: {last} closes nothing"
    for block in open_blocks:
        yield f"{block} is never closed"
    if last != ".end":
        yield "the last statement must be .end"


def _names_one_file(statement: str) -> bool:
    words = statement.split()
    return len(words) == 2 and bool(_FILE.fullmatch(words[1]))


def _element_faults(text: str) -> Iterator[str]:
    """Yield names used twice, nodes that would collide, and instances that do not fit their subcircuit."""
    statements = [(number, statement.lower().split()) for number, statement in _statements(text)]
    pins = {
        words[1]: sum("=" not in word for word in words[2:]) for _, words in statements if words[0] == ".subckt"
    }  # fmt: skip
    scope, control = "", False
    seen: set[tuple[str, str]] = set()
    for number, words in statements:
        head = words[0]
        if head in (".control", ".endc"):
            control = head == ".control"
        elif head in (".subckt", ".ends"):
            scope = words[1] if head == ".subckt" else ""
        if control or head.startswith("."):
            continue
        if (scope, head) in seen:
            yield f"line {number}: a second element named {head}"
        seen.add((scope, head))
        if head[0] == "x":
            positional = [word for word in words[1:] if "=" not in word]
            nodes, kind = positional[:-1], positional[-1]
            if kind not in pins:
                yield f"line {number}: no subcircuit {kind}; defined here: {', '.join(pins) or 'none'}"
            elif len(nodes) != pins[kind]:
                yield f"line {number}: {len(nodes)} nodes for the {pins[kind]} pins of {kind}"
        elif head[0] in _NODES_OF:
            nodes = words[1 : 1 + _NODES_OF[head[0]]]
        elif head[0] == "a":
            nodes = []
        else:
            yield f"line {number}: an element of unknown kind: {head}"
            continue
        for node in nodes:
            # A dot would let a node of the deck be one of a subcircuit's inner nodes: ngspice calls those x1.n.
            if not _NODE.fullmatch(node):
                yield f"line {number}: node name {node!r}; use letters, digits and _"


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line number, statement); continuation lines joined; without the title and comments."""
    pending: tuple[int, str] | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if number == 1 or not line or line.startswith("*"):
            continue
        if line.startswith("+") and pending:
            pending = pending[0], f"{pending[1]} {line[1:]}"
            continue
        if pending:
            yield pending
        pending = number, line
    if pending:
        yield pending
