"""The grid of a JKO scheme: ends given and automatic, a grid's own cells, obstacles, and mass at ends."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid import jko_grid
from pdeflow.grid.domain import check_axes

PLANE = pf.problems.porous_medium(2, 2.0, 0.1, 0.5)


def test_automatic_ends_in_the_plane_hold_what_spreads():
    edges = jko_grid.chosen_edges(PLANE, {2: 40}, None, None, None)
    reach = PLANE.exact(PLANE.horizon).radius
    assert all(len(axis) == 41 and axis[0] < -reach and axis[-1] > reach for axis in edges)
    lower, upper = jko_grid.chosen_edges(PLANE, {2: 40}, (10, 20), -3.0, (2.0, 4.0))
    np.testing.assert_allclose(lower, np.linspace(-3, 2, 11))
    np.testing.assert_allclose(upper, np.linspace(-3, 4, 21))


def test_a_grid_of_the_same_cells_keeps_its_own_edges():
    axes = np.linspace(-1, 2, 11), np.linspace(-2, 2, 21)
    law = pf.laws.GridLaw(axes, np.full((10, 20), 1 / 200))
    problem = replace(PLANE, initial=law, exact=None)
    assert all(a is b for a, b in zip(jko_grid.chosen_edges(problem, {2: 5}, (10, 20), None, None), law.axes))
    assert len(jko_grid.chosen_edges(problem, {2: 5}, None, -4.0, 4.0)[0]) == 6  # other cells: a grid of its own


def test_ends_that_cannot_be_found_are_asked_for():
    with pytest.raises(pf.BadInput, match="tuples of one length"):
        check_axes((10, 20), (0.0, 0.0, 0.0), 1.0)
    with pytest.raises(pf.BadInput, match="3 entries, the problem has dim 2"):
        jko_grid.chosen_edges(PLANE, {2: 40}, None, (0.0, 0.0, 0.0), 1.0)
    with pytest.raises(pf.BadInput, match="are not given"):
        walled = pf.Energy(pf.potentials.Quadratic(1.0, np.zeros(2)), pf.Power(2.0))
        jko_grid.chosen_edges(replace(PLANE, energy=walled, exact=None), {2: 40}, None, None, None)


def test_mass_behind_an_obstacle_is_refused():
    potential = np.array([[0.0, np.inf], [0.0, 0.0]])
    jko_grid.refuse_behind_obstacles(np.array([[0.5, 0.0], [0.25, 0.25]]), potential)
    with pytest.raises(pf.BadInput, match=r"mass 0\.25"):
        jko_grid.refuse_behind_obstacles(np.array([[0.5, 0.25], [0.25, 0.0]]), potential)


def test_mass_that_comes_to_an_end_is_refused_unless_there_is_a_wall():
    edges = (np.linspace(0, 1, 5),)
    before, now = np.array([0.1, 0.4, 0.4, 0.1]), np.array([0.0, 0.3, 0.4, 0.3])
    np.testing.assert_array_equal(jko_grid.edge_masses(now), [[0.0, 0.3]])
    with pytest.raises(pf.BadInput, match="upper end 1 of axis 0 after step 3") as caught:
        jko_grid.refuse_arrivals(None, now, before, edges, "after step 3")
    assert caught.value.mass == 0.3
    wall = pf.potentials.FromFunction(lambda x: np.where(x[:, 0] < 1, 0.0, np.inf), dim=1)
    jko_grid.refuse_arrivals(wall, now, before, edges, "after step 3")
    jko_grid.refuse_arrivals(None, before, before, edges, "after step 3")  # nothing more comes
