"""The forward step: explicit Euler on samples [fan2022iclr, appendix B.2], and the exact sequence of its scheme."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.interactions import GaussianAttraction, PowerLaw, QuadraticAttraction
from pdeflow.energies.mean_field import mean_energy, mean_force
from pdeflow.laws import AffineMap, Gaussian, PushForward
from pdeflow.neural import DeepResidual, Training, VariationalJKO
from pdeflow.neural.variational_jko.forward_step import exact_forward_backward, forward_map
from pdeflow.problems.aggregation import quartic_radii, ring_radius

FORWARD = VariationalJKO(
    map=DeepResidual(), scheme="forward-backward", batch=1024, training=Training(pool=16_384, dtype="float64")
)


def problem_of(kernel, initial, horizon=1.0):
    return pf.Problem(pf.Energy(interaction=kernel), initial, horizon, name="interaction")


def test_quadratic_attraction_contracts_by_one_minus_dt_strength():
    """x - m -> (1 - dt κ)(x - m) exactly: with the ½ of the energy the rate is κ, else 2κ [docs/math.md 3]."""
    start = Gaussian([1.0, -2.0], [[1.0, 0.3], [0.3, 0.5]])
    law = pf.solve(problem_of(QuadraticAttraction(0.8), start), FORWARD, dt=0.25).final
    assert isinstance(law, Gaussian)
    assert np.allclose(law.mean(), start.mean(), atol=1e-12)  # blocks of Gaussian particles have its exact mean
    assert np.allclose(law.cov(), 0.8**8 * start.cov(), rtol=1e-12)


@pytest.mark.parametrize("kernel", [PowerLaw(4.0, 2.0), GaussianAttraction(0.8, 1.5)], ids=["(4, 2)", "gaussian"])
def test_one_step_is_explicit_euler_on_the_particles(kernel):
    problem = problem_of(kernel, Gaussian([0.5, -0.2], 0.25), 0.1)
    before = FORWARD.init(problem, np.random.default_rng(0))
    after = FORWARD.step(problem, before, 0.1, np.random.default_rng(1))
    sources = before.pool.points if isinstance(kernel, PowerLaw) else before.pool.points[:8192]
    assert (
        np.abs(after.pool.points - (before.pool.points - 0.1 * mean_force(kernel, sources, before.pool.points))).max()
        < 1e-13
    )
    if isinstance(
        kernel, PowerLaw
    ):  # the centre of mass does not move (sources that are not all particles move it a little)
        assert np.abs(after.pool.points.mean(axis=0) - before.pool.points.mean(axis=0)).max() < 1e-12
    x = np.random.default_rng(2).normal(size=(50, 2))
    assert np.allclose(FORWARD.law(after).push(x), x - 0.1 * mean_force(kernel, sources, x), atol=1e-13)


def test_the_ring_forms_and_stays():
    """Radius 1/√3 and energy -1/12 at t = 20, where the exact spread is 0.06 %; no collapse at 40."""
    flow = pf.solve(pf.problems.ring_aggregation(), FORWARD, dt=0.2, times=[2.0, 20.0, 40.0])
    weight, radii = quartic_radii(2, 0.25, [2.0])
    x = flow.at(2.0).sample(8000, np.random.default_rng(5))
    exact = radii[0] ** 2 @ weight
    # explicit Euler is 0.3 % off at dt = 0.2, the draws 0.5 % (the spread of |x|² is 0.43 of its mean there)
    assert np.mean((x**2).sum(axis=1)) == pytest.approx(exact, rel=0.02)
    for t in (20.0, 40.0):
        x = flow.at(t).sample(8000, np.random.default_rng(6))
        r = np.linalg.norm(x - x.mean(axis=0), axis=1)
        assert r.mean() == pytest.approx(ring_radius(4, 2, 2), rel=5e-3) and r.std() < 0.01 * r.mean()
        assert mean_energy(PowerLaw(4.0, 2.0), x) == pytest.approx(-1 / 12, rel=3e-3)


def test_steps_that_are_too_long_for_the_far_particles_are_told():
    """dt |x|² > 2 in the tail: the explicit step throws those particles out, and the run says so."""
    with pytest.raises(pf.Diverged):
        pf.solve(problem_of(PowerLaw(4.0, 2.0), Gaussian([0.0, 0.0], 4.0)), FORWARD, dt=0.5, times=[10.0])


COV = np.array([[2.0, 0.5], [0.5, 1.0]])


def test_the_forward_step_moves_against_potential_and_mean_force(rng):
    x, dt = rng.standard_normal((300, 2)), 0.1
    kernel, potential = pf.interactions.PowerLaw(4.0, 2.0), pf.potentials.DoubleWell(1.0, 2)
    move = forward_map(potential, kernel, x, dt)
    np.testing.assert_allclose(move(x), x - dt * (potential.grad(x) + mean_force(kernel, x)), atol=1e-12)
    with pytest.raises(pf.NotAvailable, match="backward"):
        PushForward(Gaussian([0.0, 0.0], 1.0), (move,)).sample_with_log_density(3, rng)
    affine = forward_map(pf.potentials.Quadratic(COV, 1.0), pf.interactions.QuadraticAttraction(0.5), x, dt)
    expected = x - dt * ((x - 1) @ COV + 0.5 * (x - x.mean(axis=0)))
    assert isinstance(affine, AffineMap)
    np.testing.assert_allclose(affine(x), expected, atol=1e-12)


def test_the_exact_forward_backward_sequence_rests_at_the_exact_equilibrium():
    problem = pf.problems.ou(dim=2, seed=2, temperature=0.6, horizon=50.0)
    law = exact_forward_backward(problem, 0.25, None).final
    np.testing.assert_allclose(law.mean(), problem.energy.potential.center, atol=1e-5)
    np.testing.assert_allclose(law.cov(), 0.6 * np.linalg.inv(problem.energy.potential.matrix), atol=1e-5)
    with pytest.raises(pf.NotAvailable, match="forward-backward"):
        exact_forward_backward(pf.problems.double_well(), 0.25, None)
