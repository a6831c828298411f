"""Every internal energy through the same properties: the built-in ones, their sums, and two of a user's own."""

import numpy as np
import pytest
from scipy.integrate import quad

import pdeflow as pf
from pdeflow.laws import Gaussian, Semicircle


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


ENERGIES = {
    "entropy": pf.Entropy(0.7),
    "power 2": pf.Power(2),
    "power 3": pf.Power(3, 0.4),
    "power 1.2": pf.Power(1.2),
    "power 0.5": pf.Power(0.5),
    "entropy + power 2": pf.Entropy(0.3) + pf.Power(2, 1.5),
    "power 2 + power 3": pf.Power(2) + pf.Power(3),
    "power 0.5 + power 2": pf.Power(0.5) + pf.Power(2),
    "three": pf.Entropy() + pf.Power(2) + pf.Power(3),
    "foreign": Cosh(),
    "foreign + entropy": Cosh() + pf.Entropy(0.5),
    "saturating": Saturating(),
}
every = pytest.mark.parametrize("internal", ENERGIES.values(), ids=ENERGIES.keys())
R = np.concatenate([np.logspace(-6, 0.8, 40), [1.0]])


@every
def test_shapes_and_zero(internal):
    assert internal.value(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]
    assert internal.pressure(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]
    for question in ("value", "pressure", "derivative", "per_mass", "conjugate", "conjugate_derivative"):
        answer = getattr(internal, question)(np.full((2, 3), 0.5))
        assert np.shape(answer) == (2, 3)
        assert np.shape(getattr(internal, question)(0.5)) == ()


@every
def test_pressure_and_derivatives_are_those_of_the_value(internal):
    h = 1e-4 * R
    near, far = (internal.value(R + k * h) - internal.value(R - k * h) for k in (1, 2))
    slope = (8 * near - far) / (12 * h)
    # fourth-order differences: h⁴ U⁽⁵⁾ and 1e-16 U/h; U of `saturating` near 0 is 1e-12 of its summands
    np.testing.assert_allclose(internal.derivative(R), slope, rtol=1e-8, atol=2e-6)
    np.testing.assert_allclose(internal.pressure(R), R * slope - internal.value(R), rtol=1e-7, atol=2e-6)
    if internal.terms() is not None:
        bend = (internal.derivative(R + h) - internal.derivative(R - h)) / (2 * h)
        np.testing.assert_allclose(internal.second_derivative(R), bend, rtol=1e-6)


@every
def test_energy_per_mass(internal):
    np.testing.assert_allclose(internal.per_mass(R), internal.value(R) / R, rtol=1e-13)
    np.testing.assert_allclose(internal.per_mass_of_log(np.log(R)), internal.per_mass(R), rtol=1e-11, atol=1e-12)


@every
def test_legendre_fenchel(internal):
    """U(r) + U*(p) >= r p for all r and p, and equal where p = U'(r)."""
    p = internal.derivative(R)
    star = internal.conjugate(p)
    size = np.abs(internal.value(R)) + np.abs(star) + np.abs(R * p)
    np.testing.assert_array_less(np.abs(internal.value(R) + star - R * p), 1e-14 * size + 1e-15)
    np.testing.assert_array_less(R * p[:, None] - internal.value(R) - star[:, None], 1e-13 * size.max())
    solved = np.abs(internal.derivative(internal.conjugate_derivative(p)) - p)
    assert np.all(solved <= 1e-14 * (1 + np.abs(p) + size / R) + 1e-15 / R)  # U' of a user's own is (U + p)/r


@every
def test_the_conjugate_is_the_supremum_elsewhere_too(internal):
    """Against a search over a fine set of densities: U* lies above it, by no more than the set is coarse."""
    top = 2 if "Cosh" in repr(internal) else 3  # its values overflow beyond r = 710
    r = np.concatenate([[0.0], np.logspace(-8, top, 400_001)])
    for p in (-30.0, -1.0, -0.1, 0.0, 0.3, 0.9, 5.0):
        star = internal.conjugate(p)
        searched = np.max(p * r - internal.value(r))
        if np.isposinf(star):
            assert searched > 0 and np.argmax(p * r - internal.value(r)) == len(r) - 1
        else:
            assert -1e-14 <= star - searched <= 1e-7 * (1 + abs(star))


@every
def test_convex_and_mccanns_condition(internal):
    """U is convex; s -> s^d U(s^-d) is convex and falls, as displacement convexity asks (m >= 1 - 1/d)."""
    r = np.linspace(1e-3, 5, 4001)
    assert np.all(np.diff(internal.value(r), 2) >= -1e-13)
    s = np.linspace(0.3, 6, 4001)
    for dim in (1, 2, 3):
        spread = s**dim * internal.value(s**-dim)
        holds = np.all(np.diff(spread, 2) >= -1e-12) and np.all(np.diff(spread) <= 1e-12)
        lowest = min((m for _, m in internal.terms() or ()), default=0.0 if isinstance(internal, Saturating) else 1.0)
        assert holds == (lowest >= 1 - 1 / dim)
        # with the pressure: p(r)/r^(1 - 1/d) does not fall
        ratio = internal.pressure(r) / r ** (1 - 1 / dim)
        assert np.all(np.diff(ratio) >= -1e-12) or lowest < 1 - 1 / dim


@pytest.mark.parametrize("law", [Gaussian(0.3, 0.5), Semicircle(1.7)], ids=["gaussian", "semicircle"])
@every
def test_of_law_is_the_integral(internal, law):
    ends = (-12.0, 12.0) if isinstance(law, Gaussian) else (-1.7, 1.7)

    def integrand(x):
        density = np.exp(law.log_density(np.array([[x]])))
        return float(internal.value(density)[0])

    exact = quad(integrand, *ends, epsabs=1e-12, epsrel=1e-12, limit=400)[0]
    evaluated = pf.Energy(internal=internal).evaluate(law)
    assert evaluated.value == pytest.approx(exact, rel=2e-8, abs=2e-8)
    if internal.terms() is None:
        with pytest.raises(pf.NotAvailable, match="of_law"):
            internal.of_law(law)
        assert evaluated.how == "quadrature"
    else:
        assert internal.of_law(law).value == pytest.approx(exact, rel=2e-8, abs=2e-8)
