import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid.quantile_jko.proximal import kinks_in_reach, proximal_step
from pdeflow.grid.quantile_jko.terms import PotentialTerm

ABS = pf.potentials.FromFunction(lambda x: np.abs(x).sum(1), np.sign)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_the_soft_threshold(unit):
    y = unit * np.array([-3.0, -0.5, -0.0, 0.25, 0.7, 2.0])
    x, _ = proximal_step(ABS, y, 0.5 * unit, [0.0])
    np.testing.assert_allclose(x, unit * np.array([-2.5, 0, 0, 0, 0.2, 1.5]), atol=4e-16 * unit)


def test_a_smooth_potential_gives_implicit_euler():
    y = np.linspace(-2, 3, 11)
    quadratic = pf.potentials.Quadratic(2.0, 1.0)
    x, _ = proximal_step(quadratic, y, 0.25, [])
    np.testing.assert_allclose(x, (y + 0.5) / 1.5, atol=1e-15)


def test_a_step_without_end_is_refused():
    falling = pf.potentials.FromFunction(lambda x: -(x**2).sum(1), lambda x: -2 * x)
    with pytest.raises(pf.NotConverged, match="falls"):
        proximal_step(falling, np.array([0.5, 1.0]), 1.0, [])


def test_kinks_are_looked_for_as_far_as_a_step_goes():
    term, y = PotentialTerm(ABS, np.array([1.0])), np.array([1.0, 2.0])
    assert kinks_in_reach(term, y, 0.5) == []
    assert kinks_in_reach(term, y, 1.5) == pytest.approx([0.0], abs=1e-12)
