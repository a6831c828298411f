"""A step that is too large for the drift is named, for a user's potential as for the quadratic one.

No public thread, found by a user's trial: V = 50 x² as a function, dt = 0.05, gave a mean of 5e11, a variance of 2e24.
"""

import numpy as np
import pytest

import pdeflow as pf


def valley(curvature):
    return pf.potentials.FromFunction(lambda x: (curvature * x**2 / 2).sum(-1), grad=lambda x: curvature * x)


def run(potential, dt, steps, particles=200, start=None, temperature=1.0):
    start = pf.laws.Gaussian(1.0, 1.0) if start is None else start
    problem = pf.Problem(pf.Energy(potential, pf.Entropy(temperature)), start, dt * steps)
    return pf.solve(problem, pf.particle.EulerMaruyama(particles), dt=dt).final


@pytest.mark.parametrize("steps", [2, 5, 20])
@pytest.mark.parametrize("ratio", [2.02, 2.5, 5.0])
def test_a_step_beyond_the_bound_diverges(ratio, steps):
    with pytest.raises(pf.Diverged, match="too large for the drift"):
        run(valley(ratio / 0.05), 0.05, steps)


def test_a_built_in_potential_that_is_quadratic_far_out_diverges_too():
    mixture = pf.laws.GaussianMixture([0.5, 0.5], [-0.01, 0.01], 1e-2)
    with pytest.raises(pf.Diverged):
        run(pf.potentials.MixturePotential(mixture), 0.05, 20)


def test_one_stiff_direction_of_two_is_enough():
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    matrix = turn @ np.diag([1.0, 100.0]) @ turn.T
    stiff = pf.potentials.FromFunction(lambda x: ((x @ matrix) * x).sum(-1) / 2, grad=lambda x: x @ matrix, dim=2)
    with pytest.raises(pf.Diverged):
        run(stiff, 0.05, 20, start=pf.laws.Gaussian([1000.0, 0.0], 1.0))


STABLE = {
    "just below": (valley(1.99 / 0.05), 0.05),
    "at the bound of one step": (valley(1.0 / 0.05), 0.05),
    "kink": (pf.potentials.FromFunction(lambda x: 50 * np.abs(x).sum(-1), grad=lambda x: 50 * np.sign(x)), 0.1),
    "kink in a bowl": (
        pf.potentials.FromFunction(lambda x: (x**2 / 2 + np.abs(x)).sum(-1), grad=lambda x: x + np.sign(x)),
        0.1,
    ),
    "stiff inside, flat outside": (
        pf.potentials.FromFunction(lambda x: 3 * np.sqrt(1 + x**2).sum(-1), grad=lambda x: 3 * x / np.sqrt(1 + x**2)),
        1.0,
    ),
    "ripples": (
        pf.potentials.FromFunction(
            lambda x: (x**2 / 2 - 0.3 * np.cos(20 * x)).sum(-1), grad=lambda x: x + 6 * np.sin(20 * x)
        ),
        0.05,
    ),
    "wells": (pf.potentials.DoubleWell(), 0.02),
}


@pytest.mark.parametrize("particles", [1, 50])
@pytest.mark.parametrize("name", STABLE)
def test_a_scheme_that_stays_bounded_is_no_fault(name, particles):
    potential, dt = STABLE[name]
    for start in (pf.laws.Gaussian(1.0, 1.0), pf.laws.Gaussian(0.0, 1e-12)):
        law = run(potential, dt, 200, particles, start, 0.01 if "kink" in name else 1.0)
        assert abs(law.mean()[0]) < 10
