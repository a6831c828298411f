"""The array shapes that annotations name, checked at run time while the tests run."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

Points = Float[np.ndarray, "n d"]  # n points of R^d, one per row
Values = Float[np.ndarray, " n"]  # one number per point
Vector = Float[np.ndarray, " d"]  # one vector of R^d
Matrix = Float[np.ndarray, "d d"]  # one matrix on R^d
Row = Float[np.ndarray, " _"]  # one-dimensional, of a length of its own
Numbers = Float[np.ndarray, "..."]  # an array of any shape

# an array of the shape of the argument; numpy makes a scalar where that has no dimensions
if TYPE_CHECKING:
    SameShape = Float[np.ndarray, "..."]
else:
    SameShape = Numbers | np.floating

__all__ = ["Matrix", "Numbers", "Points", "Row", "SameShape", "Values", "Vector"]
