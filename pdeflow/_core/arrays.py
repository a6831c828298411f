"""Elementary functions of numpy arrays and torch tensors alike, and the validation of array arguments.

Potentials and kernels are written once, in operations that numpy and torch share; what the two spell
differently is here. torch itself is never imported: a tensor brings its own methods.
"""

import numpy as np

from .errors import BadInput


def is_tensor(x) -> bool:
    """Whether x is a torch tensor (told by a method of its own, without importing torch)."""
    return hasattr(x, "new_tensor")


def like(constant, x):
    """`constant` (number or numpy array) as an array of the kind, dtype and device of x."""
    return x.new_tensor(constant) if is_tensor(x) else np.asarray(constant, dtype=float)


def exp(x):
    return x.exp() if is_tensor(x) else np.exp(x)


def log(x):
    return x.log() if is_tensor(x) else np.log(x)


def log_sum_exp(x):
    """log Σ exp over the last axis."""
    if is_tensor(x):
        return x.logsumexp(-1)
    top = np.max(x, axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    return np.log(np.sum(np.exp(x - top), axis=-1)) + top[..., 0]


def softmax(x):
    """exp(x) / Σ exp(x) over the last axis."""
    return exp(x - log_sum_exp(x)[..., None])


def readonly(array) -> np.ndarray:
    """A float64 copy that nobody can change behind a law's back."""
    copy = np.array(array, dtype=float)
    copy.setflags(write=False)
    return copy


def real_array(array, name: str, ndim=None) -> np.ndarray:
    """`array` as finite float64, or `BadInput` that names the first offending entry.

    ndim : the number of dimensions it must have, or None for any.
    """
    try:
        raw = np.asarray(array)
    except ValueError:
        raise BadInput(
            f"{name} is no array: its rows differ in length. It must be rectangular. Pad or cut the rows."
        ) from None
    if raw.dtype == object or raw.dtype.kind not in "fiub":
        raise BadInput(
            f"{name} is an array of {raw.dtype}. It must be real numbers. Pass floats (for complex data, the part you mean)."
        )
    raw = raw.astype(float)
    if ndim is not None and raw.ndim != ndim:
        raise BadInput(f"{name} has shape {raw.shape}. It must have {ndim} dimension(s). Reshape it.")
    if not np.all(np.isfinite(raw)):
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(raw))[0])
        raise BadInput(f"{name}{list(where)} is {raw[where]}. All entries must be finite. Mend or drop that entry.")
    return raw


def points(x, dim: int) -> np.ndarray:
    """x as an (n, d) array of points; a vector is read as n points when d = 1, as one point otherwise."""
    try:
        x = np.asarray(x)
    except ValueError:
        x = np.empty(0, dtype=object)  # rows that differ in length
    if x.dtype.kind not in "fiub":
        raise BadInput(
            f"Points are an array of {x.dtype}. They must be real numbers. Pass an (n, {dim}) array of floats."
        )
    x = x.astype(float, copy=False)
    if x.ndim <= 1:
        x = x.reshape(-1, 1) if dim == 1 else x.reshape(1, -1)
    if x.ndim != 2 or x.shape[1] != dim:
        raise BadInput(
            f"Points have shape {x.shape}. This law or function lives in dimension {dim}. Pass an (n, {dim}) array."
        )
    return x


def spd_matrix(matrix, dim: int, name: str) -> np.ndarray:
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
            f"{name} is not symmetric: max |A - Aᵀ| = {skew:.3g}. It must be symmetric. Pass (A + Aᵀ)/2 if that is meant."
        )
    array = (array + array.T) / 2
    smallest = np.linalg.eigvalsh(array)[0]
    if smallest <= 1e-10 * size:
        raise BadInput(
            f"{name} is not positive definite: smallest eigenvalue {smallest:.6g}. It must be positive "
            "(above 1e-10 of the largest entry). Check the signs or remove the degenerate direction."
        )
    return array


def positive(value, name: str) -> float:
    """`value` as a float that is finite and > 0, or `BadInput`."""
    array = np.asarray(value) if not isinstance(value, (list, tuple)) else np.empty(len(value))
    if array.ndim != 0 or array.dtype.kind not in "fiu":  # text and truth values convert to floats, and are slips
        raise BadInput(f"{name} is {value!r}. It must be a positive number. Pass a float.")
    number = float(array)
    if not (np.isfinite(number) and number > 0):
        raise BadInput(f"{name} is {number}. It must be finite and > 0. Choose a positive value.")
    return number


def count(value, name: str, least: int = 1) -> int:
    """`value` as an integer that is at least `least`, or `BadInput`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise BadInput(f"{name} is {value!r}. It must be an integer of at least {least}. Choose one.")
    return int(value)


def require_gradient(gradient, x, name: str):
    """`BadInput` unless `gradient`, what a user's function returned at x (n, d), is real, finite and of x's shape."""
    if gradient.dtype.kind not in "fiu" or gradient.shape != x.shape:
        raise BadInput(
            f"{name} returned an array of {gradient.dtype}, shape {gradient.shape}, for x of shape {x.shape}. It must be real, of x's shape. Mend it."
        )
    bad = ~np.isfinite(gradient).all(axis=1)
    if bad.any():
        i = int(np.argmax(bad))
        raise BadInput(
            f"{name} is {gradient[i].tolist()} at x = {x[i].tolist()}. It must be finite where the law has mass. Mend it there."
        )
