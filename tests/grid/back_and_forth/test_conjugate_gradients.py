"""The weighted H1 solve against the dense matrix."""

import numpy as np
import pytest

from pdeflow._core.compiled import crew
from pdeflow.grid.back_and_forth.conjugate_gradients import solve_weighted


@pytest.mark.parametrize("shape", [(9, 1), (8, 7)])
def test_against_the_dense_matrix(shape):
    rng = np.random.default_rng(2)
    weight, links_x, links_y, right = (rng.random(shape) + 0.01 for _ in range(4))
    place = np.arange(weight.size).reshape(shape)
    dense = np.diag(weight.ravel())
    for here, there, link in ((place[:-1], place[1:], links_x[:-1]), (place[:, :-1], place[:, 1:], links_y[:, :-1])):
        for a, b, w in zip(here.ravel(), there.ravel(), link.ravel()):
            dense[a, a] += w
            dense[b, b] += w
            dense[a, b] -= w
            dense[b, a] -= w
    with crew() as run:
        found, iterations = solve_weighted(weight, links_x, links_y, right, run, accuracy=1e-12)
    assert np.allclose(found.ravel(), np.linalg.solve(dense, right.ravel()), rtol=1e-9)  # conditioning times 1e-12
    assert iterations < 60
