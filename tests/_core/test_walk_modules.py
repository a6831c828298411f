"""What modules are, and what code finds in them."""

import types

import pytest

import pdeflow as pf
from pdeflow import fingerprint

PLACE = types.ModuleType("place")
PLACE.used, PLACE.unused = 1, 2  # type: ignore[attr-defined]


def test_a_module_of_ones_own_counts_by_the_attributes_that_are_used():
    assert fingerprint.describe(lambda: PLACE.used)["globals"] == {"PLACE": {"module": {"used": 1}}}
    assert fingerprint.describe(lambda: PLACE)["globals"] == {"PLACE": {"module": {"used": 1, "unused": 2}}}


def test_an_import_in_a_function_counts_by_what_it_would_find():
    def mine():
        import colorsys

        from no_such_module_anywhere import thing

        return colorsys, thing

    found = fingerprint.describe(mine, versions=False)["globals"]
    assert found["import colorsys "] == {"named": "colorsys."}
    assert found["import no_such_module_anywhere thing"] == {"constant": "no such module"}


def test_modules_by_a_computed_name_are_refused_with_what_to_write_instead():
    def mine():
        return __import__("place").used

    with pytest.raises(pf.BadInput, match=r"by a computed name \(__import__\)\. Write import statements"):
        fingerprint.describe(mine)
