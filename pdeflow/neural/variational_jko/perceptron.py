"""A tanh network with its derivatives in closed form, in one flat vector of parameters.

Automatic differentiation is not used: an inner update is a handful of matrix products, so what torch adds to each small
operation would cost as much as the arithmetic (benchmarks/variational_jko.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

Pairs = tuple[tuple[np.ndarray, np.ndarray], ...]  # ((w, b), ...) of the layers


class Perceptron:
    """y = a_K w_K + b_K with a_0 = x, a_{k+1} = tanh(a_k w_k + b_k), (n, d_0) -> (n, d_last), of torch tensors.

    All w and b are views of the vector `parameters`, all their gradients views of `gradient`. The last layer starts at
    zero, so that the network starts at zero.

    Parameters
    ----------
    sizes : sequence of int
        d_0, width, ..., width, d_last.
    generator : torch.Generator
        Draws the hidden layers.
    """

    def __init__(self, sizes: Sequence[int], generator: torch.Generator, dtype: torch.dtype, device: str = "cpu"):
        self.sizes = tuple(sizes)
        total = sum((a + 1) * b for a, b in zip(self.sizes, self.sizes[1:]))
        self.parameters = torch.zeros(total, dtype=dtype, device=device)
        self.gradient = torch.zeros_like(self.parameters)
        self.layers, self.slopes = self._views(self.parameters), self._views(self.gradient)
        for weight, bias in self.layers[:-1]:
            weight.copy_(torch.randn(weight.shape, generator=generator) / weight.shape[0] ** 0.5)
            bias.copy_(0.5 * torch.randn(bias.shape, generator=generator))

    def _views(self, flat):
        out, start = [], 0
        for a, b in zip(self.sizes, self.sizes[1:]):
            weight = flat[start : start + a * b].view(a, b)
            out.append((weight, flat[start + a * b : start + (a + 1) * b]))
            start += (a + 1) * b
        return out

    def __call__(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The outputs (n, d_last), and the activations that `backward` and `pull` need."""
        activations = [x]
        for weight, bias in self.layers[:-1]:
            x = tanh_(torch.addmm(bias, x, weight))
            activations.append(x)
        weight, bias = self.layers[-1]
        return torch.addmm(bias, x, weight), activations

    def backward(self, activations: list[torch.Tensor], delta: torch.Tensor) -> None:
        """Writes into `gradient` the derivative of Σ delta·y by the parameters; delta : (n, d_last)."""
        for i in reversed(range(len(self.layers))):
            weight_slope, bias_slope = self.slopes[i]
            torch.mm(activations[i].t(), delta, out=weight_slope)
            torch.sum(delta, 0, out=bias_slope)
            if i:
                delta = _through(delta, self.layers[i][0], activations[i])

    def pull(self, activations: list[torch.Tensor], delta: torch.Tensor) -> torch.Tensor:
        """The derivative of Σ delta·y by the inputs, (n, d_0)."""
        for i in reversed(range(1, len(self.layers))):
            delta = _through(delta, self.layers[i][0], activations[i])
        return delta @ self.layers[0][0].t()

    def to_numpy(self) -> Pairs:
        """((w, b), ...) in float64."""
        return tuple((w.cpu().numpy().astype(float), b.cpu().numpy().astype(float)) for w, b in self.layers)

    def load(self, layers: Pairs) -> None:
        """Takes the parameters of `to_numpy`."""
        for (weight, bias), (w, b) in zip(self.layers, layers):
            weight.copy_(torch.from_numpy(w))
            bias.copy_(torch.from_numpy(b))


def tanh_(x: torch.Tensor) -> torch.Tensor:
    """tanh in place, as 2σ(2x) - 1: the vectorised sigmoid is several times faster in torch; the error is round-off."""
    return x.mul_(2).sigmoid_().mul_(2).sub_(1)


def _through(delta, weight, activation):
    outer = delta * weight.view(1, -1) if weight.shape[1] == 1 else delta @ weight.t()
    return torch.ops.aten.tanh_backward(outer, activation)
