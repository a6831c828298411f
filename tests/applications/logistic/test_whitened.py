"""The posterior in the coordinates of Laplace's Gaussian: densities transform, laws come back, the well is round."""

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow import checks
from pdeflow.applications.logistic import Posterior, laplace, whitened


@pytest.fixture
def posterior(rng):
    features = rng.normal(size=(60, 2)) * [3.0, 0.2]
    return Posterior(features, np.where(features @ [0.4, 2.0] + rng.logistic(size=60) > 0, 1.0, -1.0))


def test_the_well_is_round_at_the_mode(posterior):
    potential, h = whitened(posterior), 1e-5
    assert np.max(np.abs(potential.grad(np.zeros((1, 3))))) < 1e-6  # the mode: laplace stops there
    apart = [potential.grad(h * axis[None])[0] - potential.grad(-h * axis[None])[0] for axis in np.eye(3)]
    assert np.allclose(np.array(apart) / (2 * h), np.eye(3), atol=1e-6)  # the Hessian, to differences of second order


def test_values_and_gradients_are_those_of_the_posterior_there(posterior, rng):
    potential, z = whitened(posterior), rng.normal(size=(5, 3))
    x = potential.to_user(z)
    assert np.array_equal(potential.value(z), posterior.value(x))
    assert checks.gradient(potential, z, tolerance=1e-7) < 1e-7  # sixth-order differences
    assert np.allclose(potential.value(torch.as_tensor(z)).numpy(), potential.value(z), rtol=1e-13)


def test_laws_go_there_and_come_back(posterior, rng):
    potential, law = whitened(posterior), laplace(posterior)
    start = potential.problem(law).initial
    assert np.allclose(start.mean(), 0, atol=1e-12)
    assert np.allclose(start.cov(), np.eye(3), atol=1e-12)
    there = potential.problem(potential.back(start)).initial  # images of images: one list of maps
    back = potential.back(there)
    assert len(back.maps) == 4
    x = law.sample(20, rng)
    assert np.allclose(back.log_density(x), law.log_density(x), rtol=1e-10)


def test_what_is_no_posterior_and_no_law_is_refused(posterior):
    with pytest.raises(pf.BadInput, match=r"must be a logistic\.Posterior"):
        whitened(posterior.problem())
    with pytest.raises(pf.BadInput, match=r"A law is wanted and .* \(Problem\) is given"):
        whitened(posterior).problem(posterior.problem())
    with pytest.raises(pf.BadInput, match="A law is wanted"):
        whitened(posterior).back("law")  # pyright: ignore[reportArgumentType]
