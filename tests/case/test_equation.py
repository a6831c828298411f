"""The equation in words: constants are those of the problem, and every problem of the catalogue has some."""

import pytest

import pdeflow as pf
from pdeflow.case.equation import GENERAL, equation_of, initial_in_words


def test_constants_are_those_of_the_problem():
    found = equation_of(pf.problems.ou(dim=2, seed=3, temperature=0.5))
    assert (
        found.constants["T"] == 0.5
        and found.constants["A"] == pf.problems.ou(dim=2, seed=3).energy.potential.matrix.tolist()
    )
    assert equation_of(pf.problems.mckean_vlasov_ou(strength=2.0)).constants == {"a": 2.0, "c": 1.2, "T": 0.4}
    assert equation_of(pf.problems.porous_medium(m=3.0)).constants == {"m": 3.0}
    for name in ("heat", "newtonian_1d", "log_repulsion", "double_well", "mixture_ou"):
        assert equation_of(pf.problems.CATALOGUE[name]()).formula.startswith("∂ρ/∂t = ")


def test_other_problems_have_the_general_equation_with_their_parts():
    found = equation_of(pf.problems.styblinski_tang(2))
    assert found.formula == GENERAL and "StyblinskiTang" in found.constants["V"] and "no W" in found.words
    own = pf.Problem(pf.Energy(internal=pf.Entropy()), pf.laws.Gaussian(0.0, 1.0), 1.0)
    assert equation_of(own).words == "There is no V and no W."


@pytest.mark.parametrize("name", ["porous_medium", "log_repulsion", "mixture_ou"])
def test_the_initial_law_is_told_with_its_parameters(name):
    problem = pf.problems.CATALOGUE[name]()
    assert type(problem.initial).__name__ in initial_in_words(problem)
