"""A tanh network with its derivatives in closed form, and the optimiser of its flat parameter vector.

Automatic differentiation is not used: an inner update is a handful of matrix products, so what torch adds to each small
operation would cost as much as the arithmetic (benchmarks/variational_jko.py).
"""

import torch


class Perceptron:
    """y = a_K w_K + b_K with a_0 = x, a_{k+1} = tanh(a_k w_k + b_k), (n, d_0) -> (n, d_last), of torch tensors.

    sizes : (d_0, width, ..., width, d_last). All w and b are views of the vector `parameters`, all gradients of `gradient`. The
    last layer starts at zero, so that the network starts at zero.
    """

    def __init__(self, sizes, generator, kind, device="cpu"):
        self.sizes = tuple(sizes)
        total = sum((a + 1) * b for a, b in zip(self.sizes, self.sizes[1:]))
        self.parameters = torch.zeros(total, dtype=kind, device=device)
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

    def __call__(self, x):
        """The outputs (n, d_last), and the activations that `descend` and `pull` need."""
        activations = [x]
        for weight, bias in self.layers[:-1]:
            x = tanh_(torch.addmm(bias, x, weight))
            activations.append(x)
        weight, bias = self.layers[-1]
        return torch.addmm(bias, x, weight), activations

    def backward(self, activations, delta):
        """Writes into `gradient` the derivative of Σ delta·y by the parameters; delta : (n, d_last)."""
        for i in reversed(range(len(self.layers))):
            weight_slope, bias_slope = self.slopes[i]
            torch.mm(activations[i].t(), delta, out=weight_slope)
            torch.sum(delta, 0, out=bias_slope)
            if i:
                delta = _through(delta, self.layers[i][0], activations[i])

    def pull(self, activations, delta):
        """The derivative of Σ delta·y by the inputs, (n, d_0)."""
        for i in reversed(range(1, len(self.layers))):
            delta = _through(delta, self.layers[i][0], activations[i])
        return delta @ self.layers[0][0].t()

    def to_numpy(self):
        """((w, b), ...) in float64."""
        return tuple((w.cpu().numpy().astype(float), b.cpu().numpy().astype(float)) for w, b in self.layers)

    def load(self, layers):
        for (weight, bias), (w, b) in zip(self.layers, layers):
            weight.copy_(torch.from_numpy(w))
            bias.copy_(torch.from_numpy(b))


def tanh_(x):
    """tanh in place, as 2σ(2x) - 1: the vectorised sigmoid is several times faster in torch; the error is round-off."""
    return x.mul_(2).sigmoid_().mul_(2).sub_(1)


def _through(delta, weight, activation):
    outer = delta * weight.view(1, -1) if weight.shape[1] == 1 else delta @ weight.t()
    return torch.ops.aten.tanh_backward(outer, activation)


class Adam:
    """Adam on one vector. shared : the second moment is one number, the mean square, so that the step keeps the direction of the mean gradient."""

    def __init__(self, parameters, betas, shared=False):
        self.parameters, self.betas, self.shared, self.count = parameters, betas, shared, 0
        self.first = torch.zeros_like(parameters)
        self.second = (
            torch.zeros((), dtype=parameters.dtype, device=parameters.device)
            if shared
            else torch.zeros_like(parameters)
        )

    def step(self, gradient, rate):
        self.count += 1
        fade, slow = self.betas
        self.first.lerp_(gradient, 1 - fade)
        if self.shared:
            self.second.lerp_(gradient.square().mean(), 1 - slow)
        else:
            self.second.mul_(slow).addcmul_(gradient, gradient, value=1 - slow)
        size = (self.second / (1 - slow**self.count)).sqrt_().add_(1e-10)
        self.parameters.addcdiv_(self.first, size, value=-rate / (1 - fade**self.count))

    def norm(self):
        """Norm of the mean gradient."""
        return (self.first.norm() / (1 - self.betas[0] ** max(1, self.count))).item()
