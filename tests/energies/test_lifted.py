"""Potentials made of simpler ones: derivatives, numpy and torch alike, and the weights of cells of a radius."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

import pdeflow as pf
from pdeflow.energies.lifted import (
    EvenPolynomial,
    Flat,
    OfRadius,
    RadiusPotential,
    Rotated,
    RotatedKernel,
    Separable,
    of_radius,
)

TURN = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
WELL, TANG = pf.potentials.DoubleWell(0.7), pf.potentials.StyblinskiTang(1)
PLANE = pf.potentials.Quadratic([[2.0, 0.3], [0.3, 1.0]], [0.1, -0.2])
POTENTIALS = {
    "separable": Separable([WELL, PLANE, Flat(1)], [0, 1, 0, 2]),
    "rotated": Rotated(Separable([WELL, TANG], [0, 1, 1, 0, 1]), TURN),
    "polynomial of the radius": of_radius(EvenPolynomial([1.0, -2.0, 1.0]), 5),
    "function of the radius": of_radius(WELL, 5),
}
each = pytest.mark.parametrize("potential", POTENTIALS.values(), ids=POTENTIALS)


@each
def test_gradient_and_hessian_are_derivatives(potential):
    x = np.random.default_rng(1).standard_normal((6, potential.dim))
    for i, step in enumerate(1e-5 * np.eye(potential.dim)):
        slope = (potential.value(x + step) - potential.value(x - step)) / 2e-5
        bend = (potential.grad(x + step) - potential.grad(x - step)) / 2e-5
        # central differences: third derivatives of up to 100 times 1e-10
        assert slope == pytest.approx(potential.grad(x)[:, i], abs=1e-7)
        assert bend == pytest.approx(potential.hessian(x)[:, i], abs=1e-7)


@each
def test_torch_gives_what_numpy_gives(potential):
    torch = pytest.importorskip("torch")
    x = np.vstack([np.random.default_rng(2).standard_normal((4, potential.dim)), np.zeros((1, potential.dim))])
    points = torch.tensor(x, requires_grad=True)
    for question in ("value", "grad", "hessian"):
        mine = getattr(potential, question)(points).detach().numpy()
        assert mine == pytest.approx(getattr(potential, question)(x), rel=1e-13, abs=1e-13)
    (slope,) = torch.autograd.grad(potential.value(points).sum(), points)
    assert slope.numpy() == pytest.approx(potential.grad(x), rel=1e-12, abs=1e-12)  # at the origin too


def test_a_part_without_a_gradient_says_so():
    bare = Rotated(pf.potentials.FromFunction(lambda x: (x**2).sum(-1), dim=5), TURN)
    with pytest.raises(pf.NotAvailable, match="gradient"):
        bare.grad(np.ones((1, 5)))

    class Own:
        dim = 1

        def value(self, x):
            return (x**2).sum(-1)

    with pytest.raises(pf.NotAvailable, match="no hessian"):
        OfRadius(Own(), 3).hessian(np.ones((1, 3)))


def test_a_polynomial_that_answers_for_itself_is_asked():
    class Doubled(EvenPolynomial):
        def value(self, x):
            return 2 * super().value(x)

    x = np.random.default_rng(4).standard_normal((3, 5))
    plain, own = (of_radius(kind([1.0, -2.0, 1.0]), 5) for kind in (EvenPolynomial, Doubled))
    assert own.value(x) == pytest.approx(2 * plain.value(x), rel=1e-13)


@pytest.mark.parametrize("degrees", [2, 3, 10])
def test_cells_of_a_radius_have_the_weights_of_the_gibbs_law(degrees):
    potential = RadiusPotential(WELL, degrees, 0.5)
    edges = np.array([0.0, 0.1, 0.3, 1.0, 1.7])
    weights = np.exp(-potential.cell_values(edges, 0.5) / 0.5) * np.diff(edges)
    exact = [quad(lambda r: r ** (degrees - 1) * np.exp(-0.7 * (r * r - 1) ** 2 / 0.5), a, b)[0]
             for a, b in pairwise(edges)]  # fmt: skip
    assert weights == pytest.approx(exact, rel=1e-12)  # sixteen nodes a cell
    assert np.isinf(potential.value(np.array([[0.0], [-1.0]]))).all()


def test_kernels_of_the_distance_stay_and_others_turn():
    from pdeflow.energies.lifted import rotated_kernel

    kernel = pf.interactions.PowerLaw()
    assert rotated_kernel(kernel, TURN) is kernel and rotated_kernel(None, TURN) is None

    class Along(pf.interactions.Interaction):
        def value(self, z):
            return z[:, 0] ** 2

        def grad(self, z):
            return 2 * z * np.eye(5)[0]

    turned, z = rotated_kernel(Along(), TURN), np.random.default_rng(3).standard_normal((4, 5))
    assert isinstance(turned, RotatedKernel) and not turned.singular
    assert turned.value(z @ TURN.T) == pytest.approx(Along().value(z), rel=1e-12)
    assert turned.grad(z @ TURN.T) @ TURN == pytest.approx(Along().grad(z), abs=1e-12)


def test_polynomials_that_do_not_confine_are_refused():
    for coefficients in ([1.0], [1.0, -1.0], [[1.0, 2.0]]):
        with pytest.raises(pf.BadInput, match="coefficients"):
            EvenPolynomial(coefficients)


def test_walls_are_seen_through_lifts():
    """Heat between walls on one axis and a quadratic well on the other, turned: grids ask for inf beyond the walls."""
    walls = pf.potentials.FromFunction(lambda x: np.where(np.abs(x[:, 0]) <= 1, 0.0, np.inf))
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    potential = Rotated(Separable([walls, pf.potentials.Quadratic(2.0)], [0, 1]), turn)
    y = np.array([[0.3, 0.5], [1.2, 0.5], [-1.1, 0.0]])
    assert np.allclose(potential.with_walls(y @ turn.T), [0.25, np.inf, np.inf], rtol=1e-14)
    with pytest.raises(pf.BadInput, match="inf"):
        potential.value(y @ turn.T)
