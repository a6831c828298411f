"""Potentials V of the energy ∫V dρ, written once in operations that numpy and torch share.

Every potential has `dim`, `.value(x)` (n, d) -> (n,), `.grad(x)` (n, d) -> (n, d) and, where it exists,
`.hessian(x)` (n, d) -> (n, d, d). x may be a numpy array or a torch tensor; the answer is of the same kind.
`pdeflow.checks.gradient` compares the two by differences.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .._core.arrays import is_tensor, like, log_sum_exp, softmax
from .._core.errors import BadInput, NotAvailable
from .._core.lazy import missing_name
from .._core.overriding import answers_as
from .._core.shapes import Points, Values
from .._core.short_text import cut, shown
from .._core.validate import count, points, positive, readonly, real_array, spd_matrix
from .._core.value import Value
from ..laws import GaussianMixture, Law

if TYPE_CHECKING:
    from .time_dependent import Moving, MovingQuadratic, TimeDependent

Array = Any  # a numpy array or a torch tensor; answers are of the same kind


class Potential(Value):
    """Base of all potentials. A user's object needs `dim`, `value` and, for methods that use it, `grad`."""

    dim: int

    def __repr__(self) -> str:
        if self.shown_fields():
            return super().__repr__()
        return cut(f"{type(self).__name__}(dim={self.dim})" if hasattr(self, "dim") else f"{type(self).__name__}()")

    def value(self, x: Array) -> Array:
        """V at the points, (n, d) -> (n,)."""
        raise NotAvailable(
            f"{type(self).__name__} has no value. A potential needs value(x), (n, d) to (n,). Define it."
        )

    def with_walls(self, x: Points) -> Values:
        """V at the points of a grid, (n, d) -> (n,), inf beyond walls: `value` where that gives inf there itself."""
        return self.value(x)

    def grad(self, x: Array) -> Array:
        """∇V at the points, (n, d) -> (n, d)."""
        raise NotAvailable(
            f"{type(self).__name__} has no gradient. Give one, e.g. FromFunction(value, grad=..., dim={self.dim})."
        )

    def hessian(self, x: Array) -> Array:
        """∇²V at the points, (n, d) -> (n, d, d)."""
        raise NotAvailable(f"{type(self).__name__} has no Hessian. Use a method that needs only value and grad.")


class Quadratic(Potential):
    """V(x) = (x - center)ᵀ matrix (x - center) / 2.

    Parameters
    ----------
    matrix : (d, d) or float
        Symmetric positive definite; a number means that multiple of I.
    center : (d,) or float, default 0.0
        The minimum, in units of x.
    """

    def __init__(self, matrix: ArrayLike, center: ArrayLike = 0.0):
        center = np.atleast_1d(real_array(center, "center"))
        shape = np.shape(matrix)
        dim = shape[0] if shape else len(center)
        center = np.broadcast_to(center, (dim,)) if len(center) == 1 else center
        if center.shape != (dim,):
            raise BadInput(
                f"center has shape {center.shape}, matrix {shape}. They must be (d,) and (d, d). Pass "
                "arrays of one dimension d."
            )
        self.matrix, self.center = readonly(spd_matrix(matrix, dim, "matrix")), readonly(center)
        self.dim = dim

    def value(self, x: Array) -> Array:
        y = x - like(self.center, x)
        return ((y @ like(self.matrix, x)) * y).sum(-1) / 2

    def grad(self, x: Array) -> Array:
        return (x - like(self.center, x)) @ like(self.matrix, x)

    def hessian(self, x: Array) -> Array:
        return like(self.matrix, x) + 0 * x[:, :, None]

    def __repr__(self) -> str:
        return f"Quadratic(matrix={shown(self.matrix.tolist(), 500)}, center={shown(self.center.tolist(), 300)})"


@dataclass(frozen=True)
class DoubleWell(Potential):
    """V(x) = Σ_i barrier (x_i² - 1)²: minima at ±1 in each axis.

    Parameters
    ----------
    barrier : float, default 1.0
        The height of V at 0 in each axis, > 0.
    dim : int, default 1
        Dimension.
    """

    barrier: float = 1.0
    dim: int = 1

    def __post_init__(self):
        positive(self.barrier, "barrier")
        count(self.dim, "dim")

    def value(self, x: Array) -> Array:
        return self.barrier * ((x * x - 1) ** 2).sum(-1)

    def grad(self, x: Array) -> Array:
        return 4 * self.barrier * x * (x * x - 1)

    def hessian(self, x: Array) -> Array:
        return _diagonal(4 * self.barrier * (3 * x * x - 1))


@dataclass(frozen=True)
class StyblinskiTang(Potential):
    """V(x) = scale Σ_i (x_i⁴ - 16 x_i² + 5 x_i).

    Parameters
    ----------
    dim : int
        Dimension.
    scale : float, default 3/50
        > 0. jin2025 uses 3/50, its slides 1/50 for the same experiment; the classical function has 1/2.
    """

    dim: int
    scale: float = 3 / 50

    def __post_init__(self):
        positive(self.scale, "scale")
        count(self.dim, "dim")

    def value(self, x: Array) -> Array:
        return self.scale * (x**4 - 16 * x * x + 5 * x).sum(-1)

    def grad(self, x: Array) -> Array:
        return self.scale * (4 * x**3 - 32 * x + 5)

    def hessian(self, x: Array) -> Array:
        return _diagonal(self.scale * (12 * x * x - 32))


class MixturePotential(Potential):
    """V = -temperature log q for a Gaussian mixture q, so that q is stationary at that temperature.

    Parameters
    ----------
    mixture : GaussianMixture
        q.
    temperature : float, default 1.0
        > 0.
    """

    def __init__(self, mixture: GaussianMixture, temperature: float = 1.0):
        components = mixture.gaussian_components() if isinstance(mixture, Law) else None
        if components is None or mixture.as_gaussian() is mixture:  # one Gaussian has a Quadratic potential
            raise BadInput(
                f"mixture is {mixture!r}. It must be a mixture of Gaussians. Build one: "
                "GaussianMixture(weights, means, covs); the potential of one Gaussian is a Quadratic."
            )
        weights, parts = components
        mixture = GaussianMixture(weights, [part.mean() for part in parts], [part.cov() for part in parts])
        self.mixture, self.temperature, self.dim = mixture, positive(temperature, "temperature"), mixture.dim
        self.precisions = readonly(np.linalg.inv(mixture.covs))
        log_dets = np.linalg.slogdet(mixture.covs)[1]
        with np.errstate(divide="ignore"):  # a component of weight zero has log weight -inf, and means it
            self._log_factors = readonly(np.log(mixture.weights) - 0.5 * (log_dets + self.dim * np.log(2 * np.pi)))

    def _parts(self, x):
        """Offsets times precision (n, k, d) and log of each component's weighted density (n, k)."""
        offset = x[:, None, :] - like(self.mixture.means, x)
        pull = (offset[:, :, None, :] @ like(self.precisions, x))[:, :, 0, :]
        return pull, like(self._log_factors, x) - (pull * offset).sum(-1) / 2

    def value(self, x: Array) -> Array:
        return -self.temperature * log_sum_exp(self._parts(x)[1])

    def grad(self, x: Array) -> Array:
        pull, logs = self._parts(x)
        return self.temperature * (softmax(logs)[:, :, None] * pull).sum(1)

    def hessian(self, x: Array) -> Array:
        pull, logs = self._parts(x)
        share = softmax(logs)[:, :, None, None]
        spread = (share * (pull[:, :, :, None] * pull[:, :, None, :])).sum(1)
        mean = (share[:, :, :, 0] * pull).sum(1)
        curvature = (share * like(self.precisions, x)).sum(1)
        return self.temperature * (curvature - spread + mean[:, :, None] * mean[:, None, :])

    def __repr__(self) -> str:
        return cut(f"MixturePotential({shown(self.mixture, 700)}, temperature={self.temperature})")


@dataclass(frozen=True)
class FromFunction(Potential):
    """A potential made of the user's own functions.

    Parameters
    ----------
    value : callable
        (n, d) -> (n,).
    grad : callable, optional
        (n, d) -> (n, d).
    dim : int, default 1
        Dimension.

    Raises
    ------
    BadInput
        At a call with numpy arrays whose answer has another kind or shape or is not finite; it names the point.

    Notes
    -----
    `neural.ICNNJKO` and `neural.VariationalJKO` call value with torch tensors: write it in operations of x itself, such
    as (x**2).sum(-1). PWGF and PFPE need grad, of numpy arrays.
    """

    value_function: Callable
    grad_function: Callable | None = None
    dim: int = 1

    def __init__(self, value: Callable[[Any], Any], grad: Callable[[Any], Any] | None = None, dim: int = 1):
        if not callable(value) or not (grad is None or callable(grad)):
            raise BadInput(
                f"value = {shown(value)}, grad = {shown(grad)}. They must be callables (grad may be None). "
                "Pass functions of an (n, d) array."
            )
        object.__setattr__(self, "value_function", value)
        object.__setattr__(self, "grad_function", grad)
        object.__setattr__(self, "dim", count(dim, "dim"))

    def value(self, x: Array) -> Array:
        return self._checked(self.value_function, x, "value", lambda n, d: (n,))

    def with_walls(self, x: Points) -> Values:
        return self._checked(self.value_function, x, "value", lambda n, d: (n,), walls=True)

    def grad(self, x: Array) -> Array:
        if self.grad_function is None:
            return super().grad(x)
        return self._checked(self.grad_function, x, "grad", lambda n, d: (n, d))

    def _checked(self, function, x, name, shape, walls=False):
        if is_tensor(x):
            return function(x)
        x = points(x, self.dim)
        raw = function(x)
        if not isinstance(raw, np.ndarray) or raw.dtype.kind not in "fiu":
            kind = f"array of {raw.dtype}" if isinstance(raw, np.ndarray) else type(raw).__name__
            kind = f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
            raise BadInput(
                f"{name}(x) returned {kind}. It must be an array of real numbers. Return e.g. np.sum(x**2, axis=1)."
            )
        if raw.shape != shape(*x.shape):
            raise BadInput(
                f"{name}(x) returned shape {raw.shape} for x of shape {x.shape}. It must be {shape(*x.shape)}. Sum "
                "over the last axis only in value."
            )
        fine = np.isfinite(raw) | (raw == np.inf) if walls else np.isfinite(raw)
        bad = ~fine.reshape(len(x), -1).all(axis=1)
        if bad.any():
            i = int(np.argmax(bad))
            raise BadInput(
                f"{name}(x) is {shown(raw[i].tolist())} at x = {shown(x[i].tolist())}. It must be finite where the "
                "law has mass. Correct "
                "it there or shrink the domain.",
                x=x[i].tolist(),
                value=float(np.ravel(raw[i])[0]),
            )
        return raw.astype(float)


def values_with_walls(potential: Any, x: Points) -> Any:
    """`Potential.with_walls` of any object with `value`; what it answers is not checked here."""
    return getattr(potential, "with_walls", potential.value)(x)


ANSWERS = ("value", "grad", "hessian")


def as_quadratic(potential: Any) -> Quadratic | None:
    """The potential where it is a `Quadratic` in all that it answers, else None: a subclass may answer otherwise."""
    return potential if answers_as(potential, Quadratic, ANSWERS) else None


def _diagonal(entries):
    """(n, d) -> (n, d, d) with the entries on the diagonal."""
    return entries[:, :, None] * like(np.eye(entries.shape[-1]), entries)


__all__ = [
    "DoubleWell", "FromFunction", "MixturePotential", "Moving", "MovingQuadratic", "Potential", "Quadratic",
    "StyblinskiTang", "TimeDependent",
]  # fmt: skip


def __getattr__(name: str):
    if name in ("Moving", "MovingQuadratic", "TimeDependent"):  # in a module of their own, which builds on this one
        from . import time_dependent

        return getattr(time_dependent, name)
    raise missing_name(__name__, name, __all__)
