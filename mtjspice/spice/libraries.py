"""Transistor libraries: found, checked for the model that a card names, and made ready to stand beside a deck."""

import re
from pathlib import Path

from mtjspice.cards.array import Switches
from mtjspice.errors import InputError
from mtjspice.resources import transistors_folder

_FORBIDDEN = re.compile(r"^\s*\.(control|exec|include|inc|lib)\b", re.IGNORECASE | re.MULTILINE)


def library_name(switches: Switches) -> str:
    """Return the name of the library's copy beside a deck: lower case, as ngspice makes some names so."""
    return re.sub(r"[^a-z0-9_.-]", "_", Path(switches.library).name.lower())


def library_text(switches: Switches) -> str:
    """Return the text of the card's transistor library: a shipped one by its name, or a file.

    Raises:
        InputError: there is no such file, it is not ASCII, it has commands or files of its own, or it lacks the model.
    """
    path = Path(switches.library)
    shipped = {file.name: file for file in sorted(transistors_folder().glob("*.lib"))}
    path = shipped.get(switches.library, path)
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise InputError(
            "cannot read the transistor library",
            where=path,
            given=error.strerror if isinstance(error, OSError) else "it is not ASCII text",
            allowed=f"the path of a file, or a shipped one: {', '.join(shipped)}",
        ) from error
    if found := _FORBIDDEN.search(text):
        raise InputError(
            "a transistor library holds model cards only",
            where=path,
            given=found.group(0).strip(),
            next_step="give a file that stands alone, without commands and without files of its own",
        )
    models = re.findall(r"^\s*\.model\s+(\S+)\s+nmos\b", text, re.IGNORECASE | re.MULTILINE)
    if switches.model not in {model.lower() for model in models}:
        raise InputError(
            "the transistor library lacks the model",
            where=path,
            given=switches.model,
            allowed=f"its NMOS models: {', '.join(models) or 'none'}",
            next_step="set [switches] model in the array card to one of them",
        )
    return text if text.endswith("\n") else f"{text}\n"
