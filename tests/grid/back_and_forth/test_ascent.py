"""The dual objective: its slope is what has not arrived, and its gap closes at the optimum, which it certifies."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow._core.compiled import crew
from pdeflow.grid.back_and_forth.ascent import Ascent, StepProblem, limited_slopes


def step_problem(shape=(24, 18), dt=0.05):
    h = tuple(4.0 / n for n in shape)
    x, y = (-2.0 + h[axis] * (np.arange(n) + 0.5) for axis, n in enumerate(shape))
    mass = np.exp(-((x[:, None] - 0.3) ** 2) / 0.5 - y**2 / 0.7)
    potential = 0.5 * (x[:, None] ** 2 + y**2)
    return StepProblem(mass / mass.sum(), potential, np.ones(shape, dtype=bool), pf.Entropy(0.5), h, dt)


@pytest.fixture
def ascent():
    with crew() as run:
        yield Ascent(step_problem(), run)


def test_the_slope_of_the_dual_is_what_arrives_less_what_is_wanted(ascent):
    phi = ascent.solve(1e-3, 200).at.phi
    direction = np.cos(np.arange(phi.size)).reshape(phi.shape)
    slope = float(np.sum((ascent.evaluate(phi).mass - ascent.evaluate(phi).wanted) * direction))
    step = 1e-5
    seen = (ascent.evaluate(phi + step * direction).dual - ascent.evaluate(phi - step * direction).dual) / (2 * step)
    assert seen == pytest.approx(slope, abs=1e-8)  # the dual is smooth: step² of its third derivative


def test_the_gap_is_certified_and_mass_arrives_whole(ascent):
    solved = ascent.solve(1e-8, 200)
    primal = solved.at.energy + solved.at.transport / (2 * ascent.problem.dt)
    assert 0 <= solved.gap <= 1e-8 * solved.at.size
    assert primal - solved.at.dual == pytest.approx(solved.gap, abs=1e-12)  # F + W²/(2dt) less the dual
    assert solved.at.sound and abs(solved.at.mass.sum() - 1) < 1e-14
    loose = ascent.solve(1e-3, 200)
    assert loose.at.dual <= solved.at.dual + 1e-14  # the ascent climbs


def test_slopes_are_limited():
    mass = np.array([[1.0], [2.0], [4.0], [3.0], [3.0], [0.0]])
    # harmonic means 2 · 1 · 2/(1 + 2) and 0 at the extremum, at the ends and beside what does not change
    np.testing.assert_allclose(limited_slopes(mass, 0)[:, 0], [0, 4 / 3, 0, 0, 0, 0])
    assert np.all(np.abs(limited_slopes(np.random.default_rng(0).random((30, 1)), 0)) <= 2)
