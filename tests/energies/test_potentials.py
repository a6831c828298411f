"""Potentials: value, gradient and Hessian agree with each other, and numpy with torch."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import checks
from pdeflow.energies.potentials import DoubleWell, FromFunction, MixturePotential, Quadratic, StyblinskiTang
from pdeflow.laws import GaussianMixture

MIXTURE = GaussianMixture(
    [0.2, 0.0, 0.8], [[0.0, 1.0], [4.0, 4.0], [-1.0, 0.5]], [np.eye(2), np.eye(2), [[0.5, 0.2], [0.2, 0.3]]]
)
POTENTIALS = {
    "quadratic": Quadratic([[2.0, 0.7], [0.7, 1.0]], [1.0, -2.0]),
    "quadratic-1": Quadratic(0.3, 2.0),
    "double-well": DoubleWell(0.8, dim=3),
    "styblinski-tang": StyblinskiTang(4, 1 / 50),
    "mixture": MixturePotential(MIXTURE, 1.7),
}
every = pytest.mark.parametrize("potential", POTENTIALS.values(), ids=POTENTIALS.keys())


@every
def test_gradient_and_hessian_are_the_derivatives(potential, rng):
    x = rng.normal(scale=1.5, size=(20, potential.dim))
    assert checks.gradient(potential, x, tolerance=1e-9) < 1e-9  # sixth-order differences reach about 1e-11
    for hessian in potential.hessian(x):
        assert checks.symmetry(hessian, tolerance=1e-12) < 1e-12
    assert potential.value(x).shape == (20,)


@every
def test_torch_gives_what_numpy_gives(potential, rng):
    torch = pytest.importorskip("torch")
    x = rng.normal(scale=1.5, size=(12, potential.dim))
    tensor = torch.tensor(x, requires_grad=True)
    for name in ("value", "grad", "hessian"):
        ours = getattr(potential, name)(tensor)
        assert ours.dtype == torch.float64
        assert np.allclose(ours.detach().numpy(), getattr(potential, name)(x), rtol=1e-13, atol=1e-13)
    (automatic,) = torch.autograd.grad(potential.value(tensor).sum(), tensor)
    assert np.allclose(automatic.numpy(), potential.grad(x), rtol=1e-12, atol=1e-12)
    assert potential.value(tensor.detach().float()).dtype == torch.float32


def test_values_by_hand():
    assert Quadratic([[2.0, 0.0], [0.0, 4.0]], [1.0, 0.0]).value(np.array([[2.0, 3.0]]))[0] == 1 + 18
    assert DoubleWell(3.0).value(np.array([[-1.0], [0.0], [2.0]])).tolist() == [0, 3, 27]
    assert StyblinskiTang(2, 0.5).value(np.array([[1.0, -1.0]]))[0] == 0.5 * (-10 - 20)
    x = np.array([[0.3, -0.7], [30.0, 30.0]])
    assert np.allclose(MixturePotential(MIXTURE, 1.7).value(x), -1.7 * MIXTURE.log_density(x), rtol=1e-13)
    assert np.exp(-DoubleWell(3.0).value(np.array([[0.0]])) / 0.5)[0] == pytest.approx(np.exp(-6), rel=1e-14)


def test_the_wells_of_styblinski_tang_are_where_the_literature_has_them():
    x = np.array([[-2.9035340277712], [0.15673125678034], [2.7468027709908]])  # docs/math.md 8.3
    slope = StyblinskiTang(1).grad(x)
    assert np.all(np.abs(slope) < 1e-12)
    assert np.sign(StyblinskiTang(1).hessian(x)[:, 0, 0]).tolist() == [1, -1, 1]


def test_the_users_own_function(rng):
    mine = FromFunction(lambda x: np.sum(np.cos(x), axis=1), lambda x: -np.sin(x), dim=2)
    assert checks.gradient(mine, rng.normal(size=(5, 2))) < 1e-9
    with pytest.raises(pf.NotAvailable, match="no gradient"):
        FromFunction(lambda x: x[:, 0], dim=1).grad(np.zeros((2, 1)))
    with pytest.raises(pf.NotAvailable, match="no Hessian"):
        mine.hessian(np.zeros((2, 2)))
    wrong = FromFunction(lambda x: np.sum(x**2, axis=1), lambda x: x, dim=2)
    with pytest.raises(pf.BadInput, match=r"grad at x = .*differences give"):
        checks.gradient(wrong, rng.normal(size=(5, 2)))


@pytest.mark.parametrize(
    "value, message",
    [
        (lambda x: np.where(x[:, 0] > 1, np.nan, x[:, 0]), r"nan at x = \[2.0\]"),
        (lambda x: np.where(x[:, 0] > 1, np.inf, x[:, 0]), r"inf at x = \[2.0\]"),
        (lambda x: x**2, r"shape \(3, 1\)"),
        (lambda x: np.sum(x**2), "returned a float64"),
        (lambda x: list(x[:, 0]), "returned a list"),
        (lambda x: x[:, 0] * 1j, "complex128"),
        (lambda x: None, "NoneType"),
        (lambda x: x[:2, 0], r"shape \(2,\)"),
    ],
)
def test_faults_of_the_users_function_name_the_point_or_the_shape(value, message):
    potential = FromFunction(value, dim=1)
    with pytest.raises(pf.BadInput, match=message):
        potential.value(np.array([[0.0], [1.0], [2.0]]))


def test_faults_of_the_users_gradient():
    potential = FromFunction(lambda x: x[:, 0], lambda x: x[:, 0], dim=1)
    with pytest.raises(pf.BadInput, match=r"grad\(x\) returned shape \(3,\)"):
        potential.grad(np.zeros((3, 1)))
    with pytest.raises(pf.BadInput, match="dimension 2"):
        FromFunction(lambda x: x[:, 0], dim=2).value(np.zeros((3, 3)))


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: Quadratic([[1.0, 2.0], [2.0, 1.0]]), "smallest eigenvalue -1"),
        (lambda: Quadratic([[1.0, 2.0], [0.0, 1.0]]), "not symmetric"),
        (lambda: Quadratic(0.0), "smallest eigenvalue 0"),
        (lambda: Quadratic(np.eye(2), [0.0, 1.0, 2.0]), "center has shape"),
        (lambda: DoubleWell(-1.0), "barrier is -1"),
        (lambda: DoubleWell(1.0, dim=0), "dim is 0"),
        (lambda: StyblinskiTang(2, np.inf), "scale is inf"),
        (lambda: MixturePotential(pf.laws.Gaussian(0, 1)), "GaussianMixture"),
        (lambda: MixturePotential(MIXTURE, 0.0), "temperature is 0"),
        (lambda: FromFunction("x**2"), "callables"),
    ],
)
def test_bad_potentials(build, message):
    with pytest.raises(pf.BadInput, match=message):
        build()
