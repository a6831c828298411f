"""Steps on the line against EntropicJKO, and what they report."""

import numpy as np
import pytest

pytest.importorskip("torch")

import pdeflow as pf
from pdeflow.neural import DualJKO


def test_it_is_entropic_jko_where_the_law_is_no_gaussian():
    well = pf.problems.double_well(horizon=0.1)
    ours = pf.solve(well, DualJKO(regularisation=0.01, bumps=30), dt=0.05).final
    grid = pf.solve(well, pf.grid.EntropicJKO(cells=800, regularisation=0.01), dt=0.05).final
    # 1e-5 with 1,500 cells: the square of the cells; the effect of the step itself is 0.3
    assert pf.metrics.l1(ours, grid).value < 5e-5
    assert pf.metrics.l1(pf.solve(well, DualJKO(regularisation=0.02, bumps=30), dt=0.05).final, grid).value > 1e-3


def test_the_marginal_error_is_what_the_basis_lacks():
    well = pf.problems.double_well(horizon=0.1)
    errors = {}
    for bumps in (0, 12, 30):
        method = DualJKO(regularisation=0.01, bumps=bumps)
        state = method.init(well, np.random.default_rng(0))
        state = method.step(well, state, 0.1, np.random.default_rng(0))
        errors[bumps] = method.report(state)["marginal_error"]
    # measured: 0.103 for quadratics, 1.9e-6 and 1.7e-9
    assert errors[0] > 0.05 and 1e-4 > errors[12] > 10 * errors[30]


@pytest.mark.parametrize("regularisation", [1e-2, 1e-3, 1e-5])
def test_the_marginal_error_is_0_where_the_basis_holds_the_step(regularisation):
    """Also for kernels narrower than the nodes of the start are apart, and where no two points share their targets."""
    problem, method, rng = pf.problems.ou(), DualJKO(regularisation=regularisation, bumps=0), np.random.default_rng(0)
    state = method.step(problem, method.init(problem, rng), 0.1, rng)
    assert method.report(state)["marginal_error"] < 1e-10  # round-off of κ f


def test_the_box_follows_a_law_that_moves_far():
    """The mean moves from 40 to 40/1.5 in a step, some 20 deviations: the first box does not hold the new law."""
    problem = pf.problems.ou(initial=pf.laws.Gaussian(40.0, 0.25))
    method = DualJKO(bumps=0)
    law = pf.solve(problem, method, dt=0.5, times=[0.5]).final
    closed = method.exact_sequence(problem, dt=0.5, times=[0.5]).final
    assert law.mean()[0] == pytest.approx(closed.mean()[0], abs=1e-9)  # round-off of κ = 500
