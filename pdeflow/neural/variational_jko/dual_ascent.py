"""The test function while it is trained: the maximisation over h inside a JKO step."""

from __future__ import annotations

from math import log, pi

import numpy as np
import torch

from ..._core.errors import Diverged
from ...energies.internal import InternalEnergy
from ..local_coordinates import LocalCoordinates
from ..maps.training import Adam
from .dual_function import TestFamily, TestFunction
from .nested_balls import NestedBalls
from .perceptron import Pairs, Perceptron

BETAS = (0.9, 0.99)
REFERENCES = 64  # batches of the reference drawn once and used in turn


class DualAscent:
    """h in training.

    Parameters
    ----------
    internal : InternalEnergy
        The one that is bounded from below.
    family : TestFamily
        Its test functions.
    batch : int
        Points of a batch of the reference.
    sizes : tuple of int
        Hidden widths of the network, () for the quadratic part alone.
    layers : tuple or None
        What the network starts from; None for zero.
    balls : NestedBalls or None
        The reference of one power.
    coordinates : LocalCoordinates
        Those of the points that it is given. Its test function and its force are in units of the user's.
    """

    def __init__(
        self,
        internal: InternalEnergy,
        family: TestFamily,
        batch: int,
        sizes: tuple[int, ...],
        layers: Pairs | None,
        balls: NestedBalls | None,
        coordinates: LocalCoordinates,
        generator: torch.Generator,
        dtype: torch.dtype,
        device: str,
    ):
        self.internal, self.family, self.dtype, self.balls = internal, family, dtype, balls
        self.coordinates = coordinates
        self.network = Perceptron((family.dim, *sizes, 1), generator, dtype, device) if sizes else None
        if self.network:
            if layers is not None:
                self.network.load(layers)
            self.optimiser = Adam(self.network.parameters, BETAS)
            self._draw_references(batch, generator, device)
            self.turn = 0

    def _draw_references(self, batch, generator, device):
        rng = np.random.default_rng(int(torch.randint(1 << 62, (), generator=generator)))
        if self.balls is None:
            points = rng.standard_normal((REFERENCES, batch, self.family.dim))
        else:
            drawn = [self.balls.draw(rng, batch) for _ in range(REFERENCES)]
            points, weights = (np.stack(parts) for parts in zip(*drawn))
            self.weights = torch.as_tensor(weights[:, :, None], dtype=self.dtype, device=device)
        self.references = torch.as_tensor(points, dtype=self.dtype, device=device)
        if self.family.profile is not None:
            self.plain = 1 - (self.references**2).sum(-1, keepdim=True) / self.family.profile.radius**2

    def follow(self, y: torch.Tensor) -> torch.Tensor:
        """Takes mean and covariance of the points y (n, d) as those of the law; the points in whitened coordinates."""
        wide = y.double()
        center = wide.mean(0)
        offset = wide - center
        root, info = torch.linalg.cholesky_ex(offset.t() @ offset / len(y))
        if info.item() or not torch.isfinite(root).all():
            raise Diverged(
                "the moved particles have no positive definite covariance, or are not finite. The test function is "
                "centred "
                "and scaled by it. Use a smaller dt or learning_rate, or dtype='float64'."
            )
        self.frame = center, self.coordinates.unit * root  # the mean in local coordinates, L in units of x
        inverse = torch.linalg.solve_triangular(
            root, torch.eye(self.family.dim, dtype=torch.float64, device=y.device), upper=False
        )
        self.inverse = (inverse / self.coordinates.unit).to(self.dtype)
        z = (offset @ inverse.t()).to(self.dtype)
        if self.balls is not None:
            far = (z * z).sum(-1).max().item() ** 0.5
            if not far <= self.balls.outer:
                raise Diverged(
                    f"a particle lies at distance {far:.4g} from the mean in whitened units, outside of the ball of "
                    "radius "
                    f"{self.balls.outer:.4g} on which the reference of the power energy is uniform. The ball must "
                    "hold the "
                    "support. Use a smaller dt or learning_rate, or a larger margin.",
                    distance=far,
                    reach=self.balls.outer,
                )
        return z

    def climb(self, z: torch.Tensor, rate: float) -> None:
        """One ascent step of the network on the points z (n, d) of the law and a batch of the reference."""
        if not self.network:
            return
        turn = self.turn = (self.turn + 1) % REFERENCES
        n, points = len(z), torch.cat([z, self.references[turn]])
        out, activations = self.network(points)
        delta = torch.full_like(out, -1 / n)
        there, profile = out[n:], self.family.profile
        if profile is not None:
            power = 1 / (profile.m - 1)
            delta[n:] = profile.peak**power * self.weights[turn] * (self.plain[turn] + there).clamp_(min=0) ** power
        else:
            delta[n:] = there.exp() / len(there)
            if self.family.powers:
                self._add_powers(delta, out, points, n)
        self.network.backward(activations, delta)
        self.optimiser.step(self.network.gradient, rate)

    def _add_powers(self, delta, out, points, n):
        """The share of the powers beside an entropy in the derivative by N, over the temperature."""
        log_reference = self._log_reference(points)
        for c, m in self.family.powers:
            share = c * m / self.family.temperature
            delta[:n] -= share / n * ((m - 1) * (log_reference + out)[:n]).exp()
            delta[n:] += share / (len(out) - n) * ((m - 1) * log_reference[n:] + m * out[n:]).exp()

    def _log_reference(self, z):
        """log μ at the points, (n, 1)."""
        size = self.family.dim / 2 * log(2 * pi) + self.frame[1].diagonal().log().sum().item()
        return -(z * z).sum(-1, keepdim=True) / 2 - size

    def force(self, z: torch.Tensor) -> torch.Tensor:
        """The derivative of the internal energy's first variation at the points, (n, d), in the coordinates of y."""
        slope, out = 0.0, 0.0
        if self.network:
            out, activations = self.network(z)
            slope = self.network.pull(activations, torch.ones_like(out))
        profile = self.family.profile
        if profile is None:
            scale = self.family.temperature
            for c, m in self.family.powers:
                scale = scale + c * m * ((m - 1) * (self._log_reference(z) + out)).exp()
            return scale * (slope - z) @ self.inverse
        c, m = self.family.powers[0]
        size = self.frame[1].diagonal().prod().item() ** (1 - m)
        scale = c * m / (m - 1) * size * profile.peak
        return scale * ((slope - 2 / profile.radius**2 * z) @ self.inverse)

    def norm(self) -> float:
        """Norm of the mean gradient of the network."""
        return self.optimiser.norm() if self.network else 0.0

    def finished(self) -> TestFunction:
        """The test function in numpy, in the frame last followed."""
        center, root = (array.cpu().numpy() for array in self.frame)
        center = self.coordinates.outward(center)
        return TestFunction(self.internal, center, root, self.network.to_numpy() if self.network else (), self.balls)
