"""The C program of the documentation, compiled once."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "any_language.md"


@pytest.fixture(scope="session")
def c_program(tmp_path_factory):
    """The Euler-Maruyama program of docs/any_language.md: its arguments are dt, time, seed, particles."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    folder = tmp_path_factory.mktemp("c")
    (code,) = re.findall(r"```c\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)
    (folder / "em.c").write_text(code, encoding="utf-8")
    subprocess.run([compiler, "-O2", "-o", "em", "em.c", "-lm"], cwd=folder, check=True)
    return folder / "em"
