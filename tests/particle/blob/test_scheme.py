"""Blob: the gradient flow of its own energy, conserved quantities, the order in W2, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow._core.compiled import crew
from pdeflow.energies.energy import Energy
from pdeflow.energies.internal import Entropy, InternalEnergy, Power
from pdeflow.laws import Gaussian, Particles, Uniform
from pdeflow.particle.blob.scheme import velocity

Blob = pf.particle.Blob
POROUS = pf.problems.porous_medium(1, 2.0, 0.1, 0.5)
ENERGIES = {
    "entropy": Energy(internal=Entropy(0.7)),
    "power": Energy(internal=Power(3.0, 0.4)),
    "all slots": Energy(
        pf.potentials.DoubleWell(1.0, 2), Entropy(0.3) + Power(2.0), pf.interactions.QuadraticAttraction(0.8)
    ),
}


def smoothed_energy(energy, x, weights, width):
    """∫V dμ + ∫F(φ_ε*μ) dμ + ½∬W dμ dμ by all pairs."""
    z = x[:, None] - x
    mollifier = np.exp(-np.sum(z * z, axis=2) / (4 * width**2)) / (4 * np.pi * width**2) ** (x.shape[1] / 2)
    total = weights @ energy.internal.per_mass(mollifier @ weights)
    if energy.potential is not None:
        total += weights @ energy.potential.value(x)
    if energy.interaction is not None:
        total += 0.5 * weights @ energy.interaction.value(z.reshape(-1, x.shape[1])).reshape(len(x), -1) @ weights
    return total


@pytest.mark.parametrize("energy", ENERGIES.values(), ids=ENERGIES.keys())
def test_the_velocity_is_the_gradient_of_the_smoothed_energy(energy, rng):
    x, weights, width, h = rng.normal(size=(30, 2)), rng.dirichlet(np.ones(30)), 0.3, 1e-5
    with crew(1) as workers:
        speed = velocity(energy, x, weights, width, workers)
    for i, k in ((0, 0), (7, 1), (29, 0)):
        step = np.zeros_like(x)
        step[i, k] = h
        slope = (
            smoothed_energy(energy, x + step, weights, width) - smoothed_energy(energy, x - step, weights, width)
        ) / (2 * h)
        # differences err by h² times third derivatives of size 1/ε³, and by round-off over 2h m_i
        assert -slope / weights[i] == pytest.approx(speed[i, k], rel=1e-6, abs=1e-6)


def test_the_order_and_the_size_of_the_error_on_a_barenblatt_profile():
    errors = [
        pf.metrics.w2(pf.solve(POROUS, Blob(cells=n), dt=0.5, times=[0.5]).final, POROUS.exact(0.5)).value
        for n in (20, 40, 80)
    ]
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(slopes > 1.6) and errors[-1] < 8e-4  # measured 1.8 and 7.5e-4; ε² = 6e-4 is what smoothing adds


def test_a_gaussian_of_the_heat_flow_spreads_as_it_should():
    heat = pf.Problem(Energy(internal=Entropy()), Gaussian(0.0, 1.0), 0.5, name="heat")
    law = pf.solve(heat, Blob(cells=100), dt=0.5, times=[0.5]).final
    # the mollifier of the law adds 2ε² = 0.048; a density that forgot the diffusion would have the variance 1
    assert 0.03 < law.cov()[0, 0] - 2.0 < 0.07


def test_the_mean_stays_without_a_potential_and_moves_exactly_in_a_quadratic_one():
    plane = pf.problems.porous_medium(2, 2.0, 0.1, 0.05)
    law = pf.solve(plane, Blob(cells=12), dt=0.05, times=[0.05]).final
    assert np.abs(law.mean()).max() < 1e-13  # pairs of forces cancel, to the round-off of sums
    ou = pf.problems.ou(initial=Gaussian(1.0, 0.25), temperature=0.5)
    mean = pf.solve(ou, Blob(cells=40), dt=0.5, times=[0.5]).final.mean()[0]
    assert mean == pytest.approx(np.exp(-0.5), abs=2e-5)  # the tolerance of a substep: 1e-4 of h = 0.2


def test_time_plays_no_part():
    laws = [
        pf.solve(POROUS, Blob(cells=40, tolerance=tolerance), dt=dt, times=[0.5]).final
        for tolerance, dt in ((1e-4, 0.5), (1e-7, 0.125))
    ]
    assert np.abs(laws[0].x - laws[1].x).max() < 1e-5  # the smoothing errs by 2.5e-3


def test_a_cloud_follows_a_potential_and_an_interaction_without_diffusion():
    cold = Energy(pf.potentials.Quadratic(1.0), None, pf.interactions.QuadraticAttraction(0.5))
    problem = pf.Problem(cold, Uniform([0.0], [1.0]), 1.0, name="cold")
    run = pf.solve(problem, Blob(cells=10, smoothed=False), dt=0.5, times=[0.0, 1.0])
    start, law = run.laws
    assert start.x[:, 0] == pytest.approx(np.arange(10) / 10 + 0.05)
    assert start.weights == pytest.approx(np.full(10, 0.1))
    # the tolerance of a substep is 1e-4 of h = 0.1, and there are about ten
    assert law.mean()[0] == pytest.approx(0.5 * np.exp(-1.0), abs=1e-4)
    assert np.ptp(law.x) == pytest.approx(0.9 * np.exp(-1.5), abs=1e-4)


def test_the_start_has_the_exact_masses_and_a_cloud_is_taken_as_it_is():
    state = Blob(cells=20).init(POROUS, np.random.default_rng(0))
    ends = state.x[:, 0] - state.spacing / 2
    np.testing.assert_allclose(
        state.weights, POROUS.initial.cdf(ends + state.spacing) - POROUS.initial.cdf(ends), atol=1e-15
    )
    assert state.width == state.spacing**0.95 and len(state.x) == 20
    cloud = Particles([[0.0], [0.3], [1.0]], [0.2, 0.0, 0.8])
    state = Blob(cells=10).init(replace(POROUS, initial=cloud, exact=None), np.random.default_rng(0))
    np.testing.assert_array_equal(state.x, [[0.0], [1.0]])
    assert state.spacing == 0.1


@pytest.mark.parametrize("cloud", [[[0.3]], [[0.3, 1.0], [0.3, 1.0]]])
def test_one_point_has_no_length_to_measure_the_mollifiers_by(cloud):
    problem = pf.Problem(Energy(internal=Entropy()), Particles(cloud), 1.0)
    with pytest.raises(pf.errors.BadInput, match="is one point"):
        Blob().init(problem, np.random.default_rng(0))


@pytest.mark.parametrize("smoothed", [True, False])
def test_mollifiers_wider_than_the_cloud_are_refused(smoothed):
    """One cell gave the variance 88 for 0.9, and no word."""
    for cells in (1, 8):
        with pytest.raises(pf.errors.BadInput, match="Take more cells"):
            pf.solve(pf.problems.ou(), Blob(cells=cells, smoothed=smoothed), dt=0.5, times=[1.0])
    still = pf.Problem(Energy(pf.potentials.Quadratic(1.0)), Uniform(0.0, 1.0), 3.0, name="falls together")
    with pytest.raises(pf.errors.BadInput, match=r"After step 3 .* or smoothed=False"):
        pf.solve(still, Blob(cells=20), dt=1.0, times=[0.0, 3.0])
    assert np.ptp(pf.solve(still, Blob(cells=20, smoothed=False), dt=1.0, times=[3.0]).final.x) < 0.05


def test_what_leaves_the_box_is_below_the_tail():
    state = Blob(cells=60).init(pf.problems.ou(2, seed=0), np.random.default_rng(0))
    assert 0 <= 1 - state.weights.sum() < 1e-12 and state.weights.min() > 0


class Broken(InternalEnergy):
    """An energy whose pressure is no number at high densities."""

    def value(self, r):
        return r**2

    def pressure(self, r):
        return np.where(r > 0.5, np.nan, r**2)


def test_what_it_cannot_treat_is_refused_with_the_cure():
    with pytest.raises(pf.Unsupported, match="EulerMaruyama"):
        pf.solve(pf.problems.ou(4), Blob(), dt=0.1)
    with pytest.raises(pf.BadInput, match="at most 1"):
        Blob(exponent=1.2)
    with pytest.raises(pf.BadInput, match="pressure"):
        pf.solve(replace(POROUS, energy=Energy(internal=Broken()), exact=None), Blob(cells=20), dt=0.1)
    with pytest.raises(pf.BadInput, match="fewer cells"):
        pf.solve(pf.problems.ou(3), Blob(cells=1000), dt=0.1)
    space = pf.Problem(Energy(internal=Power(2.0)), Uniform([0.0] * 3, [1.0] * 3), 0.1)
    assert Blob(cells=4).init(space, np.random.default_rng(0)).x.shape == (64, 3)
