"""QuantileJKO against the exact JKO sequences, the equation, and its own promises."""

from dataclasses import replace

import numpy as np
import pytest
from quantile_jko_cases import ENERGIES

import pdeflow as pf
from pdeflow.energies.interactions import PowerLaw, QuadraticAttraction
from pdeflow.laws import Barenblatt, Gaussian, GridLaw, Particles, Quantiles, Semicircle, Uniform

QuantileJKO = pf.grid.QuantileJKO
FINE = np.concatenate([[0.0], 0.5 ** np.arange(50, 0, -1.0)])
FINE = np.unique(np.concatenate([FINE, 1 - FINE]))


def distance(law, truth):
    """W2 by Gauss-Legendre in every cell of the piecewise linear law, refined by halves towards levels 0 and 1."""
    z, weight = np.polynomial.legendre.leggauss(6)
    edges = np.unique(np.concatenate([FINE, law.levels]))
    width = np.diff(edges)
    u = (edges[:-1, None] + width[:, None] * (z + 1) / 2).ravel()
    weight = (width[:, None] * weight / 2).ravel()
    inside = (u > 0) & (u < 1)
    gap = np.interp(u[inside], law.levels, law.q) - truth.quantile(u[inside])
    return float(np.sqrt(weight[inside] @ gap**2))


def problem_of(energy, initial, horizon=1.0):
    return pf.Problem(energy, initial, horizon, name="test")


def orders(errors):
    errors = np.asarray(errors)
    return np.log2(errors[:-1] / errors[1:])


SEQUENCES = {
    "ou": (pf.problems.ou(), 0.05, 0.5),
    "heat": (pf.problems.heat(), 0.1, 0.5),
    "mckean": (pf.problems.mckean_vlasov_ou(), 0.1, 0.5),
    "barenblatt-1.5": (pf.problems.porous_medium(m=1.5), 0.001, 0.01),
    "barenblatt-2": (pf.problems.porous_medium(), 0.001, 0.01),
    "barenblatt-3": (pf.problems.porous_medium(m=3.0), 0.001, 0.01),
    "newtonian": (pf.problems.newtonian_1d(), 0.1, 0.5),
    "semicircle": (pf.problems.log_repulsion(), 0.1, 0.5),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequence_is_the_exact_jko_sequence_to_the_floor(name):
    problem, dt, t = SEQUENCES[name]
    truth = pf.exact_jko(problem, dt=dt, times=[t]).final
    errors = []
    for points in (51, 101, 201):
        method = QuantileJKO(points)
        error = distance(pf.solve(problem, method, dt=dt, times=[t]).final, truth)
        floor = distance(method.law(method.init(replace(problem, initial=truth), None)), truth)
        assert error <= floor * (
            1 + 1e-9
        )  # the step is a projection: it may beat interpolation, and must not lose to it
        errors.append(error)
    # second order; 1.9 at the coarsest pair of the Gaussian cases, whose tails enter as n^-2.5
    assert np.all(orders(errors) >= 1.88)
    assert np.all(orders(errors) <= 2.1)


def test_uniform_levels_are_first_order_on_a_barenblatt_law():
    problem, dt, t = SEQUENCES["barenblatt-2"]
    truth = pf.exact_jko(problem, dt=dt, times=[t]).final
    errors = [
        distance(pf.solve(problem, QuantileJKO(points, "uniform"), dt=dt, times=[t]).final, truth)
        for points in (51, 101, 201)
    ]
    assert np.all(np.abs(orders(errors) - 1) <= 0.05)  # docs/math.md 6.2: a plain uniform-quantile code is first order
    assert 1e-4 < errors[-1] < 5e-4  # and its size there, 2.6e-4 at n = 200


@pytest.mark.parametrize(
    "name, dts, points, t",
    [("ou", (1 / 64, 1 / 128, 1 / 256), 401, 0.5), ("barenblatt-2", (5e-4, 2.5e-4, 1.25e-4), 201, 0.02)],
)
def test_order_one_in_time_against_the_equation(name, dts, points, t):
    problem = SEQUENCES[name][0]
    truth = problem.exact(t)
    errors = [distance(pf.solve(problem, QuantileJKO(points), dt=dt, times=[t]).final, truth) for dt in dts]
    assert np.all(np.abs(orders(errors) - 1) <= 0.05)


def test_leading_time_error_of_ornstein_uhlenbeck():
    a, t, dt = 1.5, 0.1, 1e-4
    problem = pf.problems.ou(matrix=a)
    truth = problem.exact(t)

    def speed(sigma):
        return -a * sigma + 1 / sigma

    sigma = np.sqrt(truth.cov()[0, 0])
    # docs/math.md 4.2: mean (dt/2) a² t m_t, standard deviation (dt/2) f_t log(f_t/f_0)
    predicted = dt * np.hypot(0.5 * a**2 * t * truth.mean()[0], 0.5 * speed(sigma) * np.log(speed(sigma) / speed(0.5)))
    measured = distance(pf.solve(problem, QuantileJKO(2000), dt=dt, times=[t]).final, truth)
    assert measured == pytest.approx(predicted, rel=0.03)


def test_leading_time_error_of_barenblatt():
    dt, t, beta = 1e-4, 0.02, 1 / 3
    problem = pf.problems.porous_medium()
    # docs/math.md 1.1: |μ_k - t^β| = (dt/2) β(1-β) t^(β-1) log(t/t_0), times the standard deviation at scale one
    spread = np.sqrt(Barenblatt(1, 2.0, 1.0).second_moment)
    predicted = dt / 2 * beta * (1 - beta) * 0.022 ** (beta - 1) * np.log(11) * spread
    measured = distance(pf.solve(problem, QuantileJKO(401), dt=dt, times=[t]).final, problem.exact(t))
    assert measured == pytest.approx(predicted, rel=0.02)


def test_reference_numbers():
    run = pf.solve(pf.problems.porous_medium(), QuantileJKO(801), dt=0.001, times=[0.02]).final
    # reference_numbers.json: baren_jko20_W2err; the spatial error 5.8e-7 adds in part linearly
    assert distance(run, Barenblatt(1, 2.0, 0.022)) == pytest.approx(0.00300016400622, abs=1e-6)
    run = pf.solve(pf.problems.log_repulsion(initial=Semicircle(3.4)), QuantileJKO(101), dt=0.1, times=[1.0]).final
    # semicirc_jko10_sigma; the standard deviation converges as n^-2, 1.2e-4 here at most (the W2 error)
    assert np.sqrt(run.cov()[0, 0]) == pytest.approx(0.930896631193, abs=2.7e-4)
    run = pf.solve(pf.problems.mckean_vlasov_ou(), QuantileJKO(1601), dt=0.1, times=[0.1]).final
    assert run.cov()[0, 0] == pytest.approx(0.283405937515, abs=2e-6)  # mckean_jko1_var; W2 error 1.1e-6 here


def test_repulsion_of_any_power_follows_its_closed_sequence():
    # docs/math.md 2.2: W = x²/2 - |x|^b/b keeps |x|²/R² ~ Beta(1/2, 2 - s), s = (b+1)/2, and (1+τ)R - τ R∞^(2-b)
    # R^(b-1) = R_k
    from scipy.optimize import brentq
    from scipy.special import betaincinv, gamma

    b, tau, radius = 0.5, 0.1, 2.0
    shape = 2 - (b + 1) / 2
    limit = gamma(2 - b / 2) * gamma((b + 1) / 2) / gamma(1.5)
    profile = pf.laws.FromQuantile(lambda s: 2 * betaincinv(shape, shape, s) - 1)
    for _ in range(5):
        radius = brentq(lambda r, old: (1 + tau) * r - tau * limit * r ** (b - 1) - old, 0.1, 5, args=(radius,))
    start = pf.laws.FromQuantile(lambda s: 2.0 * profile.quantile(s))
    truth = pf.laws.FromQuantile(lambda s: radius * profile.quantile(s))
    problem = problem_of(pf.Energy(interaction=PowerLaw(2.0, b)), start)
    errors = [distance(pf.solve(problem, QuantileJKO(n), dt=tau, times=[5 * tau]).final, truth) for n in (26, 51, 101)]
    assert np.all(orders(errors) >= 1.9)
    assert errors[-1] < 3e-4


@pytest.mark.parametrize("dt", [0.02, 0.2])
@pytest.mark.parametrize("name", ENERGIES)
def test_every_step_dissipates_and_is_stationary(name, dt):
    energy, initial = ENERGIES[name]
    method = QuantileJKO(61)
    problem = problem_of(energy, initial)
    start = method.init(problem, None)
    run = pf.solve(problem, method, dt=dt, times=[5 * dt])
    energies = np.array([start.facts["energy"], *(h["energy"] for h in run.history)])
    moved = np.array([h["distance"] for h in run.history])
    # docs/math.md 10.5, weak form: F(ρ_k) - F(ρ_{k+1}) >= W2²/(2 dt), which the minimiser obeys because ρ_k itself
    # is admissible
    assert np.all(energies[:-1] - energies[1:] >= moved**2 / (2 * dt) - 1e-12)
    assert np.all(moved > 1e-6)
    assert max(h["gradient"] for h in run.history) <= 2e-10
    if energy.potential is None:  # diffusion and even kernels keep the mean; round-off of sums of 61 terms
        assert run.final.mean()[0] == pytest.approx(Quantiles(start.x, start.levels).mean()[0], abs=1e-11)


def test_energy_of_the_report_is_that_of_the_law():
    energy = pf.Energy(pf.potentials.Quadratic(2.0, 0.5), pf.Power(2.5, 0.3), QuadraticAttraction(1.5))
    run = pf.solve(problem_of(energy, Uniform(-1.0, 2.0)), QuantileJKO(41), dt=0.1, times=[0.2])
    assert run.history[-1]["energy"] == pytest.approx(energy.evaluate(run.final).value, rel=1e-13)


@pytest.mark.parametrize("dt", [1e-5, 1.0, 100.0, 1e6])
def test_any_step_reaches_or_keeps_the_equilibrium(dt):
    run = pf.solve(pf.problems.ou(), QuantileJKO(201), dt=dt, times=[2 * dt])
    assert np.all(np.diff(run.final.q) > 0)
    exact = pf.exact_jko(pf.problems.ou(), dt=dt, times=[2 * dt]).final
    assert distance(run.final, exact) < 2e-4  # the floor of 201 points


@pytest.mark.parametrize("dt", [0.05, 1.0, 100.0])
def test_non_convex_potential_by_descent_to_a_stationary_point(dt):
    problem = pf.problems.double_well()
    run = pf.solve(problem, QuantileJKO(401), dt=dt, times=[40 * dt])
    assert max(h["gradient"] for h in run.history) <= 1e-9
    if dt > 1:  # -V'' reaches 4, so the Hessian is indefinite on the way
        assert max(h["shift"] for h in run.history) > 0
        # the Gibbs law exp(-2 (x²-1)²) by quadrature
        x = np.linspace(-3, 3, 4001)
        gibbs = np.exp(-2 * (x**2 - 1) ** 2)
        assert run.final.cov()[0, 0] == pytest.approx((x**2 @ gibbs) / gibbs.sum(), abs=1.5e-4)  # n^-2, 8.5e-5 here


def test_point_mass_start_gives_the_exact_first_step():
    heat = problem_of(pf.Energy(internal=pf.Entropy(1.0)), Particles(np.array([0.5])))
    first = pf.solve(heat, QuantileJKO(301), dt=0.01, times=[0.01])
    assert distance(first.final, Gaussian(0.5, 0.01)) < 1e-5  # σ - dt/σ = 0
    porous = problem_of(pf.Energy(internal=pf.Power(2.0)), Particles(np.array([0.5])))
    first = pf.solve(porous, QuantileJKO(301), dt=0.01, times=[0.01])
    assert distance(first.final, Barenblatt.of_scale(1, 2.0, (0.01 / 3) ** (1 / 3), [0.5])) < 1e-5


@pytest.mark.parametrize(
    "initial",
    [
        Particles(np.arange(7.0)),
        GridLaw(np.linspace(-1, 1, 5), [0.1, 0.4, 0.4, 0.1]),
        Quantiles([0.0, 1.0, 4.0], [0.0, 0.2, 1.0]),
    ],
)
def test_any_law_with_quantiles_is_a_start(initial):
    problem = problem_of(pf.Energy(internal=pf.Entropy(0.5)), initial)
    method = QuantileJKO(401)
    state = method.init(problem, None)
    assert state.x[0] == initial.quantile(0.0)
    assert state.x[-1] == initial.quantile(1.0)
    run = pf.solve(problem, method, dt=0.1, times=[0.1])
    # JKO of the entropy moves every law by at most √(dt (F(ρ_k) - F(ρ_{k+1}))) and spreads it
    assert run.final.cov()[0, 0] > initial.cov()[0, 0]
    assert run.final.mean()[0] == pytest.approx(initial.mean()[0], abs=0.02)  # jumps of Q between two levels


@pytest.mark.parametrize("points", [50, 200, 800])
def test_a_gap_in_the_support_costs_order_one_half(points):
    # the limitation that the class docstring states: one cell of mass w lies across the gap J = 12, and costs J
    # √(w/12)
    method = QuantileJKO(points)
    law = method.law(
        method.init(problem_of(pf.Energy(internal=pf.Entropy(1.0)), Particles(np.array([-6.0, 6.0]))), None)
    )
    half = points // 2
    w = law.levels[half] - law.levels[half - 1]
    z, weight = np.polynomial.legendre.leggauss(2)  # exact: the error is linear on each half of the cell
    u = 0.5 + w * (z + 1) / 4
    error = np.sqrt(2 * (w / 4) * weight @ (np.interp(u, law.levels, law.q) - 6) ** 2)
    assert error == pytest.approx(12 * np.sqrt(w / 12), rel=1e-9)  # w is a difference of numbers near 1/2
    assert error == pytest.approx(0.453 * 12 / np.sqrt(points - 1), rel=1e-3)
    np.testing.assert_array_equal(law.q, np.repeat([-6.0, 6.0], half))  # the other cells are exact


def test_same_bits_and_long_runs_of_translations():
    runs = [pf.solve(pf.problems.ou(), QuantileJKO(101), dt=0.1, times=[0.5]).final.q for _ in range(2)]
    np.testing.assert_array_equal(*runs)
    far = pf.solve(pf.problems.heat(initial=Gaussian(1000.0, 1.0)), QuantileJKO(101), dt=0.1, times=[0.5]).final.q
    near = pf.solve(pf.problems.heat(), QuantileJKO(101), dt=0.1, times=[0.5]).final.q
    np.testing.assert_allclose(far - 1000, near, atol=1e-9)  # round-off of numbers of size 1000, amplified by 1/Δ


def test_exact_sequence_is_exact_jko():
    problem = pf.problems.ou()
    sequence = QuantileJKO().exact_sequence(problem, dt=0.1, times=[0.3])
    assert sequence.final.cov()[0, 0] == pf.exact_jko(problem, dt=0.1, times=[0.3]).final.cov()[0, 0]
    with pytest.raises(pf.NotAvailable):
        QuantileJKO().exact_sequence(pf.problems.double_well(), dt=0.1, times=[0.3])


def test_the_energy_is_prepared_once_per_run(monkeypatch):
    from pdeflow.grid.quantile_jko import scheme

    calls, prepare = [], scheme.discretise

    def counted(*arguments):
        calls.append(arguments)
        return prepare(*arguments)

    monkeypatch.setattr(scheme, "discretise", counted)
    pf.solve(pf.problems.mckean_vlasov_ou(), QuantileJKO(31), dt=0.1, times=[0.1, 0.5])
    assert len(calls) == 1
