"""The compiled walk: each step against numpy, its bits against splits."""

import numpy as np
import pytest
from euler_maruyama_cases import KERNELS, MATRIX, POTENTIALS, one_step_by_hand, problem_of

import pdeflow as pf
from pdeflow.energies.potentials import Quadratic
from pdeflow.particle import EulerMaruyama


@pytest.mark.parametrize("temperature", [0.6, None])
@pytest.mark.parametrize(
    "potential, kernel",
    [
        *((name, None) for name in POTENTIALS if name != "none"),
        *(("none", name) for name in KERNELS),
        *[("mixture", "log"), ("duck", "(4, 2)"), ("double well", "duck")],
    ],
)
def test_a_step_is_the_scheme(potential, kernel, temperature, rng):
    """Two steps against numpy; 300 particles are no multiple of a block. Round-off of some hundred terms: 1e-12."""
    part, dim = POTENTIALS[potential]
    problem, method = problem_of(part, KERNELS.get(kernel), dim, temperature), EulerMaruyama(300)
    first = method.init(problem, rng)
    state = method.step(problem, first, 0.03, rng)
    np.testing.assert_allclose(state.x, one_step_by_hand(problem, first, 0.03), rtol=1e-12, atol=1e-12)
    again = method.step(problem, state, 0.05, rng)
    np.testing.assert_allclose(again.x, one_step_by_hand(problem, state, 0.05), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kernel", [None, "attraction", "(4, 2)", "log"])
def test_bits_do_not_depend_on_saved_times(kernel):
    problem = problem_of(Quadratic(MATRIX[:3, :3], 0.2), KERNELS.get(kernel), 3)
    method = EulerMaruyama(1000)
    often = pf.solve(problem, method, dt=0.01, times=[0.01, 0.02, 0.07, 0.2], seed=3)
    once = pf.solve(problem, method, dt=0.01, times=[0.2], seed=3)
    single = pf.solve(problem, method, dt=0.01, times=[0.2], seed=3, on_step=lambda *_: None)
    np.testing.assert_array_equal(often.final.x, once.final.x)
    np.testing.assert_array_equal(single.final.x, once.final.x)
    assert np.any(pf.solve(problem, method, dt=0.01, times=[0.2], seed=4).final.x != once.final.x)
