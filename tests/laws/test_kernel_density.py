"""KernelDensity: the estimate of scipy to round-off, its exact moments, and tails that do not underflow."""

import numpy as np
import pytest
from scipy.stats import gaussian_kde

import pdeflow as pf
from pdeflow.laws import Gaussian, KernelDensity


@pytest.mark.parametrize("dim", [1, 3])
@pytest.mark.parametrize("rule", ["scott", "silverman", 0.3])
def test_it_is_the_estimate_of_scipy(dim, rule, rng):
    x = rng.standard_normal((300, dim)) * 2.0 + 5.0
    weights = rng.random(300)
    at = rng.standard_normal((150, dim)) * 2.0 + 5.0
    for given in (None, weights / weights.sum()):
        law, peer = KernelDensity(x, given, rule), gaussian_kde(x.T, rule, given)
        assert law.factor == pytest.approx(peer.factor, rel=1e-14)
        np.testing.assert_allclose(law.kernel.cov(), np.atleast_2d(peer.covariance), rtol=1e-12)
        # sums of 300 terms of one sign in another order
        np.testing.assert_allclose(law.log_density(at), np.log(peer(at.T)), rtol=0, atol=1e-12)


def test_far_out_only_the_nearest_kernel_counts(rng):
    law = KernelDensity(rng.standard_normal((50, 2)))
    far = np.array([[300.0, -200.0]])
    each = [np.log(1 / 50) + Gaussian(x, law.kernel.cov()).log_density(far)[0] for x in law.x]
    # at log densities of -1e5 a rounding of the exponent is 1e-11
    assert law.log_density(far)[0] == pytest.approx(np.logaddexp.reduce(each), rel=1e-13)
    assert law.log_density(far)[0] < -1e4
    steep = law.score(far)[0]
    assert np.all(np.isfinite(steep)) and steep[0] < 0 < steep[1]


def test_the_covariance_is_that_of_the_cloud_with_the_kernel(rng):
    x = rng.standard_normal((40, 2))
    law = KernelDensity(x)
    np.testing.assert_allclose(law.cov(), np.cov(x.T, bias=True) + law.factor**2 * np.cov(x.T), rtol=1e-12)


def test_a_projection_is_the_law_of_the_projected_points(rng):
    law, direction = KernelDensity(rng.standard_normal((30, 3))), np.array([0.6, 0.0, -0.8])
    line = law.projected(direction)
    assert line.mean()[0] == pytest.approx(law.mean() @ direction, abs=1e-14)
    assert line.cov()[0, 0] == pytest.approx(direction @ law.cov() @ direction, rel=1e-13)
    # one projected mixture is the mixture of the projected kernels
    at = np.linspace(-2, 2, 5)
    parts = [Gaussian(x @ direction, direction @ law.kernel.cov() @ direction).log_density(at[:, None]) for x in law.x]
    np.testing.assert_allclose(line.log_density(at[:, None]), np.logaddexp.reduce(parts) - np.log(30), atol=1e-12)


def test_at_its_own_points_it_reads_too_much(rng):
    x = rng.standard_normal((2000, 6))
    law, fresh = KernelDensity(x), rng.standard_normal((2000, 6))
    # the own kernel alone has the weight 1/n: with n = 2000 in d = 6 it is most of the density at its centre
    assert law.log_density(law.x).mean() - law.log_density(fresh).mean() > 0.4


def test_clouds_without_spread_and_unknown_rules_are_refused():
    with pytest.raises(pf.BadInput, match="spread in all 2 directions"):
        KernelDensity([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    with pytest.raises(pf.BadInput, match="spread in all 1 directions"):
        KernelDensity([1.0])
    with pytest.raises(pf.BadInput, match="spread in all 2 directions"):  # the mean of 0.7's is not 0.7 to the last bit
        KernelDensity(np.column_stack([np.arange(10.0), np.full(10, 0.7)]))
    with pytest.raises(pf.BadInput, match="'silverman'"):
        KernelDensity([0.0, 1.0], bandwidth="scot")
    with pytest.raises(pf.BadInput, match="bandwidth"):
        KernelDensity([0.0, 1.0], bandwidth=0.0)


def test_where_squares_overflow_there_is_no_score(rng):
    law = KernelDensity(rng.standard_normal((20, 2)))
    assert np.isfinite(law.score(np.array([[1e8, 0.0]]))).all()
    with pytest.raises(pf.BadInput, match="1e\\+200"):
        law.score(np.array([[1e200, 0.0]]))


def test_quantiles_rise_up_to_level_one(rng):
    """Near level 1 the share below is known to round-off only, which moves the place by a third of a deviation."""
    law = KernelDensity(rng.uniform(-1.0, 1.0, 300), bandwidth=0.1)
    u = 1 - np.arange(400, 0, -1) * 2.0**-53
    assert (np.diff(law.quantile(u)) >= 0).all()
    np.testing.assert_allclose(law.quantile(u), law.upper_quantile(1 - u), rtol=1e-14)  # 1 - u is exact


def test_a_kernel_that_a_method_chose_is_shown_by_its_width():
    law = KernelDensity.of_kernel(np.zeros((3, 2)), np.full(3, 1 / 3), np.diag([0.5, 0.25]))
    assert repr(law) == "KernelDensity(n=3, dim=2, width=[0.5, 0.25])"
