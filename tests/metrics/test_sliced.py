"""The sliced Wasserstein distance."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import metrics
from pdeflow.laws import Barenblatt, Gaussian, GaussianMixture, Particles, Product, Ring, Uniform

PLANE = Gaussian([0, 0], [[1, 0.3], [0.3, 0.5]])
SHIFT = np.array([1.0, 2.0, 2.0])  # length 3
CLOUD = np.random.default_rng(5).standard_normal((50, 3))
SLICED = [  # a shift s has SW2 = |s|/√d
    (Gaussian(np.zeros(3), 1.0), Gaussian(SHIFT, 1.0)),
    (Particles(CLOUD), Particles(CLOUD + SHIFT)),
    (GaussianMixture([0.5, 0.5], CLOUD[:2], 1.0), GaussianMixture([0.5, 0.5], CLOUD[:2] + SHIFT, 1.0)),
    (Product([Gaussian(0, 1)] * 3), Gaussian(SHIFT, 1.0)),
]


@pytest.mark.parametrize("a, b", SLICED)
def test_sliced_distance_of_a_shift(a, b, rng):
    estimate = metrics.sliced_w2(a, b, rng=rng, projections=400 if isinstance(a, Gaussian) else 60)
    assert abs(estimate.value - np.sqrt(3)) < 4 * estimate.stderr
    # E_θ of (s·θ)² on the sphere: relative variance of the mean is (3d/(d+2) - 1)/n
    n = 400 if isinstance(a, Gaussian) else 60
    assert estimate.stderr == pytest.approx(np.sqrt(3) * np.sqrt(0.8 / n) / 2, rel=0.3)


def test_sliced_distance_closed_and_on_the_line(rng):
    a, b = Barenblatt(5, 3, 1.0), Barenblatt(5, 3, 1.5, np.ones(5))
    closed = metrics.sliced_w2(a, b)
    assert closed.value == pytest.approx(metrics.w2(a, b).value / np.sqrt(5), rel=1e-14) and closed.stderr == 0
    sampled = metrics.sliced_w2(a, Particles(b.sample(2000, rng)), rng=rng, n=2000, projections=100)
    # directions' error plus the cloud's own, σ/√n in each direction
    assert abs(sampled.value - closed.value) < 4 * np.hypot(sampled.stderr, 0.4 / np.sqrt(2000))
    line = Gaussian(0, 1), Uniform(-1, 1)
    assert metrics.sliced_w2(*line).value == metrics.w2(*line).value
    assert metrics.sliced_w2(Particles(CLOUD), Particles(CLOUD), rng=rng, projections=5).value <= 1e-12


def test_sliced_directions_are_uniform_on_the_sphere(rng):
    """A shift along an axis and one along a diagonal: (s·θ)² has mean 1/2 and standard deviation 8^-½ for both.

    Directions from a square have 0.328 and 0.377. 2000 directions know 0.354 to 0.8 % (the fourth moment of an arcsine
    law is 3/2).
    """
    for shift in ([1.0, 0], [0.5**0.5, 0.5**0.5]):
        pair = Gaussian([0, 0], 1.0), Gaussian(shift, 1.0)
        estimate = metrics.sliced_w2(*pair, rng=rng, projections=2000)
        assert estimate.stderr * 2 * estimate.value * np.sqrt(2000) == pytest.approx(8**-0.5, rel=0.05)


def test_sliced_distance_counts_weights_and_draws_boxes(rng):
    x = np.array([[0.0, 0], [1, 2]])
    weighted, repeated = Particles(x, [0.75, 0.25]), Particles(x[[0, 0, 0, 1]])
    assert metrics.sliced_w2(weighted, repeated, rng=rng, projections=5).value <= 1e-12
    # boxes are no radial family: their slices are not W2/√d
    boxes = Uniform([0, 0], [1, 1]), Uniform([0, -1], [1, 2])
    with pytest.raises(pf.NotAvailable, match="rng"):
        metrics.sliced_w2(*boxes)
    assert "100 draws of Uniform" in metrics.sliced_w2(*boxes, rng=rng, projections=5, n=100).how


def test_sliced_distance_needs_rng_and_repeats_with_it():
    with pytest.raises(pf.NotAvailable, match="rng"):
        metrics.sliced_w2(PLANE, Gaussian([1, 0], 1.0))
    a, b = (metrics.sliced_w2(PLANE, Ring(1.0), rng=np.random.default_rng(1), projections=5, n=50) for _ in range(2))
    assert a == b and "biased" in a.how
