"""exp(tL) in more dimensions: Poisson weights, positive cells, bounds, and what costs too much. See test_box too."""

import numpy as np
import pytest
from plane_cases import rotated_double_well
from scipy.stats import poisson

import pdeflow as pf
from pdeflow.grid import ChangCooper, exponential
from pdeflow.grid.chang_cooper import uniformisation


@pytest.mark.parametrize("mean", [1e-9, 0.3, 7.0, 1234.5, 3e5])
def test_poisson_weights(mean):
    first, weights = uniformisation._poisson(mean)
    numbers = first + np.arange(len(weights))
    assert weights.sum() == pytest.approx(1, abs=1e-14)
    assert poisson.cdf(first - 1, mean) < 1e-14 and poisson.sf(numbers[-1], mean) < 1e-14
    # scipy's own weights go through logarithms of size `mean`
    np.testing.assert_allclose(weights, poisson.pmf(numbers, mean), rtol=1e-13 * max(mean, 10), atol=1e-300)


def test_two_times_are_one_after_the_other_and_threads_change_nothing(monkeypatch):
    problem = rotated_double_well()
    method = ChangCooper(cells=32, lower=(-3.0, -3.5), upper=(3.0, 3.5))
    flow = exponential(problem, method, [0.0, 0.1, 0.25])
    alone = exponential(problem, method, [0.25])
    # each is known to its bound
    assert np.abs(flow.final.mass - alone.final.mass).sum() < flow.stats["error"] + alone.stats["error"] < 1e-11
    assert np.array_equal(flow.laws[0].mass, method.init(problem, None).mass)
    assert flow.final.mass.min() > 0 and abs(flow.final.mass_error) < alone.stats["error"]
    monkeypatch.setattr(uniformisation, "ALONE", 0)
    assert np.array_equal(exponential(problem, method, [0.25]).final.mass, alone.final.mass)


def test_what_takes_too_long_is_refused_beforehand(monkeypatch):
    problem = rotated_double_well()
    monkeypatch.setattr(uniformisation, "MOST_UPDATES", 1e5)
    with pytest.raises(pf.NotConverged, match="fewer cells"):
        exponential(problem, ChangCooper(cells=32, lower=(-3.0, -3.5), upper=(3.0, 3.5)), [0.25])
    with pytest.raises(pf.BadInput, match="nodes"):
        exponential(problem, ChangCooper(cells=32), [0.25], nodes=48)
