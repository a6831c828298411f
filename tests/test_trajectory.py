"""Trajectories: stored laws only, exact ones, and the lift of a 1-D run."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Gaussian, Product
from pdeflow.trajectory import time_grid

LAW = Gaussian(0.0, 1.0)


def test_only_stored_times_answer():
    flow = pf.Trajectory([0.1, 0.3, 2.0], [LAW, Gaussian(1.0, 1.0), Gaussian(2.0, 1.0)])
    assert flow.at(0.1 + 0.2).mean()[0] == 1.0 and flow.final.mean()[0] == 2.0 and flow.dim == 1
    for t in (0.2, 0.3 + 1e-8, 5.0, 0.0, np.nan):
        with pytest.raises(pf.NotAvailable, match=r"Stored times: \[0\.1, 0\.3, 2\.0\]"):
            flow.at(t)
    assert pf.Trajectory([0.0], [LAW]).at(0.0) is LAW


@pytest.mark.parametrize(
    "times, laws, message",
    [
        ([0.0, 1.0], [LAW], "one law per time"),
        ([1.0, 0.0], [LAW, LAW], "times must increase"),
        ([1.0, 1.0], [LAW, LAW], "times must increase"),
        ([], [], "one law per time"),
        ([np.nan], [LAW], "nan"),
        ([0.0], [1.0], "must be a pdeflow Law"),
    ],
)
def test_bad_trajectories(times, laws, message):
    with pytest.raises(pf.BadInput, match=message):
        pf.Trajectory(times, laws)


def test_exact():
    problem = pf.problems.ou()
    assert pf.exact(problem).times.tolist() == [1.0]
    flow = pf.exact(problem, [0.0, 0.5, 7.0])  # may pass the horizon
    assert flow.at(0.5).cov()[0, 0] == problem.exact(0.5).cov()[0, 0]
    with pytest.raises(pf.BadInput, match="since the start"):
        pf.exact(problem, [-0.5, 1.0])
    with pytest.raises(pf.NotAvailable, match="no exact solution"):
        pf.exact(pf.problems.double_well())


def test_exact_needs_times():
    for times in ([], [[0.1, 0.2]]):
        with pytest.raises(pf.BadInput, match=r"times have shape.*at least one"):
            pf.exact(pf.problems.ou(), times)
        with pytest.raises(pf.BadInput, match=r"times have shape.*at least one"):
            pf.grid.exponential(pf.problems.ou(), pf.grid.ChangCooper(cells=50), times)


def test_lift_is_the_product_law(rng):
    flow = pf.exact(pf.problems.ou(), [0.5, 1.0])
    high = pf.lift(flow, 4)
    assert isinstance(high.final, Product) and high.dim == 4
    truth = pf.problems.ou(dim=4).exact(1.0)
    x = rng.normal(size=(5, 4))
    assert np.allclose(high.final.log_density(x), truth.log_density(x), rtol=1e-13)
    assert np.allclose(high.final.cov(), truth.cov(), rtol=1e-14)
    with pytest.raises(pf.BadInput, match="1-D trajectory"):
        pf.lift(high, 2)
    with pytest.raises(pf.BadInput, match="dim is 0"):
        pf.lift(flow, 0)


def test_time_grid_counts_steps():
    for dt in (0.1, 0.3, 1 / 3, 1e-3, 0.7):
        times = dt * np.arange(50)
        assert time_grid(times, dt)[1] == list(range(50))
    assert time_grid([0.0, 0.3, 0.6, 0.9], 0.1)[1] == [0, 3, 6, 9]
