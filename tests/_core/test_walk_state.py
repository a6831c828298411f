"""What objects hold."""

import collections
import functools
import threading

import pytest

import pdeflow as pf
from pdeflow import fingerprint


class Slots:
    __slots__ = ("__dict__", "k")

    def __init__(self, k):
        self.k, self.note = k, "note"


def test_attributes_are_those_of_the_dictionary_and_of_the_slots():
    assert fingerprint.describe(Slots(2))["state"] == {"k": 2, "note": "note"}


def test_the_content_of_a_built_in_base_counts_whatever_the_class_overrides():
    class Hidden(list):
        def __iter__(self):
            return iter(())

    assert fingerprint.describe(Hidden([1, 2]))["content"] == [1, 2]

    class Factory(collections.defaultdict):
        pass

    assert fingerprint.describe(Factory(None, a=1))["content"] == [None, {"dict": [["a", 1]]}]


def test_a_parameter_of_the_package_is_told_by_value_and_what_is_put_on_it_is_told_apart():
    law = pf.laws.Gaussian(0, 1)
    before = fingerprint.describe(law)
    assert before.keys() == {"pdeflow", "law"} and law.mean() == 0.0
    law.note = 3  # type: ignore[attr-defined]
    assert fingerprint.describe(law) == {**before, "put on it": {"note": 3}}


def test_what_a_cached_property_leaves_is_no_state():
    class Mine:
        @functools.cached_property
        def k(self):
            return 2

    used = Mine()
    assert used.k == 2 and fingerprint.describe(used)["state"] == {}


def test_an_object_without_a_state_is_refused_by_its_path():
    with pytest.raises(pf.BadInput, match=r"it\['lock'\] is of type _thread.lock.*described\(\)"):
        fingerprint.describe({"lock": threading.Lock()})
