"""The kernel Stein discrepancy."""

import numpy as np
import pytest
from scipy.integrate import dblquad

import pdeflow as pf
from pdeflow.laws import Barenblatt, Gaussian, GaussianMixture, GridLaw, Particles
from pdeflow.metrics import ksd

A = Gaussian([0.3, -0.2], [[0.8, 0.2], [0.2, 0.5]])
TARGET = Gaussian([0.0, 0.1], [[1.0, -0.3], [-0.3, 0.7]])


def test_closed_form_on_the_line_by_a_double_integral():
    mean, deviation, precision, center, l2 = 0.4, 0.8, 1 / 1.44, -0.1, 1.7**2

    def integrand(y, x):
        sx, sy, q, r = -precision * (x - center), -precision * (y - center), 1 + (x - y) ** 2 / l2, x - y
        u = sx * sy * q**-0.5 + (sx - sy) * r / l2 * q**-1.5 + q**-1.5 / l2 - 3 * r * r / l2**2 * q**-2.5
        z = ((x - mean) ** 2 + (y - mean) ** 2) / (2 * deviation**2)
        return u * np.exp(-z) / (2 * np.pi * deviation**2)

    ends = mean - 8 * deviation, mean + 8 * deviation
    exact = dblquad(integrand, *ends, *ends, epsabs=1e-11)[0]
    value = ksd(Gaussian(mean, deviation**2), Gaussian(center, 1 / precision), bandwidth=1.7).value
    assert value**2 == pytest.approx(exact, abs=1e-10)


def test_closed_form_in_the_plane_by_gauss_hermite(rng):
    """32 nodes an axis know a kernel of bandwidth 4 to 1e-12: a finite law, whose KSD² is its V-statistic."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(32)
    points = np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2) @ A.root().T + A.mean()
    weights = np.outer(weights, weights).ravel() / (2 * np.pi)
    keep = weights > 1e-18
    cloud = Particles(points[keep], weights[keep] / weights[keep].sum())
    assert ksd(A, TARGET, bandwidth=4.0).value ** 2 == pytest.approx(
        ksd(cloud, TARGET, bandwidth=4.0).value ** 2, abs=1e-10
    )


def test_zero_at_the_target():
    for target in (TARGET, Gaussian(np.zeros(60), 2.0)):
        assert ksd(target, target).value < 1e-7 * target.dim  # the root of round-off


@pytest.mark.parametrize("dim", [1, 10])
@pytest.mark.parametrize("shift", [0.0, 0.8])
def test_stderr_and_null_level_are_those_of_repeated_draws(dim, shift):
    target, moved = Gaussian(np.zeros(dim), 1.0), Gaussian(np.full(dim, shift / np.sqrt(dim)), 1.0)
    found = [ksd(Particles(moved.sample(80, np.random.default_rng(s))), target, bandwidth=2.0) for s in range(30)]
    value, stderr, null = (np.array([getattr(one, name) for one in found]) for name in ("value", "stderr", "null"))
    assert 0.7 < value.std() / stderr.mean() < 1.4  # 30 values know a deviation to 13 %
    if shift == 0:
        assert abs(value.mean() - null.mean()) < 4 * value.std() / np.sqrt(30) + 0.02 * null.mean()  # 2,000 draws
    else:
        assert value.mean() > 1.3 * null.mean()
    exact = ksd(moved, target, bandwidth=2.0).value ** 2
    bias = np.mean([np.sum(target.score(moved.sample(1000, np.random.default_rng(0))) ** 2, axis=1).mean()]) + dim / 4.0
    squares = value**2 - (bias - exact) / 80  # V = (1 - 1/n) E u(X, X') + E u(X, X)/n
    assert abs(squares.mean() - exact) < 4 * squares.std() / np.sqrt(30) + 0.1 * bias / 80


def test_the_discrepancy_has_the_unit_of_the_score(rng):
    x = rng.standard_normal((50, 3))
    one, other = (ksd(Particles(c * x), Gaussian(np.zeros(3), c * c)) for c in (1.0, 1e6))
    for name in ("value", "stderr", "null"):
        assert getattr(other, name) * 1e6 == pytest.approx(getattr(one, name), rel=1e-9)


def test_mixtures_are_targets_and_targets_without_a_score_are_refused(rng):
    mixture = GaussianMixture([0.5, 0.5], [[-2.0], [2.0]], [[[0.5]], [[0.5]]])
    assert (
        ksd(Particles(mixture.sample(300, rng)), mixture).value
        < 3 * ksd(Particles(mixture.sample(300, rng)), mixture).null
    )
    with pytest.raises(pf.NotAvailable, match="score"):
        ksd(Particles(rng.random((9, 1))), GridLaw((np.linspace(0, 1, 5),), np.full(4, 0.25)))
    with pytest.raises(pf.NotAvailable, match="no score at 1 of 3"):
        ksd(Particles([[0.0], [0.1], [50.0]]), Barenblatt(1, 2, 1.0), bandwidth=1.0)
    with pytest.raises(pf.NotAvailable, match="rng"):
        ksd(mixture, Gaussian(0.0, 1.0))
