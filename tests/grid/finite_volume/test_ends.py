"""Mass at the ends of the domain: the start, what arrives, and walls."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid import FiniteVolume
from pdeflow.grid.box_domain import start_range
from pdeflow.grid.finite_volume.ends import chosen_ends
from pdeflow.grid.jko_grid import edge_masses


def test_automatic_ends():
    """Those of ChangCooper for entropy and a potential; the start and how far it spreads for entropy and powers."""
    for problem in (pf.problems.ou(), pf.problems.ou(2)):
        mine = FiniteVolume(40).init(problem, None).cells.edges
        theirs = pf.grid.ChangCooper(40).init(problem, None)
        grid = theirs.grid
        assert all(np.array_equal(a, b) for a, b in zip(mine, (grid.edges,) if problem.dim == 1 else grid.axes))
    porous = pf.problems.porous_medium(1, 2.0, 0.1, 0.5)
    ends = chosen_ends(porous, [40], (None,), (None,))
    reach = porous.initial.radius + pf.laws.Barenblatt(1, 2.0, 0.5).radius
    assert np.allclose(ends, [(-reach, reach)])
    assert porous.exact(0.5).radius < reach
    start = pf.laws.Uniform([0.0, 1.0], [2.0, 2.0])
    both = pf.Problem(pf.Energy(internal=pf.Entropy(0.5) + pf.Power(3.0, 0.2)), start, 2.0)
    spread = 7.4 * np.sqrt(2 * 0.5 * 2.0) + pf.laws.Barenblatt(2, 3.0, 0.4).radius
    found = chosen_ends(both, [40, 40], (None, -99.0), (None, None))
    assert np.allclose(found, [(-spread, 2 + spread), (-99.0, 2 + spread)])
    flow = pf.solve(both, FiniteVolume(60, stepping="implicit"), dt=0.25)
    assert flow.history[-1]["edge_mass"] < 1e-6


def test_initial_mass_outside_goes_into_the_outermost_cells():
    for law in (pf.laws.Gaussian(0.0, 1.0), pf.laws.Gaussian(np.zeros(2), np.eye(2))):
        problem = pf.Problem(pf.Energy(interaction=pf.interactions.QuadraticAttraction()), law, 1.0)
        state = FiniteVolume(20, -3.4, 4.0).init(problem, None)
        assert abs(state.mass.sum() - 1) < 1e-14 and 3e-4 < state.tail_mass < 1e-3
        with pytest.raises(pf.BadInput, match="too small"):
            FiniteVolume(20, -2.0, 4.0).init(problem, None)


def test_cells_that_hold_the_least_of_floats_are_no_obstacle():
    start = pf.laws.Gaussian([2.0, 0.0], [[0.06, 0.05], [0.05, 0.06]])
    problem = pf.problems.ou(dim=2, initial=start, temperature=0.1)
    mass = FiniteVolume(96, -6.0, 6.0).init(problem, None).mass
    assert 0 < mass[mass > 0].min() < 1e-300  # such cells are there
    law = pf.solve(problem, FiniteVolume(96, -6.0, 6.0), dt=0.01, times=[0.01]).final
    assert law.min_mass >= 0 and abs(law.mass_error) < 1e-9


def test_mass_that_arrives_at_an_end_is_refused_unless_there_is_a_wall():
    method = FiniteVolume(20, -1.0, 1.0)
    energy = pf.Energy(pf.potentials.FromFunction(lambda x: -x.sum(1), dim=2), pf.Power(2.0, 0.1))
    problem = pf.Problem(energy, pf.laws.Uniform([-0.5, -0.5], [0.0, 0.0]), 0.6)
    with pytest.raises(pf.BadInput, match=r"upper end 1 of axis 0 in step"):
        pf.solve(problem, method, dt=0.3, times=[0.9])
    walled = pf.potentials.FromFunction(lambda x: np.where(np.abs(x).max(1) <= 1, -x.sum(1), np.inf), dim=2)
    final = pf.solve(replace(problem, energy=replace(energy, potential=walled)), method, dt=0.3, times=[0.6]).final
    assert edge_masses(final.mass)[:, 1].min() > 0.02


@pytest.mark.parametrize(
    ("problem", "speed"),
    [
        # W attracts: only the powers spread; -W' is 1 at 0 for the Newtonian kernel, r - r³ for the ring
        (pf.problems.aggregation_diffusion(horizon=2.0), 0.0),
        (pf.problems.mckean_vlasov_ou(), 0.0),
        (pf.problems.newtonian_1d(), 1.0),
        (pf.problems.ring_aggregation(1, horizon=1.5), 2 / np.sqrt(27)),
        (pf.problems.ring_aggregation(2, horizon=1.5), 2 / np.sqrt(27)),
    ],
    ids=["aggregation-diffusion", "mckean-vlasov", "newtonian", "ring on the line", "ring"],
)
def test_automatic_ends_with_an_interaction(problem, speed):
    """Those without it, two cells and the fastest repulsion wider: no mass comes to them."""
    cells = [60] * problem.dim
    state = FiniteVolume(60).init(problem, None)
    if problem.energy.potential is None and problem.energy.internal is None:
        low, high = start_range(problem.initial)
    else:
        alone = replace(problem, energy=replace(problem.energy, interaction=None))
        low, high = np.array(chosen_ends(alone, cells, (None,) * problem.dim, (None,) * problem.dim)).T
    width = state.cells.widths if problem.energy.potential is None else np.zeros(1)
    for axis, edges in enumerate(state.cells.edges):
        grown = low[axis] - edges[0] - 2 * width[axis]
        # 1 % so that rounding widens nothing again; the two cells are those before they are added, 2/60 less
        assert speed * problem.horizon - 0.15 * width[axis] <= grown <= 1.02 * speed * problem.horizon + 1e-9
        assert edges[-1] - high[axis] == pytest.approx(low[axis] - edges[0], rel=1e-9)
    flow = pf.solve(problem, FiniteVolume(60, stepping="implicit"), dt=problem.horizon / 4)
    assert flow.history[-1]["edge_mass"] < 1e-6


def test_repulsion_without_bound_has_no_automatic_ends():
    with pytest.raises(pf.Unsupported, match="without bound where they are near"):
        FiniteVolume(40).init(pf.problems.log_repulsion(), None)

    class Apart:
        """W = -z²."""

        def value(self, z):
            return -np.sum(z * z, axis=-1)

        def grad(self, z):
            return -2 * z

    apart = pf.Problem(pf.Energy(interaction=Apart()), pf.laws.Gaussian(0.0, 1.0), 1.0)
    with pytest.raises(pf.Unsupported, match="the faster the farther"):
        FiniteVolume(40).init(apart, None)
