"""Laws as named arrays, and back."""

import numpy as np
import pytest
import reference_cases as cases

import pdeflow as pf
from pdeflow.laws.fields import from_fields, is_users_own, needed_fields, stored_kind, stored_kinds
from pdeflow.laws.spec import from_spec

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


@pytest.mark.parametrize("ratio", [1e-5, 1e-6, 1e-9])
def test_mixtures_of_narrow_components_are_rebuilt_to_the_bit(ratio):
    """Found here, with no report elsewhere: a file of such a mixture was written and could not be read back."""
    parts = [pf.laws.Gaussian.from_root([0.0, 1.0], np.diag([s, s * ratio])) for s in (1.0, 2.0)]
    law = pf.laws.GaussianMixture.of_components(np.array([0.25, 0.75]), parts)
    for again in (from_fields("GaussianMixture", {k: v for k, (_, v) in law.fields().items()}), from_spec(law.spec())):
        assert np.array_equal(again.covs, law.covs) and np.array_equal(again.means, law.means)
        assert all(np.allclose(a.root(), b.root(), rtol=1e-15) for a, b in zip(again.components, parts))


def test_a_mixture_that_covariances_do_not_hold_is_refused_before_it_is_kept():
    turned = pf.laws.Gaussian.from_root([0.0, 0.0], [[1.0, 0.0], [1.0, 1e-9]])
    law = pf.laws.GaussianMixture.of_components(np.array([0.5, 0.5]), [pf.laws.Gaussian([0.0, 0.0], 1.0), turned])
    for keep in (law.fields, law.spec):
        with pytest.raises(pf.NotAvailable, match="covariance of floats"):
            keep()


def test_kept_mixtures_that_are_none_say_what_is_wrong():
    half, means, eye = np.array([0.5, 0.5]), np.zeros((2, 2)), np.array([np.eye(2)] * 2)
    for weights, covs in ((half, eye[:1]), (half, -eye), (half + 0.1, eye), (half[:1], eye), (half, eye[:, :1])):
        with pytest.raises(pf.BadInput):
            from_fields("GaussianMixture", {"weights": weights, "means": means, "covs": covs})
