"""Interaction in VariationalJKO: the forward scheme, explicit Euler on samples (fan2022iclr, appendix B.2), and energy and force from batches."""

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.energies.interactions import GaussianAttraction, PowerLaw, QuadraticAttraction
from pdeflow.energies.mean_field import mean_energy, mean_force
from pdeflow.laws import Gaussian
from pdeflow.neural import Training, VariationalJKO
from pdeflow.neural.particles import held_out, matched
from pdeflow.neural.variational_jko.forces import force_of
from pdeflow.neural.variational_jko.forward import require_tame
from pdeflow.neural.variational_jko.measure import measure
from pdeflow.problems.aggregation import quartic_radii, ring_radius

FORWARD = VariationalJKO(
    map="residual", scheme="forward-backward", batch=1024, training=Training(pool=16_384, dtype="float64")
)


def problem_of(kernel, initial, horizon=1.0):
    return pf.Problem(pf.Energy(interaction=kernel), initial, horizon, name="interaction")


def test_quadratic_attraction_contracts_by_one_minus_dt_strength():
    """x - m -> (1 - dt κ)(x - m) exactly, the centre staying: with the ½ of the energy the rate is κ, without it 2κ [docs/math.md 3]."""
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
    sources = before.pool if isinstance(kernel, PowerLaw) else before.pool[:8192]
    assert np.abs(after.pool - (before.pool - 0.1 * mean_force(kernel, sources, before.pool))).max() < 1e-13
    if isinstance(
        kernel, PowerLaw
    ):  # the centre of mass does not move (sources that are not all particles move it a little)
        assert np.abs(after.pool.mean(axis=0) - before.pool.mean(axis=0)).max() < 1e-12
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
    """dt |x|² > 2 in the tail: the explicit step throws those particles out (its limit is dt < 2/L), and the run says so."""
    with pytest.raises(pf.Diverged):
        pf.solve(problem_of(PowerLaw(4.0, 2.0), Gaussian([0.0, 0.0], 4.0)), FORWARD, dt=0.5, times=[10.0])


def test_the_interaction_energy_is_that_of_independent_pairs(rng):
    x = rng.standard_normal((64, 2))
    energy = Energy(interaction=pf.interactions.GaussianAttraction())
    report = measure(energy, None, x, None, 32, rng)
    across = np.mean([energy.interaction.value(point - x[32:]).mean() for point in x[:32]]) / 2
    assert report["bound"] == pytest.approx(across, rel=1e-12)
    blocks = [np.mean([energy.interaction.value(y - part).mean() for y in part]) / 2 for part in (x[:32], x[32:])]
    assert report["bound_stderr"] == pytest.approx(np.std(blocks, ddof=1) / np.sqrt(2), rel=1e-12)


@pytest.mark.parametrize(
    "problem, error",
    [
        (pf.problems.mckean_vlasov_ou(), 1e-12),  # blocks with exact moments: nothing is left to chance
        (pf.problems.log_repulsion(), 0.0),
    ],
    ids=["gaussian", "semicircle"],
)
def test_the_interaction_energy_of_even_blocks_has_no_bias(problem, error):
    """Within a block of evenly drawn points all pairs are too far apart: 1e-3 of the energy here, many standard errors."""
    energy, rng = Energy(interaction=problem.energy.interaction), np.random.default_rng(0)
    exact = energy.evaluate(problem.initial).value
    x, _ = held_out(problem.initial, 64 * 128, 128, rng)
    report = measure(energy, None, x, None, 128, rng)
    assert abs(report["bound"] - exact) < 4 * report["bound_stderr"] + error


def test_the_force_on_a_batch_with_the_moments_of_the_law_is_that_of_the_law(rng):
    y = matched(rng.standard_normal((400, 2)), 100)
    center = y.reshape(-1, 2).mean(axis=0)
    force = force_of(Energy(interaction=pf.interactions.QuadraticAttraction(0.7)), 2)
    np.testing.assert_allclose(force(torch.from_numpy(y[1])).numpy(), 0.7 * (y[1] - center), atol=1e-12)


def test_a_forward_step_without_a_second_moment_is_refused(rng):
    """On the line the kicks of a logarithm have the tail of a Cauchy law: var 1661 instead of 1.38 after 5 steps of 0.1 of 4096 particles."""
    method = pf.neural.VariationalJKO(scheme="forward-backward")
    with pytest.raises(pf.Unsupported, match="scheme='backward'"):
        method.init(pf.problems.log_repulsion(), rng)
    for kernel, dim, refused in (
        (pf.interactions.LogRepulsion(), 2, True), (pf.interactions.LogRepulsion(), 3, False), (pf.interactions.PowerLaw(2.0, 0.5), 1, True),
        (pf.interactions.PowerLaw(2.0, 1.0), 1, False), (pf.interactions.PowerLaw(4.0, 2.0), 2, False),
    ):  # fmt: skip
        if refused:
            with pytest.raises(pf.Unsupported, match="second moment"):
                require_tame(kernel, dim)
        else:
            require_tame(kernel, dim)
