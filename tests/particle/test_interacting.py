"""InteractingParticles against closed flows: quantiles of the Newtonian kernel, moments of (4, 2), linear flows."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.problems.aggregation import quartic_second_moment

InteractingParticles = pf.particle.InteractingParticles
OU = pf.problems.ou(initial=pf.laws.Gaussian([1.0], [[0.25]]), temperature=0.5)
COLD = replace(OU, energy=Energy(potential=OU.energy.potential), exact=None)
STABLE = replace(
    COLD, energy=Energy(OU.energy.potential, interaction=pf.interactions.QuadraticAttraction(0.7)), name="attracted"
)


def test_newtonian_quantiles_are_exact_but_for_the_steps():
    problem = pf.problems.newtonian_1d(initial=pf.laws.Uniform([-2.0], [1.0]))
    method = InteractingParticles(particles=1000, start="quantiles")
    law = pf.solve(problem, method, dt=1 / 256, times=[1.0]).final
    level = (np.arange(1000) + 0.5) / 1000
    # dt⁴/120 of Runge-Kutta on x' = -x over unit time is 2e-12; the forces of sorted points are exact at these levels
    np.testing.assert_allclose(np.sort(law.x[:, 0]), problem.exact(1.0).quantile(level), rtol=0, atol=1e-10)


def test_second_moment_under_the_quartic_kernel_follows_its_closed_equation():
    problem = pf.problems.ring_aggregation(dim=2)
    times = [0.5, 1.15, 2.0]
    run = pf.solve(problem, InteractingParticles(particles=40_000), dt=0.05, times=times, seed=3)
    exact = quartic_second_moment(2, 0.25, times)
    for law, moment in zip(run.laws, exact, strict=True):
        size = np.sum((law.x - law.x.mean(axis=0)) ** 2, axis=1)
        assert abs(size.mean() - moment) < 3 * size.std() / np.sqrt(len(size))


def test_the_ring_is_reached_at_its_radius():
    run = pf.solve(pf.problems.ring_aggregation(dim=2), InteractingParticles(particles=500), dt=0.1, times=[60.0])
    radius = np.linalg.norm(run.final.x - run.final.mean(), axis=1)
    # the slowest mode decays by exp(-0.195 · 60) = 8e-6 of its start, which is a few hundredths for 500 points
    assert abs(radius.mean() - 1 / np.sqrt(3)) < 1e-6
    assert radius.std() < 1e-4


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("problem", [COLD, STABLE], ids=["potential", "potential and attraction"])
def test_a_cloud_under_linear_forces_is_the_exact_sequence_of_its_moments(problem, order):
    method = InteractingParticles(particles=300, time_order=order)
    cloud = pf.solve(problem, method, dt=0.125, times=[0.0, 0.5], seed=2)
    start = pf.laws.Gaussian(cloud.laws[0].mean(), cloud.laws[0].cov())
    closed = method.exact_sequence(replace(problem, initial=start), dt=0.125, times=[0.5]).final
    np.testing.assert_allclose(cloud.final.mean(), closed.mean(), rtol=1e-12)
    np.testing.assert_allclose(cloud.final.cov(), closed.cov(), rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_the_order_in_time(order):
    problem = replace(COLD, exact=None)
    method = InteractingParticles(particles=400, time_order=order, start="quantiles")
    finest = np.exp(-1.0) * method.init(problem, np.random.default_rng(0)).x
    steps = np.array([1 / 4, 1 / 8, 1 / 16, 1 / 32])
    errors = [np.abs(pf.solve(problem, method, dt=dt, times=[1.0]).final.x - finest).max() for dt in steps]
    found = pf.fit_order(steps, errors, expected=order)
    assert found.verdict == "pass", found.why
    # the leading term: x' = -x over unit time errs by dt^p e^-1/(p+1)! of the largest point
    leading = np.abs(finest).max() * steps[-1] ** order / {1: 2, 2: 6, 4: 120}[order]
    assert errors[-1] == pytest.approx(leading, rel=0.1)


def test_a_cloud_of_as_many_points_is_taken_as_it_is():
    points = np.random.default_rng(1).standard_normal((50, 2))
    problem = pf.Problem(Energy(interaction=pf.interactions.PowerLaw(4, 2)), pf.laws.Particles(points), 1.0)
    law = pf.solve(problem, InteractingParticles(particles=50), dt=0.5, times=[0.0]).final
    np.testing.assert_array_equal(law.x, points)


def test_what_it_cannot_treat_is_refused_with_the_cure():
    with pytest.raises(pf.Unsupported, match="EulerMaruyama"):
        pf.solve(OU, InteractingParticles(), dt=0.1)
    with pytest.raises(pf.BadInput, match="Quantiles exist on the line"):
        pf.solve(pf.problems.ring_aggregation(dim=2), InteractingParticles(start="quantiles"), dt=0.1)
    with pytest.raises(pf.BadInput, match="time_order is 3"):
        InteractingParticles(time_order=3)
    wild = replace(COLD, energy=Energy(potential=pf.potentials.DoubleWell(100.0, 1)))
    with pytest.raises(pf.Diverged, match="smaller dt"):
        pf.solve(wild, InteractingParticles(particles=50), dt=1.0, times=[20.0])


def test_same_seed_same_bits_and_a_fused_run_is_the_run_of_single_steps():
    problem = pf.problems.ring_aggregation(dim=3, a=3.0, b=2.0)
    method = InteractingParticles(particles=300)
    law = pf.solve(problem, method, dt=0.1, times=[0.5], seed=4).final
    seen = []
    again = pf.solve(problem, method, dt=0.1, times=[0.5], seed=4, on_step=lambda step, time, law: seen.append(step))
    np.testing.assert_array_equal(law.x, again.final.x)
    assert seen == [1, 2, 3, 4, 5]


def test_points_that_repel_without_bound_do_not_pass_each_other():
    problem = pf.problems.log_repulsion()
    with pytest.raises(pf.Diverged, match=r"passed each other.* Use a smaller dt"):
        pf.solve(problem, InteractingParticles(particles=500), dt=1 / 4, times=[0.5], seed=0)
    # from quantiles, and with a step that resolves their distance, it is the law of the problem
    law = pf.solve(problem, InteractingParticles(particles=100, start="quantiles"), dt=1 / 1024, times=[0.5]).final
    assert pf.metrics.w2(law, problem.exact(0.5)).value < 0.02  # spacing/√12 of 100 points on a support of length 3


@pytest.mark.parametrize(("order", "bound"), [(1, 2.0), (2, 2.0), (4, 2.785)])
def test_steps_too_long_for_linear_forces_are_refused(order, bound):
    """Five steps of Runge-Kutta at dt λ = 10 gave a covariance of 4e24 for 0, and no word."""
    method = InteractingParticles(particles=50, time_order=order)
    with pytest.raises(pf.Diverged, match=r"largest rate is 1\.7"):
        pf.solve(STABLE, method, dt=1.01 * bound / 1.7, times=[10.1 * bound / 1.7])
    law = pf.solve(STABLE, method, dt=0.99 * bound / 1.7, times=[99 * bound / 1.7]).final
    assert law.cov()[0, 0] < 0.25  # it does not grow


@pytest.mark.parametrize("order", [1, 2, 4])
def test_steps_that_go_uphill_faster_and_faster_are_refused(order):
    """V = 50 (x² + 0.01 x⁴), which no one knows to be nearly linear: dt λ = 10."""
    steep = pf.potentials.FromFunction(
        lambda x: 50 * (x[:, 0] ** 2 + 0.01 * x[:, 0] ** 4), grad=lambda x: 100 * x + 2 * x**3, dim=1
    )
    problem = pf.Problem(Energy(potential=steep), pf.laws.Gaussian(0.0, 0.1), 0.2)
    method = InteractingParticles(particles=50, time_order=order)
    with pytest.raises(pf.Diverged, match="the energy rises while the speeds"):
        pf.solve(problem, method, dt=0.1, times=[0.2])
    assert pf.solve(problem, method, dt=0.019, times=[0.19]).final.cov()[0, 0] < 0.1
    # a kink makes points jump to and fro for ever, uphill in every second step, and errs by dt alone
    kink = pf.potentials.FromFunction(
        lambda x: np.abs(x[:, 0]) + x[:, 0] ** 2 / 2, grad=lambda x: np.sign(x) + x, dim=1
    )
    law = pf.solve(pf.Problem(Energy(potential=kink), problem.initial, 5.0), method, dt=0.1, times=[5.0]).final
    assert np.abs(law.x).max() < 0.11
