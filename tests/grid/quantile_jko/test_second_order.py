"""QuantileJKO(time_order=2): BDF2 in quantile coordinates, its exact sequence, its order and what its energy does."""

from pathlib import Path

import numpy as np
import pytest
from quantile_jko_cases import ENERGIES

import pdeflow as pf
from pdeflow.laws import Gaussian, Uniform

REFERENCES = Path(__file__).resolve().parents[3] / "references"
STEPS = [1 / 32, 1 / 64, 1 / 128, 1 / 256]  # those of validation/claims/jko_second_order.py


def second_order(points=401):
    return pf.grid.QuantileJKO(points, time_order=2)


def problem_of(energy, initial):
    return pf.Problem(energy, initial, 1.0, name="test")


def energies(method, problem, run):
    """F of the start and of every step."""
    start = method.init(problem, None).facts["energy"]
    return np.array([start, *(row["energy"] for row in run.history)])


def moved(run):
    return np.array([row["distance"] for row in run.history])


FAMILIES = {
    "gaussian": (
        pf.problems.ou(matrix=1.5, center=0.5, temperature=0.7),
        lambda law: np.array([law.mean()[0], np.sqrt(law.cov()[0, 0])]),
        lambda y: np.array([-1.5 * (y[0] - 0.5), -1.5 * y[1] + 0.7 / y[1]]),
    ),
    "attraction": (
        pf.problems.mckean_vlasov_ou(),
        lambda law: np.array([np.sqrt(law.cov()[0, 0])]),
        None,
    ),
    "barenblatt": (
        pf.problems.porous_medium(m=3.0, start=0.1),
        lambda law: np.array([law.scale]),
        lambda y: y ** (1 - 4) / 4,  # docs/math.md 1.1: μ' = β μ^(1 - 1/β), β = 1/(m + 1)
    ),
    "semicircle": (
        pf.problems.log_repulsion(),
        lambda law: np.array([law.radius]),
        lambda y: -y + 2 / y,  # docs/math.md 2.2
    ),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_the_exact_sequence_is_bdf2_of_the_flow_of_scales_after_one_step_of_implicit_euler(name):
    problem, scales, speed = FAMILIES[name]
    dt = 0.125
    sequence = second_order().exact_sequence(problem, dt=dt, times=dt * np.arange(5))
    y = np.array([scales(law) for law in sequence.laws])
    if speed is None:
        # read off the energy: a Gaussian of deviation s under T log, k x²/2 and κ z²/2 has s' = -(k + κ) s + T/s
        energy = problem.energy
        rate = energy.potential.matrix[0, 0] + energy.interaction.strength

        def speed(s):
            return -rate * s + energy.internal.coefficient / s

    assert np.allclose((y[1] - y[0]) / dt, speed(y[1]), rtol=1e-12, atol=1e-12)
    for before, now, new in zip(y, y[1:], y[2:]):
        assert np.allclose((3 * new - 4 * now + before) / (2 * dt), speed(new), rtol=1e-11, atol=1e-11)
    assert np.array_equal(sequence.times, dt * np.arange(5)) and sequence.laws[0] is problem.initial


@pytest.mark.parametrize("name", FAMILIES)
def test_the_scheme_follows_its_exact_sequence(name):
    problem = FAMILIES[name][0]
    errors = []
    for points in (101, 201):
        method = second_order(points)
        truth = method.exact_sequence(problem, dt=0.125, times=[0.5]).final
        errors.append(pf.metrics.w2(pf.solve(problem, method, dt=0.125, times=[0.5]).final, truth).value)
    # second order in the levels, and of the size of the floor at 201 of them, 3e-5 to 1.4e-4
    assert errors[1] < 2e-4
    assert np.log2(errors[0] / errors[1]) > 1.85


CLAIMED = {
    "ou": pf.problems.ou(),
    "porous medium": pf.problems.porous_medium(start=0.2, horizon=1.0),
    "double well": pf.problems.double_well(),
}


@pytest.mark.parametrize("name", CLAIMED)
def test_the_energy_falls_at_every_step_of_the_claims(name):
    problem, method = CLAIMED[name], second_order(201)
    for dt in STEPS:
        run = pf.solve(problem, method, dt=dt)
        f = energies(method, problem, run)
        assert np.all(np.diff(f) < 0)
        d = moved(run)
        assert np.all(d[1:] > d[:-1] / 3)  # the condition of the docstring for a convex energy


def test_order_two_on_the_double_well_against_another_scheme():
    """The stored law is that of Chang-Cooper, good to 1.9e-7 in l1; its 800 constant cells cost 2e-5 in W2."""
    problem = pf.problems.double_well()
    truth = pf.reference.load(REFERENCES / "double_well_1d.h5").trajectory.at(1.0)
    errors = []
    for dt in (1 / 32, 1 / 64, 1 / 128):
        law = pf.solve(problem, second_order(801), dt=dt, times=[1.0]).final
        errors.append(pf.metrics.w2(law, truth).value)
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    # the local orders of these steps are 1.80: the top of the potential drives the law apart like e^(4t)
    assert np.all(orders > 1.75) and np.all(orders < 2.1)
    assert 4e-5 < errors[-1] < 6e-5


@pytest.mark.parametrize("dt", [0.02, 0.2])
@pytest.mark.parametrize("name", ENERGIES)
def test_energy_and_motion_together_never_rise(name, dt):
    energy, initial = ENERGIES[name]
    problem, method = problem_of(energy, initial), second_order(61)
    run = pf.solve(problem, method, dt=dt, times=[6 * dt])
    f, d = energies(method, problem, run), moved(run)
    lyapunov = f[1:] + d**2 / (4 * dt)
    assert np.all(np.diff(lyapunov) <= 1e-12 * np.abs(f).max())
    # the old law is a candidate: F(X_{k+1}) <= F(X_k) + |d_k|²/(12 dt)
    assert np.all(f[2:] <= f[1:-1] + d[:-1] ** 2 / (12 * dt) + 1e-12)
    assert max(row["gradient"] for row in run.history) <= 2e-10
    assert np.all(d > 1e-6)


def test_the_energy_itself_may_rise_when_steps_are_too_long():
    """The mean of a Gaussian of stationary width: m_2 = (4 m_1 - m_0)/(3 + 2 dt) = 0 at dt = 3, and m_3 is not 0."""
    problem, method = pf.problems.ou(initial=Gaussian(1.0, 1.0)), second_order(201)
    run = pf.solve(problem, method, dt=3.0, times=[3.0, 6.0, 9.0])
    means = [law.mean()[0] for law in run.laws]
    assert np.allclose(means, [1 / 4, 0.0, -1 / 36], atol=1e-10)
    f, d = energies(method, problem, run), moved(run)
    rise = f[3] - f[2]
    assert rise == pytest.approx((1 / 36) ** 2 / 2, rel=1e-2)  # the width rests but for what 201 levels cannot hold
    assert rise < d[1] ** 2 / (12 * 3.0)
    assert d[2] < d[1] / 3


def test_nodes_of_a_potential_move_by_bdf2_and_rest_on_a_kink():
    kink = pf.potentials.FromFunction(lambda x: np.abs(x[:, 0]), lambda x: np.sign(x))
    problem = problem_of(pf.Energy(kink), Uniform(0.2, 1.2))
    method = second_order(41)
    start = method.init(problem, None).x
    law = pf.solve(problem, method, dt=0.05, times=[0.5]).final
    # at constant speed BDF2 is exact; a node that has passed the kink returns to it within a step
    away = start > 0.5 + 0.05
    assert np.allclose(law.q[away], start[away] - 0.5, atol=1e-12)
    assert np.all(np.abs(law.q[~away]) <= 0.05)


def test_laws_that_shrink_too_fast_are_refused():
    shrinking = problem_of(pf.Energy(pf.potentials.Quadratic(1.0)), Gaussian(0.0, 1.0))
    with pytest.raises(pf.Diverged, match=r"cross.*smaller dt"):
        pf.solve(shrinking, second_order(21), dt=4.0, times=[8.0])
    with pytest.raises(pf.NotAvailable, match=r"fourfold.*smaller dt"):
        second_order().exact_sequence(shrinking, dt=4.0, times=[8.0])
    with pytest.raises(pf.NotAvailable, match=r"no closed form here.*semicircles"):
        second_order().exact_sequence(pf.problems.newtonian_1d(), dt=0.1, times=[0.2])


def test_the_report_has_the_distance_between_the_laws_and_not_from_where_the_step_starts():
    run = pf.solve(pf.problems.ou(), second_order(41), dt=0.1, times=[0.0, 0.1, 0.2, 0.3])
    between = [pf.metrics.w2(new, old).value for old, new in zip(run.laws, run.laws[1:])]
    assert np.allclose(moved(run), between, rtol=1e-10)


def test_steps_of_different_length_are_refused():
    problem, method = pf.problems.ou(), second_order(41)
    state = method.step(problem, method.init(problem, None), 0.1, None)
    with pytest.raises(pf.BadInput, match=r"dt = 0.2 follows one of 0.1.*Keep dt"):
        method.step(problem, state, 0.2, None)
    with pytest.raises(pf.BadInput, match=r"time_order is 3.*1 \(JKO\) and 2 \(BDF2\)"):
        pf.grid.QuantileJKO(time_order=3)


def test_order_one_is_untouched_and_the_study_splits_its_error():
    problem = pf.problems.ou()
    one, two = pf.grid.QuantileJKO(201), second_order(201)
    first = pf.solve(problem, one, dt=0.25, times=[0.25]).final
    assert np.array_equal(first.q, pf.solve(problem, two, dt=0.25, times=[0.25]).final.q)  # the first step is JKO
    table = pf.Study(problem, {"two": two}, {"dt": [1 / 4, 1 / 8]}, {"w2": pf.metrics.w2}).run(progress=False)
    rows = table.to_dataframe()
    # what is left beside the time error is the floor of 201 levels
    assert np.all(np.abs(rows["error"] - rows["time_error"]) < 3e-4)
    assert np.all(rows["time_error"] > 4e-3)
