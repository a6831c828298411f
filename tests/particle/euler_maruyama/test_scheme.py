"""EulerMaruyama: its laws against the exact recursion, its order, coupled paths, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from euler_maruyama_cases import MATRIX, problem_of

import pdeflow as pf
from pdeflow.energies.potentials import FromFunction
from pdeflow.energies.time_dependent import Moving
from pdeflow.laws import Gaussian
from pdeflow.particle import EulerMaruyama
from pdeflow.problems.aggregation import quartic_second_moment


def test_coupled_runs_follow_one_brownian_path():
    """With no drift the path itself is left: every dt ends at the same point, up to the rounding of the sum."""
    problem = pf.problems.heat(2)
    ends = [
        pf.solve(problem, EulerMaruyama(400, brownian_step=1 / 64), dt=dt, times=[1.0], seed=2).final.x
        for dt in (1 / 64, 1 / 16, 1 / 2)
    ]
    np.testing.assert_allclose(ends[1:], [ends[0]] * 2, rtol=0, atol=1e-13)
    free = pf.solve(problem, EulerMaruyama(400), dt=1 / 64, times=[1.0], seed=2).final.x
    np.testing.assert_array_equal(free, ends[0])


def standard_errors(cloud, law):
    """Errors of a cloud's mean and covariance in standard errors of a Gaussian sample of its size."""
    n, cov = len(cloud.x), law.cov()
    spread = np.sqrt(np.diag(cov))
    cov_spread = np.sqrt(np.outer(np.diag(cov), np.diag(cov)) + cov**2)
    mean_score = (cloud.mean() - law.mean()) / spread
    return np.sqrt(n) * np.concatenate([mean_score, ((cloud.cov() - cov) / cov_spread).ravel()])


@pytest.mark.parametrize(
    "problem",
    [
        pf.problems.ou(dim=3, matrix=MATRIX[:3, :3], initial=Gaussian([2.0, 0, 1], np.diag([0.2, 1, 2]))),
        pf.problems.mckean_vlasov_ou(initial=Gaussian([1.0, -1], [[0.3, 0.1], [0.1, 0.6]])),
        pf.problems.heat(2, 0.3),
    ],
    ids=lambda problem: problem.name,
)
def test_laws_are_those_of_the_exact_recursion(problem):
    """dt = 1/4, where the recursion is far from the flow: more than 4 standard errors would show (n = 40 000)."""
    method = EulerMaruyama(40_000)
    run, laws = (
        pf.solve(problem, method, dt=0.25, times=[0.25, 2.0], seed=8),
        method.exact_sequence(problem, dt=0.25, times=[0.25, 2.0]),
    )
    for t in (0.25, 2.0):
        assert np.max(np.abs(standard_errors(run.at(t), laws.at(t)))) < 4
    if problem.name != "heat":
        assert np.max(np.abs(standard_errors(run.at(2.0), problem.exact(2.0)))) > 8  # the test can tell the two


def test_exact_recursion_in_one_dimension():
    """m_k = b + (1 - ha)^k (m - b) and the biased stationary variance T / (a (1 - ah/2)) [docs/math.md 4.3]."""
    a, b, temperature, h = 1.5, 0.3, 0.7, 0.2
    problem = pf.problems.ou(matrix=a, center=b, temperature=temperature)
    laws = EulerMaruyama().exact_sequence(problem, dt=h, times=[0.0, 0.6, 40.0])
    assert laws.at(0.0).cov()[0, 0] == pytest.approx(0.25, rel=1e-15)
    assert laws.at(0.6).mean()[0] == pytest.approx(b + (1 - h * a) ** 3 * (2 - b), rel=1e-14)
    assert laws.at(40.0).cov()[0, 0] == pytest.approx(temperature / (a * (1 - a * h / 2)), rel=1e-13)
    parts = EulerMaruyama().exact_sequence(pf.problems.mixture_ou(), dt=0.1, times=[0.2]).final
    alone = pf.problems.ou(matrix=1.2, center=0.4, initial=Gaussian(2.0, 0.36))
    second = EulerMaruyama().exact_sequence(alone, dt=0.1, times=[0.2]).final
    np.testing.assert_allclose(
        [parts.means[1, 0], parts.covs[1, 0, 0]], [second.mean()[0], second.cov()[0, 0]], rtol=1e-14
    )


def test_weak_order_one_on_coupled_paths():
    """Mean and variance of the OU flow at t = 1. Coupling to a fine run of known bias removes the noise of the cloud:
    what is left is 4 standard errors of the coupled difference, a few per cent of the bias at the finest step.
    """
    problem, h = pf.problems.ou(), 1 / 256
    method, steps, flow = (
        EulerMaruyama(40_000, brownian_step=h),
        np.array([1 / 4, 1 / 8, 1 / 16, 1 / 32]),
        problem.exact(1.0),
    )
    fine = pf.solve(problem, method, dt=h, seed=1).final.x
    fine_law = method.exact_sequence(problem, dt=h, times=[1.0]).final
    mean_error, variance_error = [], []
    for dt in steps:
        x = pf.solve(problem, method, dt=dt, seed=1).final.x
        mean_error.append(np.mean(x - fine) + fine_law.mean()[0] - flow.mean()[0])
        variance_error.append(np.var(x) - np.var(fine) + fine_law.cov()[0, 0] - flow.cov()[0, 0])
        assert abs(
            np.mean(x - fine) - (method.exact_sequence(problem, dt=dt, times=[1.0]).final.mean() - fine_law.mean())[0]
        ) < (4 * np.std(x - fine) / 200)
    for error in (mean_error, variance_error):
        slope = np.polyfit(np.log(steps), np.log(np.abs(error)), 1)[0]
        assert slope == pytest.approx(1, abs=0.1)  # local orders of the recursion itself: 1.13 to 1.01 in the mean
    assert mean_error[-1] == pytest.approx(
        -np.exp(-1) * 2 * (1 / 32) / 2, rel=0.05
    )  # -h a² t m_t / 2 (docs/math.md 4.2, sign of Euler)


def test_aggregation_in_the_plane_keeps_its_moments():
    """PowerLaw(4, 2) from N(0, I/4): E|x|² against the radial characteristics, and the mean does not move."""
    problem = pf.problems.ring_aggregation()
    method = EulerMaruyama(20_000)
    start = method.init(problem, np.random.default_rng(np.random.SeedSequence(6)))
    cloud = pf.solve(problem, method, dt=1 / 64, times=[2.0], seed=6).final
    np.testing.assert_allclose(cloud.mean(), start.x.mean(axis=0), rtol=0, atol=1e-13)
    exact = quartic_second_moment(2, 0.25, [2.0])[0]
    # explicit Euler at 1/64 and the sampling of the start (about 1 % / √e) together stay below 0.004
    assert np.trace(cloud.cov()) == pytest.approx(exact, abs=0.004)


@pytest.mark.parametrize(
    "fields, error",
    [
        ({"particles": 0}, pf.BadInput),
        ({"particles": 2.5}, pf.BadInput),
        ({"particles": 2**33}, pf.BadInput),
        ({"brownian_step": 0.0}, pf.BadInput),
        ({"brownian_step": -1}, pf.BadInput),
        ({"particels": 5}, pf.UnknownField),
    ],
)
def test_bad_fields(fields, error):
    with pytest.raises(error, match=next(iter(fields))):
        EulerMaruyama(**fields)


def test_bad_problems():
    method = EulerMaruyama(50)
    with pytest.raises(pf.Unsupported, match="QuantileJKO"):
        pf.solve(pf.problems.porous_medium(), method, dt=0.001)
    with pytest.raises(pf.Unsupported, match="FromFunction"):
        pf.solve(problem_of(FromFunction(lambda x: x[:, 0] ** 2), dim=1), method, dt=0.1)
    with pytest.raises(pf.BadInput, match=r"dt = 0\.25,"):
        pf.solve(pf.problems.ou(), EulerMaruyama(50, brownian_step=0.125), dt=0.3, times=[0.3])
    pf.solve(pf.problems.ou(), EulerMaruyama(50, brownian_step=0.1), dt=0.3, times=[0.3])  # 0.3 / 0.1 in floating point
    with pytest.raises(pf.NotAvailable, match="finer run"):
        method.exact_sequence(pf.problems.double_well(), dt=0.1, times=[0.1])


def test_the_drift_is_prepared_once_per_run(monkeypatch):
    from pdeflow.particle.euler_maruyama import scheme

    calls, prepare = [], scheme.Drift

    def counted(*arguments):
        calls.append(arguments)
        return prepare(*arguments)

    monkeypatch.setattr(scheme, "Drift", counted)
    pf.solve(pf.problems.mckean_vlasov_ou(), EulerMaruyama(50), dt=0.1, times=[0.1, 0.5, 0.6])
    assert len(calls) == 1


@pytest.mark.parametrize("compiled", [True, False])
def test_weak_order_one_under_a_centre_that_moves(compiled):
    """On one Brownian path the sampling error of the mean nearly cancels: differences of levels show the bias."""
    moving = pf.problems.ou(matrix=1.3, center=lambda t: np.sin(3 * t), temperature=0.1, initial=Gaussian(1.0, 0.04))
    if not compiled:  # V of each time a user's own

        def at(t):
            b = np.sin(3 * t)
            return FromFunction(lambda x: 0.65 * ((x - b) ** 2).sum(-1), grad=lambda x: 1.3 * (x - b))

        moving = pf.Problem(pf.Energy(Moving(at), pf.Entropy(0.1)), Gaussian(1.0, 0.04), 1.0)
    found = []
    for dt in (1 / 8, 1 / 16, 1 / 32):
        method = EulerMaruyama(particles=2000, brownian_step=1 / 32)
        found.append(float(pf.solve(moving, method, dt=dt, seed=3).final.mean()[0]))
        m = 1.0
        for k in range(round(1 / dt)):
            m -= dt * 1.3 * (m - np.sin(3 * k * dt))
        assert abs(found[-1] - m) < 0.03  # four standard errors, and the mean of explicit Euler at the right times
    assert (found[0] - found[1]) / (found[1] - found[2]) == pytest.approx(2.0, abs=0.2)
    with pytest.raises(pf.Unsupported, match="called without one"):
        EulerMaruyama(10).step(moving, EulerMaruyama(10).init(moving, np.random.default_rng(0)), 0.1, None)


def test_a_potential_that_does_not_move_gives_the_bits_of_one_at_rest():
    rest = pf.problems.double_well()
    moving = pf.Problem(
        pf.Energy(Moving(lambda t: rest.energy.potential), rest.energy.internal), rest.initial, rest.horizon
    )
    runs = [pf.solve(problem, EulerMaruyama(500), dt=1 / 16, seed=1).final.x for problem in (rest, moving)]
    assert (runs[0] == runs[1]).all()


def test_without_noise_particles_that_repel_without_bound_do_not_pass_each_other():
    problem, method = pf.problems.log_repulsion(), EulerMaruyama(particles=200)
    with pytest.raises(pf.Diverged, match=r"In step 1 .* passed each other.*InteractingParticles\(start=") as caught:
        pf.solve(problem, method, dt=1 / 16, times=[0.5])
    assert caught.value.step == 1 and caught.value.dt == 1 / 16
    warm = replace(
        problem, energy=pf.Energy(internal=pf.Entropy(0.1), interaction=problem.energy.interaction), exact=None
    )
    assert len(pf.solve(warm, method, dt=1 / 1024, times=[1 / 1024]).final.x) == 200  # noise lets them pass
