"""The test function while it is trained: the maximisation over h inside a JKO step."""

import numpy as np
import torch

from ..._core.errors import Diverged
from ...energies.internal import Entropy
from .dual_function import Profile, TestFunction
from .perceptron import Adam, Perceptron

BETAS = (0.9, 0.99)
REFERENCES = 64  # batches of the reference drawn once and used in turn


class Dual:
    """h in training. sizes : hidden widths of its network, () for the quadratic part alone. layers : those to start from, or None."""

    def __init__(self, internal, dim, batch, sizes, layers, balls, generator, kind, device):
        self.internal, self.dim, self.kind, self.balls = internal, dim, kind, balls
        self.network = Perceptron((dim, *sizes, 1), generator, kind, device) if sizes else None
        self.entropy = isinstance(internal, Entropy)
        if not self.entropy:
            self.profile = Profile(dim, internal.m)
        if self.network:
            if layers is not None:
                self.network.load(layers)
            self.optimiser = Adam(self.network.parameters, BETAS)
            rng = np.random.default_rng(int(torch.randint(1 << 62, (), generator=generator)))
            if self.entropy:
                points = rng.standard_normal((REFERENCES, batch, dim))
            else:
                drawn = [balls.draw(rng, batch) for _ in range(REFERENCES)]
                points, weights = (np.stack(parts) for parts in zip(*drawn))
                self.weights = torch.as_tensor(weights[:, :, None], dtype=kind, device=device)
            self.references = torch.as_tensor(points, dtype=kind, device=device)
            if not self.entropy:
                self.plain = 1 - (self.references**2).sum(-1, keepdim=True) / self.profile.radius**2
            self.turn = 0

    def follow(self, y):
        """Takes the mean and covariance of the points y (n, d) as those of the law; returns the points in whitened coordinates."""
        wide = y.double()
        center = wide.mean(0)
        offset = wide - center
        root, info = torch.linalg.cholesky_ex(offset.t() @ offset / len(y))
        if info.item() or not torch.isfinite(root).all():
            raise Diverged(
                "the moved particles have no positive definite covariance, or are not finite. The test function is centred and scaled by it. "
                "Use a smaller dt or learning_rate, or dtype='float64'."
            )
        self.frame = center, root
        inverse = torch.linalg.solve_triangular(
            root, torch.eye(self.dim, dtype=torch.float64, device=y.device), upper=False
        )
        self.inverse = inverse.to(self.kind)
        z = (offset @ inverse.t()).to(self.kind)
        if self.balls is not None:
            far = (z * z).sum(-1).max().item() ** 0.5
            if not far <= self.balls.outer:
                raise Diverged(
                    f"a particle lies at distance {far:.4g} from the mean in whitened units, outside of the ball of radius {self.balls.outer:.4g} on which the reference of the power energy "
                    "is uniform. The ball must hold the support. Use a smaller dt or learning_rate, or a larger margin.",
                    distance=far, reach=self.balls.outer,
                )  # fmt: skip
        return z

    def climb(self, z, rate):
        """One ascent step of the network on the points z (n, d) of the law and a batch of the reference."""
        if not self.network:
            return
        turn = self.turn = (self.turn + 1) % REFERENCES
        n = len(z)
        out, activations = self.network(torch.cat([z, self.references[turn]]))
        delta = torch.full_like(out, -1 / n)
        there = out[n:]
        if self.entropy:
            delta[n:] = there.exp() / len(there)
        else:
            power = 1 / (self.internal.m - 1)
            delta[n:] = (
                self.profile.peak**power * self.weights[turn] * (self.plain[turn] + there).clamp_(min=0) ** power
            )
        self.network.backward(activations, delta)
        self.optimiser.step(self.network.gradient, rate)

    def force(self, z):
        """The derivative of the internal energy's first variation at the points, (n, d), in the coordinates of y."""
        slope = 0.0
        if self.network:
            out, activations = self.network(z)
            slope = self.network.pull(activations, torch.ones_like(out))
        if self.entropy:
            return self.internal.temperature * (slope - z) @ self.inverse
        m = self.internal.m
        size = self.frame[1].diagonal().prod().item() ** (1 - m)
        scale = self.internal.coefficient * m / (m - 1) * size * self.profile.peak
        return scale * ((slope - 2 / self.profile.radius**2 * z) @ self.inverse)

    def norm(self):
        """Norm of the mean gradient of the network."""
        return self.optimiser.norm() if self.network else 0.0

    def finished(self):
        """The test function in numpy, in the frame last followed."""
        center, root = (array.cpu().numpy() for array in self.frame)
        return TestFunction(self.internal, center, root, self.network.to_numpy() if self.network else (), self.balls)
