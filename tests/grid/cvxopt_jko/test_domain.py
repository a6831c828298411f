"""The grid of the program: ends, and kernels averaged over cells."""

import numpy as np
import pytest
from cvxopt_jko_cases import JKO, stated

import pdeflow as pf
from pdeflow.grid.cvxopt_jko.domain import kernel_matrix


def test_kernel_matrix_gives_the_energy_of_the_grid_law():
    n = 16
    matrix, linear, constant = kernel_matrix(pf.interactions.PowerLaw(2.0, 1.0), n, 2 / n)
    q = np.full(n, 1 / n)
    # reference_numbers.json: E_uniform_1d = -1/6, W = x²/2 - |x| on [-1, 1]; the cell means are exact
    assert 0.5 * q @ matrix @ q + linear @ q + constant == pytest.approx(-1 / 6, abs=1e-12)
    assert np.linalg.eigvalsh(matrix)[0] > -1e-12
    skew = np.arange(1.0, n + 1) / np.arange(1.0, n + 1).sum()
    law = pf.laws.GridLaw(np.linspace(-1, 1, n + 1), skew)
    values = law.quantile((np.arange(20000) + 0.5) / 20000)
    mean_distance = 2 * np.mean((2 * (np.arange(20000) + 0.5) / 20000 - 1) * values)
    exact = 0.5 * (law.cov()[0, 0] - mean_distance)
    assert 0.5 * skew @ matrix @ skew + linear @ skew + constant == pytest.approx(
        exact, abs=1e-8
    )  # midpoint rule in the level


def test_mass_that_piles_up_at_the_end_is_an_error():
    problem = pf.problems.porous_medium(1, 2.0, 0.002, 0.1)
    method = JKO(cells=30, lower=-0.3, upper=0.3)  # holds the start (radius 0.26), not what follows
    with pytest.raises(pf.BadInput, match="end cells hold"):
        pf.solve(problem, method, dt=0.02, times=[0.1])


def test_automatic_domain_holds_the_profile_at_the_horizon():
    problem = pf.problems.porous_medium(1, 2.0, 0.002, 0.5)
    state = JKO(cells=50).init(problem, None)
    radius = problem.exact(0.5).radius
    assert radius < state.grid.edges[-1] < 2 * radius and state.grid.edges[0] == pytest.approx(
        -state.grid.edges[-1], rel=1e-12
    )
    assert state.grid.tail_mass == 0.0


def test_automatic_domain_holds_a_well_that_the_stationary_law_leaves_empty():
    # at temperature 0.05 the right well holds less than 1e-13 in the end, but all that starts right of 0.157 runs
    # there first
    problem = stated(pf.Energy(pf.potentials.StyblinskiTang(1), pf.Entropy(0.05)), pf.laws.Uniform(-1.0, 0.5), 1.5)
    state = JKO(cells=30).init(problem, None)
    assert state.grid.edges[-1] > 2.7468  # docs/math.md 8.3: the right minimum
    assert sum(JKO(cells=30).step(problem, state, 0.5, None).facts["edge_mass"]) < 1e-9
