"""The catalogue: what each entry is, its draws, and what it refuses."""

import json

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Barenblatt, Gaussian, GaussianMixture, GridLaw, Particles, Quantiles, Semicircle, Uniform
from pdeflow.problems.registry import CATALOGUE, rebuild

# Other tests register problems of their own in the same catalogue.
MODULES = ("pdeflow.problems.catalogue", "pdeflow.problems.interaction_catalogue")
HOUSE = [name for name, build in CATALOGUE.items() if build.__module__ in MODULES]


def test_ou_defaults():
    problem = pf.problems.ou(dim=3)
    assert problem.initial.mean().tolist() == [2, 2, 2] and np.array_equal(problem.initial.cov(), 0.25 * np.eye(3))
    assert np.array_equal(problem.energy.potential.matrix, np.eye(3)) and problem.energy.internal.temperature == 1.0
    assert problem.horizon == 1.0 and problem.dim == 3 and problem.name == "ou"


def test_mixture_target_is_stationary_and_drawn_in_its_box():
    problem = pf.problems.mixture_target(3, 6, 5.0, seed=2, temperature=0.7)
    target = problem.energy.potential.mixture
    assert np.all(np.abs(target.means) <= 5) and np.ptp(target.means) > 5 and len(target.weights) == 6
    assert np.array_equal(problem.initial.cov(), 16 * np.eye(3)) and np.array_equal(target.covs[0], np.eye(3))
    x = np.random.default_rng(0).normal(size=(5, 3))
    # δF = V + T(log ρ + 1) is constant at the target
    first_variation = problem.energy.potential.value(x) + 0.7 * target.log_density(x)
    assert np.ptp(first_variation) < 1e-12


def test_gibbs_and_equilibrium_laws_are_stationary():
    for problem, law in [
        (pf.problems.ou(matrix=2.0, center=0.5, temperature=0.3, initial=Gaussian(0.5, 0.15)), Gaussian(0.5, 0.15)),
        (pf.problems.mckean_vlasov_ou(initial=Gaussian(0.0, 0.4 / 1.7)), Gaussian(0.0, 0.4 / 1.7)),
        (pf.problems.newtonian_1d(Uniform(-0.7, 1.3)), Uniform(-0.7, 1.3)),
        (pf.problems.log_repulsion(1.0, 1.0, Semicircle(np.sqrt(2))), Semicircle(np.sqrt(2))),
    ]:
        u = np.linspace(0.01, 0.99, 9)
        assert np.allclose(problem.exact(1.3).quantile(u), law.quantile(u), atol=1e-13)


def test_porous_medium_begins_at_its_start():
    problem = pf.problems.porous_medium(2, 2.4, 0.1, 0.5)
    assert isinstance(problem.initial, Barenblatt) and problem.initial.time == 0.1 and problem.energy.internal.m == 2.4
    assert problem.exact(0.5).time == 0.6 and problem.exact(0.0).time == 0.1


@pytest.mark.parametrize("name", HOUSE)
def test_every_entry_refuses_unknown_names_and_bad_horizons(name):
    needs = {"mixture_target": {"dim": 2, "components": 2, "half_width": 1.0}, "styblinski_tang": {"dim": 1}}.get(
        name, {}
    )
    with pytest.raises(pf.UnknownField, match=f"problems.{name} has no field 'horizn'.*Did you mean 'horizon'"):
        CATALOGUE[name](**needs, horizn=1.0)
    for horizon in (0.0, -1.0, np.nan):
        with pytest.raises(pf.BadInput, match="horizon is"):
            CATALOGUE[name](**needs, horizon=horizon)
    problem = CATALOGUE[name](**needs, horizon=0.25)
    assert problem.horizon == 0.25 and problem.name == name and problem.params["horizon"] == 0.25
    assert np.isfinite(problem.energy.evaluate(problem.initial, rng=np.random.default_rng(0), n=1000).value)


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: pf.problems.ou(matrix=[[1.0, 2.0], [2.0, 1.0]], dim=2), "smallest eigenvalue -1"),
        (lambda: pf.problems.ou(dim=3, matrix=np.eye(2)), r"\(2, 2\)"),
        (lambda: pf.problems.ou(dim=2, initial=Gaussian(0, 1)), "They must agree"),
        (lambda: pf.problems.ou(ensemble="mokrov"), "without a seed"),
        (lambda: pf.problems.ou(ensemble="other", seed=1), "'uniform' or 'mokrov'"),
        (lambda: pf.problems.ou(seed=1, matrix=2.0), "seed draws both"),
        (lambda: pf.problems.ou(seed=-1), "seed is -1"),
        (lambda: pf.problems.ou(dim=0), "dim is 0"),
        (lambda: pf.problems.ou(temperature=0.0), "temperature is 0"),
        (lambda: pf.problems.ou(1, None, None, 1.0, None, 1.0, None, "uniform", 3), "too many positional"),
        (lambda: pf.problems.styblinski_tang(), "missing a required argument: 'dim'"),
        (lambda: pf.problems.heat(1, initial=Gaussian([0, 0], 1.0)), "lives in dimension 2"),
        (lambda: pf.problems.ring_aggregation(3, initial=Gaussian([0, 0], 1.0)), "lives in dimension 2"),
        (lambda: pf.problems.ring_aggregation(a=2.0, b=4.0), "a > b"),
        (lambda: pf.problems.porous_medium(m=1.0), "m > 1"),
        (lambda: pf.problems.porous_medium(start=0.0), "time is 0"),
        (lambda: pf.problems.double_well(barrier=-1.0), "barrier is -1"),
        (lambda: pf.problems.aggregation_diffusion(mass=0.0), "mass is 0"),
        (lambda: pf.problems.mixture_target(2, 0, 1.0), "components is 0"),
        (lambda: pf.problems.mixture_target(2, 5, 5.0, ensemble="other"), "'uniform' or 'mokrov'"),
        (lambda: pf.problems.mixture_target(2, 6, 5.0, ensemble="mokrov"), r"\(2, 6, 5.0\) and seed = 0"),
        (lambda: pf.problems.mixture_target(2, 5, 5.0, 5, ensemble="mokrov"), "seed = 5"),
        (lambda: pf.problems.mixture_target(32, 10, 3.0, 1, ensemble="mokrov"), "seed = 1"),
        (lambda: rebuild("o-u", {}), "Did you mean 'ou'"),
        (lambda: pf.Problem("energy", Gaussian(0, 1), 1.0, name="x"), "must be an Energy"),
        (lambda: pf.Problem(pf.Energy(internal=pf.Entropy()), "law", 1.0, name="x"), "must be a Law"),
    ],
)
def test_bad_problems(build, message):
    with pytest.raises(pf.BadInput, match=message):
        build()


@pytest.mark.parametrize(
    "entry, arguments, start",
    [
        ("ou", {}, Uniform(0.0, 1.0)),
        ("ou", {}, GridLaw(np.array([0.0, 1.0, 3.0]), [0.25, 0.75])),
        ("ou", {"dim": 2, "seed": 3}, Particles([[0.0, 1.0], [2.0, 3.0]])),
        ("heat", {}, Semicircle(1.0)),
        ("mixture_ou", {}, Quantiles([0.0, 1.0, 4.0], [0.0, 0.5, 1.0])),
        (
            "mckean_vlasov_ou",
            {},
            GaussianMixture([0.5, 0.5], [-1.0, 1.0], 1.0),
        ),  # a mixture is closed without attraction only
        ("log_repulsion", {}, GaussianMixture([1.0], [0.0], 1.0)),
    ],
)
def test_starts_without_a_closed_form_make_a_problem_without_an_exact_law(entry, arguments, start):
    problem = CATALOGUE[entry](**arguments, initial=start)
    assert problem.exact is None and problem.initial is start
    with pytest.raises(pf.NotAvailable, match="no exact solution for this initial law"):
        pf.exact(problem)
    json.dumps(dict(problem.params))  # JSON data, whatever the law
    try:
        again = rebuild(entry, problem.params)
    except pf.NotAvailable as error:
        assert type(start).__name__ in str(error) and "data, not parameters" in str(error)
    else:
        assert again.exact is None and again.initial.spec() == start.spec()


def test_solvers_treat_the_starts_without_a_closed_form():
    problem = pf.problems.ou(initial=Uniform(-1.0, 1.0))
    law = pf.solve(problem, pf.grid.ChangCooper(cells=400, time_order=2), dt=0.01).final
    # every start has E x² e^(-2t) + 1 - e^(-2t); cells of 0.04 err by h²/12
    assert law.cov()[0, 0] == pytest.approx(np.exp(-2) / 3 + 1 - np.exp(-2), abs=3e-4)
    with pytest.raises(pf.BadInput, match="initial is 3"):
        pf.problems.ou(initial=3)
