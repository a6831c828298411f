"""Potentials with kinks are solved to the accuracy of the scheme, with diffusion and without, or a cure is named.

No public thread; tried on the first edition: a convex problem that has a minimiser was reported as unsolvable.
"""

import numpy as np
import pytest
from scipy.stats import norm

import pdeflow as pf
from pdeflow.grid.quantile_jko.mesh import quantile_levels, quantile_nodes

POTENTIALS = {
    "abs": (lambda x: np.abs(x).sum(1), np.sign),
    "off a node": (lambda x: 2 * np.abs(x - 0.377).sum(1), lambda x: 2 * np.sign(x - 0.377)),
    "hinge": (lambda x: (np.maximum(x, 0) + x**2 / 2).sum(1), lambda x: (x > 0) + x),
    "two kinks": (lambda x: (np.abs(x + 1) + np.abs(x - 0.5)).sum(1), lambda x: np.sign(x + 1) + np.sign(x - 0.5)),
}
ABS = pf.potentials.FromFunction(*POTENTIALS["abs"])


@pytest.mark.parametrize("name", POTENTIALS)
def test_a_kink_is_no_obstacle(name):
    potential = pf.potentials.FromFunction(*POTENTIALS[name])
    problem = pf.Problem(pf.Energy(potential, pf.Entropy(1.0)), pf.laws.Gaussian(0.5, 1.0), 0.5)
    truth = pf.solve(problem, pf.grid.ChangCooper(600, -16, 16, time_order=2), dt=1 / 64).final.mean()[0]
    found = [
        pf.solve(problem, pf.grid.QuantileJKO(points=100), dt=dt).final.mean()[0] for dt in (1 / 8, 1 / 32, 1 / 64)
    ]
    assert 2 * found[2] - found[1] == pytest.approx(truth, abs=2e-3)  # a hundred points
    assert abs(found[2] - truth) < abs(found[0] - truth) + 1e-3


@pytest.mark.parametrize("internal", [pf.Entropy(0.01), pf.Power(2.0, 0.01)])
def test_a_kink_far_from_the_start_is_found_when_the_law_comes_near(internal):
    steep = pf.potentials.FromFunction(lambda x: 4 * np.abs(x).sum(1), lambda x: 4 * np.sign(x))
    problem = pf.Problem(pf.Energy(steep, internal), pf.laws.Gaussian(5, 0.01), 2.0)
    law = pf.solve(problem, pf.grid.QuantileJKO(points=60), dt=0.25).final
    assert law.mean()[0] == pytest.approx(0.0, abs=1e-4)
    if internal.exponent == 1:
        assert law.cov()[0, 0] == pytest.approx(2 * (0.01 / 4) ** 2, rel=2e-2)  # of the Laplace law; 60 points


def steps(potential, start, dt, count, points=200):
    problem = pf.Problem(pf.Energy(potential), start, dt * count)
    return pf.solve(problem, pf.grid.QuantileJKO(points=points), dt=dt).final


def test_a_potential_alone_lets_mass_rest_on_its_kink():
    """Each quantile moves by dt towards 0 and rests there: |q| less 1, at least 0."""
    levels = np.linspace(5e-4, 1 - 5e-4, 1000)
    start = 0.5 + norm.ppf(levels)
    exact = np.sign(start) * np.maximum(np.abs(start) - 1, 0)
    law = steps(ABS, pf.laws.Gaussian(0.5, 1.0), 0.125, 8)
    assert np.sqrt(np.mean((law.quantile(levels) - exact) ** 2)) < 1e-3
    np.testing.assert_allclose(law.quantile(np.array([0.2, 0.6])), 0.0, atol=1e-14)
    assert np.abs(steps(ABS, pf.laws.Gaussian(5, 0.01), 0.5, 16).quantile(levels)).max() < 1e-14


def test_a_kink_that_repels_parts_the_mass():
    """V = x² - |x|: implicit Euler takes x > 0 to (x + dt)/(1 + 2 dt)."""
    potential = pf.potentials.FromFunction(lambda x: (x**2 - np.abs(x)).sum(1), lambda x: 2 * x - np.sign(x))
    law = steps(potential, pf.laws.Gaussian(0.5, 1.0), 0.125, 8)
    start = 0.5 + norm.ppf(np.array([0.1, 0.5, 0.9]))
    exact = np.sign(start) * (0.5 + (np.abs(start) - 0.5) / 1.25**8)
    np.testing.assert_allclose(law.quantile(np.array([0.1, 0.5, 0.9])), exact, atol=1e-3)


TEETH = np.linspace(-2, 2, 40)
STRONG = {
    "strong": (lambda x: 3 * np.abs(x - 0.377).sum(1), lambda x: 3 * np.sign(x - 0.377)),
    "forty": (
        lambda x: (x**2 / 2).sum(1) + 0.2 * np.abs(x - TEETH).sum(1),
        lambda x: x + 0.2 * np.sign(x - TEETH).sum(1, keepdims=True),
    ),
    "two close by": (
        lambda x: (x**2 / 2 + 2 * np.maximum(0, np.abs(x - 0.3) - 1e-4)).sum(1),
        lambda x: x + 2 * np.sign(x - 0.3) * (np.abs(x - 0.3) > 1e-4),
    ),
}


KINKS = {"strong": (0.0, [0.377], 3.0), "forty": (1.0, TEETH, 0.2), "two close by": (1.0, [0.2999, 0.3001], 1.0)}


def objective_of_a_step(name, start, temperature, dt, points):
    """x -> T ∫ρ log ρ + ∫V dρ + W2²/(2 dt), exact for piecewise linear quantile functions, and the nodes before."""
    stiffness, kinks, strength = KINKS[name]
    levels = quantile_levels(points, "graded")
    y = quantile_nodes(start, levels)
    w = np.diff(levels)

    def square(e):
        return w @ (e[1:] ** 2 + e[1:] * e[:-1] + e[:-1] ** 2) / 3

    def objective(x):
        value = square(x - y) / (2 * dt) + stiffness * square(x) / 2 + temperature * (w @ np.log(w / np.diff(x)))
        for k in kinks:
            primitive = (x - k) * np.abs(x - k) / 2
            value += strength * (w @ (np.diff(primitive) / np.diff(x)))
        return value

    return objective, y


@pytest.mark.parametrize("temperature", [0.5, 0.02])
@pytest.mark.parametrize("name", STRONG)
def test_strong_many_and_close_kinks_are_solved(name, temperature):
    """The step is a minimum of the convex objective written down anew: no move of nodes, random or single, goes lower.

    A kink on the edge of a part of the scan was found with half its jump, of two in one interval one was found, and of
    forty thirty-two: the rest was left to quadrature by two points a cell, and Newton's method never ended.
    """
    value, grad = STRONG[name]
    start = pf.laws.Gaussian(0.6, 0.25)
    problem = pf.Problem(pf.Energy(pf.potentials.FromFunction(value, grad), pf.Entropy(temperature)), start, 1 / 16)
    run = pf.solve(problem, pf.grid.QuantileJKO(points=60), dt=1 / 16)
    assert run.history[-1]["gradient"] < 1e-9 and run.history[-1]["iterations"] < 40
    objective, y = objective_of_a_step(name, start, temperature, 1 / 16, 60)
    x = run.final.quantile(quantile_levels(60, "graded"))
    least, rng = objective(x), np.random.default_rng(0)
    widths = np.diff(x)
    room = np.minimum(np.append(widths, widths[-1]), np.append(widths[0], widths))
    assert least < objective(y)
    for size in (1e-4, 1e-2, 0.3):
        for move in [*rng.uniform(-1, 1, size=(40, 60)), *np.eye(60), *-np.eye(60)]:
            assert objective(x + size * room * move) >= least - 1e-12


def test_a_start_that_collapses_onto_a_kink_rests_there():
    law = steps(ABS, pf.laws.Uniform(-1.0, 2.0), 0.1, 20)
    assert law.mean()[0] == 0 and law.cov()[0, 0] == 0


def root(x):
    return np.sqrt(np.abs(x)).sum(1)


def test_an_infinite_slope_names_the_cure():
    slope = pf.potentials.FromFunction(root, lambda x: np.sign(x) / 2 / np.sqrt(np.maximum(np.abs(x), 1e-300)))
    with pytest.raises(pf.NotConverged, match="smooth it"):
        steps(slope, pf.laws.Gaussian(0.5, 1.0), 0.125, 1, points=50)
    smooth = pf.potentials.FromFunction(
        lambda x: ((x**2 + 1e-2) ** 0.25).sum(1), lambda x: x / 2 * (x**2 + 1e-2) ** -0.75
    )
    steps(smooth, pf.laws.Gaussian(0.5, 1.0), 0.05, 1, points=50)


class Distance:
    """W(z) = |z|: of pairs of a Gaussian with variance v, the mean of W is 2 √(v/π)."""

    singular = False

    def value(self, z):
        return np.abs(z).sum(-1)

    def grad(self, z):
        return np.sign(z)


def test_a_kernel_with_a_kink_is_right():
    """It takes the mean of |x - y| off the growth of the variance, which is 2 T."""
    free, drawn = (
        pf.solve(
            pf.Problem(pf.Energy(None, pf.Entropy(1.0), kernel), pf.laws.Gaussian(0.5, 1.0), 1 / 64),
            pf.grid.QuantileJKO(points=60),
            dt=1 / 128,
        ).final
        for kernel in (None, Distance())
    )
    assert drawn.mean()[0] == pytest.approx(0.5, abs=1e-10)
    assert (free.cov()[0, 0] - drawn.cov()[0, 0]) * 64 == pytest.approx(2 / np.sqrt(np.pi), rel=0.03)
