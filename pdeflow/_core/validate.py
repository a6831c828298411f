"""One check for every kind of argument: it returns the value in the form that the code works with, or raises
`BadInput`."""

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from numbers import Real
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from .arrays import is_tensor
from .errors import BadInput, unknown_field
from .shapes import Matrix, Numbers, Points, Values
from .short_text import shown

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def known_arguments(function: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Decorator of a public function: an unknown keyword raises `UnknownField` with the nearest valid one."""
    valid = [name for name in inspect.signature(function).parameters if name != "self"]

    @wraps(function)
    def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        for name in kwargs:
            if name not in valid:
                raise unknown_field(f"{function.__name__}()", name, valid, "argument")
        return function(*args, **kwargs)

    return checked


def called_with(function: Callable[..., Any], name: str, given: Sequence[str], named: Sequence[str] = ()) -> None:
    """`BadInput` where a user's function cannot be called with so many arguments, and those `named` by keyword.

    given, named : what is passed, in words. Code without a signature is not judged.
    """
    try:
        signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*given, **dict.fromkeys(named))
    except TypeError:
        asked = ", ".join([*given, *(f"{one}={one}" for one in named)])
        raise BadInput(
            f"{name} takes {signature}. It is called with ({asked}). Let it take these, in this order."
        ) from None


def text(value: Any, name: str) -> str:
    """`value` as a text that files can hold."""
    if not isinstance(value, str):
        raise BadInput(f"{name} is {_short(value)}. It must be a text. Pass a str.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadInput(
            f"{name} is {shown(value, 200)}, whose character {error.start} is half of a surrogate pair. It must be "
            "text that UTF-8 can hold. Drop that character."
        ) from None
    return value


def flag(value: Any, name: str) -> bool:
    """`value` as a truth value; numbers and words, which Python would take for one, are refused."""
    if not isinstance(value, bool | np.bool_):
        raise BadInput(f"{name} is {_short(value)}. It must be True or False. Choose one.")
    return bool(value)


def real(value: Any, name: str, kind: str = "a real number") -> float:
    """`value` as a float. A number is a real scalar (NaN and inf too), an array or tensor of no dimensions included.

    Truth values and text, which convert to floats, are slips and are refused.
    """
    scalar = value.item() if (isinstance(value, np.ndarray) or is_tensor(value)) and value.ndim == 0 else value
    if isinstance(scalar, bool | np.bool_ | np.timedelta64) or not isinstance(scalar, Real):
        raise BadInput(f"{name} is {_short(value)}. It must be {kind}. Pass a float.")
    return float(scalar)


def positive(value: Any, name: str) -> float:
    """`value` as a float that is finite and > 0."""
    number = real(value, name, "a positive number")
    if not (np.isfinite(number) and number > 0):
        raise BadInput(f"{name} is {number}. It must be finite and > 0. Choose a positive value.")
    return number


def count(value: Any, name: str, least: int = 1) -> int:
    """`value` as an integer that is at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise BadInput(f"{name} is {shown(value, 200)}. It must be an integer of at least {least}. Choose one.")
    return int(value)


def one_of(value: Any, name: str, choices: Sequence[str]) -> None:
    """`BadInput` unless `value` is one of the words `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise BadInput(f"{name} is {shown(value, 200)}. It must be one of {', '.join(map(repr, choices))}. Choose one.")


def instance_of(value: Any, name: str, kind: type) -> None:
    """`BadInput` unless `value` is an instance of `kind`, a public class of a folder of the package."""
    if not isinstance(value, kind):
        folder = kind.__module__.split(".")[1]
        raise BadInput(
            f"{name} is {shown(value)}. It must be a {kind.__name__}. Pass pf.{folder}.{kind.__name__}(...)."
        )


def numbers(values: Any, name: str = "x") -> Numbers:
    """`values` as a float64 array of its own shape; NaN and inf stay."""
    array = _array(values)
    if array is None or array.dtype.kind not in "fiu":
        raise BadInput(f"{name} is {_short(values)}. It must hold real numbers and nothing else. Pass floats.")
    return array.astype(float, copy=False)


def real_array(array: Any, name: str, ndim: int | None = None) -> Numbers:
    """`array` as finite float64, or `BadInput` that names the first offending entry.

    ndim : the number of dimensions it must have, or None for any.
    """
    raw = _array(array)
    if raw is None:
        raise BadInput(
            f"{name} is no array: its rows differ in length. It must be rectangular. Pad or cut the rows."
        ) from None
    if raw.dtype.kind not in "fiu":
        raise BadInput(
            f"{name} is an array of {raw.dtype}. It must be real numbers. Pass floats (for complex data, the part you "
            "mean)."
        )
    raw = raw.astype(float)
    if ndim is not None and raw.ndim != ndim:
        raise BadInput(f"{name} has shape {raw.shape}. It must have {ndim} dimension(s). Reshape it.")
    if not np.all(np.isfinite(raw)):
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(raw))[0])
        at = list(where) if where else ""
        raise BadInput(f"{name}{at} is {raw[where]}. All entries must be finite. Correct or drop that entry.")
    return raw


def saved_times(times: Any) -> Values:
    """The times at which laws are kept, (k,): at least one, >= 0, increasing strictly; a number is one time."""
    array = np.atleast_1d(real_array(times, "times"))
    if array.ndim != 1 or len(array) == 0:
        raise BadInput(
            f"times have shape {array.shape}. They must be a list that increases, of at least one. Pass e.g. [0.5, "
            "1.0]."
        )
    if array[0] < 0 or np.any(np.diff(array) <= 0):
        raise BadInput(
            f"times are {shown(array.tolist())}. They are counted since the start, must be >= 0 and increase "
            "strictly. Sort them."
        )
    return array


def readonly(array: ArrayLike) -> Numbers:
    """A float64 copy that nobody can change behind its owner's back."""
    copy = np.array(array, dtype=float)
    copy.setflags(write=False)
    return copy


def points(x: Any, dim: int) -> Points:
    """x as an (n, d) array of points; a vector is read as n points when d = 1, as one point otherwise."""
    array = _array(x)
    if array is None or array.dtype.kind not in "fiub":
        kind = "object" if array is None else array.dtype
        raise BadInput(f"Points are an array of {kind}. They must be real numbers. Pass an (n, {dim}) array of floats.")
    array = array.astype(float, copy=False)
    if array.ndim <= 1:
        array = array.reshape(-1, 1) if dim == 1 else array.reshape(1, -1)
    if array.ndim != 2 or array.shape[1] != dim:
        raise BadInput(
            f"Points have shape {array.shape}. This law or function lives in dimension {dim}. Pass an (n, {dim}) array."
        )
    return array


def at_finite_points(method: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of a law's log_density or score: NaN at points with NaN; at infinite ones density 0 and no score."""

    @wraps(method)
    def asked(self: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        x = points(x, self.dim)
        finite = np.isfinite(x).all(axis=1)
        if finite.all():
            return method(self, x, *args, **kwargs)
        inner = method(self, x[finite], *args, **kwargs)
        found = np.full((len(x), *np.shape(inner)[1:]), np.nan)
        if found.ndim == 1:
            found[~np.isnan(x).any(axis=1)] = -np.inf
        found[finite] = inner
        return found

    return asked


def spd_matrix(matrix: Any, dim: int, name: str) -> Matrix:
    """`matrix` as a symmetric positive definite (dim, dim) array; a number means that multiple of I.

    Symmetry and definiteness are judged to 1e-10 relative to the largest entry.
    """
    array = real_array(matrix, name)
    if array.ndim == 0:
        array = float(array) * np.eye(dim)
    if array.shape != (dim, dim):
        raise BadInput(
            f"{name} has shape {array.shape}. It must be a number or a ({dim}, {dim}) matrix. Match the dimension."
        )
    size = np.max(np.abs(array))
    skew = np.max(np.abs(array - array.T))
    if skew > 1e-10 * size:
        raise BadInput(
            f"{name} is not symmetric: max |A - Aᵀ| = {skew:.3g}. It must be symmetric. Pass (A + Aᵀ)/2 if that is "
            "meant."
        )
    array = (array + array.T) / 2
    smallest = np.linalg.eigvalsh(array)[0]
    if smallest <= 1e-10 * size:
        raise BadInput(
            f"{name} is not positive definite: smallest eigenvalue {smallest:.6g}. It must be positive "
            "(above 1e-10 of the largest entry). Check the signs or remove the degenerate direction."
        )
    return array


# Of a spread: where positions are rounded to more than this share of it, quantiles and the masses of cells collapse.
COARSEST_POSITIONS = 1e-3


def require_resolved(center: Values, spread: Any, what: str) -> None:
    """`BadInput` where neighbouring floats near `center` (d,) lie further apart than 1e-3 of the spread there."""
    rounding = np.finfo(float).eps * np.abs(center) / spread
    if np.max(rounding) > COARSEST_POSITIONS:
        i = int(np.argmax(rounding))
        raise BadInput(
            f"{what} lies at {center[i]:.6g} with a spread of {np.broadcast_to(spread, center.shape)[i]:.3g}, where "
            f"positions are rounded to {rounding[i]:.2g} of it. They must be known to {COARSEST_POSITIONS:g} of the "
            "spread. Move the origin of x near the law."
        )


def require_gradient(gradient: np.ndarray, x: np.ndarray, name: str) -> None:
    """`BadInput` unless `gradient`, what a user's function returned at x (n, d), is real, finite and of x's shape."""
    if gradient.dtype.kind not in "fiu" or gradient.shape != x.shape:
        raise BadInput(
            f"{name} returned an array of {gradient.dtype}, shape {gradient.shape}, for x of shape {x.shape}. It must "
            "be real and have the shape of x. Correct the function."
        )
    bad = ~np.isfinite(gradient).all(axis=1)
    if bad.any():
        i = int(np.argmax(bad))
        raise BadInput(
            f"{name} is {shown(gradient[i].tolist())} at x = {shown(x[i].tolist())}. It must be finite where the "
            "law has mass. Correct it there."
        )


def draws(n: Any, rng: Any) -> int:
    """n as a number of draws, after a look at the generator."""
    if not isinstance(rng, np.random.Generator):
        raise BadInput(
            f"rng is of type {type(rng).__name__}. It must be a numpy Generator: randomness is an argument. Pass "
            "np.random.default_rng(seed)."
        )
    return count(n, "n", 0)


def levels(u: Any) -> Numbers:
    """u as an array of levels in [0, 1]."""
    u = numbers(u, "u")
    if not np.all((u >= 0) & (u <= 1)):
        raise BadInput(
            f"Quantile levels range from {np.min(u)} to {np.max(u)}. They must lie in [0, 1]. Drop the others."
        )
    return u


def _array(values: Any) -> np.ndarray | None:
    """`values` as an array, or None where its rows differ in length; `BadInput` where an entry is masked."""
    parts = values if isinstance(values, list | tuple) else [values]
    if any(isinstance(part, np.ma.MaskedArray) and np.ma.is_masked(part) for part in parts):
        raise BadInput(
            "An array has masked entries. What lies under a mask is no number. Pass x.compressed() or x.filled(value), "
            "whichever is meant."
        )
    if callable(getattr(values, "log_density", None)):
        raise BadInput(f"{shown(values)} is a law. An array is expected. Pass draws of it, law.sample(n, rng).")
    tensor: Any = values if is_tensor(values) else None
    if tensor is not None and tensor.requires_grad:
        raise BadInput(
            f"A tensor of shape {tuple(tensor.shape)} records gradients. Laws and checks hold numpy arrays, which "
            "cannot. Pass x.detach()."
        )
    try:
        return np.asarray(values)
    except ValueError:
        return None


def _short(value: Any) -> str:
    return f"{' '.join(shown(value, 80).split())} ({type(value).__name__})"
