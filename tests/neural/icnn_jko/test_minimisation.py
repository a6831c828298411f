"""The inner loop of ICNNJKO: when it ends, its constraints, what its failures carry."""

import numpy as np
import pytest
import torch

import pdeflow as pf
from pdeflow._core.arrays import exp
from pdeflow.neural import ICNNJKO, Network, Training
from pdeflow.neural.maps.signed import MARGIN, concave_part


def test_where_the_quadratic_binds_training_stays_at_its_margin():
    network = Network(sharpness=30.0, signed=True)
    method = ICNNJKO(iterations=120, batch=256, network=network, training=Training(pool=8192))
    (move,) = pf.solve(pf.problems.mixture_ou(), method, dt=0.05, times=[0.05]).final.maps
    share = concave_part(move.layers[0], move.weight) / (move.root @ move.root.T)
    assert share[0, 0] == pytest.approx(1 - MARGIN, abs=1e-6)  # single precision of the weights


def test_a_small_gradient_ends_a_step_and_the_report_says_so():
    problem = pf.problems.ou(horizon=2.0)
    loose = pf.solve(problem, ICNNJKO(width=8, training=Training(pool=8192, tolerance=0.3)), dt=1.0).history[-1]
    assert loose["stopped"] == "gradient" and loose["iterations"] < 200 and loose["gradient_norm"] <= 0.3
    spent = pf.solve(
        problem, ICNNJKO(width=8, iterations=20, training=Training(pool=8192, tolerance=0)), dt=1.0
    ).history[-1]
    assert spent["stopped"] == "iterations" and spent["iterations"] == 20


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_loss_that_is_not_finite_names_step_and_iteration():
    steep = pf.potentials.FromFunction(lambda x: exp(400 * x).sum(-1))
    problem = pf.Problem(pf.Energy(steep, pf.Entropy()), pf.laws.Gaussian(0.0, 1.0), 1.0, name="steep")
    with pytest.raises(pf.Diverged, match="Step 1, iteration 0: the loss is inf") as caught:
        pf.solve(problem, ICNNJKO(iterations=5), dt=1.0)
    assert caught.value.step == 1 and caught.value.iteration == 0


class _Failing:
    """A potential that fails in a chosen way at its n-th call with a batch."""

    def __init__(self, calls, how):
        self.calls, self.how, self.dim = calls, how, 1

    def value(self, x):
        if len(x) > 2:
            self.calls -= 1
        return (x * x).sum(-1) / 2 * self.how() if self.calls < 0 else (x * x).sum(-1) / 2


def _nan():
    return float("nan")


def _no_memory():
    raise torch.cuda.OutOfMemoryError("CUDA out of memory.")


@pytest.mark.parametrize("how, kind, words", [(_nan, pf.Diverged, "nan"), (_no_memory, pf.NotConverged, "memory")])
def test_a_failure_in_training_carries_what_was_trained(how, kind, words, tmp_path):
    # a step of 5 iterations evaluates it 7 times, init 4 times; call 13 is in the second step
    potential = _Failing(13, how)
    problem = pf.Problem(pf.Energy(potential, pf.Entropy()), pf.laws.Gaussian(0.0, 1.0), 1.0, name="mine")
    with pytest.raises(kind, match=f"Step 2, iteration [23]: .*{words}") as caught:
        pf.solve(problem, ICNNJKO(iterations=5, training=Training(pool=2048)), dt=0.1)
    law = caught.value.law
    assert caught.value.step == 2 and len(law.maps) == 1
    path = pf.reference.save_flow(tmp_path / "kept.h5", law)
    again = pf.reference.load_flow(path)
    assert (again.quantile(np.array([0.2, 0.7])) == law.quantile(np.array([0.2, 0.7]))).all()
