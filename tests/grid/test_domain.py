"""Where a grid must lie: automatic ends, mass left outside, and ends that pile mass up."""

import math
from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid import ChangCooper, exponential, gibbs
from pdeflow.grid.domain import TAIL_MASS, check_ends, temperature_of
from pdeflow.laws import Gaussian, GaussianMixture, GridLaw, Particles, Uniform

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


@pytest.mark.parametrize(
    "initial",
    [
        Gaussian(2.0, 0.25),
        GaussianMixture([0.5, 0.5], [-2.0, 3.0], [0.1, 0.2]),
        Uniform(-0.5, 2.0),
        Particles([0.3, 0.3]),
        Particles([-1.0, 2.0]),
    ],
)
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
    """At t = 0.8 an eighth of N(2.4, 2.1) belongs beyond 4; of that the end cell of 5000 holds h V'/T = 0.005."""
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
    with pytest.raises(pf.BadInput, match="1 below"):  # the stationary law lies at the wall at -9
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


def test_the_automatic_domain_holds_a_well_that_is_only_full_on_the_way():
    """At T = 0.05 the right well is empty in equilibrium, but mass right of the barrier at 0.157 runs into it first."""
    initial = pf.laws.Uniform(-1.0, 0.5)
    problem = pf.problems.styblinski_tang(1, temperature=0.05, initial=initial, horizon=3.0)
    law = pf.solve(problem, ChangCooper(cells=600), dt=0.05).final
    assert law.axes[0][-1] > 3.2
    # 0.343/1.5 of the mass starts beyond the barrier; what diffuses across it while it leaves changes that by a few
    # per cent
    assert 1 - law.cdf(0.157) == pytest.approx((0.5 - 0.157) / 1.5, rel=0.1)
    assert law.mass[-1] < 1e-12


@pytest.mark.parametrize("method", [ChangCooper, pf.grid.CvxoptJKO])
@pytest.mark.parametrize("field", ["lower", "upper"])
@pytest.mark.parametrize("end", [True, np.nan, np.inf, "0", [1.0], 1j])
def test_an_end_that_is_no_finite_number_is_refused_by_every_grid_method(method, field, end):
    with pytest.raises(pf.BadInput, match=f"{field} is .*finite number, or None"):
        method(**{field: end})


def test_crossed_ends():
    for lower, upper in ((1.0, 1.0), (2, -2)):
        with pytest.raises(pf.BadInput, match="below upper"):
            check_ends(lower, upper)
    check_ends(None, -3)
    check_ends(np.float64(0.5), 1)


def test_the_temperature_is_that_of_an_entropy_alone():
    assert temperature_of(pf.Entropy(0.3)) == 0.3
    assert temperature_of(pf.Entropy(0.3) + pf.Entropy(0.2)) == 0.5
    assert temperature_of(pf.Power(2)) is None and temperature_of(None) is None
    assert temperature_of(pf.Entropy() + pf.Power(2)) is None
