"""The commands that the documents name are the ones that exist and that CI runs."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert re.search(r"^ *make test$", (TOP / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert "make test" in (TOP / ".ci" / "run").read_text().splitlines()


@pytest.mark.parametrize("document", ["README.md", "CHANGELOG.md"])
def test_every_documented_verb_exists(document: str) -> None:
    verbs = set(re.findall(r"^([a-z-]+):", (TOP / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^ *|`)make ([a-z-]+)", (TOP / document).read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= verbs
