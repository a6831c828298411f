"""Elementary functions of numpy arrays and torch tensors alike.

Potentials and kernels are written once, in operations that numpy and torch share; what the two spell
differently is here. torch itself is never imported: a tensor brings its own methods.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


def underflow_is_zero(function: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Decorator of what meets tails so thin that they are 0: no fault, also where the caller's numpy raises for it."""

    @wraps(function)
    def quiet(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        with np.errstate(under="ignore"):
            return function(*args, **kwargs)

    return quiet


def power_of_two(length) -> float:
    """A power of two of the size of a length: squares of quotients keep their bits and their range."""
    return float(2.0 ** min(max(np.frexp(length)[1], -1000), 1000))


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


@underflow_is_zero
def log_sum_exp(x):
    """log Σ exp over the last axis."""
    if is_tensor(x):
        return x.logsumexp(-1)
    top = np.max(x, axis=-1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    return np.log(np.sum(np.exp(x - top), axis=-1)) + top[..., 0]


@underflow_is_zero
def softmax(x):
    """exp(x) / Σ exp(x) over the last axis."""
    return exp(x - log_sum_exp(x)[..., None])
