"""What a problem must offer a neural method: arrays of both kinds, gradients, a density."""

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow.neural.requirements import (
    answer,
    require_density,
    require_differentiable,
    require_values,
    tensor_gradient,
)

SHARED = pf.potentials.FromFunction(lambda x: (x**4).sum(-1), dim=2)
POINTS = np.array([[0.5, -0.3], [1.2, 0.1]])
NUMPY = pf.potentials.FromFunction(lambda x: np.sum(np.cos(np.asarray(x)), axis=1), dim=2)
TORCH = pf.potentials.FromFunction(lambda x: torch.exp(x).sum(-1), dim=2)


class Sum:
    """A potential that adds up its points."""

    dim = 2

    def value(self, x):
        return (x**2).sum()


def test_what_a_function_raised_is_named_with_the_cure():
    with pytest.raises(pf.Unsupported, match=r"fails on a torch tensor: .*\. Do this\.") as caught:
        answer(NUMPY.value, NUMPY, torch.ones(2, 2, requires_grad=True), "Do this.")
    assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(KeyError):  # what no array raises is a fault of the function, and passes
        answer(lambda x: {}[0], NUMPY, 0, "Do this.")


def test_values_are_asked_with_numpy_arrays():
    require_values(SHARED, POINTS), require_values(NUMPY, POINTS)
    with pytest.raises(pf.Unsupported, match="fails on a numpy array"):
        require_values(TORCH, POINTS)
    with pytest.raises(pf.Unsupported, match=r"shape \(\) for 2 points"):
        require_values(Sum(), POINTS)


def test_tensors_must_record_gradients():
    require_differentiable(SHARED, torch.from_numpy(POINTS)), require_differentiable(TORCH, torch.from_numpy(POINTS))
    with pytest.raises(pf.Unsupported, match=r"\(x\*\*2\)\.sum\(-1\)"):
        require_differentiable(NUMPY, torch.from_numpy(POINTS))
    cut = pf.potentials.FromFunction(lambda x: (x.detach() ** 2).sum(-1), dim=2)
    with pytest.raises(pf.Unsupported, match="must return a differentiable tensor"):
        require_differentiable(cut, torch.from_numpy(POINTS))


def test_the_gradient_at_tensors_is_the_potentials_own_or_that_of_its_value(rng):
    y = torch.from_numpy(rng.standard_normal((5, 2)))
    with torch.no_grad():
        np.testing.assert_allclose(tensor_gradient(SHARED, torch.from_numpy(POINTS))(y), 4 * y**3, atol=1e-12)
        own = pf.potentials.Quadratic([[2.0, 0.5], [0.5, 1.0]])
        np.testing.assert_allclose(tensor_gradient(own, torch.from_numpy(POINTS))(y), own.grad(y.numpy()), atol=1e-12)
        numpy_grad = pf.potentials.FromFunction(SHARED.value, lambda x: 4 * np.asarray(x) ** 3, dim=2)
        np.testing.assert_allclose(tensor_gradient(numpy_grad, torch.from_numpy(POINTS))(y), 4 * y**3, atol=1e-12)
    with pytest.raises(pf.Unsupported, match="gradient is taken at torch tensors"):
        tensor_gradient(NUMPY, torch.from_numpy(POINTS))


def test_the_internal_energy_of_a_curve_is_infinite():
    ring, entropy = pf.laws.Ring(1.0), pf.Entropy()
    require_density(ring, None)
    for law in (pf.laws.Gaussian([0.0, 0.0], 1.0), pf.laws.Particles(np.zeros((3, 2))), pf.laws.Particles(np.zeros(3))):
        require_density(law, entropy)
    for law in (ring, pf.laws.PushForward(ring, [pf.laws.AffineMap([[2.0, 0.0], [0.0, 1.0]])])):
        with pytest.raises(pf.Unsupported, match="is infinite"):
            require_density(law, entropy)
