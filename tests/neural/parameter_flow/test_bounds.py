"""The a-posteriori bounds, against a flow whose error is known: affine maps of a mixture under Ornstein-Uhlenbeck."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow._core.quadrature import graded_rule
from pdeflow.laws import GaussianMixture
from pdeflow.neural import PWGF, RK4, Affine, Euler, Planar, energy_bound, log_sobolev_rate, projection_error, w2_bound
from pdeflow.trajectory import Trajectory

RATE, CENTER = 1.2, 0.4
START = GaussianMixture([0.35, 0.65], [-1.0, 0.8], [0.4, 0.4])
PROBLEM = pf.problems.mixture_ou(initial=START, matrix=RATE, center=CENTER)


def record(delta, dt):
    """A trajectory that reports the projection errors `delta` at the beginning, and after steps of length dt."""
    names = ("delta0", "shortfall")  # without damping they are one
    history = [
        {
            "step": k,
            "time": k * dt,
            **{f"{name}_before": delta[k - 1] for name in names},
            **dict.fromkeys(names, delta[k]),
        }
        for k in range(1, len(delta))
    ]
    return Trajectory([(len(delta) - 1) * dt], [PROBLEM.initial], {}, history)


@pytest.mark.parametrize("rate", [2.0, 0.0, -0.7])
def test_a_constant_error_gives_the_formulas_of_the_theorems(rate):
    run, delta, start = record([0.09] * 6, 0.1), 0.09, 0.4
    t, bound = w2_bound(run, convexity=rate, start=start)
    reach = (1 - np.exp(-rate * t)) / rate if rate else t
    assert np.allclose(bound, np.exp(-rate * t) * start + np.sqrt(delta) * reach, rtol=1e-13)
    if rate > 0:
        t, bound = energy_bound(run, rate=rate, gap=start)
        assert np.allclose(bound, delta / rate * (1 - np.exp(-rate * t)) + start * np.exp(-rate * t), rtol=1e-13)


def test_the_larger_end_of_a_step_counts():
    _, bound = w2_bound(record([1.0, 4.0, 0.25, 0.25], 0.5), convexity=0.0)
    assert np.allclose(bound, [0, 1.0, 2.0, 2.25], atol=1e-15)


def affine_flow(steps, dt):
    """PWGF with T(z) = uz + v by quadrature in the level: parameters and projection errors along explicit Euler."""
    level, weight = graded_rule()
    z = PROBLEM.initial.quantile(level)
    score = np.array([_score(PROBLEM.initial, value) for value in z])
    basis = np.stack([z, np.ones_like(z)])
    theta, path, delta = np.array([1.0, 0.0]), [], []
    for _ in range(steps + 1):
        u, v = theta
        gradient = RATE * (u * z + v - CENTER) + score / u
        direction = -np.linalg.solve(basis * weight @ basis.T, basis * weight @ gradient)
        path.append(theta)
        delta.append(weight @ (direction @ basis + gradient) ** 2)
        theta = theta + dt * direction
    return np.array(path), np.array(delta)


def _score(law, x, h=1e-5):
    return float((law.log_density([[x + h]]) - law.log_density([[x - h]]))[0] / (2 * h))


def test_the_bounds_hold_where_the_error_is_known_and_are_not_idle():
    dt, steps = 1e-3, 1000
    path, delta = affine_flow(steps, dt)
    assert delta[0] > 0.5  # affine maps cannot follow a mixture
    run = record(delta, dt)
    times, bound = w2_bound(run, convexity=RATE)
    target = PROBLEM.exact(1e3)
    gap = pf.metrics.kl(PROBLEM.initial, target).value
    _, energy = energy_bound(run, rate=log_sobolev_rate(RATE), gap=gap)
    for k, share in ((50, 0.85), (100, 0.75), (1000, 0.25)):  # the bounds are sharp at the beginning
        law = _affine(*path[k])
        true = pf.metrics.w2(law, PROBLEM.exact(times[k])).value
        assert share * bound[k] < true < bound[k]
        excess = pf.metrics.kl(law, target).value
        assert 0.2 * energy[k] < excess < energy[k]
        # without the projection error the second bound would be false: the flow stops short of the target
        assert excess > gap * np.exp(-log_sobolev_rate(RATE) * times[k])


def test_the_error_on_fresh_draws_is_above_that_on_the_points_of_the_run_and_near_the_exact_one():
    method = PWGF(map=Affine(), samples=20_000, integrator=Euler())
    flow = pf.solve(PROBLEM, method, dt=0.1, times=[0.1])
    exact = affine_flow(1, 0.1)[1][1]
    estimate = projection_error(flow.final, PROBLEM.energy, rng=np.random.default_rng(3), n=20_000)
    assert abs(estimate.value - exact) < 4 * estimate.stderr < 0.1 * exact
    assert abs(flow.history[0]["delta0"] - exact) < 0.05 * exact and flow.history[0]["delta0_before"] > 0.5
    # a map of 63 parameters on 60 points fits them, and is told what that is worth elsewhere
    small = pf.solve(PROBLEM, PWGF(map=Planar(20), samples=60, integrator=Euler()), dt=0.02, times=[0.02])
    fresh = projection_error(small.final, PROBLEM.energy, rng=np.random.default_rng(3), n=60)
    assert fresh.value > small.history[0]["delta0"]


def test_the_energy_bound_holds_with_damping_where_the_projection_error_alone_would_not_do():
    """Ornstein-Uhlenbeck from N(2, 1).

    A shift, for which ∫|∇δF|² dρ = ζ (F - F*) is an equality, so that nothing is to spare.
    """
    problem, rest = pf.problems.ou(initial=pf.laws.Gaussian(2.0, 1.0), horizon=0.2), pf.laws.Gaussian(0.0, 1.0)
    method = PWGF(map=Planar(4, affine=False), samples=2000, damping=0.3, integrator=RK4())
    flow = pf.solve(problem, method, dt=0.02, times=[0.02, 0.2])
    excess = np.array([pf.metrics.kl(law, rest).value for law in flow.laws])
    rate = log_sobolev_rate(1.0)
    bound = energy_bound(flow, rate=rate, gap=2.0)[1][[1, -1]]
    assert (excess < bound).all() and (excess > 0.9 * bound).all()
    alone = [{**step, "shortfall": step["delta0"], "shortfall_before": step["delta0_before"]} for step in flow.history]
    wrong = energy_bound(Trajectory(flow.times, flow.laws, {}, alone), rate=rate, gap=2.0)[1][[1, -1]]
    assert (excess > wrong).all()
    last, before = flow.history[-1], flow.history[-2]
    for name in ("delta0", "shortfall"):
        assert last[f"{name}_before"] == before[name]


def test_without_damping_the_energy_falls_short_by_the_projection_error():
    flow = pf.solve(PROBLEM, PWGF(map=Affine(), samples=500, integrator=Euler()), dt=0.1, times=[0.2])
    for step in flow.history:
        assert step["shortfall"] == pytest.approx(step["delta0"], rel=1e-10) and step["delta0"] > 0.1


def _affine(u, v):
    start = PROBLEM.initial
    return pf.laws.GaussianMixture(start.weights, u * start.means + v, u**2 * start.covs)


def test_the_rate_is_the_corrected_one():
    # docs/math.md 8.1: V = x²/4 + 6 exp(-x²) has K = 1/2 for U = x²/4, osc = 6; true rate 2 · 0.010974, printed D K/osc
    # = 0.0833
    rate = log_sobolev_rate(0.5, 6.0)
    assert abs(rate - 0.00248) < 5e-6 and rate < 2 * 0.010974 < 0.5 / 6
    assert log_sobolev_rate(1.5, 0.4, 0.5) == pytest.approx(3 * np.exp(-0.8), rel=1e-14)


def test_what_cannot_be_meant_is_refused():
    run = record([0.1, 0.1], 0.1)
    with pytest.raises(pf.NotAvailable, match="tangent space"):
        projection_error(START, PROBLEM.energy, rng=np.random.default_rng(0))
    with pytest.raises(pf.NotAvailable, match="delta0"):
        w2_bound(pf.exact(PROBLEM), convexity=1.0)
    for fault in (
        lambda: w2_bound(run, convexity=np.nan),
        lambda: w2_bound(run, convexity=1.0, start=-1.0),
        lambda: energy_bound(run, rate=0.0, gap=1.0),
        lambda: energy_bound(run, rate=1.0, gap=-1.0),
        lambda: log_sobolev_rate(0.0),
        lambda: log_sobolev_rate(1.0, -1.0),
    ):
        with pytest.raises(pf.BadInput):
            fault()
