"""The least-squares solve for θ': minimum norm, consistency, and the true residual."""

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow.neural.maps.parametric import Tangent
from pdeflow.neural.parameter_flow.projection import project

SOLVERS = ("dense", "lsmr", "minres")


class Matrix(Tangent):
    """A tangent space given by a matrix: (n, d, p)."""

    def __init__(self, matrix):
        self.matrix, self.size = torch.from_numpy(matrix), matrix.shape[2]
        self.value = torch.zeros(matrix.shape[:2], dtype=torch.float64)

    def apply(self, direction):
        return self.matrix @ direction

    def transpose(self, vectors):
        return torch.einsum("ndp,nd->p", self.matrix, vectors)

    def columns(self, part):
        return self.matrix[part].permute(2, 1, 0)


def case(condition, rank, rng, n=60, dim=2, p=12):
    """A matrix of that condition number and rank, and a force outside its range."""
    left, _ = np.linalg.qr(rng.standard_normal((n * dim, p)))
    right, _ = np.linalg.qr(rng.standard_normal((p, p)))
    values = np.where(np.arange(p) < rank, np.geomspace(1, 1 / condition, p), 0.0)
    return (left * values @ right).reshape(n, dim, p), rng.standard_normal((n, dim))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("condition, rank", [(10, 12), (1e4, 12), (1e3, 7), (1e8, 12), (1e8, 7)])
def test_the_reported_residual_is_the_true_one(solver, condition, rank, rng):
    matrix, force = case(condition, rank, rng)
    found = project(Matrix(matrix), torch.from_numpy(force), solver)
    flat, eta = matrix.reshape(-1, 12), found.eta.numpy()
    true = np.linalg.norm(flat.T @ (flat @ eta + force.ravel())) / np.linalg.norm(flat.T @ force.ravel())
    assert abs(found.residual - true) <= 0.1 * true + 1e-15
    np.testing.assert_allclose(found.error, np.sum((flat @ eta + force.ravel()) ** 2) / len(force), rtol=1e-10)
    np.testing.assert_allclose(found.moved, matrix @ eta, atol=1e-12)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("condition, rank", [(10, 12), (1e3, 12), (100, 7)])
def test_the_solution_is_that_of_least_norm(solver, condition, rank, rng):
    matrix, force = case(condition, rank, rng)
    found = project(Matrix(matrix), torch.from_numpy(force), solver)
    wanted = -np.linalg.lstsq(matrix.reshape(-1, 12), force.ravel(), rcond=1e-12)[0]
    # a residual of 1e-8 in the normal equations leaves condition² times that in the solution
    np.testing.assert_allclose(found.eta, wanted, atol=1e-8 * condition**2 * np.abs(wanted).max())
    if rank < 12 and solver == "dense":
        assert found.rank == rank
    if solver == "dense":
        kept = np.linalg.svd(matrix.reshape(-1, 12), compute_uv=False)[rank - 1] ** 2 / len(force)
        np.testing.assert_allclose(found.smallest, kept, rtol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
def test_damping_is_that_of_tikhonov(solver, rng):
    matrix, force = case(1e6, 9, rng)
    flat, n = matrix.reshape(-1, 12), len(force)
    wanted = -np.linalg.solve(flat.T @ flat / n + 1e-3 * np.eye(12), flat.T @ force.ravel() / n)
    found = project(Matrix(matrix), torch.from_numpy(force), solver, damping=1e-3)
    np.testing.assert_allclose(found.eta, wanted, atol=1e-6 * np.abs(wanted).max())
    assert found.residual < 1e-7


def test_a_solver_that_stops_early_is_told_by_the_true_residual(rng, monkeypatch):
    monkeypatch.setattr("pdeflow.neural.parameter_flow.projection.KRYLOV_ITERATIONS", 2)
    matrix, force = case(1e4, 12, rng)
    with pytest.raises(pf.NotConverged, match="true relative residual") as failure:
        project(Matrix(matrix), torch.from_numpy(force), "minres")
    assert failure.value.residual > 1e-3


def test_no_force_no_velocity():
    found = project(Matrix(np.ones((4, 1, 2))), torch.zeros(4, 1, dtype=torch.float64))
    assert not found.eta.any() and found.residual == 0 and found.error == 0
