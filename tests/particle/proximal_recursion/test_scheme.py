"""ProximalRecursion: the closed entropic step of Gaussians, its certificate, and what its values are worth."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logsumexp

import pdeflow as pf
from pdeflow.particle import FixedPoints, ProximalRecursion
from pdeflow.particle.proximal_recursion import kernel as kernel_module

LINE = pf.problems.ou(initial=pf.laws.Gaussian(1.0, 0.25), temperature=0.5)
MATRIX = [[1.0, 0.4], [0.4, 0.6]]
PLANE = pf.problems.ou(2, MATRIX, temperature=0.5, initial=pf.laws.Gaussian([1.0, 0.0], [[0.3, 0.1], [0.1, 0.5]]))


@pytest.mark.parametrize(
    ("problem", "axes", "dt"),
    [(LINE, [np.linspace(-5, 6, 241)], 0.05), (PLANE, [np.linspace(-5, 6, 51)] * 2, 0.1)],
    ids=["line", "plane"],
)
def test_gaussian_steps_on_grid_points_to_1e_6(problem, axes, dt):
    method = ProximalRecursion(FixedPoints.of_cells(axes), regularisation=0.05, tolerance=1e-9, iterations=2000)
    flow = pf.solve(problem, method, dt=dt, times=[2 * dt])
    law, truth = flow.final, method.exact_sequence(problem, dt=dt, times=[2 * dt]).final
    assert np.abs(law.mean() - truth.mean()).max() < 1e-8  # measured 1e-12 on the line, 1e-9 in the plane
    assert np.abs(law.cov() - truth.cov()).max() < 1e-8
    inside = np.all(np.abs(law.cloud.x - 0.5) < 2.5, axis=1)
    assert np.abs(law.log_values - truth.log_density(law.cloud.x))[inside].max() < 1e-7
    jko = pf.exact_jko(problem, dt=dt, times=[2 * dt]).final
    assert np.abs(jko.cov() - truth.cov()).max() > 1e-3  # which JKO without regularisation is not
    last = flow.history[-1]
    assert last["effective_temperature"] == pytest.approx(0.5 + 0.05 / (2 * dt))
    assert last["cover"] == pytest.approx(1, abs=1e-9) and abs(law.mass_error) < 1e-12


def test_truncation_and_iteration_stay_within_their_certificate(monkeypatch):
    problem, steps = pf.problems.ou(5, seed=1), 4
    coarse = ProximalRecursion(300, tolerance=1e-3)
    found = pf.solve(problem, coarse, dt=1e-2, times=[steps * 1e-2], seed=3)
    assert max(report["pairs"] for report in found.history) < 300 * 300 / 8
    assert all(report["truncation_error"] + report["iteration_error"] <= 1e-3 for report in found.history)
    assert max(report["truncation_error"] for report in found.history) > 1e-5  # something was left out
    monkeypatch.setattr(kernel_module, "WHOLE", 10**6)
    fine = ProximalRecursion(300, tolerance=1e-12)
    exact = pf.solve(problem, fine, dt=1e-2, times=[steps * 1e-2], seed=3)
    gap = np.abs(found.final.log_values - exact.final.log_values).max()
    assert 0 < gap <= steps * 1e-3


def test_moving_points_are_those_of_euler_maruyama_and_the_sum_of_values_is_kept():
    problem = pf.problems.ou(2, seed=0)
    flow = pf.solve(problem, ProximalRecursion(200), dt=0.01, times=[0.0, 0.05], seed=7)
    moved = pf.solve(problem, pf.particle.EulerMaruyama(200), dt=0.01, times=[0.05], seed=7)
    assert np.array_equal(flow.final.cloud.x, moved.final.x)
    start, end = (np.exp(law.log_values).sum() for law in flow.laws)
    assert end == pytest.approx(start, rel=1e-13)
    assert np.array_equal(flow.laws[0].log_values, problem.initial.log_density(flow.laws[0].cloud.x))


def test_the_published_regularisation_makes_a_kernel_density_estimate_on_the_line():
    law = pf.solve(pf.problems.ou(), ProximalRecursion(400), dt=1e-3, times=[0.06]).final
    x = law.cloud.x
    log_estimate = logsumexp(-((x - x.T) ** 2) / (2 * 0.05), axis=1)
    assert np.std(law.log_values - log_estimate) < 0.1  # of values that spread over
    assert np.std(log_estimate) > 0.5


def test_in_twelve_dimensions_values_stay_what_they_were():
    start, end = pf.solve(pf.problems.ou(12), ProximalRecursion(300), dt=1e-3, times=[0.0, 0.05]).laws
    assert np.median(np.abs(end.log_values - start.log_values)) < 0.01
    assert np.std(start.log_values) > 1


def test_fixed_draws_of_a_wide_law_carry_the_law():
    points = FixedPoints.drawn(pf.laws.Gaussian([0.3, 0.0], 2.0), 1000, np.random.default_rng(0))
    problem = replace(PLANE, initial=pf.laws.Gaussian([1.0, 0.0], 0.3))
    method = ProximalRecursion(points, regularisation=0.05, tolerance=1e-4)
    law = pf.solve(problem, method, dt=0.2, times=[0.4]).final
    truth = method.exact_sequence(problem, dt=0.2, times=[0.4]).final
    assert np.abs(law.mean() - truth.mean()).max() < 0.15  # some standard errors of 1,000 draws, two in five of weight
    assert np.abs(law.cov() - truth.cov()).max() < 0.15
    assert pf.metrics.kl(law, truth, rng=np.random.default_rng(0)).value < 0.1


def test_what_it_does_not_have_it_refuses():
    with pytest.raises(pf.Unsupported, match="potential and an entropy alone"):
        pf.solve(pf.problems.porous_medium(), ProximalRecursion(50), dt=0.01)
    with pytest.raises(pf.Unsupported, match="density values"):
        cloud = pf.laws.Particles(np.linspace(-1, 1, 20))
        pf.solve(replace(LINE, initial=cloud), ProximalRecursion(50), dt=0.01)
    with pytest.raises(pf.BadInput, match="cover"):
        pf.solve(LINE, ProximalRecursion(FixedPoints.of_cells([np.linspace(3, 6, 50)])), dt=0.01)
    with pytest.raises(pf.BadInput, match="dim 2"):
        pf.solve(LINE, ProximalRecursion(FixedPoints(np.zeros((1, 2)), np.ones(1))), dt=0.01)
    with pytest.raises(pf.NotConverged, match="certified to"):
        pf.solve(LINE, ProximalRecursion(50, iterations=2), dt=0.5)
    with pytest.raises(pf.NotAvailable, match="Fixed points"):
        ProximalRecursion(50).exact_sequence(LINE, dt=0.1, times=[0.1])


def test_points_that_the_kernel_does_not_reach_are_refused():
    """Cells twenty times as wide as √ε: a mean of -0.64 where it should be -0.25, certified to 1e-6."""
    problem = pf.problems.ou(matrix=1.5, temperature=0.4, initial=pf.laws.Gaussian(-1.0, 0.5))
    cells = FixedPoints.of_cells([np.linspace(-6.0, 6.0, 61)])
    with pytest.raises(pf.BadInput, match="hold it where it is"):
        pf.solve(problem, ProximalRecursion(cells, regularisation=1e-4, iterations=20_000), dt=0.1, times=[0.1])
    method = ProximalRecursion(cells, regularisation=0.04)  # cells as wide as √ε
    law = pf.solve(problem, method, dt=0.1, times=[0.3]).final
    truth = method.exact_sequence(problem, dt=0.1, times=[0.3]).final
    assert law.mean()[0] == pytest.approx(truth.mean()[0], abs=1e-6)


def test_obstacles_and_compact_starts():
    def walled(x):
        return np.where(x[:, 0] > 0.5, np.inf, x[:, 0] ** 2 / 2)

    problem = pf.Problem(
        pf.Energy(pf.potentials.FromFunction(walled, dim=1), pf.Entropy()), pf.laws.Uniform(-1.0, 0.0), 1.0
    )
    method = ProximalRecursion(FixedPoints.of_cells([np.linspace(-2, 2, 101)]), regularisation=0.02)
    law = pf.solve(problem, method, dt=0.1, times=[0.2]).final
    beyond = law.cloud.x[:, 0] > 0.5
    assert np.all(law.cloud.weights[beyond] == 0) and np.all(law.cloud.weights[~beyond] > 0)
    assert abs(law.mass_error) < 1e-12


def test_walls_at_all_points_are_refused():
    wall = pf.potentials.FromFunction(lambda x: np.full(len(x), np.inf), grad=np.zeros_like, dim=1)
    problem = pf.Problem(pf.Energy(wall, pf.Entropy()), pf.laws.Gaussian(0.0, 1.0), 0.1)
    points = pf.particle.FixedPoints.of_cells([np.linspace(-6.0, 6.0, 61)])
    with pytest.raises(pf.BadInput, match="infinite at all 60 points"):
        pf.solve(problem, pf.particle.ProximalRecursion(points), dt=0.1)
