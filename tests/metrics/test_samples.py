"""What metrics between samples share."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Gaussian, Particles, Uniform
from pdeflow.metrics.samples import (
    Spectrum,
    bandwidths,
    mean_root,
    median_distance,
    reference_points,
    root_error,
    sample_of,
    without_own_noise,
)

CLOUD = np.random.default_rng(4).standard_normal((300, 2))


def test_the_root_of_a_gamma_number_has_its_mean_and_deviation(rng):
    for shape in (0.5, 4.0, 300.0):
        roots = np.sqrt(2 * rng.gamma(shape, size=200_000))
        mean, variance = 2 * shape, 4 * shape
        assert mean_root(mean, variance) == pytest.approx(roots.mean(), rel=5e-3)  # 3 deviations at shape 1/2
        assert root_error(mean, variance) == pytest.approx(roots.std(), rel=1e-2)
    assert root_error(1.0, 1e-10) == pytest.approx(5e-6, rel=1e-6) and root_error(1.0, 1e-6) == pytest.approx(
        5e-4, rel=1e-5
    )
    assert root_error(1.0, 1.0001e-3) == pytest.approx(root_error(1.0, 0.9999e-3), rel=3e-4)
    assert mean_root(4.0, 0.0) == 2.0 and root_error(0.0, 0.0) == 0.0


def test_the_spectrum_of_the_linear_kernel_is_that_of_the_covariance(rng):
    """k = x·y has the eigenvalues of the covariance; U-statistics are free of bias, so their mean over clouds is."""
    variances = np.linspace(0.5, 1.5, 10)
    found = []
    for _ in range(200):
        x = rng.standard_normal((50, 10)) * np.sqrt(variances)
        matrix, weights = x @ x.T, np.full(50, 1 / 50)
        spectrum = Spectrum.of_rows(matrix @ weights, matrix**2 @ weights, np.diag(matrix), weights)
        found.append([spectrum.trace, spectrum.squares])
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(200)
    assert abs(mean[0] - variances.sum()) < 4 * error[0]
    # centring at the sample's own mean leaves O(1/n); the diagonal would add a quarter
    assert mean[1] == pytest.approx(np.sum(variances**2), rel=0.08)


def test_a_bandwidth_belongs_to_the_truth_and_is_always_the_same(rng):
    gaps = np.linalg.norm(CLOUD[:, None] - CLOUD[None], axis=2)[np.triu_indices(300, 1)]
    assert median_distance(Particles(CLOUD), "mmd") == pytest.approx(np.median(gaps), rel=1e-12)
    assert median_distance(Gaussian(0.0, 4.0), "mmd") == median_distance(Gaussian(0.0, 4.0), "mmd")
    # median of |N(0, 8)|: 0.6745 of 8^½; 2e6 dependent pairs of 2,000 draws know it to about 2 %
    assert median_distance(Gaussian(0.0, 4.0), "mmd") == pytest.approx(0.67449 * 8**0.5, rel=0.06)
    many = Particles(rng.standard_normal((5000, 1)))
    assert median_distance(many, "mmd") == pytest.approx(0.67449 * 2**0.5, rel=0.08)
    scales = bandwidths("multi-scale", Particles(CLOUD), "mmd")
    assert np.array_equal(scales, np.median(gaps) * np.array([0.25, 0.5, 1, 2, 4]))


@pytest.mark.parametrize("wrong", ["mean", 0.0, -1.0, [], [1.0, 0.0], np.nan])
def test_a_bandwidth_that_is_none_is_refused(wrong):
    with pytest.raises(pf.BadInput, match="bandwidth"):
        bandwidths(wrong, Particles(CLOUD), "mmd")


def test_a_truth_of_one_place_has_no_median_distance():
    with pytest.raises(pf.BadInput, match="bandwidth= as a number"):
        median_distance(Particles(np.zeros((5, 2))), "mmd")


def test_a_sample_is_the_cloud_itself_or_draws(rng):
    cloud = sample_of(Particles(CLOUD[:3], [0.5, 0.0, 0.5]), None, 10, "mmd")
    assert np.array_equal(cloud.points, CLOUD[[0, 2]]) and cloud.share == 0.5 and cloud.note == "2 points"
    assert len(sample_of(Uniform([0, 0], [1, 1]), rng, 10, "mmd").points) == 10
    with pytest.raises(pf.NotAvailable, match="rng"):
        sample_of(Uniform([0, 0], [1, 1]), None, 10, "mmd")


@pytest.mark.parametrize("ask", [lambda law: sample_of(law, np.random.default_rng(0), 10, "mmd"), reference_points])
def test_draws_of_another_shape_are_refused(ask):
    class Flat(pf.laws.Law):
        dim = 2

        def sample(self, n, rng):
            return rng.random((2, n))

    with pytest.raises(pf.BadInput, match="Reshape it"):
        ask(Flat())


def test_own_noise_is_half_of_the_variance_at_the_null_level_and_nothing_far_above():
    """Of Q = zᵀKz with z standard normal: Var Q = 2 tr K², and the influences 2Kz show 4 tr K²."""
    rng = np.random.default_rng(0)
    rates = np.array([1.0, 0.5, 0.2])
    z = rng.standard_normal((20_000, 3))
    shown = np.mean(np.sum((2 * rates * z) ** 2, axis=1))
    q = z**2 @ rates
    assert without_own_noise(shown, 1.0, 1.0) == pytest.approx(q.var(), rel=0.03)
    assert without_own_noise(shown, 1.0, 2.0) == shown / 2  # a value below the null level
    assert without_own_noise(shown, 1e4, 1.0) == pytest.approx(shown, rel=1e-4)
    assert without_own_noise(shown, 1.0, None) == shown
