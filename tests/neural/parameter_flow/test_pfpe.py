"""PFPE: the true metric against that of PWGF, the inner problem, refusals."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.energies.internal import Entropy
from pdeflow.energies.potentials import FromFunction
from pdeflow.laws import Gaussian, Uniform
from pdeflow.neural import PFPE, PWGF, RK4, Affine, Euler, Heun, Planar, Residual

MATRIX, CENTER = np.array([[1.5, 0.5], [0.5, 0.8]]), np.array([1.0, -0.5])
START = Gaussian([0.5, 1.0], [[2.0, 0.9], [0.9, 0.6]])
LINE = pf.problems.ou(initial=Gaussian(1.0, 0.25), temperature=0.5)
PLANE = pf.problems.ou(dim=2, matrix=MATRIX, center=CENTER, temperature=0.5, initial=START)
AFFINE = PFPE(map=Affine(), samples=200, features=10, integrator=RK4())
WELL = pf.problems.double_well(horizon=0.1)


@pytest.mark.parametrize("remainder", [0.0, 0.3])
def test_affine_maps_follow_a_gaussian_flow_exactly(remainder):
    """The velocity is a linear gradient field, so both metrics give the flow itself, also where matrix and covariance
    do not commute.
    """
    flow = pf.solve(PLANE, replace(AFFINE, remainder=remainder), dt=0.025, times=[0.5])
    truth = PLANE.exact(0.5)
    np.testing.assert_allclose(flow.final.mean(), truth.mean(), atol=1e-7)  # rk4: about 1e-8 at this step
    np.testing.assert_allclose(flow.final.cov(), truth.cov(), atol=1e-6)
    report = flow.history[-1]
    assert report["delta0"] < 1e-18 and report["unseen"] < 1e-6
    assert all(step["energy"] < before["energy"] for before, step in zip(flow.history, flow.history[1:]))


@pytest.mark.parametrize("kind", [Planar(3), Residual(3, 4)])
def test_on_the_line_both_metrics_are_one(kind):
    """Every field on the line is a gradient.

    What is left is how well a hundred ridge functions resolve the fields ∂_θT∘T⁻¹.
    """
    options = {"map": kind, "samples": 500, "integrator": Heun(), "damping": 1e-3}
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
    options = {"map": Planar(8), "samples": 2000, "integrator": Euler()}
    one = pf.solve(problem, PFPE(**options, features=60), dt=0.005)
    other = pf.solve(problem, PWGF(**options), dt=0.005)
    first, second = one.history[-1], other.history[-1]
    assert first["unseen"] > 1e-4  # some of the displacement turns
    assert first["delta0"] < 1.02 * second["delta0"]  # rotations are free
    assert abs(first["energy"] - second["energy"]) < 0.02 * abs(second["energy"] - one.history[0]["energy"])
    assert all(step["energy"] < before["energy"] for before, step in zip(one.history, one.history[1:]))


def test_what_cannot_be_treated_is_refused(rng):
    with pytest.raises(pf.Unsupported, match="edge"):
        AFFINE.init(replace(LINE, initial=Uniform(-1.0, 1.0)), rng)
    bare = pf.Problem(
        Energy(FromFunction(lambda x: x[:, 0] ** 2, dim=1), Entropy()), Gaussian(0.0, 1.0), 1.0, name="bare"
    )
    with pytest.raises(pf.Unsupported, match="PFPE"):
        AFFINE.init(bare, rng)


@pytest.mark.parametrize(
    "wrong",
    [
        {"map": "affine"},
        {"remainder": -0.1},
        {"remainder": 1.5},
        {"remainder": True},
        {"features": -1},
        {"integrator": "rk4"},
        {"damping": -1},
    ],
    ids=str,
)
def test_fields_are_validated(wrong):
    with pytest.raises(pf.BadInput, match=next(iter(wrong))):
        PFPE(**wrong)
