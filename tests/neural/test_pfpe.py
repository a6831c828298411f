"""PFPE: the true metric against that of PWGF, the inner problem, refusals."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.energies.internal import Entropy
from pdeflow.energies.potentials import FromFunction
from pdeflow.laws import Gaussian, Uniform
from pdeflow.neural import PFPE, PWGF, Shape
from pdeflow.neural.parameter_flow.gradient_fields import GradientFields

MATRIX, CENTER = np.array([[1.5, 0.5], [0.5, 0.8]]), np.array([1.0, -0.5])
START = Gaussian([0.5, 1.0], [[2.0, 0.9], [0.9, 0.6]])
LINE = pf.problems.ou(initial=Gaussian(1.0, 0.25), temperature=0.5)
PLANE = pf.problems.ou(dim=2, matrix=MATRIX, center=CENTER, temperature=0.5, initial=START)
AFFINE = PFPE(map="affine", samples=200, features=10, integrator="rk4")
WELL = pf.problems.double_well(horizon=0.1)


@pytest.mark.parametrize("remainder", [0.0, 0.3])
def test_affine_maps_follow_a_gaussian_flow_exactly(remainder):
    """The velocity is a linear gradient field, so both metrics give the flow itself, also where matrix and covariance do not commute."""
    flow = pf.solve(PLANE, replace(AFFINE, remainder=remainder), dt=0.025, times=[0.5])
    truth = PLANE.exact(0.5)
    np.testing.assert_allclose(flow.final.mean(), truth.mean(), atol=1e-7)  # rk4: about 1e-8 at this step
    np.testing.assert_allclose(flow.final.cov(), truth.cov(), atol=1e-6)
    report = flow.history[-1]
    assert report["delta0"] < 1e-18 and report["unseen"] < 1e-6
    assert all(step["energy"] < before["energy"] for before, step in zip(flow.history, flow.history[1:]))


@pytest.mark.parametrize("kind", ["planar", "residual"])
def test_on_the_line_both_metrics_are_one(kind):
    """Every field on the line is a gradient. What is left is how well a hundred ridge functions resolve the fields ∂_θT∘T⁻¹."""
    options = {"map": kind, "samples": 500, "shape": Shape(layers=3, width=4), "integrator": "heun", "damping": 1e-3}
    one = pf.solve(WELL, PFPE(**options, remainder=0.0), dt=0.02, times=[0.1])
    other = pf.solve(WELL, PWGF(**options), dt=0.02, times=[0.1])
    x = np.linspace(0.4, 1.6, 25)[:, None]
    moved = np.abs(other.final.push(x) - x).max()
    gap = np.abs(one.final.push(x) - other.final.push(x)).max()
    assert moved > 0.05 and gap < 2e-3 * moved
    for step, wanted in zip(one.history, other.history):
        assert abs(step["delta0"] - wanted["delta0"]) < 1e-3 * wanted["dissipation"] and step["unseen"] < 1e-4


def test_in_the_plane_they_differ_but_the_velocity_is_as_good_or_better():
    problem = pf.problems.styblinski_tang(2, horizon=0.02)
    options = {"samples": 2000, "shape": Shape(layers=8), "integrator": "euler"}
    one = pf.solve(problem, PFPE(**options, features=60), dt=0.005)
    other = pf.solve(problem, PWGF(**options), dt=0.005)
    first, second = one.history[-1], other.history[-1]
    assert first["unseen"] > 1e-4  # some of the displacement turns
    assert first["delta0"] < 1.02 * second["delta0"]  # rotations are free
    assert abs(first["energy"] - second["energy"]) < 0.02 * abs(second["energy"] - one.history[0]["energy"])
    assert all(step["energy"] < before["energy"] for before, step in zip(one.history, one.history[1:]))


def test_rotations_cost_nothing_in_the_true_metric(rng):
    """At N(0, I) the field (-y, x) has Ĝ = 2 and G = 0 [docs/math.md 8.2]; a sample sees about rank/(2n) of it."""
    n = 20_000
    x = rng.standard_normal((n, 2))
    space = GradientFields(x, x**3, 30, rng)
    spin = np.stack([-x[:, 1], x[:, 0]], axis=1)
    share = np.sum(space.coordinates(spin) ** 2) / np.sum(spin**2)
    assert share < 3 * space.rank / (2 * n) < 0.01
    assert abs(np.sum(spin**2) / n - 2) < 0.1


def test_the_inner_problem_is_solved_to_round_off(rng):
    x = rng.standard_normal((500, 3)) @ np.diag([1.0, 5.0, 0.1])
    force, field = np.sinh(0.3 * x), rng.standard_normal((500, 3))
    space = GradientFields(x, force, 40, rng)
    assert space.rank == 1 + 3 + 6 + 40
    assert np.abs(space.basis.T @ space.basis - np.eye(space.rank)).max() < 1e-13
    symmetric = np.array([[1.0, 2.0, 0.5], [2.0, -1.0, 0.3], [0.5, 0.3, 2.0]])
    for gradient in (force, np.ones_like(x), x @ symmetric):
        assert np.abs(space.project(gradient) - gradient).max() < 1e-11 * np.abs(gradient).max()
    # no coefficients give less: the residual is orthogonal to every field
    rest = field - space.project(field)
    assert np.abs(space.coordinates(rest)).max() < 1e-12 * np.linalg.norm(field)
    assert np.sum(rest**2) < np.sum(field**2)


def test_what_cannot_be_treated_is_refused(rng):
    with pytest.raises(pf.Unsupported, match="edge"):
        AFFINE.init(replace(LINE, initial=Uniform(-1.0, 1.0)), rng)
    bare = pf.Problem(
        Energy(FromFunction(lambda x: x[:, 0] ** 2, dim=1), Entropy()), Gaussian(0.0, 1.0), 1.0, name="bare"
    )
    with pytest.raises(pf.Unsupported, match="PFPE"):
        AFFINE.init(bare, rng)
    x = np.zeros((60_000, 30))
    with pytest.raises(pf.Unsupported, match="samples"):
        GradientFields(x, x, 100, rng)


@pytest.mark.parametrize(
    "wrong",
    [{"map": "affin"}, {"remainder": -0.1}, {"remainder": 1.5}, {"remainder": True}, {"features": -1}, {"tolerance": 0}, {"shape": 3}, {"integrator": "rk5"}, {"damping": -1}],
    ids=str,
)  # fmt: skip
def test_fields_are_validated(wrong):
    with pytest.raises(pf.BadInput, match=next(iter(wrong))):
        PFPE(**wrong)
