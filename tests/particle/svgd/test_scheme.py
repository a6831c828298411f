"""SVGD: exact fixed points of the linear kernel, the narrow cloud of the Gaussian kernel, and what is refused."""

import numpy as np
import pytest

import pdeflow as pf

SVGD = pf.particle.SVGD


def test_the_linear_kernel_has_the_exact_mean_and_covariance_at_rest():
    matrix = np.array([[1.0, 0.4], [0.4, 0.8]])
    problem = pf.problems.ou(dim=2, matrix=matrix, center=[1.0, -2.0], temperature=0.5)
    law = pf.solve(problem, SVGD(particles=30, kernel="linear"), dt=0.1, times=[200.0], seed=0).final
    np.testing.assert_allclose(law.mean(), [1.0, -2.0], atol=1e-8)
    np.testing.assert_allclose(law.cov(), 0.5 * np.linalg.inv(matrix), atol=1e-8)


def test_fifty_particles_of_the_gaussian_kernel_are_narrower_than_their_target():
    problem = pf.problems.ou(initial=pf.laws.Gaussian([0.5], [[0.5]]), temperature=1.0)
    law = pf.solve(problem, SVGD(particles=50), dt=0.5, times=[600.0], seed=1).final
    assert abs(law.mean()[0]) < 1e-3
    assert law.cov()[0, 0] == pytest.approx(0.9375, abs=1e-3)  # docs/math.md 13.3: 0.937 to 0.938


def test_the_rule_of_the_authors_comes_near_the_target_too():
    problem = pf.problems.ou(initial=pf.laws.Gaussian([4.0], [[0.5]]), temperature=1.0)
    law = pf.solve(problem, SVGD(particles=100, step_rule="adagrad"), dt=0.05, times=[20.0], seed=1).final
    assert abs(law.mean()[0]) < 0.05  # its steps stay about dt long
    assert law.cov()[0, 0] == pytest.approx(0.96, abs=0.05)


def test_steps_that_go_back_and_farther_are_refused():
    """dt = 0.1 under V = 50 x²: at t = 5 the variance was 2e56, for 0.01, and no word."""
    problem = pf.problems.ou(matrix=100.0, initial=pf.laws.Gaussian([1.0], [[1.0]]), horizon=5.0)
    with pytest.raises(pf.Diverged, match=r"turned round and grown .* Use a smaller dt"):
        pf.solve(problem, SVGD(particles=100), dt=0.1)
    law = pf.solve(problem, SVGD(particles=100), dt=0.01).final
    assert 100 * law.cov()[0, 0] == pytest.approx(0.96, abs=0.02)
    one = pf.solve(problem, SVGD(particles=1, bandwidth=1.0), dt=0.015, times=[15.0]).final  # trembles by round-off
    assert abs(one.x[0, 0]) < 1e-12


def test_same_seed_same_bits_and_float32_is_near():
    problem = pf.problems.double_well()
    runs = [
        pf.solve(problem, SVGD(particles=400, dtype=dtype), dt=0.1, times=[1.0], seed=5).final.x
        for dtype in ("float64", "float64", "float32")
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert 0 < np.abs(runs[2] - runs[0]).max() < 1e-5  # ten steps of sums rounded to 1e-7


def test_what_it_cannot_treat_is_refused_with_the_cure():
    with pytest.raises(pf.Unsupported, match="InteractingParticles"):
        pf.solve(pf.problems.ring_aggregation(dim=2), SVGD(), dt=0.1)
    with pytest.raises(pf.Unsupported, match="an entropy alone"):
        pf.solve(pf.problems.porous_medium(), SVGD(), dt=0.01)
    with pytest.raises(pf.BadInput, match='bandwidth is given beside kernel="linear"'):
        SVGD(kernel="linear", bandwidth=1.0)
    with pytest.raises(pf.Diverged, match="smaller dt"):
        pf.solve(pf.problems.double_well(), SVGD(particles=20), dt=50.0, times=[5000.0])


def test_a_run_goes_on_from_the_particles_of_another_and_not_from_draws_of_them():
    problem, method = pf.problems.double_well(), SVGD(particles=100)
    whole = pf.solve(problem, method, dt=0.1, times=[1.0, 2.0], seed=3)
    again = pf.problems.double_well(initial=whole.laws[-2])
    np.testing.assert_array_equal(pf.solve(again, method, dt=0.1, times=[1.0], seed=4).final.x, whole.final.x)
    fewer = method.init(
        pf.problems.double_well(initial=pf.laws.Particles(np.arange(7.0)[:, None])), np.random.default_rng(0)
    )
    assert len(fewer.x) == 100  # draws, of a cloud of another number


def test_in_nine_dimensions_the_width_of_the_law_is_a_better_bandwidth_than_the_median_rule():
    """256 particles: 0.6 of the variance by the rule, 0.95 by the mean square distance of two draws."""
    problem = pf.problems.ou(9, initial=pf.laws.Gaussian(np.zeros(9), np.eye(9)), temperature=1.0)
    rule, width = (
        np.trace(pf.solve(problem, SVGD(256, bandwidth=bandwidth), dt=1.5, times=[150.0], seed=0).final.cov()) / 9
        for bandwidth in (None, 18.0)
    )
    assert rule < 0.7 < 0.9 < width < 1
