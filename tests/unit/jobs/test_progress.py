import io
import re
import sys

from mtjspice.jobs.progress import progress


def test_a_few_lines_where_stderr_is_not_a_terminal(capsys):
    with progress("pulses") as on_progress:
        for done in range(12, 101):
            on_progress(done, 100)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert [line.split(",")[0] for line in captured.err.splitlines()] == [
        f"pulses: {done} of 100 done" for done in (12, 25, 50, 75, 100)
    ]


def test_nothing_to_do(capsys):
    with progress("pulses") as on_progress:
        on_progress(0, 0)
    assert capsys.readouterr().err.startswith("pulses: 0 of 0 done")


def test_a_bar_on_a_terminal(monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with progress("pulses") as on_progress:
        for done in range(3, 9):
            on_progress(done, 8)
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue()).splitlines()[-1]
    assert "pulses" in last
    assert "8/8" in last
