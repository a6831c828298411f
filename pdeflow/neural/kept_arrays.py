"""The arrays of a map that a file holds, taken out with a check."""

import numpy as np

from .._core.errors import BadInput
from .._core.validate import readonly, real_array


def taker(arrays):
    """A function (name, *shape) -> that array of the mapping `arrays`, real, finite and read-only; `BadInput` where it is missing or misshapen."""

    def take(name, *shape):
        if name not in arrays or np.shape(arrays[name]) != shape:
            given = "missing" if name not in arrays else f"of shape {np.shape(arrays[name])}"
            raise BadInput(f"The array {name!r} is {given}. It must have shape {shape}. The data are damaged.")
        return readonly(real_array(arrays[name], name))

    return take
