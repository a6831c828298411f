"""Internal energies in QuantileJKO: sums of powers and a user's own, against other schemes and exact laws."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid.quantile_jko.energy import discretise, spread_of_a_point
from pdeflow.grid.quantile_jko.mesh import quantile_levels
from pdeflow.laws import Gaussian, Particles, Uniform

SUMS = {
    "entropy + power 2": pf.Entropy(0.5) + pf.Power(2),
    "power 2 + power 3": pf.Power(2, 0.7) + pf.Power(3),
    "three": pf.Entropy(0.4) + pf.Power(2) + pf.Power(3, 0.5),
    "fast + slow": pf.Power(0.6, 0.2) + pf.Power(2),
}
every = pytest.mark.parametrize("internal", SUMS.values(), ids=SUMS.keys())


class Square(pf.InternalEnergy):
    """U = r², the internal energy of Power(2), with no more than a user must give."""

    def value(self, r):
        return r * r

    def pressure(self, r):
        return r * r


class SquareWithCurvature(Square):
    def second_derivative(self, r):
        return np.full(np.shape(r), 2.0)


def problem_of(internal, initial, potential=None):
    return pf.Problem(pf.Energy(potential, internal), initial, 1.0, name="test")


def test_a_sum_of_like_energies_is_the_one_energy():
    for several, one in (
        (pf.Entropy(0.25) + pf.Entropy(0.5), pf.Entropy(0.75)),
        (pf.Power(2) + pf.Power(2, 0.5), pf.Power(2, 1.5)),
    ):
        runs = [
            pf.solve(problem_of(internal, Gaussian(0.3, 0.5)), pf.grid.QuantileJKO(61), dt=0.1, times=[0.3])
            for internal in (several, one)
        ]
        np.testing.assert_array_equal(runs[0].final.q, runs[1].final.q)


@every
def test_long_runs_end_in_the_stationary_law(internal):
    """U'(ρ) + x²/2 = μ, so that ρ = (U*)'(μ - x²/2), with μ from the mass; even, second order in the points."""
    from scipy.integrate import quad
    from scipy.optimize import brentq

    def density(x, level):
        return float(internal.conjugate_derivative(level - x * x / 2))

    def moment(level, power):
        edge = np.sqrt(max(2 * level, 0.0)) if compact else 40.0 if heavy else 8.0
        return 2 * quad(lambda x: x**power * density(x, level), 0, edge, limit=200)[0]

    compact, heavy = internal is SUMS["power 2 + power 3"], internal is SUMS["fast + slow"]
    level = brentq(lambda level: moment(level, 0) - 1, 0.01 if compact else -3.0, 3.0 if heavy else 6.0)
    errors = []
    for points in (51, 101):
        problem = problem_of(internal, Gaussian(0.0, 1.0), pf.potentials.Quadratic(1.0))
        law = pf.solve(problem, pf.grid.QuantileJKO(points), dt=50.0, times=[500.0]).final
        np.testing.assert_allclose(law.q, -law.q[::-1], atol=1e-9)
        errors.append(abs(law.cov()[0, 0] - moment(level, 2)))
    assert errors[1] < errors[0] / 3 and errors[1] < 2e-3


@every
def test_the_step_is_the_minimum_over_a_family_of_trials(internal, rng):
    problem = problem_of(internal, Uniform(-1.0, 2.0))
    method, dt = pf.grid.QuantileJKO(41), 0.05
    start = method.init(problem, None)
    after = method.step(problem, start, dt, None)

    def objective(x):
        e, w, gap = x - start.x, np.diff(start.levels), np.diff(x)
        cost = np.sum(w * (e[1:] ** 2 + e[1:] * e[:-1] + e[:-1] ** 2)) / (6 * dt)
        return cost + np.sum(gap * internal.value(w / gap))

    best = objective(after.x)
    assert best < objective(start.x)
    for _ in range(50):
        other = after.x + 0.05 * np.min(np.diff(after.x)) * rng.standard_normal(len(after.x))
        assert objective(other) > best


def test_against_the_program_over_couplings():
    pytest.importorskip("cvxopt")
    internal = pf.Entropy(0.2) + pf.Power(2)
    problem = problem_of(internal, Gaussian(0.5, 0.3), pf.potentials.DoubleWell(0.5))
    ours = pf.solve(problem, pf.grid.QuantileJKO(400), dt=0.2, times=[0.4]).final
    theirs = pf.solve(problem, pf.grid.CvxoptJKO(cells=100, lower=-3.0, upper=3.0), dt=0.2, times=[0.4]).final
    levels = (np.arange(2000) + 0.5) / 2000
    gap = np.sqrt(np.mean((ours.quantile(levels) - theirs.quantile(levels)) ** 2))
    assert gap < 0.012  # a fifth of the cell width 0.06


@pytest.mark.parametrize("own", [Square(), SquareWithCurvature()], ids=["value and pressure", "with curvature"])
@pytest.mark.parametrize("initial", [Uniform(-1.0, 2.0), Particles(np.array([0.5]))], ids=["uniform", "point"])
def test_a_users_internal_energy_gives_what_the_built_in_one_gives(own, initial):
    ours, builtin = (
        pf.solve(problem_of(internal, initial), pf.grid.QuantileJKO(61), dt=0.02, times=[0.06])
        for internal in (own, pf.Power(2))
    )
    np.testing.assert_allclose(ours.final.q, builtin.final.q, atol=1e-9)
    for name in ("energy", "distance"):
        assert ours.history[-1][name] == pytest.approx(builtin.history[-1][name], rel=1e-9)


class PowersInThisOrder(pf.InternalEnergy):
    """r log r - r²/4 + r³/2, which is convex, with its terms in a given order."""

    def __init__(self, *terms):
        self.given = terms

    def terms(self):
        return self.given

    def value(self, r):
        return r * np.log(r) - r**2 / 4 + r**3 / 2

    def pressure(self, r):
        return r - r**2 / 4 + r**3


@pytest.mark.parametrize("initial", [Uniform(-1.0, 2.0), Particles(np.array([0.5]))], ids=["uniform", "point"])
def test_the_order_and_the_signs_of_terms_do_not_matter(initial):
    plus, minus, nothing, cube = (1.0, 1.0), (-0.25, 2.0), (0.0, 1.5), (1.0, 3.0)
    orders = [(plus, minus, cube), (minus, plus, cube), (nothing, plus, minus, cube)]
    steps = [
        pf.solve(problem_of(PowersInThisOrder(*terms), initial), pf.grid.QuantileJKO(41), dt=0.05, times=[0.1]).final
        for terms in orders
    ]
    assert steps[0].cov()[0, 0] > initial.cov()[0, 0] + 0.1  # one that leaves the energy out does not spread
    for other in steps[1:]:
        np.testing.assert_allclose(other.q, steps[0].q, atol=1e-9)


def test_width_of_a_point_after_one_step():
    assert spread_of_a_point(((0.7, 1.0),), pf.Entropy(0.7), 0.1) == pytest.approx(np.sqrt(0.035), rel=1e-15)
    assert spread_of_a_point(((1.0, 2.0),), pf.Power(2), 0.03) == pytest.approx(0.01 ** (1 / 3), rel=1e-15)
    both = pf.Entropy(0.7) + pf.Power(2)
    assert spread_of_a_point(both.terms(), both, 0.1) == pytest.approx((0.1 / 3) ** (1 / 3), rel=1e-15)
    assert spread_of_a_point((), None, 0.1) == pytest.approx(np.sqrt(0.05), rel=1e-15)
    assert spread_of_a_point((), Square(), 0.02) == pytest.approx(0.01 ** (1 / 3), rel=0.02)  # 0.02/s² = 2 s


def test_what_is_refused_in_a_sum():
    levels = quantile_levels(11, "graded")
    with pytest.raises(pf.Unsupported, match="m > 1/3"):
        discretise(pf.Energy(internal=pf.Entropy() + pf.Power(0.3)), levels)
    energy = discretise(pf.Energy(internal=pf.Entropy(0.3) + pf.Power(2)), levels)
    assert energy.powers == ((0.3, 1.0), (1.0, 2.0)) and energy.barrier and energy.terms == ()
    assert discretise(pf.Energy(internal=Square()), levels).barrier
    assert not discretise(pf.Energy(pf.potentials.Quadratic(1.0)), levels).barrier
