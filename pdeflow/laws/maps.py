"""Maps of R^d: what pushes laws, the certificate of an inversion, affine maps, and the names that files hold."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from .._core.errors import BadInput, NotAvailable, NotConverged
from .._core.shapes import Matrix, Numbers, Points, Values
from .._core.validate import readonly, real_array
from .._core.value import Value

SINGULAR = 1e12  # a matrix of this condition number has no inverse that double precision could find


@dataclass(frozen=True)
class Certificate(Value):
    """What an inversion promises.

    Parameters
    ----------
    residual : float
        The largest relative residual |T(x) - y| / (s + |y - m|), with the scale s and the centre m of the map.
    iterations : int
        The most steps that an inner solver took at any point.
    points : int
        How many points were inverted.
    """

    residual: float
    iterations: int
    points: int


def certified(residual: Values, iterations: int, tolerance: float, cure: str = "Use") -> Certificate:
    """The certificate of an inversion, from the relative residuals at its points.

    Parameters
    ----------
    residual : (n,) array
        Relative residual at each point.
    iterations : int
        The most steps that a solver took at any point.
    tolerance : float
        The largest residual that is accepted.
    cure : str
        What to do where it is not, as the beginning of a sentence.

    Returns
    -------
    Certificate

    Raises
    ------
    NotConverged
        Where a residual exceeds the tolerance or is not a number; it carries `residual` (the largest) and `points`
        (how many).
    """
    worst, bad = float(np.max(residual, initial=0.0)), int(np.sum(~(residual <= tolerance)))
    if bad:
        raise NotConverged(
            f"The map was not inverted at {bad} of {len(residual)} points: residual {worst:.3g} after {iterations} "
            "steps. "
            f"It must fall below {tolerance:.3g}. {cure} sample_with_log_density, which needs no inverse.",
            residual=worst,
            points=bad,
        )
    return Certificate(worst, iterations, len(residual))


class Map(Value, ABC):
    """A map T of R^d that pushes laws: `PushForward(base, maps)` is the law of T_k(... T_1(x)), x ~ base.

    A subclass has `dim` and gives `__call__`; it answers the rest or says in `lacks` why it cannot. Whoever needs
    something of a map asks the map; nobody asks which class it is.

    Attributes
    ----------
    dim : int
        d.
    affine : bool
        Whether T(x) = matrix x + shift for certain; `matrix` (d, d) and `shift` (d,) then exist.
    increasing : bool
        Whether T is an increasing function on the line (dimension 1 only).
    """

    dim: int
    affine: bool = False
    increasing: bool = False
    matrix: np.ndarray
    shift: np.ndarray

    @abstractmethod
    def __call__(self, x: Points) -> Points:
        """T(x), (n, d) -> (n, d)."""

    def with_log_det(self, x: Points) -> tuple[Points, Values]:
        """T(x) (n, d) and log|det ∂T(x)| (n,). Raises `NotAvailable` where the map does not know it."""
        raise self.not_available("with_log_det")

    def invert(self, y: Points) -> tuple[Points, Certificate]:
        """The points x (n, d) with T(x) = y, and the certificate.

        Raises `NotAvailable` where the map has no inverse that can be certified, `NotConverged` where a solve misses
        its tolerance: never the last iterate.
        """
        raise self.not_available("invert")

    def with_score(self, x: Points, start: Points, weight: Values) -> tuple[Points, Values, Points]:
        """What carries the score of a law through the map.

        Parameters
        ----------
        x : (n, d) array
            Points.
        start : (n, d) array
            w ∇log λ at the points, λ the density of the law that is pushed and w the weight.
        weight : (n,) array
            w; ones for the score itself.

        Returns
        -------
        T(x) (n, d), log|det ∂T(x)| (n,), and ∂T(x)^{-T} (start - w ∇log|det ∂T(x)|) (n, d), which is w ∇log ρ at T(x)
        for the law ρ = T#λ.

        Raises
        ------
        NotAvailable
            Where the map does not know its second derivatives.
        """
        raise self.not_available("with_score")

    def lacks(self, question: str) -> str | None:
        """Why this map does not answer a question, in a sentence; None if it does.

        The questions are "with_log_det", "invert", "with_score" and "to_data".
        """
        if question in QUESTIONS and getattr(type(self), question) is getattr(Map, question):
            return f"It has no {question}."
        return None

    def not_available(self, question: str) -> NotAvailable:
        """The error for a question that this map does not answer."""
        why = self.lacks(question) or f"It has no {question}."
        return NotAvailable(f"A map is {type(self).__name__}. {why} Sample instead, or use a map that has one.")

    def numbers_a_point(self) -> int:
        """How many numbers the widest array holds per point; bounds how many points are worked on at a time."""
        return self.dim

    def astype(self, dtype: Any) -> Map:
        """The map for points of this numpy dtype: itself, unless it holds its own arrays in one."""
        return self

    def then(self, other: Map) -> tuple[Map, ...]:
        """The maps of first this one and then `other`: one map where two of a kind compose to one, else both.

        Two affine maps compose to an `AffineMap`, unless the product of their matrices is singular numerically.
        """
        if not (self.affine and other.affine):
            return (self, other)
        matrix = other.matrix @ self.matrix
        if not condition_number(matrix) < SINGULAR:
            return (self, other)
        return (AffineMap(matrix, self.shift @ other.matrix.T + other.shift),)

    def to_data(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON data, with the recorded name of the kind under "map", and named arrays: what `from_data` needs."""
        raise self.not_available("to_data")

    @classmethod
    def from_data(cls, dim: int, data: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Map:
        """The map of `to_data` in dimension `dim`; `BadInput` where arrays are missing, misshapen or not finite."""
        raise BadInput(
            f"The kind of map {cls.__name__} has no from_data. A map that is kept in files has to_data and from_data. "
            "Write the "
            "class method from_data(cls, dim, data, arrays)."
        )


QUESTIONS = ("with_log_det", "invert", "with_score", "to_data")


class AffineMap(Map):
    """T(x) = A x + b with an invertible matrix A: a rotation where A is orthogonal.

    Parameters
    ----------
    matrix : (d, d) array
        A. Its condition number must be below 1e12.
    shift : (d,) array, optional
        b; zero by default.

    Raises
    ------
    BadInput
        For a matrix that is not square or not invertible, and for a shift of another dimension.

    Notes
    -----
    `PushForward(law, [AffineMap(Q)])` with an orthogonal matrix Q is the rotated law. It answers what the law
    answers: density, score, mean, covariance, entropy. Files of the first edition call this kind of map "LinearMap".
    """

    affine = True

    def __init__(self, matrix: ArrayLike, shift: ArrayLike | None = None):
        square = readonly(real_array(matrix, "matrix", ndim=2))
        moved = readonly(np.zeros(len(square)) if shift is None else real_array(shift, "shift", ndim=1))
        if square.shape != (len(moved), len(moved)) or not len(moved):
            raise BadInput(
                f"matrix has shape {square.shape} and shift {moved.shape}. They must be (d, d) and (d,). Match the "
                "dimension."
            )
        condition = condition_number(square)
        if not condition < SINGULAR:
            raise BadInput(
                f"The matrix of an affine map has condition number {condition:.3g}. It must be invertible: below "
                f"{SINGULAR:g}. Drop the direction that it flattens."
            )
        self.matrix, self.shift, self.dim = square, moved, len(moved)
        self.increasing = self.dim == 1 and bool(square[0, 0] > 0)

    def __call__(self, x: Points) -> Points:
        return x @ self.matrix.T + self.shift

    def with_log_det(self, x: Points) -> tuple[Points, Values]:
        """T(x) (n, d) and log|det A| (n,)."""
        return self(x), np.full(len(x), self.log_det)

    @property
    def log_det(self) -> float:
        """log|det A|."""
        return float(np.linalg.slogdet(self.matrix)[1])

    def with_score(self, x: Points, start: Points, weight: Values) -> tuple[Points, Values, Points]:
        moved, volume = self.with_log_det(x)
        return moved, volume, np.linalg.solve(self.matrix.T, start.T).T

    def invert(self, y: Points, tolerance: float | None = None) -> tuple[Points, Certificate]:
        """The points x (n, d) with T(x) = y by one solve, in the dtype of y, and the certificate.

        Parameters
        ----------
        y : (n, d) array
            Points.
        tolerance : float, optional
            The largest residual |T(x) - y| / (1 + |y|) that is accepted; by default the root of the machine precision
            of y.

        Raises
        ------
        NotConverged
            Where the residual is larger.
        """
        y = np.asarray(y)
        y = y if y.dtype.kind == "f" else y.astype(float)
        x = np.linalg.solve(self.matrix, (y - self.shift).T).T.astype(y.dtype)
        size = 1 + np.linalg.norm(y, axis=1)
        most = float(np.sqrt(np.finfo(y.dtype).eps)) if tolerance is None else tolerance
        return x, certified(np.linalg.norm(self(x) - y, axis=1) / size, 0, most)

    def to_data(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {"map": recorded_name(type(self))}, {"matrix": self.matrix, "shift": self.shift}

    @classmethod
    def from_data(cls, dim: int, data: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> AffineMap:
        return cls(kept_array(arrays, "matrix", dim, dim), kept_array(arrays, "shift", dim))

    def shown_fields(self) -> Mapping[str, Any]:
        return {"matrix": self.matrix.tolist(), "shift": self.shift.tolist()}

    def described(self) -> dict[str, Any]:
        """What a fingerprint holds: the class by its recorded name, so that hashes of the first edition stay."""
        return {"type": recorded_name(type(self)), "matrix": self.matrix, "shift": self.shift}


def condition_number(matrix: Matrix) -> float:
    """The ratio of the largest to the smallest singular value; infinite for a singular matrix."""
    return float(np.linalg.cond(matrix))


def require_map(move: Map, dim: int) -> None:
    """`BadInput` unless `move` is a `Map` of this dimension."""
    if not isinstance(move, Map):
        raise BadInput(
            f"A map is {move!r}, of type {type(move).__name__}. It must inherit pdeflow.laws.Map: a class with dim and "
            "__call__(x), (n, d) -> (n, d). Inherit it, and add with_log_det and invert where the law needs a density."
        )
    try:
        given = move.dim
    except AttributeError as error:
        raise BadInput(
            f"The map {type(move).__name__} has no dim ({error}). A map says on which R^d it lives. Set dim = {dim} "
            "in the class."
        ) from error
    if given != dim:
        raise BadInput(
            f"The map {type(move).__name__} lives in dimension {given} and the base law in dimension {dim}. They must "
            "agree. "
            "Match the dimension."
        )


# The kinds of maps that files hold: recorded name -> (module, class), which is imported only where a file asks for
# it. Neural maps are named and not imported here, so that laws need no torch.
KINDS: dict[str, tuple[str, str]] = {
    "ConvexMap": ("pdeflow.neural.maps.convex", "ConvexMap"),
    "LinearMap": ("pdeflow.laws.maps", "AffineMap"),
    "ParametricMap": ("pdeflow.neural.maps.parametric.parametric_map", "ParametricMap"),
    "ResidualMap": ("pdeflow.neural.maps.affine_residual", "ResidualMap"),
}
_REGISTERED: dict[str, type[Map]] = {}  # kinds that the user's own program keeps, by recorded name

Kind = TypeVar("Kind", bound=type[Map])


def register_map(name: str) -> Callable[[Kind], Kind]:
    """A decorator that lets files hold a user's own kind of map.

    Parameters
    ----------
    name : str
        The name under which files record the kind: what its `to_data` gives under "map". Choose it for good.

    Returns
    -------
    A decorator for a subclass of `Map` with `to_data` and `from_data`. A file that holds such a map opens in every
    program that has registered the kind before.

    Raises
    ------
    BadInput
        For a name that is no text or that another kind has, and for a class that is no subclass of `Map`.
    """
    if not isinstance(name, str) or not name:
        raise BadInput(
            f"The name of a kind of map is {name!r}. It must be a text, such as 'mypackage.Shear', which files keep. "
            "Write @pdeflow.laws.register_map('mypackage.Shear') above the class."
        )

    def register(kind: Kind) -> Kind:
        if not (isinstance(kind, type) and issubclass(kind, Map)):
            raise BadInput(
                f"{kind!r} is registered as a kind of map. It must be a class that inherits pdeflow.laws.Map. Inherit "
                "it."
            )
        before = _REGISTERED.get(name)
        again = before is not None and (before.__module__, before.__qualname__) == (kind.__module__, kind.__qualname__)
        if name in KINDS or (before is not None and not again):
            raise BadInput(
                f"The name {name!r} is taken by another kind of map. Taken are {', '.join(recorded_kinds())}. Choose "
                "a new name."
            )
        _REGISTERED[name] = kind
        return kind

    return register


def recorded_kinds() -> tuple[str, ...]:
    """The names of all kinds of maps that files can hold in this program."""
    return (*KINDS, *_REGISTERED)


def recorded_name(kind: type[Map]) -> str | None:
    """The name under which files and fingerprints record a kind of map; None for one that is not registered."""
    for name, (module, qualname) in KINDS.items():
        if (kind.__module__, kind.__qualname__) == (module, qualname):
            return name
    return next((name for name, registered in _REGISTERED.items() if registered is kind), None)


def map_from_data(dim: int, data: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Map:
    """The map of `Map.to_data`, of whatever kind its data name. Raises `BadInput` for a kind that is not known here."""
    name = data["map"]
    if name in _REGISTERED:
        return _REGISTERED[name].from_data(dim, data, arrays)
    if name not in KINDS:
        raise BadInput(
            f"A map is a {name!r}. Known are {', '.join(recorded_kinds())}. Use the version of pdeflow that wrote it, "
            "or "
            "import the program that registers this kind."
        )
    module, qualname = KINDS[name]
    return getattr(import_module(module), qualname).from_data(dim, data, arrays)


def kept_array(arrays: Mapping[str, np.ndarray], name: str, *shape: int) -> Numbers:
    """The array of that name and shape, real, finite and read-only; `BadInput` where it is missing or misshapen."""
    if name not in arrays or np.shape(arrays[name]) != shape:
        given = "missing" if name not in arrays else f"of shape {np.shape(arrays[name])}"
        raise BadInput(f"The array {name!r} is {given}. It must have shape {shape}. The data are damaged.")
    return readonly(real_array(arrays[name], name))
