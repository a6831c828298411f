"""The problems of the catalogue with an interaction."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import GridLaw, Quantiles
from pdeflow.problems.registry import rebuild


def test_total_mass_enters_through_both_coefficients():
    """∂tp = M ∇·(p∇W*p) + 0.1 M^(m-1) Δp^m: from the flow of ρ = Mp."""
    nine = pf.problems.aggregation_diffusion(mass=9.0)
    assert nine.energy.internal.coefficient == pytest.approx(0.1 * 81, rel=1e-15)
    assert nine.energy.interaction.strength == pytest.approx(9 / np.pi, rel=1e-15)
    assert nine.initial.low.tolist() == [-3, -3] and nine.dim == 2


def test_newtonian_takes_any_start_on_the_line():
    for law in (Quantiles([0.0, 1.0, 4.0], [0.0, 0.5, 1.0]), GridLaw(np.array([0.0, 1.0, 3.0]), [0.25, 0.75])):
        problem = pf.problems.newtonian_1d(law)
        assert problem.exact(0.5).mean()[0] == pytest.approx(law.mean()[0], rel=1e-13)
        with pytest.raises(pf.NotAvailable, match="data, not parameters"):
            rebuild(problem.name, problem.params)
