"""The program of one step: its certificate and its internal energies."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid.cvxopt_jko.program import Program


def program(internal=None, kernel=None, n=9):
    x = np.linspace(-1, 1, n)
    old = np.exp(-8 * (x - 0.3) ** 2)
    return Program(x, x[1] - x[0], 0.1, old / old.sum(), x * x, internal, kernel)


@pytest.mark.parametrize("internal", [None, pf.Entropy(0.7), pf.Power(2.0, 0.3), pf.Power(3.0)])
@pytest.mark.parametrize("with_kernel", [False, True])
def test_certificate_bounds_every_coupling_and_every_multiplier(internal, with_kernel, rng):
    x = np.linspace(-1, 1, 9)
    kernel = -np.abs(x[:, None] - x) if with_kernel else None
    if with_kernel:
        centre = np.eye(9) - 1 / 9
        kernel = centre @ kernel @ centre
    task = program(internal, kernel)

    def objective(k):
        return task.transport(k) + task.energy(task.masses(k))

    plans = [rng.dirichlet(np.full(9, 0.3), len(task.mass)).T + 1e-9 for _ in range(12)]
    plans = [(plan / plan.sum(0)).ravel() for plan in plans]
    values = [objective(plan) for plan in plans]
    for plan, value in zip(plans, values):
        judged = task.certificate(plan, rng.standard_normal(len(task.mass)))
        # a feasible dual value lies below the objective of every coupling
        assert value - judged.gap <= min(values) + 1e-12
        assert judged.gap > 0 and judged.residual >= judged.gap - judged.fenchel - 1e-12


@pytest.mark.parametrize("internal", [pf.Entropy(0.7), pf.Power(2.0, 0.3), pf.Power(1.4), pf.Power(4.0)])
def test_internal_energies_are_consistent(internal, rng):
    cells = program(internal).cells
    q, e = rng.random(9) + 0.05, 1e-6
    assert cells.slope(q) == pytest.approx((cells.value(q + e) - cells.value(q - e)) / (2 * e), rel=1e-8)
    assert cells.curvature(q) == pytest.approx((cells.slope(q + e) - cells.slope(q - e)) / (2 * e), rel=1e-8)
    assert cells.secant(q, 2 * q) * q == pytest.approx(cells.slope(2 * q) - cells.slope(q), rel=1e-12)
    dual, mass = cells.conjugate(cells.slope(q))
    assert mass == pytest.approx(q, rel=1e-12)
    assert cells.value(q) + dual == pytest.approx(q * cells.slope(q), rel=1e-12)  # Fenchel's equality
