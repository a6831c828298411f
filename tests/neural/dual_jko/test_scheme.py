"""DualJKO against the closed entropic step, EntropicJKO, and a linear filter."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

import pdeflow as pf
from pdeflow.applications.filtering import Filter
from pdeflow.neural import Adam, DualJKO

OU = pf.problems.ou(initial=pf.laws.Gaussian(1.0, 0.25), temperature=0.5)


@pytest.mark.parametrize(("regularisation", "bumps"), [(1e-6, 20), (1e-3, 0), (0.05, 20)])
def test_gaussians_take_the_closed_entropic_steps(regularisation, bumps):
    """Narrow kernels have Gauss-Hermite nodes, wide ones panels; bumps are left at zero."""
    method = DualJKO(regularisation=regularisation, bumps=bumps)
    run = pf.solve(OU, method, dt=0.125, times=[0.25])
    closed = method.exact_sequence(OU, dt=0.125, times=[0.25]).final
    # the bumps err by the ridge, the rest by round-off
    assert abs(run.final.mean()[0] - closed.mean()[0]) < 1e-8
    assert abs(run.final.cov()[0, 0] - closed.cov()[0, 0]) < 1e-8


def test_adam_comes_to_the_same_law():
    adam = DualJKO(regularisation=0.01, bumps=8, optimiser=Adam(iterations=80))
    law = pf.solve(OU, adam, dt=0.25, times=[0.25], seed=3).final
    closed = adam.exact_sequence(OU, dt=0.25, times=[0.25]).final
    assert 1e-9 < pf.metrics.sym_kl(law, closed).value < 5e-3  # the noise of batches of 256


def test_prediction_and_correction_are_the_kalman_filter_of_the_closed_step():
    method = DualJKO(bumps=0)
    law, constant = OU.initial, -0.5 * np.log(2 * np.pi)
    mean, variance, evidence, total = 1.0, 0.25, 0.0, 0.0
    for y in (0.4, -0.2):
        before = pf.solve(replace(OU, initial=law), method, dt=0.125, times=[0.25]).final
        law, gain = pf.laws.reweighting(before, lambda x, y=y: constant - 0.5 * (y - x[:, 0]) ** 2)
        evidence += gain
        start = replace(OU, initial=pf.laws.Gaussian(mean, variance))
        predicted = method.exact_sequence(start, dt=0.125, times=[0.25]).final
        mean, variance = predicted.mean()[0], predicted.cov()[0, 0]
        total += constant - 0.5 * np.log(1 + variance) - 0.5 * (y - mean) ** 2 / (1 + variance)
        mean, variance = mean + variance / (1 + variance) * (y - mean), variance / (1 + variance)
    assert law.mean()[0] == pytest.approx(mean, abs=1e-10) and law.cov()[0, 0] == pytest.approx(variance, abs=1e-10)
    assert evidence == pytest.approx(total, abs=1e-9)


def test_an_observation_in_the_plane_starts_the_next_prediction():
    problem = pf.problems.ou(2, initial=pf.laws.Gaussian(np.zeros(2), np.eye(2)))
    method = DualJKO(samples=1024, bumps=0)
    before = pf.solve(problem, method, dt=0.1, times=[0.1]).final
    law = pf.laws.reweighted(before, lambda x: -0.5 * (1.0 - x[:, 0]) ** 2)
    after = pf.solve(replace(problem, initial=law), method, dt=0.1, times=[0.1]).final
    mean = after.importance_sample(20_000, np.random.default_rng(0)).mean()
    # half of the observation, once contracted by 1/1.1; three errors of 1,024 draws
    assert mean[0] == pytest.approx(0.5 / 1.1, abs=0.08) and mean[1] == pytest.approx(0.0, abs=0.08)


def test_a_filter_in_the_plane_needs_no_sampler():
    problem = pf.problems.ou(2, initial=pf.laws.Gaussian(np.zeros(2), np.eye(2)), horizon=0.5)
    task = Filter(problem, [0.25, 0.5], [[1.0, 0.0], [0.5, -1.0]])
    ours, kalman = task.run(DualJKO(samples=1024, bumps=0), dt=0.05), task.exact()
    cloud, truth = ours.final.importance_sample(20_000, np.random.default_rng(0)), kalman.final
    # steps of 0.05 err by 0.02 here, and 1,024 draws by 0.03
    assert np.allclose(cloud.mean(), truth.mean(), atol=0.1) and np.allclose(cloud.cov(), truth.cov(), atol=0.1)
    gap = ours.stats["log_evidence"] - kalman.stats["log_evidence"]
    assert abs(gap) < 0.05 + 4 * ours.stats["log_evidence_stderr"]


@pytest.mark.parametrize(
    "problem",
    [pf.problems.porous_medium(1, 2.0, 0.1, 0.5), pf.problems.mckean_vlasov_ou()],
)
def test_other_energies_are_refused(problem):
    with pytest.raises(pf.Unsupported, match="conjugate"):
        pf.solve(problem, DualJKO(), dt=0.1, times=[0.1])


def test_fields():
    for bad in ({"targets": 3}, {"bumps": -1}, {"width": 0.0}, {"regularisation": 0.0}, {"optimiser": "adam"}):
        with pytest.raises(pf.BadInput, match=next(iter(bad))):
            DualJKO(**bad)
