"""The array shapes that annotations name, checked at run time while the tests run."""

import numpy as np
from jaxtyping import Float

Points = Float[np.ndarray, "n d"]  # n points of R^d, one per row
Values = Float[np.ndarray, " n"]  # one number per point
Vector = Float[np.ndarray, " d"]  # one vector of R^d
Matrix = Float[np.ndarray, "d d"]  # one matrix on R^d
Numbers = Float[np.ndarray, "..."]  # an array of any shape

__all__ = ["Matrix", "Numbers", "Points", "Values", "Vector"]
