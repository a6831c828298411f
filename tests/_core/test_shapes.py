"""The shapes that annotations name."""

import numpy as np

from pdeflow._core.shapes import Matrix, Numbers, Points, Values, Vector


def test_arrays_have_the_shapes_that_they_are_called_by():
    assert isinstance(np.zeros((3, 2)), Points) and not isinstance(np.zeros(3), Points)
    assert (
        isinstance(np.zeros(3), Values) and isinstance(np.zeros(3), Vector) and not isinstance(np.zeros((3, 1)), Values)
    )
    assert isinstance(np.eye(2), Matrix) and not isinstance(np.zeros((2, 3)), Matrix)
    assert isinstance(np.zeros((2, 3, 4)), Numbers) and not isinstance([0.0], Numbers)
