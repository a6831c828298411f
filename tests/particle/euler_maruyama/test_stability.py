"""Steps without noise from a cloud: which of them overshoot farther and farther."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.particle.euler_maruyama.drift import Cloud, Drift
from pdeflow.particle.euler_maruyama.stability import PROBES, refuse_overshooting


def cloud(potential, x, kernel=None, temperature=1.0):
    x = np.asarray(x, dtype=float).reshape(len(x), -1)
    drift = Drift(pf.Energy(potential, pf.Entropy(temperature), kernel), x.shape[1])
    return Cloud(x, np.zeros(2, dtype=np.uint64), 5, 5, float(np.abs(x).max()), drift)


def valley(curvature):
    return pf.potentials.FromFunction(lambda x: (curvature * x**2 / 2).sum(-1), grad=lambda x: curvature * x)


POINTS = np.linspace(-1, 2, 40)


@pytest.mark.parametrize("ratio", [2.01, 2.3, 3.0, 50.0])
def test_the_factor_of_a_valley_is_found(ratio):
    with pytest.raises(pf.Diverged) as caught:
        refuse_overshooting(cloud(valley(ratio), POINTS), 1.0, 5)
    assert caught.value.factor == pytest.approx(ratio - 1, rel=1e-9) and caught.value.step == 5


@pytest.mark.parametrize("ratio", [0.1, 1.0, 1.9, 2.0])
def test_a_valley_that_the_step_fits_is_let_be(ratio):
    refuse_overshooting(cloud(valley(ratio), POINTS), 1.0, 1000)


def test_a_linear_drift_is_judged_elsewhere():
    refuse_overshooting(cloud(pf.potentials.Quadratic(100.0), POINTS), 1.0, 5)


def test_an_attraction_counts():
    class Spring:
        singular = False

        def value(self, z):
            return (z**2 / 2).sum(-1)

        def grad(self, z):
            return z

    refuse_overshooting(cloud(valley(1.0), POINTS, Spring()), 0.5, 5)
    with pytest.raises(pf.Diverged):
        refuse_overshooting(cloud(valley(1.0), POINTS, Spring()), 1.2, 5)


def test_where_there_is_no_force_or_no_gradient_there_is_no_verdict():
    flat = pf.potentials.FromFunction(lambda x: 0 * x.sum(-1), grad=lambda x: 0 * x)
    refuse_overshooting(cloud(flat, POINTS), 1.0, 5)
    overflowing = pf.potentials.FromFunction(
        lambda x: (x**4).sum(-1), grad=lambda x: np.where(np.abs(x) < 9, x, np.inf)
    )
    refuse_overshooting(cloud(overflowing, 20 + POINTS), 1.0, 5)


def test_only_some_particles_are_followed():
    seen = []

    def grad(x):
        seen.append(len(x))
        return x

    potential = pf.potentials.FromFunction(lambda x: (x**2 / 2).sum(-1), grad=grad)
    refuse_overshooting(cloud(potential, np.linspace(-1, 1, 10_000)), 0.5, 1)
    assert max(seen) <= 4 * (PROBES + 1) and len(seen) <= 3
