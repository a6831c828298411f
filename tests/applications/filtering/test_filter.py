"""Filters against Kalman's recursion, the reference numbers, and each other."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.applications import Filter, ripples
from pdeflow.grid import ChangCooper

OBSERVED = (0.5, -0.3, 0.8, 1.2, -0.4, 0.1, 0.9, -1.1, 0.3)
TIMES = 0.5 * np.arange(1, 10)
LINEAR = Filter(pf.problems.ou(initial=pf.laws.Gaussian(0.0, 1.0), matrix=1.3, horizon=2.0), [0.5, 1.0, 1.5],
                [0.9, -0.2, 0.4], variance=0.7)  # fmt: skip


def kalman(shrink, noise):
    """Mean and variance at 2, and the log-evidence, of m <- shrink m, v <- shrink² v + noise and Kalman's update."""
    m, v, evidence = 0.0, 1.0, 0.0
    for y in [0.9, -0.2, 0.4]:
        m, v = shrink * m, shrink**2 * v + noise
        spread = v + 0.7
        evidence -= 0.5 * ((y - m) ** 2 / spread + np.log(2 * np.pi * spread))
        gain = v / spread
        m, v = m + gain * (y - m), (1 - gain) * v
    return shrink * m, shrink**2 * v + noise, evidence


def exact_kalman():
    shrink = np.exp(-1.3 * 0.5)
    return kalman(shrink, (1 - shrink**2) / 1.3)


def jko_kalman(h):
    """The same with exact JKO steps x <- x/(1 + ah) of the mean, and of the deviation s' = s'' with
    (1 + ah) s' - h/s' = s."""

    def steps(m, v):
        for _ in range(round(0.5 / h)):
            s = np.sqrt(v)
            m, v = m / (1 + 1.3 * h), ((s + np.sqrt(s * s + 4 * h * (1 + 1.3 * h))) / (2 * (1 + 1.3 * h))) ** 2
        return m, v

    m, v = 0.0, 1.0
    for y in [0.9, -0.2, 0.4]:
        m, v = steps(m, v)
        gain = v / (v + 0.7)
        m, v = m + gain * (y - m), (1 - gain) * v
    return steps(m, v)


@dataclass(frozen=True)
class Exponential:
    """ChangCooper without time error."""

    cells: int

    def run(self, problem, dt, times, seed):
        return pf.grid.exponential(problem, ChangCooper(self.cells, -8.0, 8.0), times).laws


def test_the_exact_filter_is_kalmans():
    flow = LINEAR.exact()
    mean, variance, evidence = exact_kalman()
    assert flow.times.tolist() == [0.5, 1.0, 1.5, 2.0]
    # closed forms on both sides: round-off
    assert flow.final.mean()[0] == pytest.approx(mean, abs=1e-14)
    assert flow.final.cov()[0, 0] == pytest.approx(variance, abs=1e-14)
    assert flow.stats["log_evidence"] == pytest.approx(evidence, abs=1e-13)


def test_the_exact_filter_of_a_mixture_agrees_with_a_grid():
    start = pf.laws.GaussianMixture([0.3, 0.7], [-1.5, 2.0], [0.09, 0.36])
    both = Filter(pf.problems.mixture_ou(start, horizon=1.0), [0.5], [0.4])
    found, exact = both.run(ChangCooper(800, time_order=2), dt=1 / 64), both.exact()
    # second order in cells of 1/50 and in dt
    assert found.final.mean()[0] == pytest.approx(exact.final.mean()[0], abs=2e-4)
    assert found.final.cov()[0, 0] == pytest.approx(exact.final.cov()[0, 0], abs=5e-4)
    assert found.stats["log_evidence"] == pytest.approx(exact.stats["log_evidence"], abs=2e-4)


def test_the_reference_numbers():
    """filt_entropy and filt_logevid to 1e-9, what docs/math.md states: no error in time, Richardson in the cells."""
    problem = Filter(ripples(), TIMES, OBSERVED)
    found = []
    for cells in (400, 800, 1600):
        run = problem.run(Exponential(cells), dt=0.5)
        found.append(np.array([run.final.entropy(), run.stats["log_evidence"]]))
    second = [fine + (fine - coarse) / 3 for coarse, fine in pairwise(found)]
    best = second[1] + (second[1] - second[0]) / 15
    # reference_numbers.json: filt_entropy, filt_logevid
    np.testing.assert_allclose(best, [1.4311969934548003, -13.152410968378204], atol=2e-9)


def test_the_published_grid_has_its_error():
    """2,000 cells on [-5, 5] and dt = 1e-3: implicit Euler is off by 1.3e-4 and 4.6e-4, first order in dt."""
    problem = Filter(ripples(), TIMES[:2], OBSERVED[:2])
    evidence = [
        problem.run(ChangCooper(500, -5.0, 5.0), dt=dt, until=1.0).stats["log_evidence"] for dt in (0.01, 0.005, 0.0025)
    ]
    assert (evidence[0] - evidence[1]) / (evidence[1] - evidence[2]) == pytest.approx(2, rel=0.05)


def test_the_bootstrap_filter_is_unbiased_for_the_evidence():
    runs = [LINEAR.run(pf.particle.EulerMaruyama(particles=500), dt=0.01, seed=seed) for seed in range(12)]
    mean, _, evidence = exact_kalman()
    ratios = np.exp([run.stats["log_evidence"] - evidence for run in runs])
    # E of the estimated evidence is the evidence of the Euler-Maruyama chain, off by O(dt) = 1 %; 4 standard errors
    assert ratios.mean() == pytest.approx(1, abs=0.01 + 4 * ratios.std() / np.sqrt(12))
    means = np.array([run.final.mean()[0] for run in runs])
    assert means.mean() == pytest.approx(mean, abs=0.005 + 4 * means.std() / np.sqrt(12))
    notes = runs[0].stats["observations"]
    assert [note["time"] for note in notes] == [0.5, 1.0, 1.5]
    assert all(100 < note["effective_size"] < 500 for note in notes)
    again = LINEAR.run(pf.particle.EulerMaruyama(particles=500), dt=0.01, seed=0)
    assert np.array_equal(again.final.x, runs[0].final.x)


def test_quantiles_are_the_filter_of_the_exact_jko_step():
    mean, variance = jko_kalman(0.1)
    found = LINEAR.run(pf.grid.QuantileJKO(points=400), dt=0.1).final
    # second order in 400 points, measured 2e-5; the time error that it must not have is 0.01
    assert found.mean()[0] == pytest.approx(mean, abs=1e-4)
    assert found.cov()[0, 0] == pytest.approx(variance, abs=2e-4)
    assert abs(variance - exact_kalman()[1]) > 5e-3


def test_a_flow_of_maps_by_chains():
    """The mended Algorithm 3 on the linear case: within 3 standard errors of Kalman's filter with exact JKO steps."""
    pytest.importorskip("torch")
    mean, variance = jko_kalman(0.25)
    pool = 2048
    method = pf.neural.ICNNJKO(width=1, iterations=40, batch=512, training=pf.neural.Training(pool=pool))
    sampler = pf.laws.MetropolisHastings(pf.laws.CrankNicolson(0.7), chains=pool, warm_up=20)
    run = LINEAR.run(method, dt=0.25, sampler=sampler, seed=1)
    law = run.final
    # the map of a step carries the error of the pool's mean and variance, and each observation draws a new one: they
    # add up as independent ones at most
    error = np.sqrt(4 / pool)
    assert law.mean()[0] == pytest.approx(mean, abs=3 * error * np.sqrt(variance))
    assert law.cov()[0, 0] == pytest.approx(variance, abs=3 * error * np.sqrt(2) * variance)
    assert all(0.4 < note["acceptance"] < 0.95 for note in run.stats["observations"])
    assert law.log_density(np.array([[0.1]])).shape == (1,)


def test_a_density_in_closed_form_is_multiplied_by_the_likelihoods():
    pytest.importorskip("torch")
    mean, variance = jko_kalman(0.25)
    found = LINEAR.run(pf.neural.DualJKO(bumps=0), dt=0.25)
    # its temperature is ε/(2 dt) = 0.002 too high, and that raises the variance by 0.2 % at most
    assert found.final.mean()[0] == pytest.approx(mean, abs=1e-3)
    assert found.final.cov()[0, 0] == pytest.approx(variance, rel=2.5e-3)


def test_more_times_are_kept_and_a_general_likelihood_is_taken():
    def log_likelihood(x, value):
        return -((x[:, 0] ** 2 - value) ** 2) / 2

    ranges = Filter(pf.problems.double_well(horizon=1.0), [0.5], [1.0], log_likelihood=log_likelihood)
    run = ranges.run(ChangCooper(400), dt=0.01, times=[0.25, 0.75], until=1.0)
    assert run.times.tolist() == [0.25, 0.5, 0.75, 1.0]
    before = pf.solve(ranges.problem, ChangCooper(400), dt=0.01, times=[0.5]).final
    weight = np.exp(log_likelihood(before.centers[0][:, None], 1.0))
    assert run.stats["log_evidence"] == pytest.approx(np.log(weight @ before.mass), abs=1e-12)
    np.testing.assert_allclose(run.at(0.5).mass, before.mass * weight / (weight @ before.mass), atol=1e-14)


def test_a_filter_of_its_own_draws():
    made, again = (
        Filter.simulated(pf.problems.ou(2, horizon=1.0), [0.5, 1.0], 0.01, seed=3, dt=0.01) for _ in range(2)
    )
    assert made.values.shape == (2, 2)
    assert np.array_equal(made.values, again.values)
    run = made.run(pf.particle.EulerMaruyama(particles=2000), dt=0.02)
    exact = made.exact()
    # after the last observation: 4 standard errors of 2,000 particles, of which some 50 count
    assert np.all(np.abs(run.final.mean() - exact.final.mean()) < 4 * 0.1 / np.sqrt(50))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(times=[0.0, 1.0, 2.0]), "above 0"),
        (dict(times=[1.0, 2.0]), "one value"),
        (dict(values=np.zeros((3, 2))), "dim 1"),
        (dict(variance=-1.0), "^variance is not positive definite"),
        (dict(variance=np.eye(2)), r"^variance has shape \(2, 2\)"),
        (dict(variance=2.0, log_likelihood=lambda x, y: x[:, 0]), "one of the two"),
        (dict(log_likelihood=lambda x: x[:, 0]), r"^log_likelihood .* takes \(x\)\. It is called with \(x, value\)"),
        (dict(variance=1.0, log_likelihood=lambda x, y: x[:, 0]), "variance is 1.0 beside"),
    ],
)
def test_what_makes_no_filter_is_refused(change, words):
    fields = dict(problem=LINEAR.problem, times=[0.5, 1.0, 1.5], values=[0.9, -0.2, 0.4]) | change
    with pytest.raises(pf.errors.BadInput, match=words):
        Filter(**fields)


def test_what_cannot_run_is_refused():
    with pytest.raises(pf.errors.BadInput, match=r"observation at time 0.5 .* Use dt = 0.25, which divides"):
        LINEAR.run(ChangCooper(100), dt=0.4)
    with pytest.raises(pf.errors.BadInput, match=r"observation at time 0.3333333.* Round their times"):
        Filter(LINEAR.problem, [0.33333333, 0.7123456789], [0.9, -0.2]).run(ChangCooper(100), dt=0.1)
    with pytest.raises(pf.errors.BadInput, match=r"time 0.85 is no multiple of dt .* Save at"):
        LINEAR.run(ChangCooper(100), dt=0.1, times=[0.85])
    with pytest.raises(pf.errors.BadInput, match="without one"):
        LINEAR.run(ChangCooper(100), dt=0.1, sampler=pf.laws.MetropolisHastings())
    with pytest.raises(pf.errors.BadInput, match="until"):
        LINEAR.run(ChangCooper(100), dt=0.1, times=[3.0])
    with pytest.raises(pf.errors.BadInput, match="last observation is at time 9, the horizon"):
        Filter(LINEAR.problem, [0.5, 9.0], [0.9, -0.2]).exact()
    with pytest.raises(pf.errors.BadInput, match="log_likelihood is 3"):
        Filter(LINEAR.problem, [0.5], [0.9], log_likelihood=3)
    with pytest.raises(pf.errors.Unsupported, match=r"SVGD.* another time than the diffusion"):
        LINEAR.run(pf.particle.SVGD(), dt=0.1)
    with pytest.raises(pf.errors.BadInput, match=r"^variance is not positive definite"):
        Filter.simulated(LINEAR.problem, [0.5], -0.1)
    with pytest.raises(
        pf.errors.NotAvailable, match=r"log_likelihood has no closed flow.*Kalman.*ChangCooper.*bootstrap"
    ):
        Filter(LINEAR.problem, [0.5, 1.0], [0.9, 0.1], log_likelihood=lambda x, y: -np.abs(x[:, 0] - y)).exact()
    for odd, words in (
        ((lambda x, y: x - y), "^log_likelihood gives an array"),
        ((lambda x, y: x[:, 0] * np.nan), "^log_l"),
    ):
        with pytest.raises(pf.errors.BadInput, match=words):
            Filter(LINEAR.problem, [0.5], [0.9], log_likelihood=odd).run(ChangCooper(100), dt=0.1)
    with pytest.raises(pf.errors.NotAvailable, match="with Gaussian noise has no closed flow"):
        Filter(pf.problems.double_well(), [0.5], [0.9]).exact()
    moving = pf.problems.ou(center=lambda t: np.array([t]))
    with pytest.raises(pf.errors.Unsupported, match="clock"):
        Filter(moving, [0.5], [0.0])


@pytest.mark.parametrize("name", ["mckean_vlasov_ou", "porous_medium", "newtonian_1d"])
def test_energies_that_are_not_those_of_a_diffusion_are_refused(name):
    with pytest.raises(pf.Unsupported, match="is not the energy of a diffusion"):
        Filter(getattr(pf.problems, name)(), [0.25], [1.0])
