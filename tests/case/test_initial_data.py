"""The initial law as data: masses hold the flow at all times, and what a law cannot answer is named."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.case import Case
from pdeflow.case.initial_data import LEVELS, SAMPLES, initial_data


def test_every_kind_is_there_on_the_line_and_is_the_law():
    problem = pf.problems.porous_medium()
    data, lacking = initial_data(Case(problem, [0.02], [0.01]))
    assert not lacking and data["samples"]["samples"].shape == (SAMPLES, 1)
    edges, mass = data["masses"]["edges"], data["masses"]["mass"]
    assert edges[-1] == pytest.approx(problem.exact(0.02).radius) and mass.sum() == pytest.approx(1, abs=1e-12)
    assert np.array_equal(data["quantiles"]["level"], np.linspace(0, 1, LEVELS + 1))
    assert np.array_equal(data["moments"]["cov"], problem.initial.cov())


def test_the_grid_holds_the_law_where_it_goes():
    problem = pf.problems.ou(initial=pf.laws.Gaussian(30.0, 1e-4))
    edges = initial_data(Case(problem, [1.0], [0.5]))[0]["masses"]["edges"]
    later = problem.exact(1.0)
    assert later.cdf(edges[:1]) < 2e-13 and edges[-1] > 30.0


def test_what_cannot_be_said_is_named():
    data, lacking = initial_data(Case(pf.problems.ou(dim=4, seed=0), [1.0], [0.5]))
    assert set(data) == {"samples", "moments"} and "dimension 4" in lacking["masses"] and "quantiles" in lacking
