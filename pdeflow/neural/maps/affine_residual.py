"""Maps of a JKO step that are not gradients of convex networks: affine ones, and residual networks."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..._core.errors import BadInput, Diverged
from ..._core.shapes import Matrix, Points, Vector
from ..._core.validate import count
from ...laws.maps import SINGULAR, AffineMap, Map, condition_number, kept_array, recorded_name
from .tanh_network import evaluate


def affine_step(matrix: Matrix, shift: Vector) -> AffineMap:
    """The affine map that a step of a scheme arrived at; `Diverged` where its matrix is not invertible."""
    condition = condition_number(matrix)
    if not condition < SINGULAR:
        raise Diverged(
            f"The affine map has condition number {condition:.3g}. It must be invertible. Use a smaller dt or "
            "learning_rate."
        )
    return AffineMap(matrix, shift)


@dataclass(frozen=True, eq=False)
class ResidualMap(Map):
    """T(x) = x + S (B u + c + N(u)), u = S⁻¹(x - m), with N a tanh network: what fan2022 uses for T in high dimension.

    Parameters
    ----------
    center : (d,) array
        m, the mean of the law that the map was trained on.
    root : (d, d) array
        S, symmetric positive definite: the root of the covariance of that law. Both make the problem free of units.
    matrix : (d, d) array
        B.
    shift : (d,) array
        c.
    layers : tuple of pairs of arrays
        ((w, b), ...) of N, w of shape (inputs, outputs) and b (outputs,). With zero B, c and last layer T is the
        identity.
    """

    center: Vector
    root: Matrix
    matrix: Matrix
    shift: Vector
    layers: tuple

    def placed(self, center: Vector, unit: float) -> ResidualMap:
        """center + unit T((x - center)/unit) of this map T: the same map where its points are counted so."""
        return replace(self, center=center + unit * self.center, root=unit * self.root)

    @property
    def dim(self) -> int:
        return len(self.center)

    def __call__(self, x: Points) -> Points:
        x = np.asarray(x)
        u = (x - self.center) @ np.linalg.inv(self.root)
        moved = u @ self.matrix.T + self.shift + evaluate(self.layers, u)
        return (x + moved @ self.root).astype(x.dtype)

    def lacks(self, question: str) -> str | None:
        if question == "with_log_det":
            return (
                "A residual network need not be invertible, and its law then has no density that follows from the map. "
                "Use map=Convex() or Affine()."
            )
        if question == "invert":
            return "A residual network need not be invertible. Use map=Convex() or Affine()."
        return super().lacks(question)

    def numbers_a_point(self) -> int:
        return max(len(bias) for _, bias in self.layers)

    def to_data(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        arrays = {name: getattr(self, name) for name in ("center", "root", "matrix", "shift")}
        for i, (weight, bias) in enumerate(self.layers):
            arrays |= {f"layer{i}.weight": weight, f"layer{i}.bias": bias}
        return {"map": recorded_name(type(self)), "widths": [len(bias) for _, bias in self.layers[:-1]]}, arrays

    @classmethod
    def from_data(cls, dim: int, data: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> ResidualMap:
        widths = data.get("widths")
        if not isinstance(widths, list) or not widths:
            raise BadInput(f"The data of a residual map are {data!r}. They must have widths. Take them from to_data().")
        sizes = [dim, *(count(width, "widths") for width in widths), dim]
        layers = tuple(
            (kept_array(arrays, f"layer{i}.weight", a, b), kept_array(arrays, f"layer{i}.bias", b))
            for i, (a, b) in enumerate(itertools.pairwise(sizes))
        )
        square = {name: kept_array(arrays, name, dim, dim) for name in ("root", "matrix")}
        return cls(
            center=kept_array(arrays, "center", dim), shift=kept_array(arrays, "shift", dim), layers=layers, **square
        )
