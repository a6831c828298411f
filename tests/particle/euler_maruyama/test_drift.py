"""Drifts: blow-ups, the stability bound of linear ones, and gradients that are not finite."""

from dataclasses import replace

import numpy as np
import pytest
from euler_maruyama_cases import one_step_by_hand, problem_of

import pdeflow as pf
from pdeflow.energies.potentials import DoubleWell, FromFunction, MixturePotential, Quadratic
from pdeflow.laws import Gaussian, GaussianMixture
from pdeflow.particle import EulerMaruyama

LIPSCHITZ = MixturePotential(GaussianMixture([1.0], [[0.0]], [1.0]))  # V = x²/2, but not known as such
BLOW_UPS = {
    "double well": (DoubleWell(1.0), 0.4, DoubleWell(1.0)),
    "the user's": (
        FromFunction(lambda x: np.sum((x * x - 1) ** 2, 1), lambda x: 4 * x * (x * x - 1)),
        0.4,
        DoubleWell(1.0),
    ),
    "linear growth": (LIPSCHITZ, 4.0, LIPSCHITZ),
}


@pytest.mark.parametrize("name", BLOW_UPS)
def test_blow_up_names_step_and_particle(name):
    """The step and the particle reported are the first beyond 1e100: found here by single steps in numpy."""
    potential, dt, twin = BLOW_UPS[name]
    problem = problem_of(potential, dim=1, temperature=0.5)
    with pytest.raises(pf.Diverged, match="smaller dt") as caught:
        pf.solve(problem, EulerMaruyama(200), dt=dt, times=[1000 * dt], seed=1)
    method, rng = EulerMaruyama(200), np.random.default_rng(np.random.SeedSequence(1))
    state, step = method.init(problem, rng), 0
    with np.errstate(all="ignore"):
        while np.all(np.abs(state.x) <= 1e100):
            x = one_step_by_hand(replace(problem, energy=pf.Energy(twin, pf.Entropy(0.5))), state, dt)
            state, step = replace(state, x=x, increments=step + 1), step + 1
    assert caught.value.step == step
    assert caught.value.particle == int(np.argmax(~(np.abs(state.x[:, 0]) <= 1e100)))
    assert step > 200 or name != "linear growth"  # 3^210 = 1e100: without the limit the run would have come back finite


def test_a_start_beyond_every_limit_is_no_blow_up():
    problem = pf.problems.ou(initial=Gaussian(1e150, 1e276))  # as narrow as floats there can hold
    assert pf.solve(problem, EulerMaruyama(5), dt=0.5, times=[1.0], seed=1).final.x == pytest.approx(2.5e149, rel=1e-9)


ATTRACTION = pf.interactions.QuadraticAttraction(1.5)


@pytest.mark.parametrize(
    "potential, kernel, rate",
    [
        (Quadratic(np.diag([0.5, 2.0])), None, 2.0),
        (Quadratic(np.diag([0.5, 2.0])), ATTRACTION, 3.5),
        (None, ATTRACTION, 1.5),
    ],
)
def test_a_linear_drift_is_refused_at_its_stability_bound(potential, kernel, rate):
    problem, bound = problem_of(potential, kernel), 2 / rate
    for dt in (bound, 1.5 * bound):
        with pytest.raises(
            pf.Diverged, match=rf"largest rate is {rate:g}.*dt below 2/{rate:g} = {bound:.6g}"
        ) as caught:
            pf.solve(problem, EulerMaruyama(50), dt=dt, times=[40 * dt], seed=1)
        assert caught.value.step == 2 and caught.value.bound == pytest.approx(bound, rel=1e-14)
        one = pf.solve(problem, EulerMaruyama(50), dt=dt, times=[dt], seed=1).final.x  # one step is what it is
        with pytest.raises(pf.Diverged):
            EulerMaruyama(50).advance(problem, EulerMaruyama(50).init(problem, np.random.default_rng(1)), dt, 2, None)
        assert np.isfinite(one).all()
    stable = pf.solve(problem, EulerMaruyama(50), dt=0.99 * bound, times=[0.99 * bound * 400], seed=1).final.x
    assert (
        np.max(np.abs(stable - stable.mean(axis=0))) < 100
    )  # stationary variance 2 T dt / (1 - 0.98²) = 15 T dt at most


def test_one_particle_feels_no_attraction():
    """Its own mean is itself: rate 0.5 of the potential alone, so that dt = 2 is stable beside attraction 9."""
    problem = problem_of(Quadratic(0.5 * np.eye(2)), pf.interactions.QuadraticAttraction(9.0), temperature=None)
    assert np.max(np.abs(pf.solve(problem, EulerMaruyama(1), dt=1.0, times=[40.0]).final.x)) < 1e-9


@pytest.mark.parametrize("kind", ["function", "duck"])
def test_a_gradient_that_is_nan_names_the_point(kind):
    def grad(x):
        return np.where(x > 1.5, np.nan, x)

    potential = FromFunction(lambda x: np.sum(x * x, 1) / 2, grad)
    if kind == "duck":
        potential = type("Duck", (), {"dim": 1, "value": lambda self, x: x[:, 0], "grad": lambda self, x: grad(x)})()
    with pytest.raises(pf.BadInput, match=r"at x = \[1\.[5-9]|at x = \[[2-9]"):
        pf.solve(problem_of(potential, dim=1), EulerMaruyama(500), dt=0.1)
    with pytest.raises(pf.BadInput, match=r"at x = "):  # reached by the walk, not by the start
        pf.solve(
            replace(problem_of(potential, dim=1), initial=Gaussian(0.0, 1e-4)), EulerMaruyama(500), dt=0.1, times=[5.0]
        )
