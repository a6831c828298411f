"""Numbers that a caller or a user's code gives: real ones pass, look-alikes (bool, str, None, arrays, NaT) are `BadInput`."""

from numbers import Real

import numpy as np

from .._core.arrays import is_tensor, positive
from .._core.errors import BadInput


def real(value, name) -> float:
    """`value` as a float. A number is a real scalar (NaN and inf too), an array or tensor of no dimensions included."""
    scalar = value.item() if (isinstance(value, np.ndarray) or is_tensor(value)) and value.ndim == 0 else value
    if isinstance(scalar, bool | np.timedelta64) or not isinstance(scalar, Real):
        raise BadInput(f"{name} is {_short(value)}. It must be a real number. Give an int or a float.")
    return float(scalar)


def real_positive(value, name) -> float:
    """`value` as a finite float > 0; True and "1" are none."""
    return positive(real(value, name), name)


def numbers(values, name) -> np.ndarray:
    """`values` as float64 of at least one dimension; NaN and inf stay."""
    try:
        array = np.asarray(values)
    except ValueError:
        array = None
    if array is None or array.dtype.kind not in "fiu":
        raise BadInput(f"{name} is {_short(values)}. It must hold real numbers and nothing else. Give floats.")
    return np.atleast_1d(array.astype(float))


def _short(value):
    text = " ".join(repr(value).split())
    return f"{text if len(text) <= 80 else text[:77] + '...'} ({type(value).__name__})"
