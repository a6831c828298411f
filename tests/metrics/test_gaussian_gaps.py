"""E|Z| of Gaussian vectors, against closed forms."""

import numpy as np
import pytest
from scipy.special import gamma, hyp1f1

from pdeflow.metrics.gaussian_gaps import mean_norms


@pytest.mark.parametrize("dim", [1, 2, 7, 100])
@pytest.mark.parametrize("offset", [0.0, 0.4, 30.0])
def test_isotropic_vectors_have_the_mean_of_a_noncentral_chi(dim, offset):
    points, size = np.zeros((1, dim)), 1e-5
    points[0, -1] = offset * size
    exact = np.sqrt(2) * gamma((dim + 1) / 2) / gamma(dim / 2) * hyp1f1(-0.5, dim / 2, -(offset**2) / 2) * size
    value = mean_norms(points + 3.0, np.full(dim, 3.0), size**2 * np.eye(dim))[0]
    assert value == pytest.approx(exact, rel=1e-10)  # 3 + 1e-5 is known to 1e-11 of 1e-5


@pytest.mark.parametrize("ratio", [1.0, 0.3, 1e-4])
def test_an_ellipse_in_the_plane(ratio):
    """|Z| = R |(cos φ, ratio sin φ)| with E R = (π/2)^½; the trapezoidal rule on the circle."""
    angle = np.linspace(0, 2 * np.pi, 400_000, endpoint=False)
    exact = np.sqrt(np.pi / 2) * np.mean(np.hypot(np.cos(angle), ratio * np.sin(angle)))
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    cov = turn @ np.diag([1.0, ratio**2]) @ turn.T
    assert mean_norms(np.zeros((1, 2)), np.zeros(2), cov)[0] == pytest.approx(exact, rel=1e-10)
