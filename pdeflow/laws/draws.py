"""Draws of a law that may be a user's own."""

import numpy as np

from .._core.errors import BadInput
from .._core.shapes import Points
from .._core.short_text import shown
from .base import Law


def drawn(law: Law, n: int, rng: np.random.Generator) -> Points:
    """law.sample(n, rng), or `BadInput` where it is no array of n points of the law's dimension."""
    x = np.asarray(law.sample(n, rng))
    if x.shape != (n, law.dim) or x.dtype.kind not in "fiu":
        raise BadInput(
            f"sample of {shown(law, 200)} gives an array of {x.dtype}, shape {x.shape}, when asked for {n} points. It "
            f"must give real numbers of shape (n, {law.dim}), on the line too. Reshape it; pf.checks.law compares all "
            "answers of a law."
        )
    return x.astype(float, copy=False)
