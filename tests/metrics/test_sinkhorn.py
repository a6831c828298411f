"""The Sinkhorn divergence."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Gaussian, Particles, Uniform
from pdeflow.metrics import sinkhorn_divergence, w2

A = Gaussian([0.3, -0.2], [[0.8, 0.2], [0.2, 0.5]])
B = Gaussian([0.0, 0.4], [[1.5, -0.3], [-0.3, 0.7]])


def nodes_of(law, count):
    """Gauss-Hermite nodes and weights: the potentials of Gaussians are smooth, so that 40 of them are the law."""
    z, weights = np.polynomial.hermite_e.hermegauss(count)
    weights = np.prod(np.meshgrid(*[weights] * law.dim), axis=0).ravel()
    points = np.stack(np.meshgrid(*[z] * law.dim), axis=-1).reshape(-1, law.dim) @ law.root().T + law.mean()
    keep = weights > 1e-17 * weights.sum()
    return Particles(points[keep], weights[keep] / weights[keep].sum())


@pytest.mark.parametrize("a, b, count", [(Gaussian(0.5, 0.4), Gaussian(0.0, 1.0), 40), (A, B, 22)])
@pytest.mark.parametrize("epsilon", [2.0, 30.0])
def test_closed_form_between_gaussians_by_quadrature(a, b, count, epsilon):
    discrete = sinkhorn_divergence(nodes_of(a, count), nodes_of(b, count), regularisation=epsilon, n=2000)
    exact = sinkhorn_divergence(a, b, regularisation=epsilon)
    assert exact.stderr == 0 and "closed form" in exact.how
    # the discrete costs are certified to 1e-7 of S; 22 nodes an axis know smooth functions of the plane to 1e-8
    assert discrete.value**2 == pytest.approx(exact.value**2, rel=3e-7)


def test_the_limits_are_w2_and_the_distance_of_the_means():
    assert sinkhorn_divergence(A, B, regularisation=1e-5).value == pytest.approx(w2(A, B).value, rel=1e-4)
    shift = np.linalg.norm(A.mean() - B.mean())
    assert sinkhorn_divergence(A, B, regularisation=1e6).value == pytest.approx(shift, rel=1e-5)
    for epsilon in (0.01, 1.0, 100.0):  # a shift is seen whole, whatever the regularisation
        moved = Gaussian([3.0, 4.0], A.cov())
        value = sinkhorn_divergence(moved, Gaussian([0.0, 0.0], A.cov()), regularisation=epsilon).value
        assert value == pytest.approx(5.0, rel=1e-12)


@pytest.mark.parametrize("dim", [1, 8])
def test_stderr_and_null_level_are_those_of_repeated_draws(dim):
    truth, moved = Gaussian(np.zeros(dim), 1.0), Gaussian(np.full(dim, 1.5 / np.sqrt(dim)), 1.0)
    for law in (truth, moved):
        found = []
        for seed in range(12):
            rng = np.random.default_rng(seed)
            clouds = Particles(law.sample(30, rng)), truth
            found.append(sinkhorn_divergence(*clouds, rng=rng, n=30, null_draws=1, regularisation=dim / 2))
        value, stderr, null = (np.array([getattr(one, name) for one in found]) for name in ("value", "stderr", "null"))
        assert (
            0.45 < value.std() / stderr.mean() < 1.4
        )  # 12 values know a deviation to 20 %; too large at the null level
        if law is truth:
            assert abs(value.mean() - null.mean()) < 4 * np.hypot(value.std(), null.std()) / np.sqrt(12)
        else:
            assert value.mean() > 1.2 * null.mean()


@pytest.mark.parametrize("dim", [2, 20])
def test_the_null_level_of_clouds_comes_from_parting_them_at_random_and_needs_a_generator(dim, rng):
    """In 20 dimensions S falls slower than 1/n: halves of a cloud, scaled, would be a tenth too low."""
    law, found = Gaussian(np.zeros(dim), 1.0), []
    for _ in range(8):
        clouds = [Particles(law.sample(n, rng)) for n in (40, 60)]
        one = sinkhorn_divergence(*clouds, rng=rng, null_draws=1, regularisation=dim / 2)
        found.append([one.value, one.null])
    value, null = np.array(found).T
    assert abs(value.mean() - null.mean()) < 4 * np.hypot(value.std(), null.std()) / np.sqrt(8)
    assert abs(value.mean() - null.mean()) < (0.05 if dim == 20 else 1.0) * value.mean()
    assert sinkhorn_divergence(*clouds).null is None
    assert sinkhorn_divergence(*clouds, rng=rng, null_draws=0).null is None


def test_a_cloud_and_its_copy_are_at_distance_zero_and_big_clouds_are_thinned(rng):
    x = rng.standard_normal((60, 3))
    assert sinkhorn_divergence(Particles(x), Particles(x[::-1])).value < 1e-4  # the root of the certified 1e-9 ε
    with pytest.raises(pf.NotAvailable, match="rng= to thin"):
        sinkhorn_divergence(Particles(x), Particles(x), n=50)
    assert "50 of 60 points" in sinkhorn_divergence(Particles(x), Particles(x), rng=rng, n=50).how
    with pytest.raises(pf.NotAvailable, match="rng"):
        sinkhorn_divergence(Particles(x), Uniform([0, 0, 0], [1, 1, 1]))
    with pytest.raises(pf.BadInput, match="regularisation"):
        sinkhorn_divergence(Particles(x), Particles(x), regularisation=0)
