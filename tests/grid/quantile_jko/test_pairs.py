"""Pair energies of densities that are constant on cells."""

import numpy as np
import pytest

from pdeflow.grid.quantile_jko.pairs import pair_derivatives, pair_value


@pytest.mark.parametrize("p", [-0.5, 0.0, 0.5, 1.5])
def test_pair_energy_of_the_uniform_law(p):
    # E|x-y|^p = 2/((p+1)(p+2)) and E log|x-y| = -3/2 on [0, 1]; only distant pairs are quadrature
    exact = -0.75 if p == 0 else 1 / (p * (p + 1) * (p + 2))
    for n, tolerance in ((1, 1e-14), (2, 1e-14), (20, 5e-5)):
        x = np.linspace(0, 1, n + 1)
        assert pair_value(x, np.full(n, 1 / n), p) == pytest.approx(exact, rel=tolerance)
    gradient, hessian = pair_derivatives(x, np.full(n, 1 / n), p)
    assert np.sum(gradient) == pytest.approx(0, abs=1e-13)  # a translation costs nothing
    np.testing.assert_allclose(hessian @ np.ones(n + 1), 0, atol=1e-11 * np.max(np.abs(hessian)))
