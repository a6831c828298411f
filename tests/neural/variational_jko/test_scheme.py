"""VariationalJKO against the exact JKO sequences, its reports and its refusals."""

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow.laws import Gaussian
from pdeflow.neural import (
    Affine,
    Convex,
    DeepResidual,
    DualNetwork,
    Training,
    VariationalJKO,
)
from pdeflow.neural.particles import draw

SMALL = Training(pool=8192)
QUANTILES = pf.grid.QuantileJKO(400)


TINY = {"map": Convex(16, 1), "dual": DualNetwork(32, 1)}


@pytest.mark.parametrize(
    "dim, temperature, initial",
    [(2, 1.0, None), (5, 0.3, None), (2, 1.0, Gaussian([0.0, 1.0], [[4.0, 0.1], [0.1, 0.04]]))],
)
def test_linear_maps_give_the_exact_jko_iterates_of_gaussians(dim, temperature, initial):
    problem = pf.problems.ou(dim=dim, seed=1, temperature=temperature, initial=initial, horizon=0.5)
    flow = pf.solve(problem, VariationalJKO(map=Affine(), outer=400, training=SMALL), dt=0.25)
    truth = pf.exact_jko(problem, dt=0.25).final
    assert isinstance(flow.final, Gaussian)
    # blocks of the pool have exact moments, so that only the optimiser errs (seen: 2e-6)
    np.testing.assert_allclose(flow.final.mean(), truth.mean(), atol=3e-5)
    np.testing.assert_allclose(flow.final.cov(), truth.cov(), atol=3e-5)
    last = flow.history[-1]
    exact = problem.energy.evaluate(flow.final).value
    assert abs(last["bound"] - exact) < 1e-5 and abs(last["gap"]) < 1e-10 and last["test"] == "quadratic"


def test_forward_backward_is_the_gaussian_push_and_a_heat_step():
    problem = pf.problems.ou(dim=2, seed=3, horizon=0.5)
    method = VariationalJKO(map=Affine(), scheme="forward-backward", outer=400, training=SMALL)
    flow = pf.solve(problem, method, dt=0.25)
    exact = method.exact_sequence(problem, dt=0.25, times=[0.5]).final
    mean, cov = problem.initial.mean(), problem.initial.cov()
    matrix, center = problem.energy.potential.matrix, problem.energy.potential.center
    for _ in range(2):  # docs/math.md 4.3
        push = np.eye(2) - 0.25 * matrix
        mean, cov = mean - 0.25 * matrix @ (mean - center), push @ cov @ push
        values, basis = np.linalg.eigh(cov)
        cov = (basis * (values + 0.5 + np.sqrt(values**2 + values)) / 2) @ basis.T  # ½[Σ + 2c + (Σ² + 4cΣ)^½], c = dt T
    np.testing.assert_allclose(exact.mean(), mean, atol=1e-13)
    np.testing.assert_allclose(exact.cov(), cov, atol=1e-13)
    np.testing.assert_allclose(flow.final.mean(), mean, atol=3e-5)
    np.testing.assert_allclose(flow.final.cov(), cov, atol=3e-5)


def test_linear_maps_give_the_exact_jko_iterates_of_barenblatt_profiles():
    problem = pf.problems.porous_medium(horizon=0.002)
    flow = pf.solve(problem, VariationalJKO(map=Affine(), outer=400, training=SMALL), dt=0.001)
    truth = pf.exact_jko(problem, dt=0.001).final
    u = np.array([0.0, 0.25, 0.9, 1.0])
    np.testing.assert_allclose(flow.final.quantile(u), truth.quantile(u), atol=1e-4 * truth.radius)
    assert truth.radius > 1.05 * problem.initial.radius
    last = flow.history[-1]
    assert abs(last["bound"] - problem.energy.evaluate(truth).value) < 4 * last["bound_stderr"] + 1e-3


@pytest.mark.parametrize("kind", [Convex(16, 1), DeepResidual(16, 1)], ids=["convex", "residual"])
def test_networks_find_the_exact_jko_iterate(kind):
    problem = pf.problems.ou(dim=2, seed=1, horizon=0.25)
    method = VariationalJKO(kind, outer=100, batch=512, dual=DualNetwork(32, 1), training=Training(pool=16384))
    flow = pf.solve(problem, method, dt=0.25)
    truth = method.exact_sequence(problem, dt=0.25, times=None).final
    x = flow.final.push(draw(problem.initial, 8192, 8192, np.random.default_rng(3)))
    # what two networks fit of the accidents of 16,384 particles; the step itself moves mean and covariance by 0.2 and
    # more
    np.testing.assert_allclose(x.mean(axis=0), truth.mean(), atol=0.02)
    np.testing.assert_allclose(np.cov(x.T), truth.cov(), atol=0.02)
    last = flow.history[-1]
    exact = problem.energy.evaluate(truth).value
    assert abs(last["bound"] - exact) < 0.02 + 3 * last["bound_stderr"]
    assert last["test"] == "network" and last["iterations"] == 100 and "gain" in last
    if isinstance(kind, Convex):
        assert -3 * last["gap_stderr"] < last["gap"] < 0.02
        assert last["energy"] == pytest.approx(last["bound"] + last["gap"], abs=1e-12)
    else:
        assert "gap" not in last  # without a density the energy is not known


def test_a_compact_law_spreads_as_the_exact_jko_step_does():
    problem = pf.problems.porous_medium(horizon=0.002)
    method = VariationalJKO(outer=200, batch=512, **TINY, training=Training(pool=16384))
    flow = pf.solve(problem, method, dt=0.002)
    truth = pf.exact_jko(problem, dt=0.002).final
    assert abs(flow.final.quantile(1.0) / truth.radius - 1) < 0.02  # the edge of the support is learnt last
    assert abs(np.sqrt(flow.final.cov()[0, 0] / truth.cov()[0, 0]) - 1) < 0.005
    assert truth.radius > 1.15 * problem.initial.radius
    last, exact = flow.history[-1], problem.energy.evaluate(truth).value
    assert exact * 0.99 < last["bound"] < exact * 1.005 + 3 * last["bound_stderr"]


def test_an_entropy_and_a_power_are_one_internal_energy():
    energy = pf.Energy(pf.potentials.Quadratic(1.0), pf.Entropy(0.5) + pf.Power(2.0))
    problem = pf.Problem(energy, Gaussian(0.5, 0.25), 0.2, name="both")
    flow = pf.solve(problem, VariationalJKO(map=Convex(16, 1), training=Training(pool=65536)), dt=0.2)
    truth = pf.solve(problem, QUANTILES, dt=0.2).final
    only = pf.solve(
        pf.Problem(pf.Energy(energy.potential, pf.Entropy(0.5)), problem.initial, 0.2), QUANTILES, dt=0.2
    ).final
    # seen: 0.0065; the step itself moves the law by 0.175, and that of the entropy alone ends 0.092 off
    assert pf.metrics.w2(flow.final, truth).value < 0.015 < pf.metrics.w2(only, truth).value / 5
    last, exact = flow.history[-1], energy.evaluate(flow.final, rng=np.random.default_rng(0)).value
    assert last["test"] == "network" and -3 * last["gap_stderr"] < last["gap"] < 0.02
    assert abs(last["energy"] - exact) < 0.02


def test_the_test_function_is_the_density_ratio_of_a_bimodal_law():
    problem = pf.problems.mixture_ou(horizon=0.1)
    method = VariationalJKO(outer=150, batch=512, map=Convex(32), training=Training(pool=32768))
    state = method.init(problem, np.random.default_rng(0))
    assert method.test_function(state) is None
    state = method.step(problem, state, 0.1, np.random.default_rng(0))
    test, law = method.test_function(state), method.law(state)
    x = law.sample(2000, np.random.default_rng(1))
    error = test.log_density(x) - law.log_density(x)
    gaussian = Gaussian(test.center, test.root @ test.root.T).log_density(x) - law.log_density(x)
    np.testing.assert_allclose(np.log(test.ratio(x)), error - gaussian, atol=1e-12)
    assert np.sqrt(np.mean(error**2)) < 0.3 < np.sqrt(np.mean(gaussian**2))
    truth = pf.solve(problem, pf.grid.QuantileJKO(400), dt=0.1).final
    # the kink at the gap between the modes is learnt last; the step itself moves the law by 0.21
    assert pf.metrics.w2(law, truth).value < 0.08 < pf.metrics.w2(problem.initial, truth).value / 2


@pytest.mark.parametrize("scheme", ["backward", "forward-backward"])
def test_interaction_contracts_the_covariance_and_keeps_the_mean(scheme):
    problem = pf.problems.mckean_vlasov_ou(initial=Gaussian([1.0, -1.0], 0.3), horizon=0.2)
    method = VariationalJKO(Affine(), scheme, outer=400, batch=128, training=SMALL)
    flow = pf.solve(problem, method, dt=0.2)
    law, truth = flow.final, method.exact_sequence(problem, dt=0.2, times=None).final
    np.testing.assert_allclose(
        law.mean(), truth.mean(), atol=3e-5
    )  # as for the potential alone: batches have exact moments
    np.testing.assert_allclose(law.cov(), truth.cov(), atol=3e-5)
    assert flow.history[-1]["bound"] == pytest.approx(problem.energy.evaluate(law).value, abs=1e-6)


def test_a_singular_repulsion_follows_its_exact_jko_step():
    problem = pf.problems.log_repulsion(horizon=0.2)
    flow = pf.solve(problem, VariationalJKO(outer=60, batch=256, **TINY, training=SMALL), dt=0.2)
    truth = pf.exact_jko(problem, dt=0.2).final
    assert pf.metrics.w2(flow.final, truth).value < 0.02  # a step moves it by 0.19
    assert flow.history[-1]["test"] == "none"
    assert flow.history[-1]["bound"] == pytest.approx(
        problem.energy.evaluate(truth, rng=np.random.default_rng(0)).value, abs=0.02
    )


def test_pure_interaction_steps_forward_explicitly_and_exactly():
    problem = pf.problems.ring_aggregation()
    flow = pf.solve(
        problem, VariationalJKO(scheme="forward-backward", training=Training(pool=65536)), dt=0.5, times=[0.5]
    )
    x = flow.final.base.sample(1000, np.random.default_rng(0))
    # of N(0, I/4) in the plane m2 = 1/2, S = I/4, so the velocity is -(|x|² + m2 - 1 + 1/2) x [docs/math.md 2.1]; the
    # force is that of 65,536 particles
    np.testing.assert_allclose(flow.final.push(x), x - 0.5 * (x * x).sum(1)[:, None] * x, atol=0.02)
    assert flow.history[-1]["test"] == "none"


def test_what_it_cannot_treat_is_refused_before_the_work(monkeypatch):
    rng, law = np.random.default_rng(0), Gaussian(0.0, 1.0)
    with pytest.raises(pf.Unsupported, match="m > 1"):
        VariationalJKO().init(pf.Problem(pf.Energy(internal=pf.Power(0.5)), law, 1.0, name="fast"), rng)
    numpy_only = pf.potentials.FromFunction(lambda x: np.sum(np.cos(np.asarray(x)), axis=1))
    problem = pf.Problem(pf.Energy(numpy_only, pf.Entropy()), law, 1.0, name="mine")
    with pytest.raises(pf.Unsupported, match=r"\(x\*\*2\).sum\(-1\)"):
        VariationalJKO().init(problem, rng)
    with pytest.raises(pf.NotAvailable, match="gradient"):
        VariationalJKO(scheme="forward-backward").init(problem, rng)
    for torch_only in (lambda x: torch.exp(x).sum(-1), lambda x: x.cos().sum(-1)):
        mine = pf.potentials.FromFunction(torch_only)
        problem = pf.Problem(pf.Energy(mine, pf.Entropy()), law, 1.0, name="mine")
        with pytest.raises(
            pf.Unsupported, match="fails on a numpy array"
        ):  # the bound is measured in numpy, after the training
            VariationalJKO().init(problem, rng)
    with pytest.raises(pf.Unsupported, match="is infinite"):
        VariationalJKO().init(pf.problems.heat(2, initial=pf.laws.Ring(1.0)), rng)
    for dim in (1, 2):
        point = pf.Problem(pf.Energy(internal=pf.Entropy()), pf.laws.Particles(np.zeros((4, dim))), 1.0, name="point")
        with pytest.raises(pf.Unsupported, match="spread"):
            pf.solve(point, VariationalJKO(training=SMALL), dt=0.1)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(pf.NotAvailable, match="sees 0 CUDA devices"):
        VariationalJKO(training=Training(device="cuda")).init(pf.problems.ou(), rng)


@pytest.mark.parametrize(
    "make",
    [
        lambda: VariationalJKO("affine"),
        lambda: VariationalJKO(pf.neural.Planar()),
        lambda: VariationalJKO(training=Training(tolerance=0.1)),
        lambda: VariationalJKO(scheme="forward"),
        lambda: VariationalJKO(outer=0),
        lambda: VariationalJKO(inner=-1),
        lambda: VariationalJKO(learning_rate=0.0),
        lambda: VariationalJKO(dual=3),
        lambda: VariationalJKO(batch=20, training=Training(pool=10)),
        lambda: Convex(width=0),
        lambda: DeepResidual(depth=0),
        lambda: Convex(rank=-1),
        lambda: DualNetwork(width=0),
        lambda: DualNetwork(rate=-1.0),
        lambda: DualNetwork(margin=1.0),
    ],
)
def test_bad_fields(make):
    with pytest.raises(pf.BadInput):
        make()
