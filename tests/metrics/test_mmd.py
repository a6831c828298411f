"""The maximum mean discrepancy, against quadrature of its kernel."""

import numpy as np
import pytest
from scipy.integrate import quad

import pdeflow as pf
from pdeflow.laws import Gaussian, GaussianMixture, Particles
from pdeflow.metrics import mmd


def kernel_mean(mean, cov, scale):
    """E exp(-|Z|²/(2s²)) of Z of N(mean, cov), one integral an axis of the covariance."""
    values, axes = np.linalg.eigh(cov)
    integrals = [
        quad(
            lambda z, m=m, v=v: np.exp(-z * z / (2 * scale**2) - (z - m) ** 2 / (2 * v)) / np.sqrt(2 * np.pi * v),
            m - 12 * np.sqrt(v),
            m + 12 * np.sqrt(v),
            epsabs=1e-14,
            limit=200,
        )[0]
        for m, v in zip(mean @ axes, values)
    ]
    return np.prod(integrals)


@pytest.mark.parametrize("scales", [[1.3], [0.4, 2.0]])
def test_closed_form_between_gaussians(scales):
    a = Gaussian([0.0, 1.0, -0.5], [[1.0, 0.3, 0.0], [0.3, 0.5, 0.1], [0.0, 0.1, 2.0]])
    b = Gaussian([0.2, 0.4, 0.0], [[0.7, -0.2, 0.0], [-0.2, 0.9, 0.0], [0.0, 0.0, 0.3]])
    pair = lambda x, y, s: kernel_mean(x.mean() - y.mean(), x.cov() + y.cov(), s)  # noqa: E731
    square = np.mean([pair(a, a, s) + pair(b, b, s) - 2 * pair(a, b, s) for s in scales])
    assert mmd(a, b, bandwidth=scales).value ** 2 == pytest.approx(square, abs=1e-10)


def test_a_mixture_is_the_mean_of_its_parts():
    parts, weights, other = [Gaussian([-1.0, 0], 0.5), Gaussian([1.0, 0], 0.2)], [0.4, 0.6], Gaussian([0.0, 0], 1.0)
    k = lambda a, b: kernel_mean(a.mean() - b.mean(), a.cov() + b.cov(), 1.0)  # noqa: E731
    within = sum(p * q * k(a, b) for p, a in zip(weights, parts) for q, b in zip(weights, parts))
    square = within + k(other, other) - 2 * sum(p * k(a, other) for p, a in zip(weights, parts))
    mixture = GaussianMixture(weights, [[-1.0, 0], [1.0, 0]], [0.5 * np.eye(2), 0.2 * np.eye(2)])
    assert mmd(mixture, other, bandwidth=1.0).value ** 2 == pytest.approx(square, abs=1e-10)


def test_the_median_of_the_truth_is_the_default_and_is_told(rng):
    truth, near, far = Particles(rng.standard_normal((60, 2))), *(Particles(rng.random((40, 2)) + s) for s in (0, 9))
    hows = {mmd(cloud, truth).how.split("bandwidth")[1] for cloud in (near, far)}
    assert len(hows) == 1  # one kernel for all approximations
    assert mmd(near, truth, bandwidth="multi-scale").how.count(",") == 5
    with pytest.raises(pf.BadInput, match="'multi-scale'"):
        mmd(near, truth, bandwidth="silverman")
