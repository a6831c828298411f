"""The posterior with weights in units of their prior spread: densities transform, laws come back, the prior is tame."""

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow import checks
from pdeflow.applications.logistic import Posterior, Scaled, laplace, seen_weights


@pytest.fixture
def scaled(rng):
    features = rng.normal(size=(60, 2)) * [3.0, 0.2]
    return Scaled(Posterior(features, np.where(features @ [0.4, 2.0] > 0, 1.0, -1.0), rate=0.3, shape=1.7))


def test_values_are_the_formula_and_gradients_theirs(scaled, rng):
    x, of = rng.normal(size=(5, 3)), scaled.posterior
    u, eta = x[:, :2], x[:, 2]
    margins = np.exp(-eta / 2)[:, None] * (u @ (of.labels[:, None] * of.features).T)
    by_hand = np.log1p(np.exp(-margins)).sum(axis=1) + (u**2).sum(axis=1) / 2 - 1.7 * eta + 0.3 * np.exp(eta)
    assert np.allclose(scaled.value(x), by_hand, rtol=1e-12)
    assert checks.gradient(scaled, x, tolerance=1e-7) < 1e-7  # sixth-order differences
    assert np.allclose(scaled.value(torch.as_tensor(x)).numpy(), by_hand, rtol=1e-12)


def test_the_prior_is_a_standard_normal_law_beside_that_of_the_precision(scaled, rng):
    start, x = scaled.problem().initial, rng.normal(size=(5, 3))
    eta = x[:, 2]
    of_eta = 1.7 * eta - 0.3 * np.exp(eta)  # log density of log α, but for a constant
    apart = start.log_density(x) - of_eta + (x[:, :2] ** 2).sum(axis=1) / 2
    assert np.ptp(apart) < 1e-12 * np.abs(apart).max() * 10  # round-off of the terms that cancel
    assert np.all(np.abs(start.sample(4000, rng)[:, :2]) < 5.5)  # one of 3,000 such samples misses it; Student's t do


def test_laws_go_there_and_come_back(scaled, rng):
    law = laplace(scaled.posterior)
    back, x = scaled.back(scaled.problem(law).initial), law.sample(20, rng)
    assert len(back.maps) == 2
    assert np.allclose(back.log_density(x), law.log_density(x), rtol=1e-10)


def test_a_posterior_taken_apart_is_refused_and_its_part_is_taken(scaled):
    apart = seen_weights(scaled.posterior)
    with pytest.raises(pf.BadInput, match="the field `posterior` of what seen_weights has returned"):
        Scaled(apart)  # pyright: ignore[reportArgumentType]
    assert Scaled(apart.posterior).dim == 3
