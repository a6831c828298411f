"""What was put into modules that are not the user's, and what these modules define by themselves."""

import builtins
import sys
import types

import numpy as np
import pytest

from pdeflow import fingerprint
from pdeflow._core import walk_installed
from pdeflow._core.origin import NOWHERE
from pdeflow._core.walk import Walk
from pdeflow._core.walk_installed import put_among_built_in_names, put_later, put_where_looked_up


def walk():
    return Walk((lambda thing: lambda walk, thing, path, own: type(thing).__name__,))


def test_a_chain_finds_plain_values_by_value_and_nothing_in_code_that_stands_there_by_itself():
    chains = [("pi",), ("linalg", "norm"), ("tanh",), ("float64",), ("no_such_name",), ("__file__",)]
    assert put_where_looked_up(walk(), np, chains, "np") == {"pi": np.pi}


def test_a_chain_that_leads_through_functions_and_modules_finds_what_was_put_there(monkeypatch):
    monkeypatch.setitem(vars(np.linalg.norm), "mine", 3)
    found = put_where_looked_up(walk(), np, [("linalg", "norm", "mine")], "np")
    assert found == {"linalg": {"put into it": {"norm": {"put into it": {"mine": 3}}}}}


def test_a_module_as_a_whole_counts_by_what_its_text_does_not_define(monkeypatch):
    assert put_where_looked_up(walk(), np, [()], "np") == {}
    monkeypatch.setattr(np, "mine", [1.0], raising=False)
    assert put_where_looked_up(walk(), np, [()], "np") == {"mine": [1.0]}


def test_a_constant_that_differs_from_the_text_was_put_later(monkeypatch):
    module = sys.modules["pdeflow._core.walk"]
    assert put_later(walk(), module, frozenset({"LONG"}), "walk") == {}
    monkeypatch.setattr(module, "LONG", 65)
    assert put_later(walk(), module, frozenset({"LONG"}), "walk") == {"LONG": 65}


@pytest.mark.parametrize("name", ["numpy", "scipy.special", "torch", "functools", "pdeflow.metrics", "re", "random"])
def test_nothing_is_put_into_a_module_that_nobody_has_touched(name):
    """Else a fingerprint would change with what has been loaded or used before."""
    module = __import__(name, fromlist=["x"])
    assert put_later(walk(), module, frozenset(vars(module)), name) == {}


def test_a_name_that_a_module_loads_late_is_loaded_to_be_told():
    module = types.ModuleType("late")
    module.__getattr__ = {"mine": 4.0}.__getitem__  # type: ignore[method-assign]
    assert put_where_looked_up(walk(), module, [("mine",)], "late") == {"mine": 4.0}


def test_every_built_in_name_is_known_and_another_thing_under_it_is_not(monkeypatch):
    for name in dir(builtins):
        if not name.startswith("_") and name != "ExceptionGroup":  # which Python makes as users make classes
            assert put_among_built_in_names(walk(), {}, name, name) is NOWHERE, name
    assert put_among_built_in_names(walk(), {"__builtins__": {"max": 3}}, "max", "max") == 3
    monkeypatch.setattr(builtins, "max", min)
    assert put_among_built_in_names(walk(), {}, "max", "max") is not NOWHERE


def test_the_state_of_the_process_is_no_question():
    code = "import sys, os\nthing = lambda x: (sys.path, os.environ, sys.argv)"
    namespace = {"__name__": "__main__"}
    exec(code, namespace)
    before = fingerprint.sha256(namespace["thing"])
    sys.path.append("nowhere")
    try:
        assert fingerprint.sha256(namespace["thing"]) == before
    finally:
        sys.path.remove("nowhere")
    assert "sys" in walk_installed.STATE_OF_THE_PROCESS
