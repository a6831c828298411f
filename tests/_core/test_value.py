"""Objects that are what they hold."""

from dataclasses import dataclass

import numpy as np
import pytest

from pdeflow import UnknownField
from pdeflow._core.value import Value


@dataclass(frozen=True)
class Pair(Value):
    first: object
    second: object = None


def test_a_dataclass_of_arrays_is_compared_by_content():
    one, same, other = Pair(np.ones(50)), Pair(np.ones(50)), Pair(np.zeros(50))
    assert one == same and hash(one) == hash(same) and one != other and one != "Pair"
    assert (np.ones(50) == one) is False
    assert Pair(float("nan")) == Pair(float("nan"))


def test_what_cannot_be_described_is_compared_field_by_field():
    odd = (i for i in range(3))
    assert Pair(odd, [1, np.ones(3)]) == Pair(odd, [1, np.ones(3)])
    assert Pair(odd, [1, np.ones(3)]) != Pair(odd, [1, np.zeros(3)])
    assert Pair(odd) != Pair(i for i in range(3)) and hash(Pair(odd)) == hash(Pair(odd))


def test_its_repr_is_short_and_names_the_fields():
    assert repr(Pair(1.5, "a")) == "Pair(first=1.5, second='a')"
    assert len(repr(Pair("x" * 10**5, ["y" * 10**5] * 20))) <= 900


def test_unknown_keywords_are_refused():
    with pytest.raises(UnknownField, match="Did you mean 'second'"):
        Pair(1, secnd=2)
    with pytest.raises(UnknownField, match="argument 3"):
        Pair(1, 2, 3)
