"""The stochastic gradient of E log det against the exact one."""

import numpy as np
import pytest
import torch
from neural.random_maps import random_map

import pdeflow as pf
from pdeflow.neural.icnn_jko.log_det import Exact, Stochastic, inverse_of

PROBES = 200


def gradient(move, x, log_det):
    """The gradient of the surrogate with regard to all trained arrays, as one vector."""
    named = move.mapped(lambda a: torch.tensor(a, requires_grad=True))
    arrays = list(named.parameter_groups().all().values())
    parts = torch.autograd.grad(log_det.surrogate(named.at(x)), arrays, allow_unused=True)
    return torch.cat([(0 * a if p is None else p).ravel() for p, a in zip(parts, arrays)]).detach().numpy()


@pytest.mark.parametrize("depth, rank, pieces, sharpness", [(1, 0, 1, 1.0), (2, 1, 1, 1.0), (2, 1, 3, 2.0)])
def test_exact_surrogate_has_the_gradient_of_the_log_determinant(depth, rank, pieces, sharpness):
    move = random_map(4, depth=depth, rank=rank, pieces=pieces, sharpness=sharpness)
    x = torch.tensor(np.random.default_rng(0).standard_normal((6, 4)))
    tensors = move.mapped(lambda a: torch.tensor(a, requires_grad=True))
    arrays = list(tensors.parameter_groups().all().values())
    truth = torch.autograd.grad(torch.logdet(tensors.at(x).hessian()).mean(), arrays, allow_unused=True)
    truth = torch.cat([(0 * a if g is None else g).ravel() for g, a in zip(truth, arrays)]).detach().numpy()
    np.testing.assert_allclose(gradient(move, x, Exact()), truth, rtol=1e-9, atol=1e-11 * np.abs(truth).max())


@pytest.mark.parametrize("depth, rank, pieces, sharpness", [(1, 0, 1, 1.0), (2, 1, 1, 1.0), (1, 0, 3, 2.0)])
def test_stochastic_gradient_is_unbiased_along_20_directions(depth, rank, pieces, sharpness):
    move = random_map(6, width=9, depth=depth, rank=rank, pieces=pieces, sharpness=sharpness)
    x = torch.tensor(np.random.default_rng(0).standard_normal((16, 6)))
    stochastic = Stochastic(torch.Generator().manual_seed(5), tolerance=1e-10)
    exact = gradient(move, x, Exact())
    draws = np.array([gradient(move, x, stochastic) for _ in range(PROBES)])
    directions = np.random.default_rng(1).standard_normal((20, len(exact)))
    along = draws @ directions.T
    error = along.mean(axis=0) - directions @ exact
    # 4 standard errors: 20 directions miss it by chance once in 800 runs, and the seed is fixed
    assert np.all(np.abs(error) <= 4 * along.std(axis=0, ddof=1) / np.sqrt(PROBES))
    assert np.all(along.std(axis=0) < 0.5 * np.abs(directions @ exact).max())  # and they say something
    assert stochastic.residual <= 1e-10


def test_no_variance_where_the_hessian_is_constant():
    move = random_map(5, strength=0.0)
    x = torch.tensor(np.random.default_rng(0).standard_normal((16, 5)))  # 16 points: whole Hadamard blocks of 8
    stochastic = gradient(move, x, Stochastic(torch.Generator().manual_seed(5), tolerance=1e-12))
    exact = gradient(move, x, Exact())
    part = slice(0, 25)  # of the root: the hidden part sees other curvatures at each point
    np.testing.assert_allclose(stochastic[part], exact[part], atol=1e-10)


def test_probes_are_rademacher():
    probes = [Stochastic(torch.Generator().manual_seed(s)).probes(torch.zeros(3, 3)).numpy() for s in range(2000)]
    probes = np.array(probes)
    assert set(np.unique(probes)) == {-1.0, 1.0}
    products = np.einsum("kni,knj->nij", probes, probes) / len(probes)
    assert np.abs(products - np.eye(3)).max() < 4.5 / np.sqrt(2000)  # 18 means of ±1: 4.5 standard errors


def test_solves_that_do_not_converge_and_indefinite_hessians_are_typed_errors():
    move = random_map(6).mapped(torch.as_tensor)
    x = torch.tensor(np.random.default_rng(0).standard_normal((16, 6)))
    with pytest.raises(pf.NotConverged, match="relative residual"):
        Stochastic(torch.Generator().manual_seed(0), tolerance=1e-12, most=1).surrogate(move.at(x))
    with pytest.raises(pf.Diverged, match=r"smallest eigenvalue -0\.5"):
        inverse_of(torch.diag_embed(torch.tensor([[1.0, 2.0], [1.0, -0.5]])))
