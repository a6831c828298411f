"""The gradient of an input-convex network: a map that is monotone and invertible by construction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..._core.arrays import is_tensor, log
from ..._core.errors import BadInput
from ..._core.shapes import Matrix, Points, Vector
from ..._core.validate import count, positive
from ...laws.maps import Certificate, Map, kept_array, recorded_name
from .inversion import invert
from .jet import STRENGTH, Array, Jet
from .signed import require_convex

if TYPE_CHECKING:
    import torch

    from ..settings import Network


@dataclass(frozen=True, eq=False)
class Layer:
    """Convex functions z_j(y) = b_j + a_jᵀy + ½ Σ_r (p_{rj}ᵀy)² + Σ_i u_{ji} h'_i of the neurons h' before.

    Each run of `pieces` of them is one neuron h = log(1 + Σ exp(β z_j)) / β: softplus for one piece, a smooth maximum
    for more. There are rows = width * pieces of them. All fields are numpy arrays, or all torch tensors.

    Parameters
    ----------
    linear : (rows, d) array
        a.
    bias : (rows,) array
        b.
    quadratic : (rank, rows, d) array
        p.
    mixing : (rows, width) array or None
        u >= 0; None in the first layer.
    sharpness : (width,) array or None
        β > 0, which training does not change; None for ones.
    """

    linear: Array
    bias: Array
    quadratic: Array
    mixing: Array | None = None
    sharpness: Array | None = None

    def arrays(self) -> dict[str, Array]:
        """Its arrays by name, without those that are None."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}


class ParameterGroups(NamedTuple):
    """The arrays that training changes, by name, in three groups; arrays without entries are left out.

    Parameters
    ----------
    quadratic : dict
        root and shift, L and c: what an affine map needs.
    hidden : dict
        What the neurons are made of, free of constraints.
    nonnegative : dict
        w and u, which must be >= 0 for the network to be convex; in a signed network the quadratic may outweigh
        negative w.
    """

    quadratic: dict[str, Any]
    hidden: dict[str, Any]
    nonnegative: dict[str, Any]

    def all(self) -> dict[str, Any]:
        """All of them by name."""
        return {**self.quadratic, **self.hidden, **self.nonnegative}


@dataclass(frozen=True, eq=False)
class ConvexMap(Map):
    """T = ∇ψ with ψ(x) = s² φ(Rᵀ(x - m)/s) + mᵀx and φ(y) = ½|Lᵀy|² + ½ε|y|² + cᵀy + Σ_j w_j h_j(y), ε = 1e-4.

    All fields are numpy arrays, or all torch tensors; points are of the same kind and dtype.

    Parameters
    ----------
    root : (d, d) array
        L.
    shift : (d,) array
        c.
    layers : tuple of Layer
        The hidden layers, whose last neurons h enter φ.
    weight : (width,) array
        w >= 0, or w < 0 where the quadratic provably outweighs it (`neural.maps.signed`).
    center : (d,) array
        m. Training changes none of m, R and s: they make the problem free of units and turn the axes to those of the
        law.
    basis : (d, d) array
        R, orthogonal.
    scale : float
        s > 0, a length.

    Raises
    ------
    BadInput
        For numpy arrays with which the network need not be convex.

    Notes
    -----
    L Lᵀ = (1 - ε) I, c = 0, w = 0 is the identity. ∇²ψ >= ε I by construction, as u, w >= 0 (or LLᵀ outweighs w < 0)
    and neurons are convex and increasing. This is the dense network of [mokrov2021], after [korotin2021]. Ours are
    the full-rank quadratic, so that Gaussian flows are represented exactly and no pre-training to the identity is
    needed, and neurons of several pieces: a Gaussian mixture has -V = log Σ exp(m_iᵀx - |m_i|²/2) - |x|²/2, one
    neuron.

    References
    ----------
    [mokrov2021], [korotin2021].
    """

    root: Array
    shift: Array
    layers: tuple[Layer, ...]
    weight: Array
    center: Array
    basis: Array
    scale: float

    def __post_init__(self):
        if not is_tensor(self.weight):
            require_convex(self)

    @property
    def dim(self) -> int:
        return len(self.shift)

    @property
    def increasing(self) -> bool:
        """On the line, always: the derivative of a convex function increases."""
        return self.dim == 1

    def at(self, x: Array) -> Jet:
        """The derivatives at the points x (n, d), ready for use."""
        return Jet(self, x)

    def value(self, x: Array) -> Array:
        """ψ(x), (n, d) -> (n,)."""
        jet = self.at(x)
        return self.scale**2 * (jet.value() + jet.y @ self.shift) + x @ self.center

    def __call__(self, x: Array) -> Array:
        """T(x), (n, d) -> (n, d)."""
        return self.at(x).gradient()

    def value_and_hessian(self, x: Array) -> tuple[Array, Array]:
        """T(x) (n, d) and ∇²ψ(x) (n, d, d) at the points x (n, d)."""
        jet = self.at(x)
        return jet.gradient(), self.basis @ jet.hessian() @ self.basis.T

    def with_log_det(self, x: Array) -> tuple[Array, Array]:
        """T(x) (n, d) and log det ∇²ψ(x) (n,) at the points x (n, d)."""
        moved, hessian = self.value_and_hessian(x)
        return moved, log_determinant(hessian)

    def invert(self, y: Points, tolerance: float | None = None, most: int = 100) -> tuple[Points, Certificate]:
        """(x, Certificate) with T(x) = y, both (n, d); `NotConverged` otherwise (see `inversion.invert`)."""
        return invert(self, y, tolerance, most)

    def numbers_a_point(self) -> int:
        """Numbers that the widest array of a Hessian holds for each point."""
        rows, dim = self.layers[0].linear.shape
        shared = len(self.layers) == 1 and not len(self.layers[0].quadratic)
        return rows * (1 if shared else dim) + dim * dim

    def parameter_groups(self) -> ParameterGroups:
        """The arrays that training changes, by what training may do with them."""
        groups = ParameterGroups({"root": self.root, "shift": self.shift}, {}, {"weight": self.weight})
        for i, layer in enumerate(self.layers):
            for name, array in layer.arrays().items():
                if name != "sharpness" and 0 not in array.shape:
                    (groups.nonnegative if name == "mixing" else groups.hidden)[f"layer{i}.{name}"] = array
        return groups

    def to_data(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        rank, rows, _ = self.layers[0].quadratic.shape
        width, depth = len(self.weight), len(self.layers)
        shape = {"width": width, "depth": depth, "rank": rank, "pieces": rows // width}
        plain = {name: getattr(self, name) for name in ("root", "shift", "weight", "center", "basis")}
        layers = {f"layer{i}.{name}": a for i, layer in enumerate(self.layers) for name, a in layer.arrays().items()}
        return {"map": recorded_name(type(self)), **shape}, {**plain, **layers, "scale": np.array(self.scale)}

    @classmethod
    def from_data(cls, dim: int, data: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> ConvexMap:
        try:
            width, depth, rank = (data[name] for name in ("width", "depth", "rank"))
        except KeyError as error:
            raise BadInput(
                f"The data of a convex map are {data!r}. They must have width, depth and rank. Take them from "
                "to_data()."
            ) from error
        pieces = data.get("pieces", 1)  # files of before there were pieces have none
        for value, name, least in ((width, "width", 1), (depth, "depth", 1), (rank, "rank", 0), (pieces, "pieces", 1)):
            count(value, name, least)
        rows = width * pieces
        layers = []
        for i in range(depth):
            shapes = {"linear": (rows, dim), "bias": (rows,), "quadratic": (rank, rows, dim)}
            if i:
                shapes["mixing"] = (rows, width)
            if f"layer{i}.sharpness" in arrays:
                shapes["sharpness"] = (width,)
            taken = {name: kept_array(arrays, f"layer{i}.{name}", *shape) for name, shape in shapes.items()}
            layers.append(Layer(**taken))
        square = {name: kept_array(arrays, name, dim, dim) for name in ("root", "basis")}
        plain = {name: kept_array(arrays, name, dim) for name in ("shift", "center")}
        weight, scale = kept_array(arrays, "weight", width), positive(kept_array(arrays, "scale"), "scale")
        return cls(layers=tuple(layers), weight=weight, scale=scale, **square, **plain)

    def mapped(self, function: Callable[[Any], Any]) -> ConvexMap:
        """The same map with `function` applied to every array (a conversion of kind, dtype or device)."""
        layers = tuple(
            Layer(**{name: function(array) for name, array in layer.arrays().items()}) for layer in self.layers
        )
        plain = {name: function(getattr(self, name)) for name in ("root", "shift", "weight", "center", "basis")}
        return ConvexMap(**plain, layers=layers, scale=self.scale)

    def astype(self, dtype: Any) -> ConvexMap:
        """The same map in numpy arrays of `dtype`."""
        return self.mapped(lambda array: np.asarray(array, dtype=dtype))

    def placed(self, center: Vector, unit: float) -> ConvexMap:
        """center + unit T((x - center)/unit) of this map T: the same map where its points are counted so."""
        return replace(self, center=center + unit * self.center, scale=unit * self.scale)

    def seen_from(self, center: Vector, basis: Matrix, scale: float) -> ConvexMap:
        """The same hidden functions and the same ∇²ψ of the quadratic in other fixed coordinates, to start a step from.

        With y = E y' + f the old coordinates in terms of the new, each z_j becomes the same function of y'. The
        arrays are those of numpy.
        """
        turn = self.basis.T @ basis * (scale / self.scale)
        move = self.basis.T @ (center - self.center) / self.scale
        layers = []
        for layer in self.layers:
            offset = layer.quadratic @ move  # (rank, rows)
            linear = (layer.linear + (offset[:, :, None] * layer.quadratic).sum(0)) @ turn
            bias = layer.bias + layer.linear @ move + (offset**2).sum(0) / 2
            layers.append(Layer(linear, bias, layer.quadratic @ turn, layer.mixing, layer.sharpness))
        rotation = self.basis.T @ basis
        size = (self.scale / scale) ** 2  # ψ'' of the network part is w ∂²h/∂y'²; the units of ψ change with s²
        return ConvexMap(
            rotation.T @ self.root,
            rotation.T @ self.shift * (self.scale / scale),
            tuple(layers),
            self.weight * size,
            center,
            basis,
            scale,
        )


def first_map(
    center: Vector, basis: Matrix, scale: float, width: int, network: Network, generator: torch.Generator
) -> ConvexMap:
    """The identity, with hidden layers drawn from the torch `generator` and weights zero; float64, numpy."""
    dim = len(center)

    def normal(*shape):
        import torch  # whoever has a generator has torch

        return torch.randn(*shape, generator=generator, dtype=torch.float64).numpy()

    layers, rows = [], width * network.pieces
    for depth in range(network.depth):
        mixing = abs(normal(rows, width)) / width if depth else None
        sharpness = None if network.sharpness == 1 else np.geomspace(1.0, network.sharpness, width)
        drawn = normal(rows, dim), normal(rows), 0.5 * normal(network.rank, rows, dim)
        layers.append(Layer(*drawn, mixing, sharpness))
    root = np.sqrt(1 - STRENGTH) * np.eye(dim)
    return ConvexMap(root, np.zeros(dim), tuple(layers), np.zeros(width), center, basis, scale)


def log_determinant(hessian: Array) -> Array:
    """log det of positive definite matrices (n, d, d) -> (n,)."""
    if is_tensor(hessian):
        import torch  # a tensor is here, so torch is loaded already

        root = (
            torch.linalg.cholesky(hessian) if hessian.shape[-1] > 1 else hessian.sqrt()
        )  # 1-D: no batched LAPACK call
        return 2 * log(root.diagonal(dim1=-2, dim2=-1)).sum(-1)
    return 2 * np.log(np.diagonal(np.linalg.cholesky(hessian), axis1=-2, axis2=-1)).sum(-1)
