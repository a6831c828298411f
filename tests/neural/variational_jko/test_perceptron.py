"""The tanh network whose derivatives are in closed form."""

import torch
from neural.variational_jko.parts import generator

from pdeflow.neural.variational_jko.perceptron import Perceptron


def network(*sizes):
    net = Perceptron(sizes, generator(), torch.float64)
    net.parameters.add_(0.1 * torch.randn(net.parameters.shape, generator=generator(), dtype=torch.float64))
    return net


def test_the_closed_gradients_of_a_network_are_those_of_automatic_differentiation():
    net, x = network(3, 5, 4, 2), torch.randn(7, 3, generator=generator(), dtype=torch.float64)
    delta = torch.randn(7, 2, generator=generator(), dtype=torch.float64)
    out, activations = net(x)
    net.backward(activations, delta)
    flat, y = net.parameters.clone().requires_grad_(), x.clone().requires_grad_()
    z = y
    for i, (w, b) in enumerate(net._views(flat)):
        z = z @ w + b
        z = torch.tanh(z) if i < 2 else z
    torch.testing.assert_close(out, z.detach(), rtol=0, atol=1e-14)
    (z * delta).sum().backward()
    torch.testing.assert_close(net.gradient, flat.grad, rtol=0, atol=1e-13)
    torch.testing.assert_close(net.pull(activations, delta), y.grad, rtol=0, atol=1e-14)
