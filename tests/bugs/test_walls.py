"""A wall, beyond which the potential is infinite, ends the grid, whichever ends are given; who has no walls says so.

No public thread; tried on the first edition: `lower=0` with V = inf below was told to "shrink the domain".
"""

import numpy as np
import pytest

import pdeflow as pf


def half_line(value, grad):
    return pf.potentials.FromFunction(lambda x: np.where(x >= 0, value(np.abs(x)), np.inf).sum(-1), grad)


REFLECTED = half_line(lambda r: r**2 / 2, lambda x: x)
MEAN = np.sqrt(2 / np.pi)  # of the stationary law of V = x²/2, T = 1, on the half line


def problem(potential, internal, horizon=6.0, start=1.0):
    return pf.Problem(energy=pf.Energy(potential, internal), initial=pf.laws.Gaussian(start, 0.01), horizon=horizon)


@pytest.mark.parametrize("ends", [{}, {"lower": 0.0}, {"upper": 8.0}, {"lower": 0.0, "upper": 8.0}])
def test_an_automatic_end_respects_a_wall_and_the_end_that_is_given(ends):
    walled = problem(REFLECTED, pf.Entropy(1.0))
    law = pf.solve(walled, pf.grid.ChangCooper(200, **ends), dt=0.25).final
    assert law.mean()[0] == pytest.approx(MEAN, rel=2e-3)
    for internal in (pf.Entropy(1.0), pf.Power(2.0)):
        pytest.importorskip("cvxopt")
        walled = problem(REFLECTED, internal, 0.5)
        law = pf.solve(walled, pf.grid.CvxoptJKO(24, **ends), dt=0.5).final
        assert law.quantile(np.array([0.0]))[0] >= 0
        assert law.quantile(np.array([1.0]))[0] <= 13


@pytest.mark.parametrize("sign", [1, -1])
def test_a_wall_on_either_side_and_a_potential_that_grows_without_bound_to_it(sign):
    steep = pf.potentials.FromFunction(
        lambda x: np.where(sign * x > 0, x**2 / 2 - np.log(np.maximum(sign * x, 1e-300)), np.inf).sum(-1)
    )
    law = pf.solve(problem(steep, pf.Entropy(1.0), 8.0, sign), pf.grid.ChangCooper(200), dt=0.25).final
    assert sign * law.mean()[0] == pytest.approx(np.sqrt(np.pi / 2), rel=2e-3)  # density x exp(-x²/2)


def test_a_potential_that_is_not_a_number_is_no_wall():
    log = pf.potentials.FromFunction(lambda x: np.where(x > 0, x**2, np.nan).sum(-1))
    with pytest.raises(pf.BadInput, match="nan"):
        pf.solve(problem(log, pf.Entropy(1.0)), pf.grid.ChangCooper(100), dt=0.5)


def test_a_law_beyond_a_wall_is_refused():
    for start in (-1.0, 0.0):
        with pytest.raises(pf.BadInput, match=r"wall|median"):
            pf.solve(problem(REFLECTED, pf.Entropy(1.0), start=start), pf.grid.ChangCooper(100), dt=0.5)


@pytest.mark.parametrize("start", [1.0, 0.1])
def test_methods_without_walls_say_so(start):
    walled = problem(REFLECTED, pf.Entropy(1.0), start=start)
    for method in (pf.grid.QuantileJKO(50), pf.particle.EulerMaruyama(500), pf.particle.EulerMaruyama(1)):
        with pytest.raises((pf.BadInput, pf.Unsupported), match="ChangCooper"):
            pf.solve(walled, method, dt=0.25)


def test_a_potential_that_overflows_far_away_has_no_wall():
    steep = pf.potentials.FromFunction(lambda x: np.exp(5 * x**2).sum(-1), lambda x: 10 * x * np.exp(5 * x**2))
    pf.solve(problem(steep, pf.Entropy(1.0), 9.0, 0.0), pf.particle.EulerMaruyama(50), dt=1e-4, times=[1e-3])


def test_an_end_that_is_no_wall_names_the_wall_as_the_cure():
    heat = pf.Problem(pf.Energy(internal=pf.Entropy(1.0)), pf.laws.Uniform(-0.2, 0.2), 1.0)
    with pytest.raises(pf.BadInput, match="let V be inf beyond") as caught:
        pf.solve(heat, pf.grid.ChangCooper(100, lower=-1, upper=1), dt=0.1)
    cure = str(caught.value).split("FromFunction(")[1].split(") for pure heat")[0]
    walls = pf.potentials.FromFunction(eval(cure, {"np": np}))  # the message itself is followed
    boxed = pf.Problem(pf.Energy(walls, pf.Entropy(1.0)), pf.laws.Uniform(-0.2, 0.2), 1.0)
    law = pf.solve(boxed, pf.grid.ChangCooper(100, lower=-1, upper=1), dt=0.1).final
    assert law.cov()[0, 0] == pytest.approx(1 / 3, rel=1e-2)


class Skew:
    """W(z) = z²/2 + z/2."""

    singular = False

    def value(self, z):
        return (z**2 / 2 + z / 2).sum(-1)

    def grad(self, z):
        return z + 0.5


def test_a_kernel_that_is_not_even_is_refused():
    skew = pf.Problem(energy=pf.Energy(None, pf.Entropy(1.0), Skew()), initial=pf.laws.Gaussian(0, 1), horizon=0.5)
    methods = [pf.grid.QuantileJKO(30), pf.particle.EulerMaruyama(100)]
    for method in methods:
        with pytest.raises(pf.BadInput, match="even"):
            pf.solve(skew, method, dt=0.25)
