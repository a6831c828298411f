"""Texts of bounded length."""

import numpy as np
import pytest

from pdeflow._core.short_text import cut, did_you_mean, shown


def test_a_cut_text_keeps_both_ends_and_says_how_long_it_was():
    text = cut("a" * 500 + "b" * 500, 100)
    assert len(text) == 100 and text.startswith("aaa") and text.endswith("bbb") and "1000 characters" in text
    assert cut("short", 100) == "short"


@pytest.mark.parametrize(
    "value", [[1.5, [2, "a"]], (1,), {}, {"a": (1, 2)}, "text", None, 3, True, {1, 2}, [], frozenset(), b"x"]
)
def test_short_values_are_shown_as_python_does(value):
    assert shown(value) == repr(value) or value == frozenset()


def test_long_values_are_shown_by_their_beginning_and_their_size():
    assert shown(list(range(100))) == "[0, 1, 2, ... 100 in all]"
    assert shown(np.ones((50, 2))) == "array of shape (50, 2), [1.0, 1.0, ...]"
    assert shown(np.array([1.0, 2.0])) == "array([1.0, 2.0])"
    assert shown(10**5000) == "an integer of 16610 bits"
    ring: list = []
    ring.append(ring)
    for value in (["x" * 1000] * 10, {"k" * 500: "v" * 5000}, ring, [[[[[[[[1]]]]]]]], "y" * 10**6):
        assert len(shown(value)) <= 900 and len(shown(value, 80)) <= 80


def test_a_near_name_is_suggested():
    assert did_you_mean("slove", ["solve", "exact"]) == " Did you mean 'solve'?"
    assert did_you_mean("xyz", ["solve"]) == " Use one of these."
