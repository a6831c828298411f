"""What a class is."""

import abc
import collections
import enum
import json
from fractions import Fraction

from pdeflow import fingerprint


def test_an_installed_class_is_told_by_its_name_and_version():
    assert fingerprint.describe(Fraction)["named"] == "fractions.Fraction"
    assert fingerprint.describe(json.JSONDecoder, versions=False) == {"named": "json.decoder.JSONDecoder"}


def test_a_class_of_ones_own_is_told_by_its_bases_its_metaclass_and_its_attributes():
    class Mine(collections.UserList, metaclass=abc.ABCMeta):
        """A docstring is no part of it."""

        k = 3

    found = fingerprint.describe(Mine, versions=False)
    assert found["class"] == "Mine" and found["attributes"] == {"k": 3}
    assert found["bases"] == [{"named": "collections.UserList"}] and found["metaclass"] == {"named": "abc.ABCMeta"}


def test_an_enumeration_is_told_by_its_members_under_all_their_names():
    class Color(enum.Enum):
        RED = 1
        ROUGE = 1

    assert fingerprint.describe(Color)["members"] == [["RED", 1], ["ROUGE", 1]]
    Color.RED.note = "warm"  # type: ignore[attr-defined]
    assert fingerprint.describe(Color)["members"][0] == ["RED", 1, {"note": "warm"}]
