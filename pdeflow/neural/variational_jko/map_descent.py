"""The maps of a step while they are trained: points forward, one optimiser step against a slope, the finished map.

Each is called on points (n, d), and `descend(slope, rate, progress)` steps against a loss whose derivative by the moved
points is `slope` (n, d); progress in [0, 1) is the share of the budget that is spent. `finished()` gives the map in
numpy, `raw()` what the next step starts from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ..._core.shapes import Matrix, Vector
from ...laws.maps import Map
from ..local_coordinates import LocalCoordinates
from ..map_kinds import Affine, Convex, DeepResidual
from ..maps.affine_residual import ResidualMap, affine_step
from ..maps.convex import ConvexMap, first_map
from ..maps.training import WAIT, Adam, ConvexTraining
from ..settings import Network
from .perceptron import Perceptron

BETAS = (0.9, 0.98)
# Share of the learning rate for the network of a residual map: it follows the noise of the batches more than the rest.
SHARE = 0.1


def descent_of(
    kind: Affine | Convex | DeepResidual,
    center: Vector,
    cov: Matrix,
    previous: Any,
    generator: torch.Generator,
    dtype: torch.dtype,
    device: str,
) -> ResidualDescent | ConvexDescent:
    """The map of this kind in training, for a law of these moments; previous : `raw()` of the step before, or None."""
    if isinstance(kind, Convex):
        return ConvexDescent(center, cov, kind, previous, generator, dtype, device)
    sizes = (kind.width,) * kind.depth if isinstance(kind, DeepResidual) else ()
    return ResidualDescent(center, cov, sizes, previous, generator, dtype, device)


class ResidualDescent:
    """A ResidualMap in training or, where its network has no layers, an affine map.

    The slope of the affine part is taken in the whitened coordinates of the points, where the transport cost has the
    identity as its Hessian, and its optimiser keeps that direction; the network has the plain gradient.
    """

    def __init__(
        self,
        center: Vector,
        cov: Matrix,
        sizes: tuple[int, ...],
        previous: ResidualMap | None,
        generator: torch.Generator,
        dtype: torch.dtype,
        device: str,
    ):
        values, basis = np.linalg.eigh(cov)
        self.frame = center, (basis * np.sqrt(values)) @ basis.T, (basis / np.sqrt(values)) @ basis.T
        self.center, self.root, self.inverse = (torch.as_tensor(a, dtype=dtype, device=device) for a in self.frame)
        dim = len(center)
        self.affine = torch.zeros(dim, dim + 1, dtype=dtype, device=device)
        self.network = Perceptron((dim, *sizes, dim), generator, dtype, device) if sizes else None
        if previous is not None:
            self.affine.copy_(torch.from_numpy(np.column_stack([previous.matrix, previous.shift])))
            if self.network:
                self.network.load(previous.layers)
        self.slope = torch.zeros_like(self.affine)
        self.steps = [Adam(self.affine.view(-1), BETAS, shared=True)]
        if self.network:
            self.steps.append(Adam(self.network.parameters, BETAS))

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        self.u = (x - self.center) @ self.inverse
        moved = torch.addmm(self.affine[:, -1], self.u, self.affine[:, :-1].t())
        if self.network:
            out, self.activations = self.network(self.u)
            moved += out
        return torch.addmm(x, moved, self.root)

    def descend(self, slope: torch.Tensor, rate: float, progress: float) -> None:
        white = slope @ self.inverse
        torch.mm(white.t(), self.u, out=self.slope[:, :-1])
        torch.sum(white, 0, out=self.slope[:, -1])
        self.steps[0].step(self.slope.view(-1), rate * len(self.slope[0]) ** -0.5)
        if self.network and progress >= WAIT:
            self.network.backward(self.activations, slope @ self.root)
            self.steps[1].step(self.network.gradient, SHARE * rate)

    def norm(self) -> float:
        """Norm of the mean gradient of the affine part, in whitened units."""
        return self.steps[0].norm()

    def raw(self) -> ResidualMap:
        """The map in its frame, for the next step to start from."""
        affine = self.affine.cpu().numpy().astype(float)
        layers = self.network.to_numpy() if self.network else ()
        return ResidualMap(self.frame[0], self.frame[1], affine[:, :-1], affine[:, -1], layers)

    def finished(self, coordinates: LocalCoordinates | None = None) -> Map:
        """The map of points in the user's coordinates, of which the points here are `coordinates`."""
        raw, inverse = self.raw(), self.frame[2]
        if coordinates is not None:
            raw, inverse = raw.placed(coordinates.center, coordinates.unit), inverse / coordinates.unit
        if self.network:
            return raw
        center, root = raw.center, raw.root
        matrix = np.eye(len(center)) + root @ raw.matrix @ inverse
        return affine_step(matrix, center + root @ raw.shift - matrix @ center)


class ConvexDescent:
    """A ConvexMap in training, by automatic differentiation through its closed gradient."""

    def __init__(
        self,
        center: Vector,
        cov: Matrix,
        kind: Convex,
        previous: ConvexMap | None,
        generator: torch.Generator,
        dtype: torch.dtype,
        device: str,
    ):
        values, basis = np.linalg.eigh(cov)
        scale = float(np.sqrt(values.mean()))
        network = Network(kind.depth, kind.rank)
        if previous is None:
            start = first_map(center, basis, scale, kind.width, network, generator)
        else:
            start = previous.seen_from(center, basis, scale)
        self.training = ConvexTraining(start, network, dtype, device)
        self.map = self.training.map
        self.steps = [
            [(array, Adam(array.data, BETAS), divisor) for array in arrays.values()]
            for arrays, divisor in self.training.groups
        ]

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        with torch.enable_grad():
            self.moved = self.map.at(x).gradient()
        return self.moved.detach()

    def descend(self, slope: torch.Tensor, rate: float, progress: float) -> None:
        with torch.enable_grad():  # a number, as torch imports a computer algebra package to differentiate an array
            (self.moved * (slope / self.map.scale**2)).sum().backward()
        for group in self.steps if progress >= WAIT else self.steps[:1]:
            for array, adam, divisor in group:
                adam.step(array.grad, rate / divisor)
        for group in self.steps:
            for array, _, _ in group:
                array.grad = None
        self.training.project()

    def norm(self) -> float:
        """Norm of the mean gradient of the quadratic part."""
        return sum(adam.norm() ** 2 for _, adam, _ in self.steps[0]) ** 0.5

    def raw(self) -> ConvexMap:
        return self.training.finished()

    def finished(self, coordinates: LocalCoordinates | None = None) -> Map:
        raw = self.raw()
        return raw if coordinates is None else raw.placed(coordinates.center, coordinates.unit)
