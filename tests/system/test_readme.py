"""The README's Python example runs."""

import re
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[2]


def test_python_example(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (TOP / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    ran: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec"), ran)
    assert ran["array"].read(ran["x"]).weighted.shape == (3,)
    assert len(capsys.readouterr().out.splitlines()) == 6
