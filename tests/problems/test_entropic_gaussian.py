"""The closed entropic step of Gaussians."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.problems.entropic_gaussian import entropic_gaussian_step
from pdeflow.problems.exact_jko import gaussian_jko_step

MATRIX = np.array([[1.0, 0.4], [0.4, 0.6]])
COV = np.array([[0.3, 0.1], [0.1, 0.5]])


def test_it_solves_its_equation_and_is_jko_without_regularisation():
    center, dt, temperature, eps = np.array([0.2, -0.1]), 0.2, 0.7, 0.03
    mean, cov = entropic_gaussian_step(np.ones(2), COV, MATRIX, center, temperature, dt, eps)
    k, c = np.eye(2) + dt * MATRIX, dt * temperature
    residual = k @ cov @ k - (2 * c + eps) * k + c * (c + eps) * np.linalg.inv(cov) - COV
    assert np.abs(residual).max() < 1e-14
    plain = gaussian_jko_step(np.ones(2), COV, MATRIX, center, temperature, dt)
    same = entropic_gaussian_step(np.ones(2), COV, MATRIX, center, temperature, dt, 0.0)
    assert np.allclose(same[1], plain[1], atol=1e-15) and np.allclose(mean, plain[0], atol=1e-15)


def test_the_equation_of_one_dimension_with_the_correlation_root():
    """docs/math.md 13.1: c² + ε c = s² r² and 1 + ha - h s²/(β (c² + ε c)) = s²/c, up to the name of the roles."""
    r2, a, h, temperature, eps = 0.4, 1.3, 0.1, 0.8, 0.02
    _, cov = entropic_gaussian_step(np.zeros(1), np.array([[r2]]), np.array([[a]]), np.zeros(1), temperature, h, eps)
    s2 = float(cov[0, 0])
    root = (-eps + np.sqrt(eps**2 + 4 * s2 * r2)) / 2  # the covariance of old and new
    assert 1 + h * a - h * temperature / s2 == pytest.approx((r2 * s2 / root) / s2, rel=1e-13)


def test_the_stationary_law_has_the_effective_temperature():
    law, eps, dt = np.array([[1.0]]), 0.05, 0.05
    for _ in range(2000):
        _, law = entropic_gaussian_step(np.zeros(1), law, np.eye(1), np.zeros(1), 1.0, dt, eps)
    assert law[0, 0] == pytest.approx(1 + eps / (2 * dt), rel=0.02)  # the next term is of order dt


def test_what_is_not_gaussian_has_no_closed_sequence():
    with pytest.raises(pf.NotAvailable, match="closed form"):
        pf.grid.EntropicJKO().exact_sequence(pf.problems.double_well(), dt=0.1, times=[0.1])
    with pytest.raises(pf.NotAvailable, match="closed form"):
        pf.grid.EntropicJKO().exact_sequence(pf.problems.porous_medium(), dt=0.1, times=[0.1])
