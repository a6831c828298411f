"""The fingerprint of the first edition."""

import functools

import numpy as np
import pytest

import pdeflow as pf
from pdeflow._core import fingerprint_first as first


def test_numbers_arrays_and_containers_are_described_as_the_first_edition_did():
    assert first.canonical({"b": [1, np.float64(2.0)], "a": (None, float("inf"))}) == '{"a":[null,"inf"],"b":[1,2.0]}'
    assert first.describe(np.arange(3.0)) == [0.0, 1.0, 2.0] and first.describe(np.exp) == "numpy.exp"
    assert first.describe(np.zeros(17)).keys() == {"array", "sha256"}
    assert first.describe(slice(1, 2)) == ["slice", 1, 2, None]


def test_functions_and_partials_are_described_by_source_defaults_and_closure():
    k = 2

    def mine(x, m=3):
        return k * x

    found = first.describe(mine)
    assert found["defaults"] == [3] and found["closure"] == {"k": 2} and "return k * x" in found["source"]
    assert first.describe(functools.partial(mine, 1))["args"] == [1]
    assert first.describe(pf.metrics.w2).keys() == {"function"}


def test_what_the_first_edition_could_not_describe_is_refused():
    with pytest.raises(pf.BadInput, match="cannot be described for the record"):
        first.describe(object())


OUTSIDE = 3.0


def test_what_the_first_edition_could_not_tell_is_refused():
    first.require_told(pf.problems.ou())
    with pytest.raises(pf.BadInput, match="a function that looks up globals of yours"):
        first.require_told(lambda x: OUTSIDE * x)
