"""A method on the parts of a problem: what it gives is what it gives for the whole."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.by_parts import ByParts, by_parts
from pdeflow.grid import ChangCooper

LINE = pf.problems.double_well(horizon=0.5)
TURN = np.array([[0.6, -0.8], [0.8, 0.6]])


class Own:
    """A user's own method on the line, which says that parts may be solved by it."""

    treats_parts = True

    def init(self, problem, rng, *, dt):
        return np.array([problem.initial.mean()[0], dt])

    def step(self, problem, state, dt, rng, *, time):
        slope = problem.energy.potential.grad(state[:1, None])[0, 0]
        return np.array([state[0] - dt * slope + 0 * time, state[1]])

    def law(self, state):
        return pf.laws.Gaussian(state[0], 1.0)


def test_rotated_products_run_each_different_part_once():
    tang = pf.problems.styblinski_tang(1, temperature=0.5, horizon=0.5)
    whole = pf.problems.rotated(pf.problems.separable([LINE, tang, LINE]), 4)
    scheme = ChangCooper(cells=100)
    run = pf.solve(whole, scheme, dt=1 / 8, times=[0.0, 0.25, 0.5])
    lines = [pf.solve(part, scheme, dt=1 / 8, times=[0.0, 0.25, 0.5]) for part in (LINE, tang)]
    for law, well, other in zip(run.laws, lines[0].laws, lines[1].laws):
        base, maps = law.pushed_from()
        assert [one.mass.tolist() for one in base.laws] == [one.mass.tolist() for one in (well, other, well)]
        assert maps[0].matrix @ maps[0].matrix.T == pytest.approx(np.eye(3), abs=1e-14)
    assert len(run.history[-1]["parts"]) == 2 and run.history[-1]["parts"][0]["tail_mass"] >= 0


def test_without_the_structure_it_is_an_ordinary_problem():
    whole = pf.problems.rotated(pf.problems.separable([LINE, LINE]), TURN)
    plain = pf.Problem(whole.energy, whole.initial, whole.horizon)
    assert plain.structure is None and by_parts(plain, ChangCooper()) == ChangCooper()
    assert isinstance(by_parts(whole, ChangCooper()), ByParts)
    assert by_parts(whole, pf.particle.EulerMaruyama()) == pf.particle.EulerMaruyama()


def test_a_users_method_is_lifted_by_the_same_door_with_its_keywords():
    whole = pf.problems.rotated(pf.problems.separable([LINE, LINE]), TURN)
    seen = []
    run = pf.solve(whole, Own(), dt=1 / 8, on_step=lambda step, time, law: seen.append(law.mean()))
    alone = pf.solve(LINE, Own(), dt=1 / 8).final.mean()[0]
    assert run.final.mean() == pytest.approx(TURN @ [alone, alone], abs=1e-14) and len(seen) == 4

    class Refuses(Own):
        treats_parts = False

    with pytest.raises(ValueError):  # it meets points of the plane
        pf.solve(whole, Refuses(), dt=1 / 8)


def test_a_start_that_is_not_made_of_parts_is_refused():
    lost = replace(pf.problems.mexican_hat(4), initial=pf.laws.Gaussian([0.0, 1.0, 0.0, 0.0], 1.0))
    with pytest.raises(pf.Unsupported, match="dim 4"):
        pf.solve(lost, ChangCooper(cells=50), dt=0.1)
    with pytest.raises(pf.Unsupported, match="not made of starts"):
        ByParts(ChangCooper(cells=50)).init(lost, None)


def test_a_study_measures_floors_on_the_parts():
    problem = pf.problems.rotated(pf.problems.separable([pf.problems.ou(1, horizon=0.5)] * 2), TURN)
    study = pf.Study(
        [problem], {"cc": ChangCooper(cells=200)}, {"dt": [0.25, 0.125]}, {"w2": pf.metrics.w2, "kl": pf.metrics.kl}
    )
    rows = study.run(progress=False).rows
    assert all(row["status"] == "ok" and row["floor"] >= 0 for row in rows)
    # two coordinates: √2 times the floor of one, half a cell of 1/20
    assert max(row["floor"] for row in rows if row["metric"] == "w2") < 0.05


def test_jko_on_a_grid_runs_on_the_radius_too():
    problem = pf.problems.radial([0.0, 0.5], 3, horizon=0.125)
    closed = pf.exact_jko(problem, dt=0.125).final
    gaps = [
        pf.metrics.w2(pf.solve(problem, pf.grid.CvxoptJKO(cells=cells), dt=0.125).final, closed).value
        for cells in (30, 60)
    ]
    # measured 2.8e-2 and 5.3e-3: few cells lock, see docs/math.md 6.1
    assert gaps[1] < gaps[0] / 2 and gaps[1] < 0.03
