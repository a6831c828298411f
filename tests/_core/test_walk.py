"""A small seeded sample of the battery of fingerprints: pairs that differ in one place, in two ways of being made."""

import builtins
import importlib.util
import random
import sys
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
import scipy.constants
import scipy.interpolate

import pdeflow as pf
from pdeflow import fingerprint
from pdeflow._core.walk import text_of

PATH = Path(__file__).resolve().parents[2] / "validation" / "batteries" / "fingerprints.py"


@pytest.fixture(scope="module")
def battery():
    spec = importlib.util.spec_from_file_location("fingerprints_battery", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def without_traces(monkeypatch):
    """Nothing that a program puts into modules, classes and built-in names stays there."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(scipy.constants, "gallon", scipy.constants.gallon)
    yield
    for holder in (np, np.linalg, pf.metrics, builtins, scipy.interpolate.PPoly):
        for name in [name for name in vars(holder) if name.endswith("_of_battery")]:
            delattr(holder, name)


def test_pairs_of_every_kind_of_code_differ_however_they_are_made(battery, tmp_path):
    pairs = battery.pairs(len(battery.PROGRAMS), seed=random.Random(7).randrange(1000))
    for kind, *programs in pairs:
        one, other = (
            [fingerprint.sha256(battery.thing_of(kind, program, way, tmp_path)) for way in ("text", "file")]
            for program in programs
        )
        assert one[0] == one[1] != other[0] == other[1], kind


# kind -> what shows, on the object and on what came back from pickle, that it is another object
LOST = {
    "global by eval": lambda one, back: "K" in one.__globals__ and "K" not in back.__globals__,
    "frozen distribution": lambda one, back: one.random_state is np.random.mtrand._rand is not back.random_state,
    "method of a scalar": lambda one, back: one * 1 == 5 and back * 1 == 2.0 and type(back) is np.float64,
    "hook of a tensor": lambda one, back: one._backward_hooks and not back._backward_hooks,
    "derivative of a tensor": lambda one, back: one.grad is not None and back.grad is None,
    "derivative of a layer": lambda one, back: one(1) == 5 and back.__globals__["layer"].weight.grad is None,
    "state hidden from pickle": lambda one, back: one.k == 5 and back.k == 0,
    "content hidden from pickle": lambda one, back: list(one) == [5] and list(back) == [],
    "attribute that pickle leaves out": lambda one, back: one.k == 5 and not hasattr(back, "k"),
}


def test_every_kind_that_is_not_sent_to_a_worker_has_a_reason(battery):
    assert set(LOST) == battery.LEFT_BEHIND


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.filterwarnings("ignore:backward hook")
def test_what_does_not_arrive_in_a_worker_as_it_was_has_another_fingerprint(battery, tmp_path, kind):
    program = {**battery.PROGRAMS, **battery.NUMBERS}[kind].replace("VALUE", "(5)")
    one = battery.thing_of(kind, program, "text", tmp_path)
    back = cloudpickle.loads(cloudpickle.dumps(one))
    assert LOST[kind](one, back)
    assert fingerprint.sha256(one) != fingerprint.sha256(back)


def test_cycles_and_shared_lists_are_told_by_the_number_of_their_first_meeting():
    shared, cycle = [1], [2]
    cycle.append(cycle)
    assert text_of(fingerprint.describe([shared, shared])) == '[[1],{"again":1}]'
    assert fingerprint.describe([[1], [1]]) == [[1], [1]] and fingerprint.describe(cycle) == [2, {"again": 0}]
