"""The constants that tests call reference numbers are those of tests/data/reference_numbers.json."""

import json
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
NUMBERS = json.loads((TESTS / "data" / "reference_numbers.json").read_text(encoding="utf-8"))


def test_every_entry_says_what_it_is_and_how_it_was_found():
    for name, entry in NUMBERS.items():
        assert entry["quantity"] and entry["how"], name
        assert isinstance(entry["value"], float), name


def test_constants_in_tests_are_the_files():
    found = {}
    for file in TESTS.rglob("test_*.py"):
        for name, value in re.findall(r'"([\w.]+)": \((-?[\d.]+(?:e-?\d+)?),', file.read_text(encoding="utf-8")):
            if name in NUMBERS:
                found[name] = float(value)
    assert len(found) > 40
    assert found == {name: pytest.approx(NUMBERS[name]["value"], rel=1e-11) for name in found}
