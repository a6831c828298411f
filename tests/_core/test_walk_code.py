"""What code is."""

import functools
import math
import operator

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import fingerprint


def test_installed_functions_are_told_by_name_and_the_users_by_what_they_hold():
    assert fingerprint.describe(math.sin, versions=False) == {"named": "math.sin"}
    assert fingerprint.describe(pf.metrics.w2).keys() == {"function"}

    def mine(x, k=2, *, m=3):
        return math.sin(x)

    found = fingerprint.describe(mine, versions=False)
    assert found["function"] == "mine" and found["defaults"] == [2] and found["keyword defaults"] == {"m": 3}
    assert found["globals"] == {"math": {"named": "math."}}


def test_a_wrapper_is_told_by_what_it_wraps_and_by_its_own_attributes_only():
    plain, told = (functools.lru_cache(lambda x: x) for _ in range(2))
    same = fingerprint.sha256(plain)
    assert fingerprint.describe(plain).keys() == {"remembering", "settings"} and plain(1) == 1
    assert fingerprint.sha256(plain) == same
    told.note = 1
    assert fingerprint.describe(told)["state"] == {"note": 1}
    assert fingerprint.describe(property(lambda self: 1)).keys() == {"wrapper", "fget", "fset", "fdel"}


def test_a_method_counts_with_its_object():
    assert fingerprint.describe([1, 2].append) == {"method": "append", "of": [1, 2]}
    assert fingerprint.sha256(operator.itemgetter(1)) != fingerprint.sha256(operator.itemgetter(2))


def test_a_ufunc_of_ones_own_is_refused():
    with pytest.raises(pf.BadInput, match="the function behind a ufunc of your own cannot be seen"):
        fingerprint.describe(np.frompyfunc(abs, 1, 1))
