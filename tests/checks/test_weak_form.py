"""weak_residual: small for what solves the equation, of the scheme's order for a scheme, large for another equation."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.checks import weak_residual
from pdeflow.energies.energy import Energy

TIMES = np.linspace(0.0, 0.5, 33)


def on_grid(problem, edges, times=TIMES):
    """The exact laws of a problem as exact masses of cells."""
    axes = (edges,) * problem.dim
    masses = [problem.exact(float(t)).cell_masses(axes).mass for t in times]
    return pf.Trajectory(times, [pf.laws.GridLaw(axes, mass) for mass in masses])


def plane_ou():
    start = pf.laws.Gaussian([1.0, -0.5], np.diag([0.5, 0.8]))
    return pf.problems.ou(dim=2, matrix=np.diag([1.0, 2.0]), temperature=0.7, initial=start)


def plane_attraction():
    return pf.problems.mckean_vlasov_ou(initial=pf.laws.Gaussian([1.0, 0.3], np.diag([0.5, 0.5])))


@pytest.mark.parametrize(
    ("problem", "ends", "cells"),
    [
        (pf.problems.ou(), (-7, 8), 75),
        (plane_ou(), (-6, 7), 65),
        (plane_attraction(), (-6, 7), 65),
    ],
    ids=["line", "plane", "interaction"],
)
def test_exact_laws_have_no_residual_but_that_of_the_sums_over_cells(problem, ends, cells):
    times = np.linspace(0.0, 0.1, 9)  # the spline's share is below 1e-7 then
    coarse, fine = (
        weak_residual(problem, on_grid(problem, np.linspace(*ends, n + 1), times)) for n in (cells, 2 * cells)
    )
    assert fine < 1e-5 and coarse / fine > 10  # of fourth order: 16


def test_the_front_of_a_porous_medium_is_no_obstacle():
    problem = pf.problems.porous_medium(start=0.1, horizon=0.5)
    assert weak_residual(problem, on_grid(problem, np.linspace(-3, 3, 1201))) < 1e-5  # (1/200)^(5/2) at the front


def test_a_deterministic_cloud_is_a_weak_solution():
    problem = pf.problems.ring_aggregation(dim=3)
    run = pf.solve(problem, pf.particle.InteractingParticles(particles=300), dt=1 / 64, times=TIMES)
    every = weak_residual(problem, run)
    second = weak_residual(problem, pf.Trajectory(run.times[::2], run.laws[::2]))
    assert every < 5e-5 and second / every > 8  # the spline, of fourth order in the spacing


def test_the_residual_of_a_scheme_has_its_order():
    problem, cells, times = pf.problems.ou(), np.array([200, 400, 800]), np.linspace(0.0, 1.0, 65)
    runs = [
        pf.solve(problem, pf.grid.ChangCooper(cells=int(n), time_order=2), dt=3.125 / n, times=times) for n in cells
    ]
    found = pf.fit_order(1 / cells, [weak_residual(problem, run) for run in runs], expected=2)
    assert found.slope == pytest.approx(2, abs=0.1)


PLAIN = pf.problems.mckean_vlasov_ou()
POTENTIAL, INTERNAL, KERNEL = PLAIN.energy.potential, PLAIN.energy.internal, PLAIN.energy.interaction


@pytest.mark.parametrize(
    "other",
    [
        Energy(POTENTIAL, pf.Entropy(0.9 * INTERNAL.temperature), KERNEL),
        Energy(pf.potentials.Quadratic(POTENTIAL.matrix[0, 0] / 2, np.zeros(1)), INTERNAL, KERNEL),
        Energy(POTENTIAL, INTERNAL, pf.interactions.QuadraticAttraction(KERNEL.strength / 2)),
        Energy(POTENTIAL, INTERNAL),
    ],
    ids=["temperature", "half the potential", "half the kernel", "no kernel"],
)
def test_another_equation_is_found_out(other):
    method = pf.grid.FiniteVolume(cells=200, lower=-6.0, upper=6.0)
    run = pf.solve(replace(PLAIN, energy=other, exact=None), method, dt=1 / 64, times=TIMES)
    assert weak_residual(replace(PLAIN, energy=other), run) < 2e-3
    with pytest.raises(pf.Diverged, match="Check signs and factors"):
        weak_residual(PLAIN, run, tolerance=5e-3)


def test_what_cannot_be_integrated_is_refused():
    problem = pf.problems.ou()
    with pytest.raises(pf.NotAvailable, match="neither a grid nor a cloud"):
        weak_residual(problem, pf.exact(problem, TIMES))
    with pytest.raises(pf.BadInput, match="five at least"):
        weak_residual(problem, pf.exact(problem, [0.0, 1.0]))
    cloud = pf.Trajectory(TIMES, [pf.laws.Particles(np.arange(4.0)[:, None])] * len(TIMES))
    with pytest.raises(pf.NotAvailable, match="needs a density"):
        weak_residual(pf.problems.porous_medium(), cloud)
