"""Laws as named arrays, and back."""

import numpy as np
import pytest
import reference_cases as cases

import pdeflow as pf
from pdeflow.laws.fields import from_fields, is_users_own, needed_fields, stored_kind, stored_kinds

LAWS = {stored_kind(law): law for _, _, flow in cases.CASES for law in flow.laws if stored_kind(law) is not None}


class Own(pf.laws.Gaussian):
    """A user's law, which no file rebuilds."""


@pytest.mark.parametrize("kind", stored_kinds())
def test_every_stored_kind_is_rebuilt_from_its_fields(kind):
    law = LAWS[kind]
    fields = {name: array for name, (_, array) in law.fields().items()}
    again = from_fields(kind, fields)
    assert type(again) is type(law) and not is_users_own(law)
    for name, (axes, array) in again.fields().items():
        assert axes == law.fields()[name][0] and np.array_equal(array, fields[name])


def test_what_is_needed_is_enough_and_what_lacks_is_named():
    law = LAWS["Uniform"]
    fields = {name: law.fields()[name][1] for name in needed_fields("Uniform")}
    assert np.array_equal(from_fields("Uniform", fields).high, law.high)
    with pytest.raises(KeyError, match="high"):
        from_fields("Uniform", {"low": fields["low"]})
    assert needed_fields("GridLaw", ("x", "y")) == ["mass", "x_edges", "y_edges"]
    with pytest.raises(pf.errors.UnknownField, match="Uniform"):
        from_fields("Unifrom", fields)


def test_a_users_own_law_is_told_from_its_base():
    assert stored_kind(Own(0.0, 1.0)) is None and is_users_own(Own(0.0, 1.0))
