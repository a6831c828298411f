"""The max-sliced Wasserstein distance."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment, minimize_scalar
from scipy.spatial.distance import cdist

import pdeflow as pf
from pdeflow.laws import Gaussian, Particles, Uniform
from pdeflow.metrics import max_sliced_w2, sliced_w2, w2

A = Gaussian([0.3, -0.2], [[0.8, 0.2], [0.2, 0.5]])
B = Gaussian([0.0, 0.1], [[1.5, -0.9], [-0.9, 0.7]])


def largest_in_the_plane(a, b):
    """By a grid of angles and a refinement of the best."""
    along = lambda angle: w2(*(law.projected(np.array([np.cos(angle), np.sin(angle)])) for law in (a, b))).value  # noqa: E731
    angles = np.linspace(0, np.pi, 61)
    best = angles[np.argmax([along(angle) for angle in angles])]
    return -minimize_scalar(lambda angle: -along(angle), bounds=(best - 0.06, best + 0.06), method="bounded").fun


def test_gaussians_and_clouds_of_the_plane_against_a_search_over_angles(rng):
    assert max_sliced_w2(A, B, rng=rng).value == pytest.approx(largest_in_the_plane(A, B), rel=1e-7)
    weights = rng.random(30)
    clouds = Particles(A.sample(40, rng)), Particles(B.sample(30, rng), weights / weights.sum())
    assert max_sliced_w2(*clouds, rng=rng).value == pytest.approx(largest_in_the_plane(*clouds), rel=1e-6)


@pytest.mark.parametrize("dim", [2, 30])
def test_a_shift_is_seen_whole_and_other_distances_bound_it(dim, rng):
    x, shift = rng.standard_normal((50, dim)), rng.standard_normal(dim)
    a, b = Particles(x), Particles(x + shift)
    assert max_sliced_w2(a, b, rng=rng).value == pytest.approx(np.linalg.norm(shift), rel=1e-12)
    wide = Particles(2 * x[::-1] + shift)
    value = max_sliced_w2(a, wide, rng=rng).value
    cost = cdist(x, wide.x, "sqeuclidean")
    largest = np.sqrt(cost[linear_sum_assignment(cost)].mean())  # W2 itself
    assert sliced_w2(a, wide, rng=rng, projections=50).value < value <= largest * (1 + 1e-12)


def test_stderr_and_null_level_are_those_of_repeated_draws():
    truth, moved = Gaussian(np.zeros(4), 1.0), Gaussian(np.array([1.5, 0, 0, 0]), 1.0)
    for law in (truth, moved):
        found = []
        for seed in range(12):
            rng = np.random.default_rng(seed)
            clouds = Particles(law.sample(30, rng)), Particles(truth.sample(30, rng))
            found.append(max_sliced_w2(*clouds, rng=rng, starts=0))
        value, stderr, null = (np.array([getattr(one, name) for one in found]) for name in ("value", "stderr", "null"))
        if law is truth:
            assert abs(value.mean() - null.mean()) < 4 * np.hypot(value.std(), null.std()) / np.sqrt(12)
        else:
            assert value.mean() > 1.5 * null.mean()
            assert 0.5 < value.std() / stderr.mean() < 1.6  # 12 values know a deviation to 20 %


@pytest.mark.parametrize("shift", [0.0, 1.0])
@pytest.mark.parametrize("truth", ["law", "cloud"])
def test_stderr_and_null_level_on_the_line_are_those_of_repeated_draws(truth, shift, rng):
    normal, found = Gaussian(0.0, 1.0), []
    for _ in range(50):
        cloud = Particles(shift + rng.standard_normal((60, 1)))
        other = normal if truth == "law" else Particles(rng.standard_normal((90, 1)))
        found.append(max_sliced_w2(cloud, other, rng=rng))
        assert found[-1].value == w2(cloud, other).value
    value, stderr, null = (np.array([getattr(one, name) for one in found]) for name in ("value", "stderr", "null"))
    assert 0.6 < value.std() / stderr.mean() < 1.5  # 50 values know a deviation to 10 %; 300 had 0.77 to 1.05
    if shift == 0:  # 5 standard errors; without noise the level is that of the values
        assert abs(value.mean() - null.mean()) < 5 * np.hypot(value.std(), null.std()) / np.sqrt(50)
    assert max_sliced_w2(normal, cloud).null is None and max_sliced_w2(normal, cloud).stderr > 0
    with pytest.raises(pf.NotAvailable, match="one point"):
        max_sliced_w2(Particles([[0.0]]), normal, rng=rng)


def test_on_the_line_it_is_w2_and_elsewhere_it_needs_a_generator(rng):
    assert max_sliced_w2(Gaussian(0.0, 1.0), Uniform(-1, 1)).value == w2(Gaussian(0.0, 1.0), Uniform(-1, 1)).value
    with pytest.raises(pf.NotAvailable, match="rng"):
        max_sliced_w2(A, B)
    box = Uniform([0, 0], [1, 1])
    assert "30 draws of Uniform" in max_sliced_w2(box, A, rng=rng, n=30).how
    assert max_sliced_w2(box, A, rng=rng, n=30, null_draws=0).null is None
