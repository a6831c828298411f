"""Potentials and kernels that are made of simpler ones: rotated, sums over blocks of coordinates, functions of |x|."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._core.arrays import like, log_sum_exp
from .._core.errors import BadInput, NotAvailable
from .._core.overriding import answers_as
from .._core.quadrature import gauss_legendre
from .._core.shapes import Matrix, Points, Row, Values
from .._core.validate import count, positive, readonly, real_array
from .interactions import Interaction, as_gaussian_attraction, power_terms
from .potentials import ANSWERS, Array, Potential, Quadratic, as_quadratic, values_with_walls

NODES = 16  # Gauss points of a cell: exact for powers of r up to 31


class Rotated(Potential):
    """V(Qᵀx) for a potential V and an orthogonal matrix Q.

    Parameters
    ----------
    potential : object
        V, with `dim` and `value`; `grad` and `hessian` are answered where V has them.
    rotation : (d, d) array
        Q, orthogonal.
    """

    def __init__(self, potential: Any, rotation: ArrayLike):
        self.potential, self.rotation, self.dim = potential, readonly(real_array(rotation, "rotation")), potential.dim

    def value(self, x: Array) -> Array:
        return self.potential.value(x @ like(self.rotation, x))

    def with_walls(self, x: Points) -> Values:
        return values_with_walls(self.potential, x @ self.rotation)

    def grad(self, x: Array) -> Array:
        q = like(self.rotation, x)
        return asked(self.potential, "grad", x @ q) @ q.T

    def hessian(self, x: Array) -> Array:
        q = like(self.rotation, x)
        return q @ asked(self.potential, "hessian", x @ q) @ q.T

    def __repr__(self) -> str:
        return f"Rotated({self.potential!r})"


class Separable(Potential):
    """Σ V_i(x_i) over blocks x_i of coordinates, one after the other.

    Parameters
    ----------
    potentials : sequence of objects
        The different V, each with `dim` and `value`.
    which : sequence of int
        The number among them of the potential of each block.
    """

    def __init__(self, potentials: Sequence[Any], which: Sequence[int]):
        self.potentials, self.which = tuple(potentials), tuple(int(i) for i in which)
        ends = np.cumsum([self.potentials[i].dim for i in self.which])
        self.dim = int(ends[-1])
        blocks = [np.arange(end - self.potentials[i].dim, end) for i, end in zip(self.which, ends, strict=True)]
        # (k, dim) columns of the k blocks of each potential, which is asked for all of them at once
        self.columns = tuple(
            np.stack([block for block, i in zip(blocks, self.which, strict=True) if i == number])
            for number in range(len(self.potentials))
        )

    def _parts(self, x: Array) -> list[tuple[Any, np.ndarray, Array]]:
        """(potential, columns (k, dim), points (n k, dim)) of each potential."""
        return [
            (potential, columns, x[:, columns.ravel()].reshape(-1, columns.shape[1]))
            for potential, columns in zip(self.potentials, self.columns, strict=True)
        ]

    def value(self, x: Array) -> Array:
        total = 0 * x[:, 0]
        for potential, columns, points in self._parts(x):
            total = total + potential.value(points).reshape(len(x), len(columns)).sum(-1)
        return total

    def with_walls(self, x: Points) -> Values:
        parts = [values_with_walls(one, points).reshape(len(x), -1).sum(-1) for one, _, points in self._parts(x)]
        return np.sum(parts, axis=0)

    def grad(self, x: Array) -> Array:
        out = 0 * x
        for potential, columns, points in self._parts(x):
            out[:, columns.ravel()] = asked(potential, "grad", points).reshape(len(x), columns.size)
        return out

    def hessian(self, x: Array) -> Array:
        out = 0 * x[:, :, None] * x[:, None, :]
        for potential, columns, points in self._parts(x):
            parts = asked(potential, "hessian", points).reshape(len(x), *columns.shape, columns.shape[1])
            for k, block in enumerate(columns):
                out[:, block[:, None], block] = parts[:, k]
        return out

    def __repr__(self) -> str:
        counted = [f"{len(columns)} x {one!r}" for one, columns in zip(self.potentials, self.columns, strict=True)]
        return f"Separable({', '.join(counted)})"


@dataclass(frozen=True)
class Flat(Potential):
    """V = 0 on R^dim."""

    dim: int = 1

    def value(self, x: Array) -> Array:
        return 0 * x[:, 0]

    def grad(self, x: Array) -> Array:
        return 0 * x

    def hessian(self, x: Array) -> Array:
        return 0 * x[:, :, None] * x[:, None, :]


class EvenPolynomial(Potential):
    """V(x) = Σ_k c_k |x|^(2k), smooth at the origin too.

    Parameters
    ----------
    coefficients : sequence of float
        c_0, c_1, ...; the last one > 0.
    dim : int
        Dimension of x.
    """

    radial = True

    def __init__(self, coefficients: ArrayLike, dim: int = 1):
        self.dim = count(dim, "dim")
        self.coefficients = readonly(real_array(coefficients, "coefficients", ndim=1))
        if len(self.coefficients) < 2 or not self.coefficients[-1] > 0:
            raise BadInput(
                f"coefficients is {self.coefficients.tolist()}. They are those of 1, r², r⁴, ..., at least two, the "
                "last above 0, so that V confines. Complete them."
            )

    def _of_square(self, s: Array, derivative: int = 0) -> Array:
        """A derivative of the polynomial in s = |x|², at points (n,)."""
        found = np.polynomial.polynomial.polyder(self.coefficients, derivative)
        total = 0 * s
        for coefficient in found[::-1]:
            total = total * s + float(coefficient)
        return total

    def value(self, x: Array) -> Array:
        return self._of_square((x * x).sum(-1))

    def grad(self, x: Array) -> Array:
        return 2 * x * self._of_square((x * x).sum(-1), 1)[:, None]

    def hessian(self, x: Array) -> Array:
        s = (x * x).sum(-1)
        bend = 4 * self._of_square(s, 2)[:, None, None] * x[:, :, None] * x[:, None, :]
        return bend + 2 * self._of_square(s, 1)[:, None, None] * like(np.eye(x.shape[-1]), x)

    def __repr__(self) -> str:
        dim = f", dim={self.dim}" if self.dim > 1 else ""
        return f"EvenPolynomial({self.coefficients.tolist()}{dim})"


class OfRadius(Potential):
    """V(x) = v(|x|).

    Parameters
    ----------
    profile : object
        v, a potential on the line, of which r >= 0 is asked.
    dim : int
        Dimension of x.

    Notes
    -----
    The gradient at the origin itself is 0 here. For polynomials in r² see `of_radius`.
    """

    radial = True

    def __init__(self, profile: Any, dim: int):
        self.profile, self.dim = profile, count(dim, "dim")

    def _radius(self, x: Array) -> Array:
        """|x| (n, 1), with 1 at the origin, where its derivative does not exist."""
        s = (x * x).sum(-1)[:, None]
        return (s + (s == 0)) ** 0.5

    def _away(self, x: Array) -> Array:
        """(n, 1): 0 at the origin, else 1."""
        return 1.0 * ((x * x).sum(-1)[:, None] > 0)

    def value(self, x: Array) -> Array:
        return self.profile.value(self._radius(x) * self._away(x))

    def grad(self, x: Array) -> Array:
        r = self._radius(x)
        return asked(self.profile, "grad", r) * x / r

    def hessian(self, x: Array) -> Array:
        r, away = self._radius(x), self._away(x)[:, :, None]
        along = (x / r)[:, :, None] * (x / r)[:, None, :]
        across = like(np.eye(x.shape[-1]), x) - along
        bend = asked(self.profile, "hessian", r * self._away(x))
        slope = (asked(self.profile, "grad", r) / r)[:, :, None]
        return bend * along + (away * slope + (1 - away) * bend) * across

    def __repr__(self) -> str:
        return f"OfRadius({self.profile!r}, dim={self.dim})"


@dataclass(frozen=True)
class RadiusPotential(Potential):
    """v(r) - T (d - 1) log r on the half line r > 0, inf elsewhere: what the radius of a radial diffusion feels.

    Parameters
    ----------
    profile : object
        v, a potential on the line.
    degrees : int
        d, the dimension of the space whose radius it is, at least 2.
    temperature : float
        T > 0, in the unit of v.
    """

    profile: Any
    degrees: int
    temperature: float

    dim = 1

    def __post_init__(self) -> None:
        count(self.degrees, "degrees", 2)
        positive(self.temperature, "temperature")

    @property
    def pressure(self) -> float:
        """T (d - 1): the strength of -log r."""
        return self.temperature * (self.degrees - 1)

    def logarithm(self) -> tuple[Any, float]:
        """(v, s) of v(r) - s log r."""
        return self.profile, self.pressure

    def value(self, x: Array) -> Array:
        r = np.asarray(x, dtype=float)
        inside = r[:, 0] > 0
        values = np.full(len(r), np.inf)
        values[inside] = self.profile.value(r[inside]) - self.pressure * np.log(r[inside, 0])
        return values

    def grad(self, x: Array) -> Array:
        return asked(self.profile, "grad", x) - self.pressure / x

    def hessian(self, x: Array) -> Array:
        return asked(self.profile, "hessian", x) + (self.pressure / (x * x))[:, :, None]

    def cell_values(self, edges: Row, temperature: float) -> Values:
        """-T log of the mean of exp(-V/T) over each cell, (n,): with these in place of V, cells have the masses of
        exp(-V/T) itself, also beside the origin."""
        nodes, weights = gauss_legendre(NODES)
        half = np.diff(edges)[:, None] / 2
        r = edges[:-1, None] + half * (1 + nodes)
        values = self.value(r.reshape(-1, 1)).reshape(r.shape)
        return -temperature * log_sum_exp(np.log(weights / 2) - values / temperature)


class RotatedKernel(Interaction):
    """W(Qᵀz) for a kernel W and an orthogonal matrix Q."""

    def __init__(self, kernel: Any, rotation: ArrayLike):
        self.kernel, self.rotation = kernel, readonly(real_array(rotation, "rotation"))

    @property
    def singular(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        return bool(getattr(self.kernel, "singular", False))

    def value(self, z: Array) -> Array:
        return self.kernel.value(z @ like(self.rotation, z))

    def grad(self, z: Array) -> Array:
        q = like(self.rotation, z)
        return self.kernel.grad(z @ q) @ q.T


def of_radius(profile: Any, dim: int) -> Potential:
    """v(|x|): an `EvenPolynomial` of one, whose derivatives at the origin exist, also by torch; else an `OfRadius`."""
    polynomial = answers_as(profile, EvenPolynomial, ANSWERS)
    return EvenPolynomial(profile.coefficients, dim) if polynomial else OfRadius(profile, dim)


def rotated_potential(potential: Any, rotation: Matrix) -> Any:
    """V(Qᵀx): a `Quadratic` of a `Quadratic`, None of None."""
    if potential is None:
        return None
    if as_quadratic(potential) is None:
        return Rotated(potential, rotation)
    matrix = rotation @ potential.matrix @ rotation.T
    return Quadratic((matrix + matrix.T) / 2, rotation @ potential.center)


def rotated_kernel(kernel: Any, rotation: Matrix) -> Any:
    """W(Qᵀz): the kernel itself where it is a function of |z|, None of None."""
    if kernel is None or power_terms(kernel) is not None or as_gaussian_attraction(kernel) is not None:
        return kernel
    return RotatedKernel(kernel, rotation)


def asked(potential: Any, question: str, x: Array) -> Array:
    """`grad` or `hessian` of a potential that may be a user's own, or `NotAvailable`."""
    ask = getattr(potential, question, None)
    if ask is None:
        raise NotAvailable(
            f"{potential!r} has no {question}. What is made of it has one where the part has. Give the part one, e.g. "
            "FromFunction(value, grad=...)."
        )
    return ask(x)
