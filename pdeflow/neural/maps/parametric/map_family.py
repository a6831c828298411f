"""What a parametric family of maps answers, and the derivatives of one of its maps at points."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from jaxtyping import Float

from ....laws.maps import Certificate
from ...map_kinds import Affine, Coordinatewise, NeuralODE, Planar, Residual

MapKind = Affine | Planar | Residual | NeuralODE | Coordinatewise

Parameters = Float[torch.Tensor, " p"]  # θ
PointTensor = Float[torch.Tensor, "n d"]
ValueTensor = Float[torch.Tensor, " n"]
JacobianColumns = Float[torch.Tensor, "p d m"]
JacobianRows = Float[torch.Tensor, "md p"]
GramBlocks = Float[torch.Tensor, "blocks q q"]

JACOBIAN_NUMBERS = 1 << 22  # numbers of the dense Jacobian that are held at a time
GRAM_ROWS = 128  # rows of JᵀJ that are formed together


class MapFamily(ABC):
    """Maps T_θ of R^d, θ a vector of p numbers. All arrays are torch tensors of float64.

    Attributes
    ----------
    kind : Affine, Planar, Residual, NeuralODE or Coordinatewise
        The settings of the family.
    dim, size : int
        d and p.
    center : torch.Tensor, (d,)
    root : torch.Tensor, (d, d)
        The fixed coordinates y = root⁻¹(z - center), in which the base law has mean 0 and covariance I. In them θ is
        free of units, and T in the units of root.
    damped : torch.Tensor, (p,)
        1 for parameters that damping holds back, 0 for those that need none.
    knots : (k,) array or None
        Of splines, where the family is made of them.
    """

    kind: MapKind
    dim: int
    size: int
    center: torch.Tensor
    root: torch.Tensor
    damped: torch.Tensor
    knots: np.ndarray | None = None

    @abstractmethod
    def start(self, generator: torch.Generator | None) -> Parameters:
        """θ of the identity, exactly; what the identity leaves free is drawn from the generator."""

    @abstractmethod
    def tangent(self, theta: Parameters, z: PointTensor) -> Tangent:
        """The `Tangent` at θ and the points z."""

    @abstractmethod
    def value(self, theta: Parameters, z: PointTensor) -> PointTensor:
        """T_θ(z)."""

    def with_log_det(self, theta: Parameters, z: PointTensor) -> tuple[PointTensor, ValueTensor]:
        """T_θ(z) and log|det ∂T_θ(z)|."""
        tangent = self.tangent(theta, z)
        return tangent.value, tangent.log_det

    def inverse(self, theta: Parameters, y: PointTensor) -> tuple[PointTensor, Certificate]:
        """The points z with T_θ(z) = y and the certificate, where `no_inverse` gives no reason against it."""
        raise NotImplementedError

    def no_inverse(self, theta: Parameters) -> str | None:
        """Why the map of θ has no inverse that can be certified, or None."""
        return None

    def image_of_standard(self, theta: Parameters) -> tuple[np.ndarray, np.ndarray] | None:
        """(m (d,), R (d, d)) with T_θ(z) = m + R y where every map of the family is affine, else None."""
        return None

    def refined(self, theta: Parameters, z: PointTensor) -> tuple[MapFamily, torch.Tensor]:
        """The same map in a richer family, where the points z ask for one; (self, θ) by default."""
        return self, theta

    def numbers_a_point(self) -> int:
        """Numbers that its widest array holds for each point."""
        return self.dim * self.dim

    def increasing(self, theta: Parameters) -> bool:
        """Whether a map of the line is known to increase."""
        return False


class Tangent:
    """The derivatives of T at a parameter θ and n points z.

    Attributes
    ----------
    value : torch.Tensor, (n, d)
        T(z).
    log_det : torch.Tensor, (n,)
        log|det ∂_zT(z)|.
    folded : bool
        Whether some det ∂_zT(z) is not positive.
    size : int
        p, the number of parameters.
    blocks : int
        Number of equal blocks of JᵀJ, J = ∂_θT(z), outside which it is zero.
    family : MapFamily
        Of T.
    """

    value: torch.Tensor
    log_det: torch.Tensor
    folded: bool = False
    size: int
    blocks: int = 1
    family: MapFamily

    def score(self, start: PointTensor, weight: ValueTensor) -> PointTensor:
        """∂_zT^{-T}(start - weight ∇_z log|det ∂_zT|): with start = ∇log λ, weight = 1 it is (∇log ρ_θ)(T(z)).

        With start = λ^q ∇log λ and weight = λ^q it is λ^q times that, finite where λ vanishes.
        """
        raise NotImplementedError

    def apply(self, direction: Parameters) -> PointTensor:
        """J η, where J = ∂_θT(z)."""
        raise NotImplementedError

    def transpose(self, vectors: PointTensor) -> Parameters:
        """Jᵀ r summed over the points."""
        raise NotImplementedError

    def columns(self, part: slice) -> JacobianColumns:
        """The columns of J at the m points of the slice `part`."""
        raise NotImplementedError

    def rows(self, part: slice) -> JacobianRows:
        """J at the points of the slice `part`, one row per point and coordinate."""
        return self.columns(part).permute(2, 1, 0).reshape(-1, self.size)

    def gram(self) -> GramBlocks:
        """The diagonal blocks of JᵀJ/n, q = p/blocks."""
        n, dim = self.value.shape
        many = max(1, JACOBIAN_NUMBERS // (dim * self.size))
        total = torch.zeros(self.size, self.size, dtype=torch.float64)
        for begin in range(0, n, many):
            part = self.columns(slice(begin, begin + many)).flatten(1)
            for edge in range(0, self.size, GRAM_ROWS):  # the upper triangle: half the work of the whole
                stripe = slice(edge, min(edge + GRAM_ROWS, self.size))
                total[stripe, edge:] += part[stripe] @ part[edge:].T
        return (total.triu() + total.triu(1).T)[None] / n
