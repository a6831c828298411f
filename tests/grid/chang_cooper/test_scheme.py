"""ChangCooper: orders in space and time, starts, reports, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid import ChangCooper, exponential, gibbs
from pdeflow.laws import Gaussian, GridLaw, Particles

N = 300
EDGES = np.linspace(-1.0, 1.0, N + 1)


def on_box(value, initial=None, temperature=1.0):
    """A problem with V = value(x), x (n,), on [-1, 1] with walls: there is no V beyond."""
    potential = pf.potentials.FromFunction(lambda x: np.where(np.abs(x[:, 0]) <= 1, value(x[:, 0]), np.inf))
    initial = GridLaw(EDGES, np.full(N, 1 / N)) if initial is None else initial
    return pf.Problem(pf.Energy(potential, pf.Entropy(temperature)), initial, 1.0, name="box")


BOX = ChangCooper(cells=N, lower=-1.0, upper=1.0)


def run(problem, method, dt, steps):
    state = method.init(problem, None)
    return method.advance(problem, state, dt, steps, None)


def mass_error(law, truth):
    edges = law.axes[0]
    return np.abs(law.mass - np.diff(truth.cdf(edges))).sum()


def slopes(errors):
    return np.diff(np.log(errors)) / np.log(0.5)


@pytest.mark.parametrize(
    "problem",
    [
        pf.problems.ou(),
        pf.problems.ou(matrix=2.0, center=0.5, temperature=0.3),
        pf.problems.mixture_ou(),
        pf.problems.heat(),
    ],
    ids=["ou", "cold ou", "mixture", "heat"],
)
def test_second_order_in_space(problem):
    """exp(tL) has no time error, so what is left is space alone."""
    errors = []
    for cells in (400, 800, 1600):
        law = exponential(problem, ChangCooper(cells=cells, lower=-9.0, upper=9.0), [0.5]).final
        errors.append(mass_error(law, problem.exact(0.5)))
    assert slopes(errors) == pytest.approx([2.0, 2.0], abs=0.05)
    assert errors[-1] < 1e-3


@pytest.mark.parametrize("order, tolerance", [(1, 0.05), (2, 0.1)])
def test_order_in_time(order, tolerance):
    """Against the scheme's own limit exp(tL) on the same cells; that this limit is the right law is the test above."""
    problem = pf.problems.ou()
    method = ChangCooper(cells=400, lower=-7.0, upper=7.0, time_order=order)
    limit = exponential(problem, method, [1.0]).final.mass
    errors = [np.abs(run(problem, method, 1 / n, n).mass - limit).sum() for n in (32, 64, 128, 256)]
    assert slopes(errors)[1:] == pytest.approx([order] * 2, abs=tolerance)
    assert errors[-1] < (3e-3 if order == 1 else 2e-5)


def test_advance_is_repeated_steps_bit_for_bit():
    problem, method = pf.problems.double_well(), ChangCooper(cells=101)
    state = method.init(problem, None)
    one = state
    for _ in range(7):
        one = method.step(problem, one, 0.01, None)
    fused = method.advance(problem, state, 0.01, 7, None)
    assert np.array_equal(one.mass, fused.mass)
    assert one.steps == fused.steps == 7


def test_symmetric_problem_stays_symmetric():
    problem = pf.problems.double_well(initial=Gaussian(0.0, 0.04))
    mass = run(problem, ChangCooper(cells=201, lower=-3, upper=3), 0.05, 50).mass
    np.testing.assert_allclose(mass, mass[::-1], atol=1e-15)


def test_laws_pass_into_cells_exactly():
    edges = np.linspace(-5, 5, 41)
    mass = np.random.default_rng(0).random(40)
    mass /= mass.sum()
    method = ChangCooper(cells=40, lower=-5, upper=5)
    problem = pf.problems.ou()
    same = method.init(replace(problem, initial=GridLaw(edges, mass)), None)
    assert np.array_equal(same.mass, mass)
    assert np.array_equal(method.law(same).mass, mass)
    own_domain = ChangCooper(cells=40).init(replace(problem, initial=GridLaw(edges, mass)), None)
    assert np.array_equal(own_domain.mass, mass)
    halved = method.init(replace(problem, initial=GridLaw(np.linspace(-5, 5, 81), np.repeat(mass / 2, 2))), None)
    np.testing.assert_allclose(halved.mass, mass, atol=1e-15)
    cloud = method.init(replace(problem, initial=Particles([-4.99, 0.1, 0.12, 4.9])), None)
    assert np.array_equal(np.flatnonzero(cloud.mass), [0, 20, 39])
    np.testing.assert_allclose(cloud.mass[[0, 20, 39]], [0.25, 0.5, 0.25], atol=1e-15)


def test_mass_outside_goes_into_the_end_cells_and_is_reported():
    problem, method = pf.problems.ou(initial=Gaussian(0.0, 1.0)), ChangCooper(cells=100, lower=-4, upper=5)
    flow = pf.solve(problem, method, dt=0.1)
    below, above = Gaussian(0.0, 1.0).cdf(np.array([-4.0, -5.0]))
    assert flow.history[-1]["tail_mass"] == pytest.approx(below + above, rel=1e-9)
    # trapezoid on the scan's nodes, (upper-lower)/1024 apart: relative error (V' h)²/12 = 2e-4
    assert flow.history[-1]["stationary_tail"] == pytest.approx(below + above, rel=1e-3)
    assert abs(flow.history[-1]["mass_error"]) < 1e-14
    assert method.init(problem, None).mass[0] == pytest.approx(Gaussian(0.0, 1.0).cdf(-3.91), rel=1e-12)


@pytest.mark.parametrize(
    "fields",
    [
        {"cells": 2},
        {"cells": 10.0},
        {"lower": 1.0, "upper": 1.0},
        {"lower": 2.0, "upper": -2.0},
        {"lower": np.nan},
        {"upper": np.inf},
        {"lower": "a"},
        {"time_order": 3},
        {"time_order": True},
    ],
)
def test_bad_fields(fields):
    with pytest.raises(pf.BadInput):
        ChangCooper(**fields)


def test_unknown_field_names_the_nearest():
    with pytest.raises(TypeError, match="'cells'"):
        ChangCooper(cell=100)


@pytest.mark.parametrize(
    "problem, words",
    [
        (pf.problems.ou(dim=4), "dim 4.*rotated"),
        (pf.problems.porous_medium(), "Entropy.*QuantileJKO"),
        (pf.problems.mckean_vlasov_ou(), "interaction"),
        (pf.problems.newtonian_1d(), "Entropy"),
    ],
)
def test_unsupported_problems(problem, words):
    with pytest.raises(pf.Unsupported, match=words):
        ChangCooper().init(problem, None)


def test_negative_cells_of_time_order_2_are_refused_with_the_cure():
    delta = np.zeros(N)
    delta[N // 2] = 1.0
    problem = on_box(lambda x: 0 * x, GridLaw(EDGES, delta))
    method = replace(BOX, time_order=2)
    sharp = replace(method.init(problem, None), steps=1)  # as if no first step had smoothed it
    with pytest.raises(pf.Diverged, match=r"smaller dt, or time_order=1"):
        method.law(method.step(problem, sharp, 1e-3, None))
    assert pf.solve(problem, BOX, dt=1e-3, times=[1e-3]).final.min_mass >= 0


@pytest.mark.parametrize(
    "start", [Gaussian(0.31, 1e-8), pf.laws.Uniform(-0.5, 0.5), pf.laws.GaussianMixture([0.5, 0.5], [-1, 1.2], 1e-6)]
)
def test_sharp_starts_keep_sign_and_order_with_time_order_2(start):
    problem = pf.problems.ou(initial=start)
    method = ChangCooper(cells=400, lower=-7.0, upper=7.0, time_order=2)
    limit = exponential(problem, method, [1.0]).final.mass
    runs = [run(problem, method, 1 / n, n) for n in (4, 8, 16, 32, 64)]
    assert min(state.least for state in runs) >= 0
    errors = [np.abs(state.mass - limit).sum() for state in runs]
    assert slopes(errors)[1:] == pytest.approx([2.0] * 3, abs=0.1)


def test_non_finite_rates_diverge_by_name():
    problem = on_box(lambda x: 0 * x)
    state = BOX.init(problem, None)
    broken = replace(state, mass=np.where(np.arange(N) == 5, np.nan, state.mass))
    with pytest.raises(pf.Diverged, match="nan in cell"):
        BOX.advance(problem, broken, 0.1, 1, None)


def test_long_run_reaches_the_gibbs_law():
    problem, method = pf.problems.double_well(), ChangCooper(cells=300)
    law = pf.solve(problem, method, dt=1.0, times=[400.0]).final
    assert np.abs(law.mass - gibbs(problem, method).mass).max() < 1e-13


def test_sums_of_entropies_are_one_entropy_and_other_sums_are_refused():
    problem = pf.problems.ou(temperature=0.5)
    halves = replace(problem, energy=replace(problem.energy, internal=pf.Entropy(0.2) + pf.Entropy(0.3)))
    ours, same = (pf.solve(p, ChangCooper(cells=60), dt=0.1, times=[0.2]).final for p in (halves, problem))
    assert np.array_equal(ours.mass, same.mass)
    mixed = replace(problem, energy=replace(problem.energy, internal=pf.Entropy(0.2) + pf.Power(2)))
    with pytest.raises(pf.Unsupported, match=r"must be Entropy.*QuantileJKO"):
        ChangCooper().init(mixed, None)
    with pytest.raises(pf.Unsupported, match=r"must be Entropy.*QuantileJKO"):
        pf.particle.EulerMaruyama(10).init(mixed, np.random.default_rng(0))
