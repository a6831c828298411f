"""The command that a report names can be typed."""

import runpy
import shlex
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "validation" / "_report.py"


@pytest.mark.parametrize("arguments", [["ring", "--dt", "0.05"], ["mixtures", "--cases", "d = 8", "two moons"]])
def test_the_command_of_a_report_is_what_was_typed(monkeypatch, arguments):
    command = runpy.run_path(str(FILE))["command"]
    monkeypatch.setattr("sys.argv", [str(FILE.parent / "reproductions" / "fan2022.py"), *arguments])
    assert shlex.split(command()) == ["python", "validation/reproductions/fan2022.py", *arguments]
