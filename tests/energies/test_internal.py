"""Internal energies one by one: exponents, ends of the conjugate, and what a user's own lacks."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Gaussian


class Cosh(pf.InternalEnergy):
    """U(r) = cosh r - 1, written with public names alone: U' = sinh r grows faster than any power."""

    def value(self, r):
        return 2 * np.sinh(r / 2) ** 2

    def pressure(self, r):
        return r * np.sinh(r) - 2 * np.sinh(r / 2) ** 2


class Saturating(pf.InternalEnergy):
    """U(r) = √(1 + r²) - 1, whose slopes stay below 1."""

    def value(self, r):
        return np.hypot(1, r) - 1

    def pressure(self, r):
        return 1 - 1 / np.hypot(1, r)


def test_exponent_coefficient_and_terms():
    assert (pf.Entropy(0.3).exponent, pf.Entropy(0.3).coefficient) == (1.0, 0.3)
    assert (pf.Power(2.5, 0.4).exponent, pf.Power(2.5, 0.4).coefficient) == (2.5, 0.4)
    both = pf.Entropy(0.3) + pf.Power(2)
    assert both.terms() == ((0.3, 1.0), (1.0, 2.0)) and both.exponent is None and both.coefficient is None
    assert (both + pf.Entropy(0.2)).terms() == ((0.5, 1.0), (1.0, 2.0))
    like = pf.Power(2, 0.5) + pf.Power(2, 1.5)
    assert (like.exponent, like.coefficient) == (2.0, 2.0)
    for unknown in (Cosh(), Cosh() + pf.Entropy()):
        assert unknown.terms() is None and unknown.exponent is None and unknown.coefficient is None
    with pytest.raises(TypeError):
        pf.Entropy() + 3.0


def test_what_a_users_own_lacks_is_named():
    with pytest.raises(TypeError, match="pressure"):
        type("Half", (pf.InternalEnergy,), {"value": lambda self, r: r})()
    with pytest.raises(
        pf.NotAvailable, match=r"Cosh does not answer 'second_derivative'.*Give it second_derivative\(r\)"
    ):
        Cosh().second_derivative(1.0)
    with pytest.raises(pf.NotAvailable, match=r"Cosh does not answer 'of_law'.*Energy\.evaluate"):
        (pf.Entropy() + Cosh()).of_law(Gaussian(0, 1))


def test_ends_of_the_conjugate():
    assert (pf.Entropy() + pf.Power(2)).conjugate(-2000.0) == 0.0
    assert (pf.Power(2) + pf.Power(3)).conjugate(np.array([-1.0, 0.0])).tolist() == [0.0, 0.0]
    assert pf.Power(0.5).conjugate(np.array([0.0, 1.0])).tolist() == [np.inf, np.inf]
    assert Saturating().conjugate(np.array([1.5, 0.6])) == pytest.approx([np.inf, 1 - np.sqrt(1 - 0.36)], rel=1e-14)
    assert Cosh().conjugate(2.0) == pytest.approx(2 * np.arcsinh(2) - np.sqrt(5) + 1, rel=1e-14)


def test_a_kink_of_u_has_an_interval_of_slopes():
    class Kink(pf.InternalEnergy):
        """U = max(0, r - 1): U* = p for p in [0, 1], inf above."""

        def value(self, r):
            return np.maximum(0.0, np.asarray(r) - 1)

        def pressure(self, r):
            return np.where(np.asarray(r) < 1, 0.0, 1.0)

    assert Kink().conjugate(np.array([0.25, 0.5, 2.0])) == pytest.approx([0.25, 0.5, np.inf], rel=1e-15)


class SampledEntropy(pf.Entropy):
    """An entropy whose integral over a law is known only with a standard error."""

    def of_law(self, law):
        return pf.Estimate(1.5, 0.25, "Monte Carlo, n = 16", "internal energy")


def test_a_sum_keeps_the_standard_error_and_the_way_of_its_parts():
    both = SampledEntropy() + pf.Power(2)
    law = Gaussian(0, 1)
    for found in (both.of_law(law), pf.Energy(internal=both).evaluate(law)):
        assert found.value == pytest.approx(1.5 + 1 / np.sqrt(4 * np.pi), rel=1e-14)
        assert found.stderr == 0.25 and found.how == "Monte Carlo, n = 16, closed form"
    exact = (pf.Entropy() + pf.Power(2)).of_law(law)
    assert exact.stderr == 0 and exact.how == "closed form"
