"""Errors of the first two moments."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import metrics
from pdeflow.laws import Gaussian, Law, Particles

NAMES = ["w2", "sliced_w2", "bures", "kl", "sym_kl", "l1", "l2", "mean_error", "cov_error"]
ENERGY = pf.Energy(potential=pf.potentials.Quadratic(np.eye(1), np.zeros(1)), internal=pf.Entropy(1.0))
ALL = {**{name: getattr(metrics, name) for name in NAMES}, "energy_gap": metrics.energy_gap(ENERGY)}


class OnlyDraws(Law):
    dim = 2

    def sample(self, n, rng):
        return rng.standard_normal((n, 2))


def test_moment_errors_are_euclidean_and_frobenius():
    a, b = Gaussian([0, 0], [[2, 0.5], [0.5, 1]]), Gaussian([3, 4], [[1, 0], [0, 1]])
    assert metrics.mean_error(a, b).value == 5.0
    assert metrics.cov_error(a, b).value == pytest.approx(np.sqrt(1 + 2 * 0.25), rel=1e-15)
    assert metrics.mean_error(a, b).stderr == metrics.cov_error(a, b).stderr == 0.0


@pytest.mark.parametrize("moment", ["mean_error", "cov_error"])
def test_sampling_error_of_a_cloud(moment):
    """Root mean square over 300 clouds equals the stated standard error: known to 4 % there, 4 of these allowed."""
    law, rng = Gaussian([0, 1], [[2, 0.5], [0.5, 1]]), np.random.default_rng(0)
    estimates = [getattr(metrics, moment)(Particles(law.sample(400, rng)), law) for _ in range(300)]
    truth = np.sqrt(np.mean([e.value**2 for e in estimates]))
    assert np.mean([e.stderr for e in estimates]) == pytest.approx(truth, rel=0.16)
    assert "400 independent draws" in estimates[0].how
    repeated = Particles(np.repeat(law.sample(10, rng), 2, axis=0), np.tile([0.1, 0.0], 10))
    single = Particles(repeated.x[::2])
    assert getattr(metrics, moment)(repeated, law).stderr == pytest.approx(
        getattr(metrics, moment)(single, law).stderr, rel=1e-12
    )


def test_sampling_errors_by_hand():
    # y = ±1: E y⁴ = 1 = Σ², so the variance is known without error; y in {-1, 3} at 3/4, 1/4: E y⁴ = 21, Σ = 3
    even, skew = Particles([-1.0, 1, -1, 1]), Particles([-1.0, -1, -1, 3])
    assert metrics.cov_error(even, Gaussian(0, 1)).stderr == 0
    assert metrics.cov_error(skew, Gaussian(0, 1)).stderr == pytest.approx(np.sqrt((21 - 9) / 4), rel=1e-14)
    assert metrics.mean_error(skew, Gaussian(0, 1)).stderr == pytest.approx(np.sqrt(3 / 4), rel=1e-14)
    # two clouds: both errors count
    for pair in ((even, skew), (skew, even)):
        assert metrics.mean_error(*pair).stderr == pytest.approx(np.sqrt(1 / 4 + 3 / 4), rel=1e-14)
        assert metrics.cov_error(*pair).stderr == pytest.approx(np.sqrt(0 + 12 / 4), rel=1e-14)


def test_laws_without_moments_are_sampled_only_with_leave(rng):
    for name in ("mean_error", "cov_error", "bures"):
        with pytest.raises(pf.NotAvailable, match="rng"):
            ALL[name](OnlyDraws(), Gaussian([0, 0], 1.0))
        estimate = ALL[name](OnlyDraws(), Gaussian([1, 0], 1.0), rng=rng, n=10_000)
        assert "Monte Carlo, n = 10000" in estimate.how
        # truth 1, 0 and 1; the sampling error is 0.01 to 0.02
        assert estimate.value == pytest.approx(0.0 if name == "cov_error" else 1.0, abs=0.08)


def test_how_says_whether_moments_are_integrals():
    exact, integral = Gaussian(0.0, 1.0), pf.laws.FromQuantile(Gaussian(0.0, 1.0).quantile)
    pushed = pf.laws.PushForward(integral, [pf.laws.AffineMap([[2.0]])])
    for name in ("mean_error", "cov_error"):
        assert ALL[name](exact, exact).how == "closed form"
        for law in (integral, pushed, pf.laws.Product([integral])):
            assert ALL[name](law, exact).how == ALL[name](exact, law).how == "quadrature"
    assert metrics.bures(exact, exact).how == "closed form"
    assert metrics.bures(integral, exact).how == "quadrature, closed form"
    assert metrics.bures(integral, pushed).how == "quadrature"
    assert "quadrature" in ALL["mean_error"](integral, Particles([0.0, 1.0])).how
