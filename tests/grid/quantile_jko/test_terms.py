"""The energy terms of a quantile mesh: closed values, derivatives by differences, and what cannot be integrated."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.interactions import GaussianAttraction, LogRepulsion, PowerLaw, QuadraticAttraction
from pdeflow.grid.quantile_jko.mesh import quantile_levels, quantile_nodes
from pdeflow.grid.quantile_jko.terms import (
    DistanceTerm,
    PotentialTerm,
    PowerPairTerm,
    SmoothPairTerm,
    VarianceTerm,
    interaction_terms,
)
from pdeflow.laws import Gaussian, Quantiles

LEVELS = quantile_levels(31, "uniform")
W = np.diff(LEVELS)
X = quantile_nodes(Gaussian(0.3, 0.5), LEVELS)
LAW = Quantiles(X, LEVELS)
TERMS = {
    "potential": PotentialTerm(pf.potentials.DoubleWell(0.7), W),
    "potential without hessian": PotentialTerm(
        pf.potentials.FromFunction(lambda x: x[:, 0] ** 4, lambda x: 4 * x**3), W
    ),
    "distance": DistanceTerm(-1.0, LEVELS, W),
    "logarithm": PowerPairTerm(-0.5, 0, W),
    "root": PowerPairTerm(0.8, 0.5, W),
    "gaussian": SmoothPairTerm(GaussianAttraction(), W),
}


@pytest.mark.parametrize("term", TERMS.values(), ids=TERMS.keys())
def test_derivatives_are_those_of_the_value(term, rng):
    gradient, diagonal, off, dense = term.derivatives(X)
    matrix = np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1) + (0 if dense is None else dense)
    move, h = rng.standard_normal(len(X)) * np.gradient(X), 1e-5
    slope = (term.value(X + h * move) - term.value(X - h * move)) / (2 * h)
    assert gradient @ move == pytest.approx(slope, rel=1e-7, abs=1e-9)
    change = (term.derivatives(X + h * move)[0] - term.derivatives(X - h * move)[0]) / (2 * h)
    np.testing.assert_allclose(matrix @ move, change, rtol=1e-5, atol=1e-6 * np.abs(matrix).max() * np.abs(move).max())


def test_values_in_closed_form():
    assert VarianceTerm(1.4, W).value(X) == pytest.approx(0.7 * LAW.cov()[0, 0], rel=1e-13)
    second = PotentialTerm(pf.potentials.Quadratic(2.0, 0.1), W).value(X)
    assert second == pytest.approx(LAW.cov()[0, 0] + (LAW.mean()[0] - 0.1) ** 2, rel=1e-13)
    # E|X - Y| = 2∫F(1 - F)dx of the law that is linear between the nodes
    a, b = LEVELS[:-1], LEVELS[1:]
    distance = 2 * np.diff(X) @ ((a + b) / 2 - (a * a + a * b + b * b) / 3)
    assert DistanceTerm(-1.0, LEVELS, W).value(X) == pytest.approx(-0.5 * distance, rel=1e-12)
    pairs = SmoothPairTerm(QuadraticAttraction(1.4), W).value(X)  # the same as the variance, by all pairs
    assert pairs == pytest.approx(0.7 * LAW.cov()[0, 0], rel=1e-12)


def test_the_rank_one_part_of_the_variance_is_left_to_the_solver():
    gradient, diagonal, off, _ = VarianceTerm(1.4, W).derivatives(X)
    matrix = np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1)
    mass = np.zeros(len(X))
    mass[:-1] += W / 2
    mass[1:] += W / 2
    whole = matrix - 1.4 * np.outer(mass, mass)
    np.testing.assert_allclose(whole @ X, gradient, atol=1e-14)  # the energy is quadratic
    np.testing.assert_allclose(whole @ np.ones(len(X)), 0, atol=1e-14)


def test_terms_of_the_kernels():
    kinds = {
        QuadraticAttraction(2.0): ([VarianceTerm], 2.0, False),
        LogRepulsion(1.0, 0.5): ([VarianceTerm, PowerPairTerm], 1.0, True),
        PowerLaw(2.0, 1.0): ([VarianceTerm, DistanceTerm], 1.0, False),
        PowerLaw(3.0, 0.5): ([SmoothPairTerm, PowerPairTerm], 0.0, True),
        PowerLaw(4.0, 2.0): ([SmoothPairTerm, VarianceTerm], -1.0, False),
        GaussianAttraction(): ([SmoothPairTerm], 0.0, False),
    }
    for kernel, (expected, attraction, repels) in kinds.items():
        terms, strength, at_contact = interaction_terms(kernel, LEVELS, W)
        assert [type(term) for term in terms] == expected
        assert (strength, at_contact) == (attraction, repels)
    assert interaction_terms(None, LEVELS, W) == ([], 0.0, False)
    assert PowerPairTerm(1.0, 0.5, W).value(np.zeros(len(X))) == np.inf
    with pytest.raises(pf.Unsupported, match=r"exponent -1\.5"):
        interaction_terms(PowerLaw(2.0, -1.5), LEVELS, W)
