"""Distances in a kernel between clouds and mixtures: one value, however the laws are given."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import metrics
from pdeflow.laws import Gaussian, GaussianMixture, Particles, Uniform

KINDS = {
    "energy": metrics.energy_distance,
    "mmd": lambda a, b, **kwargs: metrics.mmd(a, b, bandwidth=1.5, **kwargs),
    "mmd of two": lambda a, b, **kwargs: metrics.mmd(a, b, bandwidth=[0.5, 3.0], **kwargs),
}


@pytest.fixture(params=list(KINDS))
def distance(request):
    return KINDS[request.param]


@pytest.mark.parametrize("dim", [1, 3])
def test_a_narrow_mixture_is_the_cloud_of_its_centres(distance, dim, rng):
    """All three ways of computing meet: pairs of points, points and Gaussians, Gaussians alone."""
    x, y = rng.standard_normal((8, dim)), rng.standard_normal((5, dim)) + 0.5
    weights = rng.random(5)
    weights /= weights.sum()
    tiny = 1e-14  # of a variance, so that means of kernels differ by 1e-14
    mixed = GaussianMixture(np.full(8, 1 / 8), x, tiny), GaussianMixture(weights, y, tiny)
    clouds = Particles(x), Particles(y, weights)
    value = distance(*clouds).value
    for a, b in ((mixed[0], clouds[1]), (clouds[0], mixed[1]), mixed):
        # |Z| of a deviation of 1e-7 at the centre itself has the mean 1e-7
        assert distance(a, b).value == pytest.approx(value, rel=1e-6)
    assert distance(*mixed).stderr == 0 and distance(*mixed).null is None


@pytest.mark.parametrize("distance", ["energy", "mmd"], indirect=True)
@pytest.mark.parametrize("dim, shift", [(1, 0.0), (1, 1.0), (6, 0.0), (6, 1.0)])
def test_stderr_and_null_level_are_those_of_repeated_draws(distance, dim, shift):
    """The deviation of 40 values is known to 11 %, their mean to a seventh of it."""
    truth, moved = Gaussian(np.zeros(dim), 1.0), Gaussian(np.full(dim, shift / np.sqrt(dim)), 1.0)
    exact = distance(moved, truth).value
    for known in (True, False):
        found = []
        for seed in range(40):
            rng = np.random.default_rng(seed)
            cloud = Particles(moved.sample(60, rng))
            found.append(distance(cloud, truth if known else Particles(truth.sample(90, rng))))
        value, stderr, null = (np.array([getattr(one, name) for one in found]) for name in ("value", "stderr", "null"))
        assert 0.7 < value.std() / stderr.mean() < 1.4
        if shift == 0:
            assert abs(value.mean() - null.mean()) < 4 * value.std() / np.sqrt(40)
        else:
            assert value.mean() > 1.5 * null.mean()
        squares = value**2 - null**2  # the bias of the square, and null² lacks the variance of the root
        assert abs(squares.mean() - exact**2) < 4 * squares.std() / np.sqrt(40) + value.var()


def test_a_distance_of_clouds_has_no_bias_where_all_points_are_given(distance, rng):
    x = rng.standard_normal((50, 3))
    assert distance(Particles(x), Particles(x)).value == 0
    assert distance(Particles(x), Particles(x[::-1])).value < 1e-7  # the root of round-off


def test_draws_need_a_generator_and_one_point_is_refused(distance, rng):
    box = Uniform([0, 0], [1, 1])
    with pytest.raises(pf.NotAvailable, match="rng"):
        distance(Particles(np.zeros((3, 2))), box)
    assert "40 draws of Uniform" in distance(Particles(rng.random((3, 2))), box, rng=rng, n=40).how
    with pytest.raises(pf.NotAvailable, match="one point"):
        distance(Particles(np.zeros((1, 2))), Gaussian([0, 0], 1.0))
