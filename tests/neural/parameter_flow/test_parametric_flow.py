"""What PWGF and PFPE share: steps, refusals, runs that go on from the law of another."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.energies.internal import Entropy, Power
from pdeflow.energies.potentials import FromFunction, Quadratic
from pdeflow.laws import Barenblatt, Gaussian, Uniform
from pdeflow.neural import PWGF, RK4, Adaptive, Affine, Euler, Planar

MATRIX, CENTER = np.array([[1.5, 0.5], [0.5, 0.8]]), np.array([1.0, -0.5])
START = Gaussian([2.0, 1.0], [[0.5, 0.2], [0.2, 0.4]])
OU = pf.problems.ou(dim=2, matrix=MATRIX, center=CENTER, temperature=0.7, initial=START)
AFFINE = PWGF(map=Affine(), integrator=Euler(), samples=50)


def test_a_run_goes_on_from_the_law_of_another():
    method = PWGF(map=Planar(4), samples=500, integrator=RK4())
    first = pf.solve(OU, method, dt=0.05, times=[0.2]).final
    second = pf.solve(replace(OU, initial=first, exact=None), method, dt=0.05, times=[0.2]).final
    assert len(second.maps) == 2 and second.maps[0] is first.maps[0]
    x = second.push(START.sample(20_000, np.random.default_rng(0)))
    np.testing.assert_allclose(x.mean(0), OU.exact(0.4).mean(), atol=0.02)


def test_an_energy_above_the_lowest_by_more_than_three_standard_errors_is_refused():
    rng, method = np.random.default_rng(0), replace(AFFINE, samples=300)
    state = method.init(OU, rng)
    first = method.step(OU, state, 0.01, rng)
    energies = [method.report(each)["energy"] for each in (state, first)]
    assert first.lowest == energies[1] < state.lowest == energies[0]
    for errors, refused in ((2.9, False), (3.1, True)):
        again = method.step(OU, first, 1e-9, rng)
        low = again.lowest - errors * method.report(again)["energy_stderr"]
        if refused:
            with pytest.raises(pf.Diverged, match="the energy rose") as failure:
                method.step(OU, replace(first, lowest=low), 1e-9, rng)
            assert failure.value.step == 2
        else:
            assert method.step(OU, replace(first, lowest=low), 1e-9, rng).lowest == low


@pytest.mark.parametrize("variance, words", [(0.5, "folds"), (0.02, "energy rose")])
def test_steps_too_long_diverge_with_the_law_before_and_the_cure(variance, words):
    """At dt = 0.05 the mean of rate 50 swings by a factor -1.5; a spread far from its rest even turns over."""
    stiff = pf.problems.ou(matrix=50.0, initial=Gaussian(1.0, variance))
    with pytest.raises(pf.Diverged, match=f"{words}.*smaller dt") as failure:
        pf.solve(stiff, replace(AFFINE, samples=200), dt=0.05, times=[1.0])
    assert failure.value.step == 1 and isinstance(failure.value.law, Gaussian)
    law = pf.solve(stiff, replace(AFFINE, samples=200, integrator=Adaptive()), dt=0.05, times=[0.5]).final
    np.testing.assert_allclose(law.cov(), 0.02, rtol=1e-3)


def test_what_it_cannot_treat_is_refused_with_the_cure():
    rng = np.random.default_rng(0)
    gradientless = Energy(FromFunction(lambda x: (x**2).sum(1), dim=2), Entropy())
    cases = [
        (replace(OU, energy=gradientless), "has no gradient"),
        (replace(OU, initial=Uniform([0.0, 0.0], [1.0, 1.0]), exact=None), "edge"),
        (replace(OU, initial=Barenblatt(2, 3.0, 0.1), exact=None), "edge"),
        (replace(OU, initial=pf.laws.Ring(1.0, [0.0, 0.0]), exact=None), "score"),
        (pf.Problem(Energy(internal=Power(0.7)), START, 1.0, name="fast"), "m > 1"),
    ]
    for problem, words in cases:
        with pytest.raises(pf.Unsupported, match=words):
            PWGF(samples=100).init(problem, rng)
    no_internal = pf.Problem(Energy(Quadratic(1.0, [0.0, 0.0])), Uniform([0.0, 0.0], [1.0, 2.0]), 1.0, name="drift")
    law = pf.solve(no_internal, replace(AFFINE, integrator=RK4()), dt=0.1, times=[0.5]).final
    np.testing.assert_allclose(law.push(np.array([[1.0, 2.0]])), [[np.exp(-0.5), 2 * np.exp(-0.5)]], rtol=1e-5)
    np.testing.assert_allclose(law.mean(), [0.5 * np.exp(-0.5), np.exp(-0.5)], rtol=1e-5)
