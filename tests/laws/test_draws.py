"""Draws of a user's law have the shape that is asked for."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws.draws import drawn


class Drawing(pf.laws.Law):
    def __init__(self, dim, answer):
        self.dim, self.answer = dim, answer

    def sample(self, n, rng):
        return self.answer(n)


@pytest.mark.parametrize("dim, answer", [(1, np.zeros), (2, lambda n: np.zeros((2, n))), (1, lambda n: ["a"] * n)])
def test_a_wrong_shape_is_named(dim, answer):
    with pytest.raises(pf.BadInput, match=rf"shape \(n, {dim}\)"):
        drawn(Drawing(dim, answer), 5, np.random.default_rng(0))


def test_lists_and_integers_are_points():
    assert drawn(Drawing(1, lambda n: [[1]] * n), 5, np.random.default_rng(0)).shape == (5, 1)
