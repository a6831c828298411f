"""Laws as JSON data."""

import pytest

import pdeflow as pf
from pdeflow.laws import Gaussian, Particles, Product, Ring, from_spec


def test_products_are_rebuilt_part_by_part():
    law = Product([Gaussian([0.5, 0.0], 2.0), Ring(3.0, center=[1.0, 1.0])])
    again = from_spec(law.spec())
    assert again.spec() == law.spec() and [type(part) for part in again.laws] == [Gaussian, Ring]


def test_only_laws_of_few_parameters_have_one():
    with pytest.raises(pf.NotAvailable, match="spec"):
        Particles([0.0, 1.0]).spec()
    with pytest.raises(pf.BadInput, match="Did you mean 'Ring'"):
        from_spec({"law": "Rings"})
