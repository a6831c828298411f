"""Methods of the plane on one problem whose law is no product: mass, sign, energy, order, equilibrium, metrics."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import checks
from pdeflow.laws import Gaussian, GridLaw

MATRIX = np.array([[2.0, 0.7], [0.7, 1.0]])
START = Gaussian([0.8, 0.4], 0.3 * np.eye(2))
OU = pf.problems.ou(dim=2, matrix=MATRIX, temperature=0.5, initial=START)
ENDS = {"lower": (-3.0, -4.0), "upper": (3.0, 4.0)}
METHODS = {
    "chang-cooper": pf.grid.ChangCooper(cells=64, **ENDS),
    "chang-cooper-2": pf.grid.ChangCooper(cells=64, time_order=2, **ENDS),
}
every = pytest.mark.parametrize("name", METHODS)


@pytest.fixture(scope="module")
def runs():
    return {name: pf.solve(OU, method, dt=1 / 16, times=[0.0, 0.25, 0.5]) for name, method in METHODS.items()}


@every
def test_mass_sign_and_energy(runs, name):
    # 1e-13 is round-off of sums over some thousand cells
    assert checks.mass(runs[name], tolerance=1e-12) <= 1e-12
    assert runs[name].final.min_mass >= (0 if name == "chang-cooper" else -1e-12)
    assert checks.energy_decay(OU, runs[name]) < -0.05


@every
def test_laws_are_near_the_exact_ones_in_every_metric(runs, name):
    law, truth = runs[name].final, OU.exact(0.5)
    # the first order in time leaves a twentieth at dt = 1/16, the square of the cell 1e-3
    size = {"chang-cooper": 0.06, "chang-cooper-2": 8e-3}[name]
    assert pf.metrics.l1(law, truth).value < size
    assert pf.metrics.l2(law, truth).value < size
    assert 0 < pf.metrics.kl(law, truth).value < size**2
    assert pf.metrics.mean_error(law, truth).value < size and pf.metrics.cov_error(law, truth).value < size
    assert abs(pf.metrics.energy_gap(OU.energy)(law, truth).value) < size
    with pytest.raises(pf.NotAvailable, match="rng"):
        pf.metrics.w2(law, truth)


@every
def test_the_stationary_law_stays(name):
    law = pf.grid.gibbs(replace(OU, initial=START), METHODS[name])
    assert checks.equilibrium(replace(OU, initial=law), METHODS[name], law, dt=0.5, steps=4) < 1e-9
    assert pf.metrics.l1(law, Gaussian([0.0, 0.0], 0.5 * np.linalg.inv(MATRIX))).value < 5e-3


def test_grids_of_different_cells_are_compared_on_the_coarser_one(runs):
    """Sums of cells are exact: a grid against its own refinement is at distance zero."""
    law = runs["chang-cooper"].final
    fine = [np.union1d(axis, (axis[1:] + axis[:-1]) / 2) for axis in law.axes]
    split = GridLaw(fine, np.repeat(np.repeat(law.mass, 2, axis=0), 2, axis=1) / 4)
    for first, second in ((law, split), (split, law)):
        assert pf.metrics.l1(first, second).value < 1e-13 and pf.metrics.kl(first, second).value < 1e-13
    other = pf.solve(OU, replace(METHODS["chang-cooper"], cells=(48, 80)), dt=1 / 16, times=[0.5]).final
    assert pf.metrics.l1(law, other).value < 0.1


@every
def test_a_study_sweeps_cells_and_steps(name):
    table = pf.Study(
        [OU], {name: METHODS[name]}, {"cells": [40, 80]}, {"l1": pf.metrics.l1}, dt=1 / 64, times=[0.25], floors=False
    ).run(progress=False)
    assert [row["status"] for row in table.rows] == ["ok", "ok"]
    assert table.rows[1]["error"] < table.rows[0]["error"] < 0.05


@every
def test_runs_are_saved_and_loaded(runs, name, tmp_path):
    path = tmp_path / "plane.h5"
    pf.reference.save(path, OU, runs[name], error=pf.Estimate(0.05, 0.0, "a bound", "l1"), method=METHODS[name])
    back = pf.reference.load(path)
    assert np.array_equal(back.trajectory.at(0.5).mass, runs[name].final.mass)
