"""The proximal step in the Kullback-Leibler divergence: the residual of its equation."""

import numpy as np
import pytest

from pdeflow.energies.entropic_scaling import log_density

TERMS = [
    (),
    ((0.7, 1.0),),
    ((0.5, 2.0),),
    ((0.5, 0.5),),
    ((0.4, 1.0), (0.3, 3.0)),
    ((0.2, 1.5), (0.3, 3.0), (0.1, 1.0)),
]


@pytest.mark.parametrize("terms", TERMS)
def test_the_equation_holds_cell_by_cell(terms):
    log_q, potential, dt, eps = np.linspace(-40, 12, 53), np.linspace(-3, 3, 53), 0.3, 0.02
    s = log_density(log_q, potential, terms, dt, eps)
    slope = sum((c * (s + 1) if m == 1 else c * m / (m - 1) * np.exp((m - 1) * s) for c, m in terms), 0.0)
    stiff = eps + dt * sum((c if m == 1 else c * m * np.exp((m - 1) * s) for c, m in terms), 0.0)
    residual = eps * (s - log_q) + dt * (potential + slope)
    assert np.abs(residual / stiff).max() < 1e-11  # as an error of s, whose size is up to 40 and more


def test_empty_cells_and_obstacles_stay_empty():
    s = log_density(np.array([-np.inf, 0.0, 0.0]), np.array([0.0, np.inf, 0.0]), ((1.0, 1.0),), 0.1, 0.1)
    assert np.isneginf(s[:2]).all() and np.isfinite(s[2])
