"""∫V dρ + ½∬W(x - y) dρ dρ on particles: its values on blocks and its forces on batches."""

from __future__ import annotations

import numpy as np
import torch

from ..._core.errors import NotAvailable, Unsupported
from ..._core.shapes import Numbers, Points, Values
from ...energies.energy import Energy
from ...energies.interactions import power_terms
from ...energies.mean_field import mean_energy, mean_force
from ..local_coordinates import LocalCoordinates
from ..particles import has_moments
from ..requirements import require_values, tensor_gradient


class ParticleEnergy:
    """The potential and the interaction of an energy, asked once whether they answer what a step needs.

    Parameters
    ----------
    energy : Energy
        Its internal energy plays no part here.
    at : torch.Tensor, (n, d)
        Points of the first law, of the kind that training gives.
    coordinates : LocalCoordinates
        Those of the points `at`.
    explicit : bool
        Whether their forces are taken on all particles before the step, with `gradient_of`, and not while the map is
        trained.

    Raises
    ------
    Unsupported
        For a potential or kernel that does not take numpy arrays, a potential that has no gradient at torch tensors
        where the map is trained on it, and a kernel too singular for an explicit step.
    NotAvailable
        For a potential without a gradient, for an explicit step.
    """

    def __init__(self, energy: Energy, at: torch.Tensor, coordinates: LocalCoordinates, explicit: bool = False):
        self.potential, self.kernel, self._gradient = energy.potential, energy.interaction, None
        x = coordinates.outward(at)
        points = x.cpu().double().numpy()
        if self.potential is not None:
            require_values(self.potential, points)
        if self.kernel is not None:
            require_values(self.kernel, coordinates.differences(at).cpu().double().numpy())
        if self.kernel is not None and explicit:
            require_tame(self.kernel, points.shape[1])
        if self.potential is not None and explicit:
            gradient_of(self.potential, points)
        elif self.potential is not None:
            self._gradient = tensor_gradient(self.potential, x)

    @property
    def absent(self) -> bool:
        """Whether there is neither potential nor interaction."""
        return self.potential is None and self.kernel is None

    def force(self, y: torch.Tensor, coordinates: LocalCoordinates) -> torch.Tensor:
        """∇V(x_i) + 1/N Σ_{j≠i} ∇W(x_i - x_j) at the points x of a batch y, (n, d) -> (n, d), by x.

        N is n for batches that have the moments of the law (`particles.matched`), as the force of a quadratic W is then
        that of the law itself, and n - 1 for independent points.
        """
        parts = []
        if self._gradient is not None:
            parts.append(coordinates.asked(self._gradient, self.potential, y).to(y))
        if self.kernel is not None:
            n = len(y)
            scale = 1.0 if has_moments(n, y.shape[1]) else n / (n - 1)
            apart = coordinates.differences(y.detach()).cpu().numpy()
            parts.append(torch.from_numpy(scale * mean_force(self.kernel, apart)).to(y))
        return sum(parts)  # pyright: ignore[reportReturnType]  # one of the two is there

    def potential_of_blocks(self, blocks: Numbers) -> Values | None:
        """(k,): the mean of V over each block, blocks (k, n, d); None without potential."""
        if self.potential is None:
            return None
        k, n, dim = blocks.shape
        return self.potential.value(blocks.reshape(-1, dim)).reshape(k, n).mean(axis=1)

    def interaction_of_blocks(self, blocks: Numbers) -> tuple[float, Values] | None:
        """½ E W(x - y) over the pairs of points of different blocks (k, n, d), and (k,) that of each block with itself.

        The spread of the latter tells the error of the first. Blocks that are drawn evenly or have the moments of their
        law repel their own points: their pairs are farther apart than independent ones, by a share of 1/n. None without
        kernel.
        """
        if self.kernel is None:
            return None
        k, n, _ = blocks.shape
        own = np.array([mean_energy(self.kernel, block) for block in blocks])
        pairs = []
        for a in range(0, k, 2):
            b = (a + 1) % k
            both = mean_energy(self.kernel, np.concatenate([blocks[a], blocks[b]]), np.full(2 * n, 1 / n))
            pairs.append((both - own[a] - own[b]) / 2)
        return float(np.mean(pairs)), own


def gradient_of(potential, x: Points) -> Points:
    """∇V at the points (n, d), or `NotAvailable` for a potential without a gradient."""
    if not hasattr(potential, "grad"):
        raise NotAvailable(
            f"{potential!r} has no grad, which the forward step needs. Give one, or use scheme='backward'."
        )
    return potential.grad(x)


def require_tame(kernel, dim: int) -> None:
    """`Unsupported` for a kernel whose force near z = 0 has no second moment.

    That is |z|^(p-1) with p <= 1 - d/2, and log|z| on the line and in the plane. The step is then thrown out by
    particles that happen to be close, and E|T(x)|² of the law is infinite whatever the number of particles.
    """
    terms = power_terms(kernel)
    wild = getattr(kernel, "singular", False) if terms is None else min(p for _, p in terms) <= 1 - dim / 2
    if wild:
        raise Unsupported(
            f"The forward step of {kernel!r} in dimension {dim} moves particles that are close by distances without a "
            "second "
            "moment. Possible are kernels whose force is square integrable at 0. Use scheme='backward'."
        )
