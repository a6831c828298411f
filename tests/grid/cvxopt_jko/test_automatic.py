"""CvxoptJKO(cells="auto"): as many cells as a step needs, and a run that does not lock."""

import numpy as np
import pytest
from cvxopt_jko_cases import JKO

import pdeflow as pf
from pdeflow.grid.cvxopt_jko import scheme


def test_without_dt_there_is_no_automatic_number():
    with pytest.raises(pf.BadInput, match=r"was not told dt.*pass a number of cells"):
        JKO().init(pf.problems.ou(), None)
    with pytest.raises(pf.BadInput, match="cells"):
        JKO(cells="automatic")


@pytest.mark.parametrize("dt", [1 / 4, 1 / 8])
def test_the_error_against_the_equation_is_that_of_the_exact_jko_sequence(dt):
    problem = pf.problems.porous_medium(1, 2.0, 0.2, 1.0)
    run = pf.solve(problem, JKO(), dt=dt)
    truth = pf.exact(problem).final
    error, exact = (pf.metrics.w2(law, truth).value for law in (run.final, pf.exact_jko(problem, dt=dt).final))
    assert abs(error / exact - 1) < 0.02  # 0.04 % and -0.8 %; 300 cells exceed it by 13 % at dt = 1/8
    cells = [row["cells"] for row in run.history]
    assert cells == sorted(cells) and cells[-1] > cells[0]  # the law slows down
    assert all(row["left_out"] >= -1e-9 for row in run.history)


def test_more_cells_for_shorter_steps():
    problem = pf.problems.porous_medium(1, 2.0, 0.2, 1.0)
    cells = [len(JKO().init(problem, None, dt=dt).mass) for dt in (1 / 4, 1 / 8, 1 / 16)]
    # 254, 429, 852: a long implicit step moves mass by less than dt v; 16 steps want 9.2 cells a step and not 8
    assert cells[1] > 1.6 * cells[0] and cells[2] > 1.9 * cells[1]


def test_cells_of_half_the_width_hold_the_same_law():
    problem = pf.problems.ou()
    method = JKO(cells=40)
    state = method.init(problem, None)
    finer = scheme.halved_cells(problem, state)
    before, after = method.law(state), method.law(finer)
    x = np.linspace(-3, 4, 50)
    assert len(finer.mass) == 80 and np.allclose(before.cdf(x), after.cdf(x), atol=1e-14)
    assert finer.grid.potential == pytest.approx(method.init(problem, None).grid.potential.repeat(2), abs=2.0)
    assert np.array_equal(finer.grid.potential, JKO(cells=80).init(problem, None).grid.potential)


def test_a_narrow_start_gets_cells_that_hold_it():
    problem = pf.problems.ou(initial=pf.laws.Gaussian(0.0, 1e-3))
    state = JKO().init(problem, None, dt=0.25)
    assert (state.mass > 0.01).sum() >= 3  # the deviation is 0.03, the domain 15 wide
    few = JKO(cells=41)  # all of it in one cell
    with pytest.raises(pf.BadInput, match="too narrow"):
        few.init(problem, None)


def test_a_law_at_rest_needs_no_cells_without_end():
    problem = pf.problems.ou(initial=pf.laws.Gaussian(0.0, 1.0), horizon=1.0)
    run = pf.solve(problem, JKO(cells="auto", lower=-8.0, upper=8.0), dt=1.0)
    assert run.history[-1]["cells"] <= 1024  # 512: cells of 1/32, a law of deviation 1 and one step
    assert pf.metrics.w2(run.final, problem.initial).value < 0.02
