"""The maps while they are trained: points forward, the derivative of the loss by the moved points backward, one optimiser step.

Each takes `start(x frame, previous map)`, is called on points (n, d), and `descend(slope, rate)` steps against a loss whose derivative by the moved
points is `slope` (n, d). `finished()` gives the map in numpy.
"""

import numpy as np
import torch

from ..maps.affine_residual import ResidualMap, affine_step
from ..maps.convex import first_map
from .perceptron import Adam, Perceptron

BETAS = (0.9, 0.98)
SHARE = 0.1  # of the learning rate, for the network of a residual map: it follows the noise of the batches, as the affine part does not
WAIT = 0.2  # share of the budget in which only the affine part learns: else the network takes up what is affine, badly in the tails


class Residual:
    """ResidualMap, or with width = 0 AffineMap, in training.

    The slope of the affine part is taken in the whitened coordinates of the points, where the transport cost has the identity as its Hessian, and its
    optimiser keeps that direction; the network has the plain gradient.
    """

    def __init__(self, center, cov, sizes, previous, generator, kind, device):
        values, basis = np.linalg.eigh(cov)
        self.frame = center, (basis * np.sqrt(values)) @ basis.T, (basis / np.sqrt(values)) @ basis.T
        self.center, self.root, self.inverse = (torch.as_tensor(a, dtype=kind, device=device) for a in self.frame)
        dim = len(center)
        self.affine = torch.zeros(dim, dim + 1, dtype=kind, device=device)
        self.network = Perceptron((dim, *sizes, dim), generator, kind, device) if sizes else None
        if previous is not None:
            self.affine.copy_(torch.from_numpy(np.column_stack([previous.matrix, previous.shift])))
            if self.network:
                self.network.load(previous.layers)
        self.slope = torch.zeros_like(self.affine)
        self.steps = [Adam(self.affine.view(-1), BETAS, shared=True)]
        if self.network:
            self.steps.append(Adam(self.network.parameters, BETAS))

    def __call__(self, x):
        self.u = (x - self.center) @ self.inverse
        moved = torch.addmm(self.affine[:, -1], self.u, self.affine[:, :-1].t())
        if self.network:
            out, self.activations = self.network(self.u)
            moved += out
        return torch.addmm(x, moved, self.root)

    def descend(self, slope, rate, progress):
        white = slope @ self.inverse
        torch.mm(white.t(), self.u, out=self.slope[:, :-1])
        torch.sum(white, 0, out=self.slope[:, -1])
        self.steps[0].step(self.slope.view(-1), rate * len(self.slope[0]) ** -0.5)
        if self.network and progress >= WAIT:
            self.network.backward(self.activations, slope @ self.root)
            self.steps[1].step(self.network.gradient, SHARE * rate)

    def norm(self):
        """Norm of the mean gradient of the affine part, in whitened units."""
        return self.steps[0].norm()

    def raw(self):
        """The map in its frame, for the next step to start from."""
        affine = self.affine.cpu().numpy().astype(float)
        layers = self.network.to_numpy() if self.network else ()
        return ResidualMap(self.frame[0], self.frame[1], affine[:, :-1], affine[:, -1], layers)

    def finished(self):
        raw = self.raw()
        if self.network:
            return raw
        center, root, inverse = self.frame
        matrix = np.eye(len(center)) + root @ raw.matrix @ inverse
        return affine_step(matrix, center + root @ raw.shift - matrix @ center)


class Convex:
    """ConvexMap in training, by automatic differentiation through its closed gradient."""

    def __init__(self, center, cov, width, network, previous, generator, kind, device):
        values, basis = np.linalg.eigh(cov)
        scale = float(np.sqrt(values.mean()))
        if previous is None:
            move = first_map(center, basis, scale, width, network, generator)
        else:
            move = previous.seen_from(center, basis, scale)
        self.move = move.mapped(lambda array: torch.tensor(array, dtype=kind, device=device))
        arrays = {name: array.requires_grad_() for name, array in self.move.trained().items() if array.numel()}
        self.signed = [array for name, array in arrays.items() if name == "weight" or name.endswith("mixing")]
        plain = [arrays.pop("root"), arrays.pop("shift")]
        hidden = [array for name, array in arrays.items() if not any(array is other for other in self.signed)]
        share = width**-0.5
        groups = ((plain, 1.0), (hidden, 1.0), (self.signed, share))
        self.steps = [[(array, Adam(array.data, BETAS), share) for array in arrays] for arrays, share in groups]

    def __call__(self, x):
        with torch.enable_grad():
            self.moved = self.move.at(x).gradient()
        return self.moved.detach()

    def descend(self, slope, rate, progress):
        with torch.enable_grad():  # a number, as torch imports a computer algebra package to differentiate an array
            (self.moved * (slope / self.move.scale**2)).sum().backward()
        for group in self.steps if progress >= WAIT else self.steps[:1]:
            for array, adam, share in group:
                adam.step(array.grad, rate * share)
        for group in self.steps:
            for array, _, _ in group:
                array.grad = None
        with torch.no_grad():
            for array in self.signed:
                array.clamp_(min=0)  # the projection onto convex networks

    def norm(self):
        """Norm of the mean gradient of the quadratic part."""
        return sum(adam.norm() ** 2 for _, adam, _ in self.steps[0]) ** 0.5

    def raw(self):
        return self.move.mapped(lambda array: array.detach().cpu().numpy().astype(float))

    finished = raw
