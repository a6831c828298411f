"""Problem: its fields, and what becomes of the exact flow when the start is replaced."""

from dataclasses import replace

import pytest

import pdeflow as pf
from pdeflow.laws import Gaussian, Uniform

ENERGY = pf.Energy(internal=pf.Entropy())


def test_fields_and_defaults():
    problem = pf.Problem(ENERGY, Gaussian([0.0, 0.0], 1.0), 2.0)
    assert (problem.name, problem.params, problem.exact, problem.dim) == ("custom", {}, None, 2)
    named = pf.Problem(ENERGY, Gaussian(0.0, 1.0), 2.0, name="mine", params={"a": 1})
    assert named.name == "mine" and named.params == {"a": 1}
    with pytest.raises(TypeError):
        pf.Problem(ENERGY, Gaussian(0.0, 1.0), 2.0, "mine")


def test_an_exact_flow_starts_again_where_it_can():
    heat = pf.problems.heat()
    moved = replace(heat, initial=Gaussian(3.0, 2.0))
    assert moved.exact(0.5).mean()[0] == 3.0 and moved.exact(0.0).cov()[0, 0] == 2.0
    assert replace(heat, initial=Uniform(0.0, 1.0)).exact is None
    assert replace(heat, horizon=3.0).exact is heat.exact


def test_a_plain_function_is_kept():
    problem = pf.Problem(ENERGY, Gaussian(0.0, 1.0), 1.0, exact=lambda t: Gaussian(0.0, 1.0 + 2 * t))
    assert replace(problem, initial=Gaussian(0.0, 2.0)).exact is problem.exact


def test_dimensions_must_agree():
    with pytest.raises(pf.BadInput, match="They must agree"):
        pf.Problem(pf.Energy(pf.potentials.Quadratic(1.0, [0.0, 0.0])), Gaussian(0.0, 1.0), 1.0)
