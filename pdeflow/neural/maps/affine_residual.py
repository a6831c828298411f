"""Maps of a JKO step that are no gradients of convex networks: affine ones, and residual networks."""

import itertools
from dataclasses import dataclass

import numpy as np

from ..._core.errors import BadInput, Diverged
from ..._core.validate import count, readonly, real_array
from ..kept_arrays import taker
from .inversion import Certificate
from .tanh_network import evaluate


@dataclass(frozen=True, eq=False)
class LinearMap:
    """T(x) = A x + b. matrix : A, (d, d), invertible. shift : b, (d,)."""

    matrix: np.ndarray
    shift: np.ndarray

    affine = True

    def __post_init__(self):
        matrix = readonly(real_array(self.matrix, "matrix", ndim=2))
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "shift", readonly(real_array(self.shift, "shift", ndim=1)))
        condition = np.linalg.cond(matrix)
        if not condition < 1e12:
            raise Diverged(
                f"The affine map has condition number {condition:.3g}. It must be invertible. Use a smaller dt or learning_rate."
            )

    @property
    def increasing(self):
        """On the line: whether T increases."""
        return len(self.shift) == 1 and self.matrix[0, 0] > 0

    def __call__(self, x):
        return x @ self.matrix.T + self.shift

    def with_log_det(self, x):
        """T(x) (n, d) and log|det A| (n,)."""
        return self(x), np.full(len(x), np.linalg.slogdet(self.matrix)[1])

    def invert(self, y, tolerance=None, most=0):
        """(x, Certificate) with T(x) = y, by one solve."""
        y = np.asarray(y)
        x = np.linalg.solve(self.matrix, (y - self.shift).T).T.astype(y.dtype)
        size = 1 + np.linalg.norm(y, axis=1)
        residual = float(np.max(np.linalg.norm(self(x) - y, axis=1) / size, initial=0.0))
        return x, Certificate(residual, 0, len(y))

    def after(self, first):
        """The affine map x -> self(first(x))."""
        return LinearMap(self.matrix @ first.matrix, self(first.shift))

    def architecture(self):
        return {"map": "LinearMap"}

    def named(self):
        return {"matrix": self.matrix, "shift": self.shift}

    @staticmethod
    def from_named(dim, architecture, arrays):
        """The map of `architecture()` and `named()` in dimension dim."""
        take = taker(arrays)
        return LinearMap(take("matrix", dim, dim), take("shift", dim))


@dataclass(frozen=True, eq=False)
class ResidualMap:
    """T(x) = x + S (B u + c + N(u)), u = S⁻¹(x - m), with N a tanh network: what fan2022iclr uses for T in high dimension.

    center : m, (d,) and root : S, (d, d) SPD, the mean and the root of the covariance of the law it was trained on, make the problem free of
    units. matrix : B, (d, d). shift : c, (d,). layers : ((w, b), ...) of N. Zero B, c and last layer are the identity.
    """

    center: np.ndarray
    root: np.ndarray
    matrix: np.ndarray
    shift: np.ndarray
    layers: tuple

    no_density = "A residual network need not be invertible, and its law then has no density that follows from the map. Use map='icnn' or 'linear'."
    no_inverse = "A residual network need not be invertible. Use map='icnn' or 'linear'."

    def __call__(self, x):
        x = np.asarray(x)
        u = (x - self.center) @ np.linalg.inv(self.root)
        moved = u @ self.matrix.T + self.shift + evaluate(self.layers, u)
        return (x + moved @ self.root).astype(x.dtype)

    def numbers_a_point(self):
        return max(len(bias) for _, bias in self.layers)

    def architecture(self):
        return {"map": "ResidualMap", "widths": [len(bias) for _, bias in self.layers[:-1]]}

    def named(self):
        plain = {name: getattr(self, name) for name in ("center", "root", "matrix", "shift")}
        for i, (weight, bias) in enumerate(self.layers):
            plain |= {f"layer{i}.weight": weight, f"layer{i}.bias": bias}
        return plain

    @staticmethod
    def from_named(dim, architecture, arrays):
        """The map of `architecture()` and `named()` in dimension dim. `BadInput` names an array that is missing or does not fit."""
        widths = architecture.get("widths") if isinstance(architecture, dict) else None
        if not isinstance(widths, list) or not widths:
            raise BadInput(
                f"The architecture of a residual map is {architecture!r}. It must have widths. Take it from to_data()."
            )
        sizes = [dim, *(count(width, "widths") for width in widths), dim]
        take = taker(arrays)
        layers = tuple(
            (take(f"layer{i}.weight", a, b), take(f"layer{i}.bias", b))
            for i, (a, b) in enumerate(itertools.pairwise(sizes))
        )
        return ResidualMap(
            take("center", dim), take("root", dim, dim), take("matrix", dim, dim), take("shift", dim), layers
        )
