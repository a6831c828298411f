"""The JKO sequences of products, rotations and radial problems, against closed forms and against each other."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import exact_sequences
from pdeflow.grid import QuantileJKO
from pdeflow.problems import double_well, mexican_hat, ou, radial, rotated, separable

TURN = np.array([[0.6, -0.8], [0.8, 0.6]])
WELL = double_well(temperature=1.0, horizon=0.25)


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    monkeypatch.setattr(exact_sequences, "POINTS", (401, 201))


def test_closed_sequences_stay_closed():
    problem = rotated(ou(3, seed=1), 2)
    assert pf.jko_sequence(problem, dt=0.25).final == pf.exact_jko(problem, dt=0.25).final
    with pytest.raises(pf.NotAvailable, match="no closed form"):
        pf.jko_sequence(WELL, dt=0.125)


def test_a_radial_sequence_is_the_closed_one():
    problem = radial([0.0, 0.5], 10)
    closed = pf.exact_jko(problem, dt=0.25)
    solved = exact_sequences._joined(problem, 0.25, None, 401)
    # measured 1.9e-5 for 400 points, of second order
    assert pf.metrics.w2(solved.final, closed.final).value < 4e-5


def test_a_product_takes_closed_parts_as_they_are_and_solves_the_others():
    problem = rotated(separable([ou(1, horizon=0.25), WELL]), TURN)
    flow = pf.jko_sequence(problem, dt=0.125, times=[0.0, 0.125, 0.25])
    base, _ = flow.final.pushed_from()
    assert base.laws[0] == pf.exact_jko(ou(1, horizon=0.25), dt=0.125).final
    alone = pf.solve(WELL, QuantileJKO(points=401), dt=0.125)
    assert np.array_equal(base.laws[1].q, alone.final.q)
    coarser = flow.stats["coarser"]
    assert 0 < pf.metrics.w2(flow.final, coarser.final).value < 1e-3 and flow.stats["steps"] == 2


def test_a_study_splits_the_error_of_a_product_and_of_a_radius():
    truth = pf.finer(pf.grid.ChangCooper(cells=800, time_order=2), dt=1 / 256)
    problems = [rotated(separable([WELL, ou(1, horizon=0.25)]), TURN), mexican_hat(3, temperature=2.0, horizon=0.25)]
    study = pf.Study(
        problems, {"jko": QuantileJKO(points=101)}, {"dt": [0.25, 0.125]}, {"w2": pf.metrics.w2}, against=truth
    )
    for row in study.run(progress=False).rows:
        assert row["status"] == "ok" and row["time_error"] == pytest.approx(row["error"], rel=0.1)


def test_overridden_steps_have_no_sequence_of_jko():
    class Other(QuantileJKO):
        def step(self, problem, state, dt, rng):
            return super().step(problem, state, dt / 2, rng)

    truth = pf.finer(pf.grid.ChangCooper(cells=200), dt=1 / 64)
    problem = mexican_hat(3, horizon=0.25)
    study = pf.Study([problem], {"mine": Other(points=51)}, {"dt": [0.25]}, {"w2": pf.metrics.w2}, against=truth)
    assert np.isnan(study.run(progress=False).rows[0]["time_error"])
    assert not QuantileJKO(time_order=2).takes_jko_steps(problem) and QuantileJKO().takes_jko_steps(problem)
