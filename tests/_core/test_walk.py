"""A small seeded sample of the battery of fingerprints: pairs that differ in one place, in two ways of being made."""

import importlib.util
import random
from pathlib import Path

import pytest

from pdeflow import fingerprint
from pdeflow._core.walk import text_of

PATH = Path(__file__).resolve().parents[2] / "validation" / "batteries" / "fingerprints.py"


@pytest.fixture(scope="module")
def battery():
    spec = importlib.util.spec_from_file_location("fingerprints_battery", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pairs_of_every_kind_of_code_differ_however_they_are_made(battery, tmp_path):
    pairs = battery.pairs(len(battery.PROGRAMS), seed=random.Random(7).randrange(1000))
    for kind, *programs in pairs:
        one, other = (
            [fingerprint.sha256(battery.thing_of(program, way, tmp_path)) for way in ("text", "file")]
            for program in programs
        )
        assert one[0] == one[1] != other[0] == other[1], kind


def test_cycles_and_shared_lists_are_told_by_the_number_of_their_first_meeting():
    shared, cycle = [1], [2]
    cycle.append(cycle)
    assert text_of(fingerprint.describe([shared, shared])) == '[[1],{"again":1}]'
    assert fingerprint.describe([[1], [1]]) == [[1], [1]] and fingerprint.describe(cycle) == [2, {"again": 0}]
