"""The posterior of logistic regression: against quadrature, differences, and all batches of a set of six points."""

import json
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad

import pdeflow as pf
from pdeflow import checks
from pdeflow.applications.logistic import Posterior, Prior
from pdeflow.energies.gradient_probe import refuse_foreign_gradients

NUMBERS = json.loads((Path(__file__).parents[2] / "data" / "reference_numbers.json").read_text(encoding="utf-8"))
SIX = Posterior([[-0.4], [0.3], [1.1], [-1.2], [2.0], [2.3]], [1.0, -1.0, 1.0, -1.0, 1.0, 1.0])  # docs/math.md 12


def six_in_the_plane(rate=0.01, shape=1.0):
    rng = np.random.default_rng(5)
    features = rng.normal(size=(6, 2))
    return Posterior(features, np.where(features @ [1.0, -0.5] + rng.normal(size=6) > 0, 1.0, -1.0), rate, shape)


def moments(log_density, low, high):
    """Mean and variance of a density on the line, by quadrature."""
    edges = np.linspace(low, high, 61)

    def integral(k):
        return sum(quad(lambda w: w**k * np.exp(log_density(w)), a, b, epsabs=1e-14)[0] for a, b in pairwise(edges))

    mass, first, second = (integral(k) for k in range(3))
    return mass, first / mass, second / mass - (first / mass) ** 2


def test_the_six_points_of_the_reference_numbers():
    """Over w with α integrated in closed form, and over (w, η) by sums on a grid, which know no such form."""
    _, mean, variance = moments(lambda w: float(SIX.log_marginal(np.array([[w]]))[0]), -30.0, 60.0)
    assert mean == pytest.approx(0.12326, abs=5e-6)  # the digits that docs/math.md has
    assert variance == pytest.approx(NUMBERS["blr_Varw"]["value"], rel=1e-9)
    w, eta = np.sinh(np.linspace(-6.5, 7.0, 801)) / 20, np.linspace(-14.0, 11.0, 101)
    grid = np.stack(np.meshgrid(w, eta, indexing="ij"), axis=-1).reshape(-1, 2)
    weight = np.exp(-SIX.value(grid)).reshape(len(w), -1).sum(axis=1) * np.gradient(w)
    weight /= weight.sum()
    assert weight @ w == pytest.approx(mean, rel=1e-4)  # np.gradient is of second order, in steps of 0.017
    assert weight @ w**2 - (weight @ w) ** 2 == pytest.approx(variance, rel=1e-3)


@pytest.mark.parametrize("w", [-0.7, 0.02, 1.3])
def test_the_marginal_is_the_integral_over_the_precision(w):
    """log p(labels, w) with all constants: the normal and the Gamma density in closed form, η by quadrature."""
    posterior = Posterior(SIX.features, SIX.labels, rate=0.3, shape=1.7)

    def joint(eta):
        prior = np.exp(posterior.prior().log_density(np.array([[w, eta]]))[0])
        return prior * np.exp(np.sum(-np.log1p(np.exp(-SIX.labels * SIX.features[:, 0] * w))))

    whole = quad(joint, -30, 0, epsabs=1e-16)[0] + quad(joint, 0, 12, epsabs=1e-16)[0]
    assert np.exp(posterior.log_marginal(np.array([[w]]))[0]) == pytest.approx(whole, rel=1e-9)


def test_the_potential_is_minus_the_log_of_prior_times_likelihood(rng):
    posterior = six_in_the_plane(rate=100.0, shape=0.6)
    x = np.column_stack([rng.normal(size=(50, 2)), rng.normal(size=50)])
    margins = posterior.labels * (x[:, :2] @ posterior.features.T)
    log_likelihood = -np.log1p(np.exp(-margins)).sum(axis=1)
    constant = posterior.value(x) + log_likelihood + posterior.prior().log_density(x)
    assert np.ptp(constant) < 1e-12 * np.abs(posterior.value(x)).max()  # round-off of sums of size |V|
    assert np.allclose(posterior.log_likelihood(x[:, :2]), log_likelihood, rtol=1e-13)


def test_gradient_and_hessian_are_the_derivatives(rng):
    posterior = six_in_the_plane()
    x = np.column_stack([rng.normal(size=(20, 2)), rng.normal(size=20)])
    assert checks.gradient(posterior, x, tolerance=1e-8) < 1e-8  # sixth-order differences of values up to 100
    for hessian in posterior.hessian(x):
        assert checks.symmetry(hessian, tolerance=1e-12) < 1e-12
    for i in range(3):  # differences of the gradient, of second order in 1e-5
        step = 1e-5 * np.eye(3)[i]
        slope = (posterior.grad(x + step) - posterior.grad(x - step)) / 2e-5
        assert np.allclose(posterior.hessian(x)[:, i], slope, rtol=1e-6, atol=1e-6)
    refuse_foreign_gradients(posterior.problem().energy, posterior.prior())


def test_torch_gives_what_numpy_gives(rng):
    torch = pytest.importorskip("torch")
    posterior = six_in_the_plane()
    x = np.column_stack([30 * rng.normal(size=(12, 2)), rng.normal(size=12)])  # margins up to 100: no overflow
    tensor = torch.tensor(x, requires_grad=True)
    for name in ("value", "grad", "hessian"):
        ours = getattr(posterior, name)(tensor)
        assert ours.dtype == torch.float64
        assert np.allclose(ours.detach().numpy(), getattr(posterior, name)(x), rtol=1e-12, atol=1e-12)
    (automatic,) = torch.autograd.grad(posterior.value(tensor).sum(), tensor)
    assert np.allclose(automatic.numpy(), posterior.grad(x), rtol=1e-12, atol=1e-12)
    assert posterior.value(tensor.detach().float()).dtype == torch.float32


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_all_batches_have_the_whole_as_their_mean(size, rng):
    posterior = six_in_the_plane()
    x = np.column_stack([rng.normal(size=(7, 2)), rng.normal(size=7)])
    batches = [posterior.minibatch(rows) for rows in combinations(range(6), size)]
    for name in ("value", "grad"):
        found = [getattr(batch, name)(x) for batch in batches]
        assert np.allclose(np.mean(found, axis=0), getattr(posterior, name)(x), rtol=1e-13, atol=1e-13)
        assert np.std(found, axis=0).max() > 1e-3  # the batches differ
    nested = [posterior.minibatch(list(rows)).minibatch([k]) for rows in combinations(range(6), 2) for k in range(2)]
    assert np.allclose(np.mean([b.grad(x) for b in nested], axis=0), posterior.grad(x), rtol=1e-13, atol=1e-13)


def test_the_precision_given_the_weights_is_its_gamma_law(rng):
    """Against the potential itself: in η at fixed w, exp(-V) is the law that is drawn from (mean and variance)."""
    posterior, w = six_in_the_plane(rate=0.5), np.array([0.6, -1.1])
    x = lambda eta: np.array([[*w, eta]])  # noqa: E731
    top = float(posterior.value(x(0.0))[0])
    _, mean, variance = moments(lambda eta: top - float(posterior.value(x(eta))[0]), -14.0, 6.0)
    drawn = np.log(posterior.sample_precision(np.tile(w, (40_000, 1)), rng))
    assert abs(drawn.mean() - mean) < 5 * np.sqrt(variance / 40_000)  # 5 standard errors
    assert drawn.var() == pytest.approx(variance, rel=0.05)  # a variance of 4e4 draws is known to 0.8 %


def test_points_are_taken_in_turns_where_they_are_many(rng, monkeypatch):
    posterior = six_in_the_plane()
    x = rng.normal(size=(11, 3))
    whole = posterior.value(x), posterior.grad(x), posterior.log_likelihood(x[:, :2])
    monkeypatch.setattr("pdeflow.applications.logistic.posterior.MOST", 12)
    parts = posterior.value(x), posterior.grad(x), posterior.log_likelihood(x[:, :2])
    for one, other in zip(whole, parts):
        assert np.allclose(one, other, rtol=1e-14)  # products of matrices may sum in another order


def test_the_problem_ends_in_the_posterior():
    problem = SIX.problem()
    assert problem.dim == 2 and problem.initial == Prior(1) and problem.energy.potential is SIX
    assert SIX.problem(pf.laws.Gaussian([0.0, 0.0], 1.0), horizon=3.0).horizon == 3.0
    assert Posterior(SIX.features, SIX.labels) == SIX != Posterior(SIX.features, SIX.labels, rate=100.0)
    assert "6 x 1 features" in repr(SIX)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0], [2.0]], [1.0]), "one row of features for each label"),
        (([[1.0], [2.0]], [0.0, 1.0]), "2 \\* labels - 1"),
        (([[1.0], [2.0]], [True, False]), r"value True\. .*np.where\(labels == True, 1, -1\)"),
        (([[1.0], [2.0]], ["a", "b"]), r"np.where\(labels == 'a', 1, -1\)"),
        (([[1.0]], [1.0], -1.0), "rate"),
        (([[1.0]], [1.0], 1.0, 0.0), "shape"),
    ],
)
def test_what_is_no_posterior_is_refused(arguments, message):
    with pytest.raises(pf.BadInput, match=message):
        Posterior(*arguments)
    for rows in ([], [6], [0.5], [-1]):
        with pytest.raises(pf.BadInput, match="rows"):
            SIX.minibatch(rows)
