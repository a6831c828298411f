"""ChangCooper: conservation, positivity, the discrete Gibbs law, orders, domains, refusals."""

import math
from dataclasses import replace
from decimal import Decimal, localcontext

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid import ChangCooper, exponential, gibbs
from pdeflow.grid.chang_cooper.scheme import bernoulli
from pdeflow.grid.domain import TAIL_MASS
from pdeflow.laws import Gaussian, GaussianMixture, GridLaw, Particles, Uniform

N = 300
EDGES = np.linspace(-1.0, 1.0, N + 1)
CENTERS = (EDGES[1:] + EDGES[:-1]) / 2
H = 2.0 / N
ROUGH = np.random.default_rng(7).normal(size=N)


def on_box(value, initial=None, temperature=1.0):
    """A problem with V = value(x), x (n,), on [-1, 1] with walls: there is no V beyond."""
    potential = pf.potentials.FromFunction(lambda x: np.where(np.abs(x[:, 0]) <= 1, value(x[:, 0]), np.inf))
    initial = GridLaw(EDGES, np.full(N, 1 / N)) if initial is None else initial
    return pf.Problem(pf.Energy(potential, pf.Entropy(temperature)), initial, 1.0, name="box")


POTENTIALS = {
    "flat": lambda x: 0 * x,
    "peclet 1e-300": lambda x: 1e-300 * x / H,
    "peclet -1e-300": lambda x: -1e-300 * x / H,
    "peclet 1": lambda x: x / H,
    "peclet 1e4": lambda x: 1e4 * x / H,
    "peclet -1e4": lambda x: -1e4 * x / H,
    "confining": lambda x: 20 * x**2,
    "rough": lambda x: 3 * np.interp(x, CENTERS, ROUGH),
    "very rough": lambda x: 1e3 * np.interp(x, CENTERS, ROUGH),
}
BOX = ChangCooper(cells=N, lower=-1.0, upper=1.0)


def run(problem, method, dt, steps):
    state = method.init(problem, None)
    return method.advance(problem, state, dt, steps, None)


@pytest.mark.parametrize("name", POTENTIALS)
@pytest.mark.parametrize("dt", [1e-8, 1e-2, 100.0, 1e8])
def test_gibbs_weights_are_a_fixed_point_and_a_delta_keeps_sign_and_mass(name, dt):
    value = POTENTIALS[name]
    exponent = np.minimum(value(CENTERS) - value(CENTERS).min(), 740.0)  # exp(-740) is denormal: empty
    weights = np.exp(-exponent) / np.exp(-exponent).sum()
    for order in (1, 2):
        after = run(on_box(value, GridLaw(EDGES, weights)), replace(BOX, time_order=order), dt, 500)
        assert np.abs(after.mass - weights).max() <= 1e-12  # the bar of the issue
        if (
            order == 1
        ):  # relative to each cell, however empty, too: the solve subtracts nothing; DROWNED_DIFFERENCE is 1e-12
            full = weights > 1e-280
            assert np.abs(after.mass[full] / weights[full] - 1).max() <= 2e-12
    delta = np.zeros(N)
    delta[N // 3] = 1.0
    after = run(on_box(value, GridLaw(EDGES, delta)), BOX, dt, 10_000)
    assert after.least >= 0.0
    assert abs(math.fsum(after.mass) - 1) <= 1e-13


@pytest.mark.parametrize("dt", [1e-3, 1e-2, 0.1])
@pytest.mark.parametrize("order", [1, 2])
def test_mass_over_ten_thousand_steps(dt, order):
    method = ChangCooper(cells=2000, lower=-5, upper=5, time_order=order)
    problem = pf.problems.ou()
    start = method.init(problem, None)
    state = method.advance(problem, start, dt, 10_000, None)
    # math.fsum is exact, so this is the drift of the stored masses; 1e-13 is the bar (a solve alone drifts by 1e-10)
    assert abs(math.fsum(state.mass) - math.fsum(start.mass)) <= 1e-13
    assert order == 2 or state.least >= 0


@pytest.mark.parametrize("w", [0.0, 1e-320, 1e-300, 1e-8, 9.9e-5, 1.01e-4, 0.3, 5.0, 699.0, 701.0, 1e4])
def test_bernoulli_function(w):
    with localcontext() as context:
        context.prec = 700  # e^w - 1 at w = 1e-320 loses 320 digits
        for sign in (1, -1):
            x = Decimal(w) * sign
            true = 1.0 if w == 0 else float(x / (x.exp() - 1))
            # round-off of expm1 and one division
            assert bernoulli(sign * w) == pytest.approx(true, rel=1e-15, abs=1e-300)


def test_matrix_step_equals_a_dense_solve():
    """The compiled elimination against numpy's dense solver, odd and even numbers of cells, from 3 up."""
    rng = np.random.default_rng(3)
    for n in (3, 4, 5, 8, 51):
        edges = np.linspace(-1, 1, n + 1)
        mass = rng.random(n)
        problem = on_box(lambda x: 2 * np.sin(3 * x), GridLaw(edges, mass / mass.sum()))
        method = ChangCooper(cells=n, lower=-1, upper=1)
        state = method.init(problem, None)
        up, down = state.grid.up, state.grid.down
        generator = np.diag(up, -1) + np.diag(down, 1) - np.diag(np.append(up, 0)) - np.diag(np.append(0, down))
        inverse = np.linalg.inv(np.eye(n) - 0.3 * generator)
        np.testing.assert_allclose(
            method.advance(problem, state, 0.3, 2, None).mass, inverse @ inverse @ state.mass, rtol=1e-11
        )
        gamma = 1 - np.sqrt(0.5)
        stage = np.linalg.inv(np.eye(n) - gamma * 0.3 * generator)
        twice = stage @ stage @ (np.eye(n) + (1 - 2 * gamma) * 0.3 * generator) @ state.mass
        second = replace(method, time_order=2).advance(problem, state, 0.3, 1, None).mass
        np.testing.assert_allclose(second, twice, rtol=1e-10, atol=1e-14)  # the dense product has condition ~1e3


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


@pytest.mark.parametrize(
    "initial",
    [Gaussian(2.0, 0.25), GaussianMixture([0.5, 0.5], [-2.0, 3.0], [0.1, 0.2]), Uniform(-0.5, 2.0), Particles([0.3, 0.3]), Particles([-1.0, 2.0])],
)  # fmt: skip
def test_automatic_domain_holds_start_and_stationary_law(initial):
    problem = pf.problems.ou(initial=Gaussian(0.0, 1.0))
    problem = replace(problem, initial=initial)
    state = ChangCooper().init(problem, None)
    low, high = state.grid.edges[[0, -1]]
    stationary = Gaussian(0.0, 1.0)
    assert state.grid.tail_mass <= 2.1 * TAIL_MASS
    assert stationary.cdf(low) + stationary.cdf(-high) <= 3 * TAIL_MASS
    assert state.grid.stationary_tail <= 3 * TAIL_MASS
    assert high - low < 20  # and is no wider than about what it must hold: 7.4 deviations beyond each law
    assert math.fsum(state.mass) == pytest.approx(1, abs=1e-15)
    assert state.mass.min() >= 0


@pytest.mark.parametrize(
    "problem",
    [pf.problems.styblinski_tang(1), pf.problems.double_well(temperature=0.05), pf.problems.mixture_target(1, 5, 5.0)],
)
def test_automatic_domain_of_other_potentials(problem):
    state = ChangCooper(cells=2000).init(problem, None)
    grid, temperature = state.grid, problem.energy.internal.coefficient
    weight = np.exp(-(grid.values - grid.values.min()) / temperature)
    assert weight[[0, -1]].max() / weight.sum() < 1e-12
    assert grid.tail_mass < 3 * TAIL_MASS


def test_heat_domain_grows_with_the_horizon():
    for horizon in (0.1, 10.0):
        problem = pf.problems.heat(horizon=horizon)
        law = pf.solve(problem, ChangCooper(cells=1500, time_order=2), dt=horizon / 200).final
        assert mass_error(law, problem.exact(horizon)) < 1e-4
        assert law.mass[[0, -1]].max() < 1e-12


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
    "problem, lower, upper, what, outside",
    [
        (pf.problems.ou(), -1.0, 1.0, "stationary law", 2 * 0.15865525),
        (pf.problems.ou(), -4.0, 2.0, "stationary law", 0.022750132),
        (pf.problems.ou(initial=Gaussian(6.0, 0.25)), -5.0, 5.0, "initial law", 0.977249868),
        (pf.problems.heat(), -2.0, 2.0, "initial law", 2 * 0.022750132),
        (pf.problems.heat(), -4.0, 4.0, "heat flow at the horizon", 2 * 0.010460668),
    ],
)
def test_domain_too_small_names_the_mass_outside(problem, lower, upper, what, outside):
    with pytest.raises(pf.BadInput, match=f"{what}.*has mass.*outside.*Widen lower") as caught:
        ChangCooper(lower=lower, upper=upper).init(problem, None)
    assert caught.value.outside == pytest.approx(outside, rel=2e-3)  # quadrature over 800 cells


def test_no_stationary_law_needs_given_ends():
    slope = pf.Problem(
        pf.Energy(pf.potentials.FromFunction(lambda x: x[:, 0]), pf.Entropy()), Gaussian(0.0, 1.0), 1.0, name="slope"
    )
    with pytest.raises(pf.BadInput, match=r"does not decay.*Pass lower= and upper="):
        ChangCooper().init(slope, None)
    state = ChangCooper(lower=-9, upper=8).init(slope, None)
    assert math.isnan(ChangCooper().report(state)["stationary_tail"])


def falling(value, walls=(-np.inf, np.inf)):
    """V = value(x) from N(0, 1/2), with no V outside the walls."""

    def walled(x):
        return np.where((x[:, 0] >= walls[0]) & (x[:, 0] <= walls[1]), value(x[:, 0]), np.inf)

    return pf.Problem(
        pf.Energy(pf.potentials.FromFunction(walled), pf.Entropy()), Gaussian(0, 0.5), 1.0, name="falling"
    )


ESCAPES = {"hump": (lambda x: -(x**4), "lower"), "up": (lambda x: -3 * x, "upper"), "down": (lambda x: 3 * x, "lower")}


@pytest.mark.parametrize("name", ESCAPES)
@pytest.mark.parametrize("cells", [60, 5000])
def test_mass_that_piles_up_at_an_end_is_refused_with_the_cure(name, cells):
    """From x = 0 the slopes ±3 reach ±4 at t = 4/3 (the hump sooner); 5000 cells share out what one of 60 holds."""
    value, end = ESCAPES[name]
    problem, method = falling(value), ChangCooper(cells=cells, lower=-4, upper=4)
    for run_it in (
        lambda: pf.solve(problem, method, dt=0.05, times=[3.0]),
        lambda: exponential(problem, method, [3.0]),
        lambda: gibbs(problem, method),
    ):
        with pytest.raises(
            pf.BadInput, match=rf"{end} end x = -?4.*falls outwards.*Widen {end}=.*confines.*wall"
        ) as caught:
            run_it()
        assert caught.value.end == end and 1e-3 < caught.value.mass <= 1


def test_fine_cells_do_not_hide_what_piles_up():
    """At t = 0.8 an eighth of N(2.4, 2.1) belongs beyond 4; the end cell of 5000, h V'/T = 0.005 of that, is below 1e-3."""
    method = ChangCooper(cells=5000, lower=-4, upper=4)
    with pytest.raises(pf.BadInput, match="outermost 50 cells at the upper end"):
        pf.solve(falling(lambda x: -3 * x), method, dt=0.05, times=[0.8])


def test_one_end_that_is_a_wall_may_fill_and_the_other_may_not():
    for name, (value, _) in ESCAPES.items():
        method, bounds = (
            ChangCooper(cells=60, lower=-4, upper=4),
            {"hump": (-4, 4), "up": (-9, 4), "down": (-4, 9)}[name],
        )
        problem = falling(value, bounds)
        law = pf.solve(problem, method, dt=0.1, times=[20.0]).final
        # the stationary law of the walled problem; for the hump by its symmetry, since mass cannot cross back
        np.testing.assert_allclose(law.mass, gibbs(problem, method).mass, atol=1e-9)
        assert law.mass[[0, -1]].max() > 0.3
    with pytest.raises(pf.BadInput, match="lower end"):
        pf.solve(falling(ESCAPES["hump"][0], (-9, 4)), ChangCooper(cells=60, lower=-4, upper=4), dt=0.05, times=[3.0])


def test_a_fall_outwards_that_no_mass_has_reached_is_no_fault():
    """V = -3x carries N(0, 1/2) to N(3, 5/2) in t = 1; 13 is 6.3 deviations on."""
    problem = falling(lambda x: -3 * x)
    law = pf.solve(problem, ChangCooper(cells=1000, lower=-8, upper=13, time_order=2), dt=0.01).final
    assert law.mean()[0] == pytest.approx(3.0, abs=1e-3)  # no-flux ends hold 1e-10
    assert ChangCooper(cells=1000, lower=-8, upper=13).init(problem, None).grid.open_ends == ("upper",)
    flat = on_box(lambda x: 0 * x)  # no force at all: the ends fill, as those of a GridLaw under no potential
    free = replace(flat, energy=pf.Energy(internal=pf.Entropy()))
    for problem in (flat, free):
        assert run(problem, BOX, 0.1, 10).mass[[0, -1]] == pytest.approx(1 / N, rel=1e-12)


class Bare:
    """A user's own potential, whose answers nobody has checked."""

    dim = 1

    def __init__(self, value):
        self.value = value


def hole(x):
    return np.where(np.abs(x[:, 0] - 0.6) < 0.1, np.nan, x[:, 0] ** 2)


@pytest.mark.parametrize(
    "value, words",
    [
        (hole, r"nan at x = 0\.5"),
        (lambda x: 1 / np.maximum(x[:, 0], 0.0), r"inf at x = -4\.95"),
        (lambda x: x**2, "shape"),
        (lambda x: x[:, 0] + 1j, "complex"),
        (lambda x: [0.0] * len(x), "list"),
    ],
)
@pytest.mark.parametrize("wrap", [Bare, pf.potentials.FromFunction])
def test_bad_potentials_are_named(value, words, wrap):
    problem = pf.Problem(pf.Energy(wrap(value), pf.Entropy()), Gaussian(0.0, 0.25), 1.0, name="bad")
    if wrap is Bare:
        with pytest.raises(pf.BadInput, match=words):
            ChangCooper(cells=100, lower=-5, upper=5).init(problem, None)
    else:
        with np.errstate(divide="ignore"), pytest.raises(pf.BadInput):
            ChangCooper(cells=100, lower=-5, upper=5).init(problem, None)


@pytest.mark.parametrize(
    "fields",
    [{"cells": 2}, {"cells": 10.0}, {"lower": 1.0, "upper": 1.0}, {"lower": 2.0, "upper": -2.0}, {"lower": np.nan}, {"upper": np.inf},
     {"lower": "a"}, {"time_order": 3}, {"time_order": True}],
)  # fmt: skip
def test_bad_fields(fields):
    with pytest.raises(pf.BadInput):
        ChangCooper(**fields)


def test_unknown_field_names_the_nearest():
    with pytest.raises(TypeError, match="'cells'"):
        ChangCooper(cell=100)


@pytest.mark.parametrize(
    "problem, words",
    [
        (pf.problems.ou(dim=2), "dim 2.*lift"),
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
    with pytest.raises(pf.Diverged, match=r"smaller dt, or time_order=1"):
        pf.solve(problem, replace(BOX, time_order=2), dt=1e-3, times=[1e-3])
    assert pf.solve(problem, BOX, dt=1e-3, times=[1e-3]).final.min_mass >= 0


def test_non_finite_rates_diverge_by_name():
    state = BOX.init(on_box(lambda x: 0 * x), None)
    broken = replace(state, mass=np.where(np.arange(N) == 5, np.nan, state.mass))
    with pytest.raises(pf.Diverged, match="nan in cell"):
        BOX.advance(None, broken, 0.1, 1, None)


def test_long_run_reaches_the_gibbs_law():
    problem, method = pf.problems.double_well(), ChangCooper(cells=300)
    law = pf.solve(problem, method, dt=1.0, times=[400.0]).final
    assert np.abs(law.mass - gibbs(problem, method).mass).max() < 1e-13


def test_the_automatic_domain_holds_a_well_that_is_only_full_on_the_way():
    """At T = 0.05 the right well (minimum 2.7468) is empty in equilibrium, but mass right of the barrier at 0.157 runs into it first."""
    initial = pf.laws.Uniform(-1.0, 0.5)
    problem = pf.problems.styblinski_tang(1, temperature=0.05, initial=initial, horizon=3.0)
    law = pf.solve(problem, ChangCooper(cells=600), dt=0.05).final
    assert law.axes[0][-1] > 3.2
    # 0.343/1.5 of the mass starts beyond the barrier; what diffuses across it while it leaves changes that by a few per cent
    assert 1 - law.cdf(0.157) == pytest.approx((0.5 - 0.157) / 1.5, rel=0.1)
    assert law.mass[-1] < 1e-12
