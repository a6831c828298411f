"""Registered builders: names, arguments, and what is no builder."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.problems.registry import CATALOGUE, rebuild, register


@pytest.fixture
def tilted():
    @register
    def tilted_line(slope=1.0, initial=None):
        start = pf.laws.Gaussian(0.0, 1.0) if initial is None else initial
        return pf.Problem(pf.Energy(pf.potentials.Quadratic(slope), pf.Entropy()), start, 1.0)

    yield tilted_line
    del CATALOGUE["tilted_line"]


def test_a_registered_builder_names_its_problems_and_rebuilds_them(tilted):
    problem = tilted(slope=np.float64(2.0), initial=pf.laws.Uniform(0.0, 1.0))
    assert problem.name == "tilted_line" and problem.params["slope"] == 2.0 and problem.params["initial"]["law"]
    assert pf.fingerprint.sha256(rebuild("tilted_line", problem.params)) == pf.fingerprint.sha256(problem)
    with pytest.raises(pf.UnknownField, match="Did you mean 'slope'"):
        tilted(slop=1.0)


def test_what_is_no_builder_is_refused():
    for thing in (3, lambda: None):
        with pytest.raises(pf.BadInput, match="must be a function that has a name"):
            register(thing)

    def returns_nothing():
        return None

    entry = register(returns_nothing)
    try:
        with pytest.raises(pf.BadInput, match="must return a Problem"):
            entry()
    finally:
        del CATALOGUE["returns_nothing"]


def test_a_name_belongs_to_one_builder(tilted):
    def heat(dim=1):
        return tilted()

    with pytest.raises(pf.BadInput, match="'heat' is taken by the builder"):
        register(heat)
