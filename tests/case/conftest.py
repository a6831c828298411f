"""The C program of the documentation, compiled once, and a small case."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import pdeflow as pf

PAGE = Path(__file__).parents[2] / "docs" / "any_language.md"


@pytest.fixture(scope="session")
def c_program(tmp_path_factory):
    """The Euler-Maruyama program of docs/any_language.md: its arguments are dt, time, seed, particles."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    folder = tmp_path_factory.mktemp("c")
    (code,) = re.findall(r"```c\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)
    assert len(code.splitlines()) <= 40
    (folder / "em.c").write_text(code, encoding="utf-8")
    subprocess.run([compiler, "-O2", "-Wall", "-Werror", "-o", "em", "em.c", "-lm"], cwd=folder, check=True)
    return folder / "em"


@pytest.fixture
def small():
    """An Ornstein-Uhlenbeck case of one time and two levels, judged in w2 and moments."""
    return pf.case.Case(pf.problems.ou(), [0.5], [0.5, 0.25], name="small")
