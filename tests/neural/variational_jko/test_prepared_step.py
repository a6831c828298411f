"""The prepared step: a problem is asked once, and the step is what `init` prepared."""

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow.laws import Barenblatt, Gaussian
from pdeflow.neural import Affine, Convex, DeepResidual, Training, VariationalJKO
from pdeflow.neural.variational_jko.prepared_step import PreparedStep

SMALL = Training(pool=2048)


class Counted(pf.potentials.Quadratic):
    """A potential that notes with how many points its parts were asked."""

    def __init__(self):
        super().__init__(1.0)
        object.__setattr__(self, "asked", [])

    def value(self, x):
        self.asked.append(("value", len(x)))
        return super().value(x)

    def grad(self, x):
        self.asked.append(("grad", len(x)))
        return super().grad(x)


def test_a_step_probes_nothing_again():
    potential = Counted()
    method = VariationalJKO(Affine(), outer=3, batch=128, training=SMALL)
    problem = pf.Problem(pf.Energy(potential, pf.Entropy()), Gaussian(0.0, 1.0), 1.0)
    state = method.init(problem, np.random.default_rng(0))
    assert {n for _, n in potential.asked} == {1, 4}  # the probes, and one of them alone
    potential.asked.clear()
    after = method.step(problem, state, 0.1, np.random.default_rng(0))
    # one force per descent step on a batch, and the potential energy of the particles that are held out
    assert potential.asked == [("grad", 128)] * 3 + [("value", 16 * 128)]
    assert after.prepared is state.prepared


def test_the_step_needs_nothing_of_the_problem_but_what_was_prepared():
    method, problem = VariationalJKO(Affine(), outer=3, training=SMALL), pf.problems.ou(dim=2, seed=1)
    state = method.init(problem, np.random.default_rng(0))
    one = method.step(problem, state, 0.1, np.random.default_rng(7))
    two = method.step(None, state, 0.1, np.random.default_rng(7))
    assert (one.pool.points == two.pool.points).all()


@pytest.mark.parametrize(
    "energy, scheme, forward, backward",
    [
        (pf.Energy(pf.potentials.Quadratic(1.0), pf.Entropy()), "backward", False, True),
        (pf.Energy(pf.potentials.Quadratic(1.0), pf.Entropy()), "forward-backward", True, True),
        (pf.Energy(pf.potentials.Quadratic(1.0)), "forward-backward", True, False),
        (pf.Energy(internal=pf.Entropy()), "forward-backward", False, True),
        (pf.Energy(interaction=pf.interactions.QuadraticAttraction()), "backward", False, True),
    ],
)
def test_which_halves_a_step_has(energy, scheme, forward, backward):
    problem = pf.Problem(energy, Gaussian(0.0, 1.0), 1.0)
    prepared = PreparedStep(problem, VariationalJKO(scheme=scheme, training=SMALL))
    assert (prepared.forward, prepared.backward) == (forward, backward)
    assert prepared.implicit == (scheme == "backward" and not prepared.outer.absent)


@pytest.mark.parametrize(
    "kind, initial, internal, quadratic",
    [
        (Affine(), Gaussian(0.0, 1.0), pf.Entropy(), True),
        (Affine(), Gaussian(0.0, 1.0), pf.Entropy() + pf.Power(2.0), True),
        (Affine(), Barenblatt(1, 2.0, 0.1), pf.Power(2.0), True),
        (Affine(), Barenblatt(1, 2.0, 0.1), pf.Power(3.0), False),
        (Affine(), pf.laws.Uniform(0.0, 1.0), pf.Entropy(), False),
        (Convex(), Gaussian(0.0, 1.0), pf.Entropy(), False),
        (DeepResidual(), Gaussian(0.0, 1.0), pf.Entropy(), False),
    ],
)
def test_the_test_function_has_a_network_unless_the_laws_stay_quadratic(kind, initial, internal, quadratic):
    method = VariationalJKO(kind, batch=64, training=SMALL)
    state = method.init(pf.Problem(pf.Energy(internal=internal), initial, 1.0), np.random.default_rng(0))
    center, cov = initial.mean(), initial.cov()
    pool, coordinates = state.pool.points, state.pool.coordinates
    dual = state.prepared.dual_in_training(state.law, pool, center, cov, coordinates, None, torch.Generator())
    assert dual is not None and (dual.network is None) == quadratic
