"""Elementary functions of numpy arrays and torch tensors alike.

Potentials and kernels are written once, in operations that numpy and torch share; what the two spell
differently is here. torch itself is never imported: a tensor brings its own methods.
"""

import numpy as np


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
