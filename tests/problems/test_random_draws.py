"""The draws of the catalogue: their laws, and the published ones to the bit."""

import zlib

import numpy as np
import pytest
from scipy.stats import kstest

import pdeflow as pf
from pdeflow.problems.registry import rebuild


def test_uniform_draws_have_their_spectrum_and_a_haar_rotation():
    spectra, first, centers = [], [], []
    for seed in range(300):
        problem = pf.problems.ou(dim=3, seed=seed)
        values, basis = np.linalg.eigh(problem.energy.potential.matrix)
        spectra.extend(values)
        first.append((basis[0, 0]) ** 2)
        centers.extend(problem.energy.potential.center)
        assert problem.initial.mean().tolist() == [0, 0, 0] and np.array_equal(problem.initial.cov(), np.eye(3))
    assert min(spectra) >= 0.2 - 1e-12 and max(spectra) <= 3 + 1e-12
    # p > 1e-4 with fixed seeds: the draws are what they are said to be. On the sphere of R³ a squared coordinate z²
    # has P(z² < a) = √a
    assert kstest(spectra, "uniform", (0.2, 2.8)).pvalue > 1e-4
    assert kstest(first, lambda a: np.sqrt(a)).pvalue > 1e-4
    assert kstest(centers, "norm").pvalue > 1e-4
    same = [pf.problems.ou(dim=3, seed=5).energy.potential.matrix for _ in range(2)]
    assert np.array_equal(*same)


def test_mokrov_draws_follow_the_published_recipe():
    """Stationary covariance U(𝟏 + diag(u))Vᵀ, U S Vᵀ = svd(XᵀX): recomputed from the same stream, and by its
    properties."""
    for seed, d in ((0, 2), (3, 6), (8, 12)):
        problem = pf.problems.ou(dim=d, seed=seed, ensemble="mokrov")
        covariance = np.linalg.inv(problem.energy.potential.matrix)
        rng = np.random.default_rng(seed)
        x = rng.uniform(size=(d, d))
        u, _, vt = np.linalg.svd(np.dot(x.T, x))
        diagonal = rng.uniform(size=d)
        assert np.allclose(covariance, u @ (np.ones((d, d)) + np.diag(diagonal)) @ vt, rtol=1e-9, atol=1e-11)
        # U = V for a symmetric positive definite XᵀX, so the spectrum is that of 𝟏 + diag(u), whatever X
        assert np.allclose(np.linalg.eigvalsh(covariance), np.linalg.eigvalsh(1.0 + np.diag(diagonal)), rtol=1e-9)
        assert np.allclose(problem.exact(1e5).cov(), covariance, rtol=1e-8)
        assert np.array_equal(problem.energy.potential.center, rng.standard_normal(d))


@pytest.mark.parametrize(
    "dim, components, half_width, seed, words",
    [(2, 5, 5.0, 3, "venus@2@3pytorch"), (12, 10, 5.0, 4, "uran@12@4pytorch"), (32, 10, 3.0, 0, "earth@32pytorch")],
)
def test_published_mixtures_are_the_first_numbers_of_torch_after_the_published_seed(
    dim, components, half_width, seed, words
):
    torch = pytest.importorskip("torch")
    problem = pf.problems.mixture_target(dim, components, half_width, seed, ensemble="mokrov")
    drawn = torch.rand(components, dim, generator=torch.Generator().manual_seed(zlib.crc32(words.encode())))
    drawn = torch.tensor(-half_width) + drawn * torch.tensor(2 * half_width)
    assert np.array_equal(problem.energy.potential.mixture.means, drawn.numpy().astype(float))
    assert np.array_equal(problem.initial.cov(), 16 * np.eye(dim))
    assert np.array_equal(rebuild(problem.name, problem.params).energy.potential.mixture.means, drawn.numpy())
