"""Rates between cells: the Bernoulli function, and the radius of a radial problem."""

from decimal import Decimal, localcontext

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid import ChangCooper
from pdeflow.grid.chang_cooper.rates import bernoulli, jump_weights
from pdeflow.laws import Chi


@pytest.mark.parametrize("w", [0.0, 1e-320, 1e-300, 1e-8, 9.9e-5, 1.01e-4, 0.3, 5.0, 699.0, 701.0, 1e4])
def test_bernoulli_function(w):
    with localcontext() as context:
        context.prec = 700  # e^w - 1 at w = 1e-320 loses 320 digits
        for sign in (1, -1):
            x = Decimal(w) * sign
            true = 1.0 if w == 0 else float(x / (x.exp() - 1))
            # round-off of expm1 and one division
            assert bernoulli(sign * w) == pytest.approx(true, rel=1e-15, abs=1e-300)


@pytest.mark.parametrize("dim", [2, 3, 10])
def test_the_gibbs_law_of_a_radius_is_left_as_it_is(dim):
    potential = pf.problems.mexican_hat(dim).structure.parts[0].energy.potential
    edges = np.linspace(0.0, 3.0, 121)
    values = potential.cell_values(edges, 0.5)
    up, down = jump_weights(potential, 0.5, edges, values)
    # ten roundings of numbers of size |V|/T
    assert np.log(up / down) == pytest.approx(-np.diff(values) / 0.5, abs=1e-13 * np.abs(values).max())
    assert np.all(up > 0) and np.all(np.isfinite(up / down))


@pytest.mark.parametrize("dim", [2, 3, 10, 100])
def test_radii_are_of_second_order_in_the_cells(dim):
    problem = pf.problems.radial([0.0, 0.5], dim)  # Ornstein-Uhlenbeck
    truth, errors = Chi(dim, np.sqrt(0.25 * np.exp(-2) - np.expm1(-2))), []
    for cells in (400, 800):
        law = pf.solve(problem, ChangCooper(cells=cells, time_order=2), dt=1 / 1024).final.radial_part()
        errors.append(np.abs(law.mass - np.diff(truth.cdf(law.axes[0]))).sum())
    # 5.8e-6 for 4,000 cells and dim = 100 (validation/batteries/lifts.py), 25 times that for 800; steps add 1 %
    assert errors[1] < 1.5e-4 and np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.05)


def test_flows_without_time_error_are_those_of_the_parts():
    line, scheme = pf.problems.double_well(horizon=0.5), ChangCooper(cells=200)
    whole = pf.problems.rotated(pf.problems.separable([line] * 3), 1)
    law, alone = (pf.grid.exponential(problem, scheme, [0.5]) for problem in (whole, line))
    base, _ = law.final.pushed_from()
    assert all(np.array_equal(one.mass, alone.final.mass) for one in base.laws)
    assert law.stats["error"] == 3 * alone.stats["error"]
    radius = pf.grid.exponential(pf.problems.radial([0.0, 0.5], 10), ChangCooper(cells=800)).final.radial_part()
    truth = Chi(10, np.sqrt(0.25 * np.exp(-2) - np.expm1(-2)))
    # 4.3e-7 for 4,000 cells (validation/batteries/lifts.py) and 25 times that for 800
    assert np.abs(radius.mass - np.diff(truth.cdf(radius.axes[0]))).sum() < 1.5e-5
