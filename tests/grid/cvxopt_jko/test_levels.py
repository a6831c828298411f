"""Half as many cells say where mass goes, and a band that lacks a pair is found out and widened."""

from dataclasses import replace

import numpy as np
import pytest
from cvxopt_jko_cases import JKO, PROBLEMS, one_step, stated

import pdeflow as pf
from pdeflow.grid.cvxopt_jko import solver
from pdeflow.grid.cvxopt_jko.levels import band_around, halved, spread_to
from pdeflow.grid.cvxopt_jko.pairs import Band
from pdeflow.grid.cvxopt_jko.program import Program
from pdeflow.grid.cvxopt_jko.solver import FULL, StepSolver


def program(n, problem=None, dt=0.1):
    problem = pf.problems.ou() if problem is None else problem
    method = JKO(cells=n)
    state = method.init(problem, None)
    grid = state.grid
    return Program(grid.centers, grid.width, dt, state.mass, grid.potential, grid.internal, grid.kernel)


@pytest.mark.parametrize("n", [10, 11])
def test_half_as_many_cells_hold_the_same_mass(n):
    fine = program(n)
    wide = halved(fine)
    assert len(wide.old) == (n + 1) // 2 and wide.width == 2 * fine.width
    assert wide.old.sum() == pytest.approx(1.0, abs=1e-14)
    assert wide.centers[0] == pytest.approx(fine.centers[:2].mean())
    assert wide.old[1] == fine.old[2] + fine.old[3] and wide.potential[1] == fine.potential[2:4].mean()
    assert np.diff(wide.centers) == pytest.approx(2 * fine.width)


def test_masses_of_wide_cells_spread_by_their_logarithm():
    fine = program(40)
    wide = halved(fine)
    q = np.exp(-0.3 * np.arange(20.0))
    # a pure exponential comes back as one, inside
    assert spread_to(fine, q)[1:-1] == pytest.approx(q[0] / 2 * np.exp(-0.15 * (np.arange(40) - 0.5))[1:-1], rel=1e-12)
    assert len(wide.old) == 20


def test_the_band_of_a_converged_step_follows_the_mass():
    fine = program(80, dt=0.25)
    wide = halved(fine)
    _, judged = StepSolver(wide, "structured", 1)._optimum(wide, None, FULL)
    band = band_around(fine, wide, judged)
    heavy = fine.mass > 1e-3
    x = fine.centers
    goal = x[np.minimum((band.first + band.end) // 2, 79)][heavy]
    # OU with T = 1 from N(2, 1/4): the exact step is affine, to mean 2/1.25 and the deviation of docs/math.md 4.1
    deviation = (0.5 + np.sqrt(0.25 + 4 * 0.25 * 1.25)) / (2 * 1.25)
    exact = 1.6 + (x[fine.moving][heavy] - 2) * deviation / 0.5
    assert np.abs(goal - exact).max() < 2.5 * fine.width
    assert np.median(band.end - band.first) <= 10


@pytest.mark.parametrize("name", ["linear", "power 2", "power 3", "entropy", "interaction"])
def test_a_band_gives_the_optimum_over_all_pairs(name):
    problem, dt, fields = PROBLEMS[name]
    reports = []
    for kkt in ("banded", "structured"):
        method, state = one_step(problem, dt, 110, kkt=kkt, **fields)
        reports.append(method.report(state))
    banded, full = reports
    assert banded["pairs"] < 0.5 * full["pairs"] or name == "interaction"  # where mass moves about by half the grid
    assert banded["left_out"] >= -1e-9 and banded["relative_gap"] <= 1e-7
    scale = max(abs(full["primal_objective"]), 0.1)
    assert abs(banded["primal_objective"] - full["primal_objective"]) <= 2e-8 * scale  # gaps of 1e-8 at most


def test_a_band_that_misses_the_mass_is_widened_until_nothing_is_left_out(monkeypatch):
    """From cells of their own alone, which would be a law that never moves."""
    problem, dt, _ = PROBLEMS["power 2"]
    _, right = one_step(problem, dt, 110)

    def stuck(fine, wide, judged):
        return Band(len(fine.old), fine.moving, fine.moving + 1)

    monkeypatch.setattr(solver, "band_around", stuck)
    _, state = one_step(problem, dt, 110)
    assert np.abs(state.mass - right.mass).max() < 1e-6
    monkeypatch.setattr(solver, "MOST_BANDS", 1)
    with pytest.raises(pf.NotConverged, match=r"after 1 bands a pair outside has the reduced cost"):
        one_step(problem, dt, 110)


def test_the_certificate_names_the_pair_that_is_missing():
    fine = program(30, stated(pf.Energy(pf.potentials.Quadratic(1.0)), pf.laws.Gaussian(2.0, 0.25)), dt=1.0)
    k = len(fine.mass)
    stuck = replace(fine, band=Band(30, fine.moving, fine.moving + 1))
    judged = stuck.certificate(np.ones(k), np.zeros(k))
    rows, columns, reduced = judged.wanted
    # V = x²/2, dt = 1: each cell wants the one nearest to half its place
    x = fine.centers
    assert np.abs(x[rows] - x[fine.moving[columns]] / 2).max() <= fine.width / 2 * (1 + 1e-9)
    move = (x[rows] - x[fine.moving[columns]]) ** 2 / 2 + (x[rows] ** 2 - x[fine.moving[columns]] ** 2) / 2
    assert reduced == pytest.approx(fine.mass[columns] * move, rel=1e-9)
    assert judged.left_out == reduced.min() < -1e-3
