"""Runs the Python blocks of a Markdown page in order and compares what they print with the text blocks below them."""

import contextlib
import io
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:e[+-]?\d+)?")


def blocks(page: str) -> list[tuple[str, str | None]]:
    """(code, expected output or None) of every Python block of a page of docs/."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.findall(r"```python\n(.*?)```\n(?:\s*```text\n(.*?)```)?", text, flags=re.S)
    return [(code, output or None) for code, output in found]


def run(page: str, rel: float = 0.02) -> dict:
    """The names that the page defines, after every block has run and printed what the page says it prints."""
    names: dict = {}
    for code, expected in blocks(page):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, page, "exec"), names)
        if expected is not None:
            same(printed.getvalue(), expected, rel)
    return names


def same(printed: str, expected: str, rel: float) -> None:
    """Words agree but for white space, numbers to `rel`."""
    assert NUMBER.sub("#", printed).split() == NUMBER.sub("#", expected).split(), printed
    one, two = ([float(number) for number in NUMBER.findall(text)] for text in (printed, expected))
    assert one == pytest.approx(two, rel=rel, abs=1e-12), printed
