"""The first ICNN-JKO: its map, the law it makes, and its training against the exact JKO sequence."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow.arrays import exp
from pdeflow.neural.convex_map import ConvexMap, log_determinant


def random_map(dim, width=7, seed=0):
    rng = np.random.default_rng(seed)
    return ConvexMap(
        root=np.eye(dim) + 0.1 * rng.standard_normal((dim, dim)), shift=rng.standard_normal(dim),
        inner=rng.standard_normal((width, dim)), offset=rng.standard_normal(width), weight=rng.random(width),
        center=rng.standard_normal(dim), scale=1.7,
    )  # fmt: skip


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_map_and_hessian_are_the_derivatives_of_psi(dim):
    move = random_map(dim)
    x = torch.tensor(np.random.default_rng(1).standard_normal((4, dim)), requires_grad=True)
    tensors = ConvexMap(
        *[torch.tensor(v) for v in (move.root, move.shift, move.inner, move.offset, move.weight, move.center)],
        move.scale,
    )
    y = (x - tensors.center) / move.scale
    hidden = torch.nn.functional.softplus(y @ tensors.inner.T + tensors.offset) @ tensors.weight
    phi = ((y @ tensors.root) ** 2).sum(-1) / 2 + y @ tensors.shift + hidden
    psi = move.scale**2 * phi + x @ tensors.center
    gradient = torch.autograd.grad(psi.sum(), x, create_graph=True)[0]
    value, hessian = move.value_and_hessian(x.detach().numpy())
    # two float64 evaluations of one formula: round-off only
    np.testing.assert_allclose(value, gradient.detach().numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(move(x.detach().numpy()), value, rtol=1e-14)
    rows = [torch.autograd.grad(gradient[:, i].sum(), x, retain_graph=True)[0].numpy() for i in range(dim)]
    np.testing.assert_allclose(hessian, np.stack(rows, axis=1), rtol=1e-12, atol=1e-12)
    assert np.linalg.eigvalsh(hessian).min() > 0
    np.testing.assert_allclose(log_determinant(hessian), np.linalg.slogdet(hessian)[1], rtol=1e-12)


@pytest.mark.parametrize("dim", [1, 3])
def test_push_forward_density_agrees_with_the_density_carried_on_the_way(dim, rng):
    law = pf.neural.PushForward(pf.laws.Gaussian(np.zeros(dim), 1.0), [random_map(dim, seed=s) for s in range(4)])
    x, carried = law.sample_with_log_density(200, rng)
    # the inversion certifies 1e-11 of the point; the density is smooth
    np.testing.assert_allclose(law.log_density(x), carried, rtol=0, atol=1e-8)
    if dim == 1:
        u = np.array([0.01, 0.3, 0.5, 0.9])
        np.testing.assert_allclose(law.cdf(law.quantile(u)), u, atol=1e-10)
    else:
        with pytest.raises(pf.NotAvailable, match="dim 3"):
            law.mean()


def test_an_inversion_that_fails_is_an_error_not_the_last_iterate():
    with pytest.raises(pf.NotConverged, match="residual"):
        random_map(2).inverse(np.full((3, 2), 5.0), most=1)


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_training_finds_the_exact_jko_iterate(temperature):
    problem = pf.problems.ou(
        dim=2, matrix=[[1.5, 0.5], [0.5, 0.8]], center=[1.0, -0.5], temperature=temperature, horizon=0.5
    )
    flow = pf.solve(problem, pf.neural.ICNNJKO(width=16, iterations=150), dt=0.25)
    truth = pf.exact_jko(problem, dt=0.25).final
    x = flow.final.sample(100_000, np.random.default_rng(3))
    # pool of 65536: standard errors about 1/256 = 0.004 per step of the mean's and covariance's own scale, and the optimiser's noise
    np.testing.assert_allclose(x.mean(axis=0), truth.mean(), atol=0.02)
    np.testing.assert_allclose(np.cov(x.T), truth.cov(), atol=0.02)
    # and the time discretisation is not mistaken for the flow itself, which differs by more than that
    assert np.abs(truth.mean() - problem.exact(0.5).mean()).max() > 0.03
    assert flow.history[-1]["loss"] < flow.history[-1]["loss_first"]


def test_interaction_energy_contracts_the_covariance_and_keeps_the_mean():
    problem = pf.problems.mckean_vlasov_ou(initial=pf.laws.Gaussian([1.0, -1.0], 0.3), horizon=0.2)
    flow = pf.solve(problem, pf.neural.ICNNJKO(width=8, iterations=150), dt=0.2)
    truth = pf.exact_jko(problem, dt=0.2).final
    x = flow.final.sample(50_000, np.random.default_rng(3))
    np.testing.assert_allclose(x.mean(axis=0), truth.mean(), atol=0.01)  # 4 standard errors of the pool: 4·0.55/256
    np.testing.assert_allclose(np.cov(x.T), truth.cov(), atol=0.01)


def test_same_seed_same_bits_whatever_the_threads():
    code = (
        "import torch, sys, numpy as np; torch.set_num_threads(int(sys.argv[1])); import pdeflow as pf;"
        "flow = pf.solve(pf.problems.ou(), pf.neural.ICNNJKO(iterations=20), dt=0.5, seed=5);"
        "print(flow.final.quantile(np.array([0.1, 0.5, 0.9])).tobytes().hex())"
    )
    one, two = (
        subprocess.run([sys.executable, "-c", code, n], capture_output=True, text=True, check=True).stdout for n in "12"
    )
    assert one == two and len(one) > 40


def test_what_it_cannot_treat_is_refused_with_the_cure():
    with pytest.raises(pf.Unsupported, match="QuantileJKO"):
        pf.neural.ICNNJKO().init(pf.problems.porous_medium(), np.random.default_rng(0))
    law = pf.laws.Gaussian(0.0, 1.0)
    numpy_only = pf.potentials.FromFunction(lambda x: np.sum(np.cos(np.asarray(x)), axis=1))
    with pytest.raises(pf.Unsupported, match=r"\(x\*\*2\).sum\(-1\)"):
        pf.neural.ICNNJKO().init(
            pf.Problem("mine", {}, pf.Energy(numpy_only, pf.Entropy()), law, 1.0), np.random.default_rng(0)
        )
    shared = pf.potentials.FromFunction(lambda x: (x * x).sum(-1) / 2)
    pf.neural.ICNNJKO().init(
        pf.Problem("mine", {}, pf.Energy(shared, pf.Entropy()), law, 1.0), np.random.default_rng(0)
    )


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_loss_that_is_not_finite_names_step_and_iteration():
    steep = pf.potentials.FromFunction(lambda x: exp(400 * x).sum(-1))
    problem = pf.Problem("steep", {}, pf.Energy(steep, pf.Entropy()), pf.laws.Gaussian(0.0, 1.0), 1.0)
    with pytest.raises(pf.Diverged, match="step 1, iteration 0"):
        pf.solve(problem, pf.neural.ICNNJKO(iterations=5), dt=1.0)


@pytest.mark.parametrize(
    "field", [{"width": 0}, {"dtype": "float16"}, {"learning_rate": -1.0}, {"pool": 10, "batch": 20}]
)
def test_bad_fields(field):
    with pytest.raises(pf.BadInput):
        pf.neural.ICNNJKO(**field)
