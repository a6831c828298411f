"""Errors carry facts and a status."""

import pickle

import pdeflow as pf
from pdeflow._core.errors import unknown_field


def test_facts_travel_with_the_error():
    error = pickle.loads(pickle.dumps(pf.NotConverged("no", residual=0.5)))
    assert type(error) is pf.NotConverged and error.residual == 0.5 and error.status == "not converged"


def test_the_nearest_name_is_offered():
    assert "Did you mean 'cells'" in str(unknown_field("Grid", "cell", ["cells", "lower"]))
    assert "Use one of these" in str(unknown_field("Grid", "xyz", ["cells", "lower"]))
