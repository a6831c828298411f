"""Interaction kernels: even, with odd gradients that are the derivatives of their values, numpy and torch alike."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import checks
from pdeflow.energies.interactions import GaussianAttraction, LogRepulsion, PowerLaw, QuadraticAttraction, require_even

KERNELS = {
    "(4, 2)": PowerLaw(4.0, 2.0),
    "(2, 1)": PowerLaw(2.0, 1.0),
    "(2, 0)": PowerLaw(2.0, 0.0),
    "(3, -0.5)": PowerLaw(3.0, -0.5),
    "(1.5, 0.5)": PowerLaw(1.5, 0.5),
    "(0, -1)": PowerLaw(0.0, -1.0),
    "quadratic": QuadraticAttraction(1.7),
    "log": LogRepulsion(1.3, 0.4),
    "gaussian": GaussianAttraction(0.8, 1.4),
}
every = pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS.keys())


@every
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_even_with_an_odd_gradient_that_is_the_derivative(kernel, dim, rng):
    z = rng.normal(size=(30, dim))
    z *= np.maximum(1, 0.3 / np.linalg.norm(z, axis=1))[:, None]  # differences need room beside the singularity
    assert np.array_equal(kernel.value(z), kernel.value(-z))
    assert np.array_equal(kernel.grad(z), -kernel.grad(-z))
    assert checks.gradient(kernel, z, tolerance=1e-8) < 1e-8


@every
def test_at_the_origin(kernel):
    zero = np.zeros((1, 2))
    value = kernel.value(zero)[0]
    assert np.isposinf(value) == kernel.singular
    if not kernel.singular:
        assert value == (-0.8 if isinstance(kernel, GaussianAttraction) else 0.0)
    assert np.array_equal(kernel.grad(zero), zero)


@every
def test_torch_gives_what_numpy_gives(kernel, rng):
    torch = pytest.importorskip("torch")
    z = rng.normal(size=(15, 3))
    tensor = torch.tensor(z, requires_grad=True)
    assert np.allclose(kernel.value(tensor).detach().numpy(), kernel.value(z), rtol=1e-13)
    assert np.allclose(kernel.grad(tensor).detach().numpy(), kernel.grad(z), rtol=1e-13)
    (automatic,) = torch.autograd.grad(kernel.value(tensor).sum(), tensor)
    assert np.allclose(automatic.numpy(), kernel.grad(z), rtol=1e-12)
    assert torch.equal(kernel.grad(torch.zeros(1, 2, dtype=torch.float64)), torch.zeros(1, 2, dtype=torch.float64))


@every
def test_the_quadratic_attraction_alone_is_convex(kernel, rng):
    x, y = rng.normal(size=(2, 4000, 2)) * 2
    gap = (kernel.value(x) + kernel.value(y)) / 2 - kernel.value((x + y) / 2)
    assert isinstance(kernel, QuadraticAttraction) == bool(np.all(gap >= -1e-12))


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: PowerLaw(2.0, 4.0), "a > b"),
        (lambda: PowerLaw(2.0, 2.0), "a > b"),
        (lambda: PowerLaw(np.nan, 1.0), "a = nan"),
        (lambda: QuadraticAttraction(-1.0), "strength is -1"),
        (lambda: LogRepulsion(1.0, 0.0), "repulsion is 0"),
        (lambda: GaussianAttraction(1.0, 0.0), "width is 0"),
    ],
)
def test_bad_kernels(build, message):
    with pytest.raises(pf.BadInput, match=message):
        build()


def test_kernels_that_are_not_even_are_found_in_any_unit():
    class Skew(pf.interactions.GaussianAttraction):
        def grad(self, z):
            return super().grad(z) + 1e-3 / self.width

    for size in (1e-9, 1.0, 1e9):
        require_even(pf.interactions.GaussianAttraction(width=size), 2, size)
        with pytest.raises(pf.BadInput, match=r"grad is .*even"):
            require_even(Skew(width=size), 2, size)
