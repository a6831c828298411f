"""Whose code an object is."""

import functools
import sys

import numpy as np

import pdeflow as pf
from pdeflow._core.origin import INSTALLED, OWN, USERS, named, origin_of, version_of


def test_modules_have_an_owner():
    assert [origin_of(name) for name in ("pdeflow.study", "numpy.linalg", "json", __name__)] == [
        *(OWN, INSTALLED, INSTALLED, USERS)
    ]
    assert origin_of("no_such_module") == origin_of("__main__") == USERS
    assert version_of("numpy.linalg") == f"numpy {np.__version__}" and version_of("json").startswith("Python 3.")


def test_a_class_of_a_module_that_nobody_has_loaded_is_told_as_after_loading_it(monkeypatch):
    """numpy names numpy.rec as the home of its record arrays, and does not load it."""
    monkeypatch.delitem(sys.modules, "numpy.rec", raising=False)
    assert origin_of("numpy.rec") == INSTALLED
    assert named(np.recarray) == ("numpy.rec", "recarray")


def test_a_name_counts_only_where_the_thing_stands_under_it():
    @functools.wraps(pf.metrics.w2)
    def mine(a, b):
        return 0.0

    assert named(mine) is None and named(np.linalg.eigh) == ("numpy.linalg", "eigh") and named(pf.metrics.w2)
