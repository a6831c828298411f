"""The saddle loop: what goes wrong in it carries step, iteration and law."""

import pytest

import pdeflow as pf
from pdeflow._core.arrays import exp
from pdeflow.laws import Gaussian
from pdeflow.neural import Affine, DeepResidual, DualNetwork, Training, VariationalJKO

SMALL = Training(pool=8192)


def test_a_particle_that_leaves_the_ball_is_an_error_with_what_was_trained():
    """A force that only the few outermost particles feel throws them out of the ball around the support."""
    hill = pf.potentials.FromFunction(lambda x: -(x**6).sum(-1), lambda x: -6 * x**5)
    law = pf.laws.GaussianMixture([0.99, 0.01], [0.0, 1.0], [0.01, 0.0001])
    problem = pf.Problem(pf.Energy(hill, pf.Power(2.0)), law, 1.0, name="hill")
    with pytest.raises(
        pf.Diverged, match=r"Step 1, iteration \d+: a particle lies at distance .* ball of radius .* margin"
    ) as caught:
        pf.solve(
            problem,
            VariationalJKO(
                DeepResidual(16, 1), outer=60, batch=256, dual=DualNetwork(32, 1, margin=1.02), training=SMALL
            ),
            dt=0.02,
        )
    assert caught.value.step == 1 and caught.value.distance > caught.value.reach
    assert caught.value.law.maps == ()


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_force_that_is_not_finite_names_step_and_iteration():
    steep = pf.potentials.FromFunction(lambda x: exp(400 * x).sum(-1))
    problem = pf.Problem(pf.Energy(steep, pf.Entropy()), Gaussian(0.0, 1.0), 1.0, name="steep")
    with pytest.raises(pf.Diverged, match="Step 1, iteration 0: the force on the particles is not finite") as caught:
        pf.solve(problem, VariationalJKO(outer=5, training=SMALL), dt=1.0)
    assert caught.value.step == 1 and caught.value.iteration == 0


def test_a_failure_in_a_later_step_carries_the_law_before():
    class Failing(pf.potentials.Quadratic):
        calls = 0

        def grad(self, x):
            Failing.calls += len(x) > 4  # not the few points that a scheme probes the potential at
            return super().grad(x) * (float("nan") if Failing.calls > 9 else 1.0)

    problem = pf.Problem(pf.Energy(Failing(1.0), pf.Entropy()), Gaussian(0.0, 1.0), 1.0, name="mine")
    with pytest.raises(pf.Diverged, match="Step 2, iteration 3: ") as caught:
        pf.solve(problem, VariationalJKO(Affine(), outer=5, training=SMALL), dt=0.1)
    assert isinstance(caught.value.law, Gaussian) and caught.value.law.cov()[0, 0] > 1
