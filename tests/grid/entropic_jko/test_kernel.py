"""The Gaussian kernel on grids: matrix products and logarithms against all pairs."""

import numpy as np
import pytest
from scipy.special import logsumexp

from pdeflow._core.compiled import crew
from pdeflow.grid.entropic_jko.kernel import LogKernel


def all_pairs(logs, weights):
    places = np.indices(logs.shape).reshape(logs.ndim, -1).T
    cost = ((places[:, None] - places) ** 2) @ np.asarray(weights)
    return logsumexp(logs.ravel() - cost, axis=1).reshape(logs.shape)


@pytest.mark.parametrize("shape", [(17,), (9, 12)])
@pytest.mark.parametrize("range_of_logs", [10.0, 3000.0])  # the second leaves what floats hold, and is summed in logs
def test_against_all_pairs(shape, range_of_logs):
    rng = np.random.default_rng(4)
    logs, weights = rng.uniform(-range_of_logs, 0, shape), (0.4, 0.9)[: len(shape)]
    logs.flat[3] = -np.inf
    with crew() as run:
        found = LogKernel(shape, weights, run)(logs)
    assert np.allclose(found, all_pairs(logs, weights), rtol=1e-14, atol=1e-13)  # round-off


def test_many_terms_count_where_logarithms_are_steep():
    place = np.arange(90.0)
    logs = -0.02 * (place - 30) ** 2 - 20 * place  # so steep that sums are taken in logarithms
    with crew() as run:
        found = LogKernel((90,), (0.2,), run)(logs)
    assert np.allclose(found, all_pairs(logs, (0.2,)), rtol=1e-14)
    assert np.all(found > (logs - 0.2 * (place[:, None] - place) ** 2).max(axis=1) + 1e-9)


def test_nothing_stays_nothing():
    with crew() as run:
        assert np.all(LogKernel((4,), (1.0,), run)(np.full(4, -np.inf)) == -np.inf)
