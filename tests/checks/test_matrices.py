"""Matrices and operators: what is right passes, and a wrong entry is named."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import checks


def test_matrices():
    assert checks.symmetry(np.eye(3)) == 0
    assert checks.semidefinite([[1.0, 1.0], [1.0, 1.0]]) == pytest.approx(0, abs=1e-15)
    with pytest.raises(pf.BadInput, match=r"A\[0, 1\] = 2 but A\[1, 0\] = 1"):
        checks.symmetry([[1.0, 2.0], [1.0, 1.0]])
    with pytest.raises(pf.BadInput, match="smallest eigenvalue is -1"):
        checks.semidefinite([[1.0, 2.0], [2.0, 1.0]])
    for bad in (np.ones((2, 3)), np.ones(3), [[np.nan]], np.empty((0, 0))):
        with pytest.raises(pf.BadInput):
            checks.semidefinite(bad)


def test_adjoint(rng):
    a = rng.normal(size=(4, 7))
    assert checks.adjoint(lambda u: a @ u, lambda v: a.T @ v, (4, 7), rng) < 1e-14
    with pytest.raises(pf.BadInput, match="not that of forward"):
        checks.adjoint(lambda u: a @ u, lambda v: 2 * a.T @ v, (4, 7), rng)
    with pytest.raises(pf.BadInput, match="shape"):
        checks.adjoint(lambda u: a @ u, lambda v: a @ v[: a.shape[1]] if len(v) > 6 else v, (4, 7), rng)
