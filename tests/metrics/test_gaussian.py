"""Closed forms between Gaussians."""

import numpy as np
import pytest

from pdeflow import metrics
from pdeflow.laws import (
    Gaussian,
    Particles,
    Ring,
    Semicircle,
)


def distance(a, b):
    return metrics.w2(a, b).value


def test_bures_does_not_cancel(rng):
    for dim in (1, 3, 10):
        root = rng.standard_normal((dim, dim))
        law = Gaussian(rng.standard_normal(dim), root @ root.T + 0.1 * np.eye(dim))
        assert distance(law, law) <= 1e-13 and metrics.bures(law, law).value <= 1e-13
        # Σ -> (1+e)²Σ moves by e √tr Σ
        near = Gaussian(law.mean(), (1 + 1e-7) ** 2 * law.cov())
        assert distance(law, near) == pytest.approx(1e-7 * np.sqrt(np.trace(law.cov())), rel=1e-6)
    flat = Particles(
        np.outer(np.arange(5.0), [1, 2, 3])
    )  # rank one: the root of a round-off eigenvalue is not round-off
    assert metrics.bures(flat, flat).value <= 1e-12
    # rank one against rank one turned: tr + tr - 2|u·v|
    a, b = Particles([[1.0, 0], [-1, 0]]), Particles([[0.6, 0.8], [-0.6, -0.8]])
    assert metrics.bures(a, b).value == pytest.approx(np.sqrt(2 - 2 * 0.6), rel=1e-12)


def test_bures_takes_any_law_with_two_moments():
    ring, gaussian = Ring(2.0, (1.0, 0.0)), Gaussian([1, 0], 2.0)
    assert metrics.bures(ring, gaussian).value <= 1e-14
    assert metrics.bures(Semicircle(2.0), Gaussian(3, 1)).value == pytest.approx(3, rel=1e-14)
