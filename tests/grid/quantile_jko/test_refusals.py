"""What QuantileJKO refuses, and how it says so."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.interactions import GaussianAttraction, PowerLaw
from pdeflow.laws import Gaussian, Uniform

QuantileJKO = pf.grid.QuantileJKO


def problem_of(energy, initial, horizon=1.0):
    return pf.Problem(energy, initial, horizon, name="test")


def test_bad_fields():
    for points in (2, 0, -5, 10.0, True):
        with pytest.raises(pf.BadInput, match="at least 3"):
            QuantileJKO(points)
    with pytest.raises(pf.UnknownField, match="Did you mean 'graded'"):
        QuantileJKO(100, "grade")
    with pytest.raises(pf.UnknownField, match="Did you mean 'points'"):
        QuantileJKO(point=100)


class SingularKernel(GaussianAttraction):
    singular = True


@pytest.mark.parametrize(
    "problem, kind, match",
    [
        (pf.problems.ou(dim=2), pf.Unsupported, "dim 2"),
        (problem_of(pf.Energy(interaction=PowerLaw(2.0, -1.5)), Uniform(0.0, 1.0)), pf.Unsupported, "exponent -1.5"),
        (problem_of(pf.Energy(interaction=SingularKernel()), Uniform(0.0, 1.0)), pf.Unsupported, "singular"),
        # d/(d + 2) = 1/3: Barenblatt's density falls like |x|^(-2/(1-m)), and |x|^2 times that is integrable above
        # it only
        (
            problem_of(pf.Energy(internal=pf.Power(1 / 3)), Gaussian(0, 1)),
            pf.Unsupported,
            r"m <= d/\(d \+ 2\), here 1/3.*second moment.*m > 1/3",
        ),
        (problem_of(pf.Energy(internal=pf.Power(0.2)), Gaussian(0, 1)), pf.Unsupported, "m > 1/3"),
        (
            problem_of(pf.Energy(pf.potentials.FromFunction(lambda x: x[:, 0] ** 2), pf.Entropy()), Gaussian(0, 1)),
            pf.Unsupported,
            "Pass FromFunction",
        ),
        (
            problem_of(
                pf.Energy(
                    pf.potentials.FromFunction(lambda x: np.where(x[:, 0] > 1, np.nan, 0.0), lambda x: 0 * x),
                    pf.Entropy(),
                ),
                Gaussian(0, 1),
            ),
            pf.BadInput,
            r"nan at x = \[1\.",
        ),
        (
            problem_of(pf.Energy(pf.potentials.FromFunction(np.sin, np.cos), pf.Entropy()), Gaussian(0, 1)),
            pf.BadInput,
            "must be",
        ),
    ],
)
def test_what_it_cannot_treat_is_a_typed_error(problem, kind, match):
    with pytest.raises(kind, match=match):
        pf.solve(problem, QuantileJKO(41), dt=1.0, times=[40.0])


def test_nodes_that_cross_are_diverged():
    # W = |x|⁴/4 - |x|²/2 alone draws the line together at two points; nothing keeps the nodes of one of them apart
    with pytest.raises(pf.Diverged, match="cross"):
        pf.solve(pf.problems.ring_aggregation(dim=1), QuantileJKO(31), dt=0.5, times=[40.0])


class BareNaN:
    """A user's potential with no checks of its own."""

    dim = 1

    def value(self, x):
        return np.where(x[:, 0] > 0.5, np.inf, 0.0)

    def grad(self, x):
        return 0 * x


def test_a_users_potential_that_is_not_finite_names_the_point():
    with pytest.raises(pf.BadInput, match=r"value is inf at x = 0\.5"):
        QuantileJKO(201).init(problem_of(pf.Energy(BareNaN(), pf.Entropy()), Gaussian(0, 1)), None)


def test_a_wrong_gradient_does_not_pass_for_a_solution():
    wrong = pf.potentials.FromFunction(lambda x: x[:, 0] ** 4, lambda x: -4 * x**3)
    problem = problem_of(pf.Energy(wrong, pf.Entropy()), Gaussian(2.0, 1.0))
    with pytest.raises(pf.BadInput, match="not the gradient"):  # `solve` looks at both before the first step
        pf.solve(problem, QuantileJKO(41), dt=0.1, times=[0.1])
    method = QuantileJKO(41)
    with pytest.raises(pf.NotConverged) as error:
        method.step(problem, method.init(problem, None), 0.1, None)
    assert error.value.residual > 1e-3
