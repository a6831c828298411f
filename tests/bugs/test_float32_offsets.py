"""A law far from 0, or of a spread far from 1, flows as the same law near 0: relative to its spread.

Found here, with no report elsewhere: from a centre of 1e7 the law did not move, and at 1e9 the message blamed the law.
"""

import numpy as np
import pytest

import pdeflow as pf

pytest.importorskip("torch")

SMALL = {"batch": 64, "training": pf.neural.Training(pool=256)}
DUAL = {"outer": 10, "dual": pf.neural.DualNetwork(width=3, depth=1)} | SMALL
METHODS = {
    "icnn": pf.neural.ICNNJKO(width=3, iterations=10, **SMALL),
    "icnn, fresh": pf.neural.ICNNJKO(width=3, iterations=10, particles="fresh", **SMALL),
    "convex": pf.neural.VariationalJKO(map=pf.neural.Convex(width=3), **DUAL),
    "affine": pf.neural.VariationalJKO(map=pf.neural.Affine(), **DUAL),
    "residual": pf.neural.VariationalJKO(map=pf.neural.DeepResidual(width=3), **DUAL),
    "forward": pf.neural.VariationalJKO(scheme="forward-backward", **DUAL),
}
# powers of two: the numbers are then those of the law near 0 up to the round-off of its points, which training may
# enlarge; 1e-3 is a fortieth of what another seed changes
PLACES = [(2.0**30, 1.0), (0.0, 2.0**-30), (2.0**10, 2.0**-20)]


def flow(method, center, scale):
    """Points of the last law, in units of the spread and from the centre, of an anisotropic flow in the plane."""
    energy = pf.Energy(
        pf.potentials.Quadratic([[1.0, 0.2], [0.2, 0.5]], [center, center]),
        pf.Entropy(scale**2),
        pf.interactions.QuadraticAttraction(0.3),
    )
    initial = pf.laws.Gaussian([center + 2 * scale, center - scale], np.array([[0.25, 0.0], [0.0, 1.0]]) * scale**2)
    law = pf.solve(pf.Problem(energy, initial, 0.25), METHODS[method], dt=0.25, seed=1).final
    return (law.sample(100, np.random.default_rng(0)) - center) / scale


@pytest.mark.parametrize("method", METHODS)
def test_a_flow_far_from_zero_is_the_flow_near_zero(method):
    near = flow(method, 0.0, 1.0)
    for center, scale in PLACES:
        far = flow(method, center, scale)
        assert np.sqrt(((far - near) ** 2).mean()) < 1e-3, (center, scale)


@pytest.mark.parametrize("method", ["icnn", "affine", "pwgf", "pfpe"])
def test_a_law_that_double_precision_cannot_hold_is_refused_for_that_reason(method):
    methods = METHODS | {"pwgf": pf.neural.PWGF(samples=50), "pfpe": pf.neural.PFPE(samples=50)}
    problem = pf.problems.ou(center=1e9, temperature=1e-18, initial=pf.laws.Gaussian(1e9, 1e-18))
    with pytest.raises(pf.Unsupported, match="neighbouring numbers of double precision"):
        pf.solve(problem, methods[method], dt=0.25)
