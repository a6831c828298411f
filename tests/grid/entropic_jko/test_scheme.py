"""EntropicJKO against the closed entropic step of Gaussians, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.energies.energy import Energy
from pdeflow.energies.internal import Entropy, InternalEnergy, Power
from pdeflow.energies.potentials import Quadratic
from pdeflow.laws import Gaussian, GridLaw

Method = pf.grid.EntropicJKO
LINE = pf.problems.ou(initial=Gaussian(1.0, 0.25), temperature=0.5)
MATRIX = np.array([[1.0, 0.4], [0.4, 0.6]])
PLANE = pf.problems.ou(2, MATRIX, temperature=0.5, initial=Gaussian([1.0, 0.0], [[0.3, 0.1], [0.1, 0.5]]))


def at_centres(law, axes):
    """The law with the density at the centres of cells: sums over centres of a Gaussian are exact beyond all orders."""
    x = np.stack(np.meshgrid(*[(axis[1:] + axis[:-1]) / 2 for axis in axes], indexing="ij"), axis=-1)
    weight = np.exp(law.log_density(x.reshape(-1, len(axes)))).reshape(x.shape[:-1])
    return GridLaw(axes, weight / weight.sum())


@pytest.mark.parametrize(
    ("problem", "axes", "eps", "dt"),
    [(LINE, [np.linspace(-5, 6, 241)], 0.01, 0.05), (PLANE, [np.linspace(-5, 6, 89)] * 2, 0.03, 0.1)],
    ids=["line", "plane"],
)
def test_gaussian_steps_to_1e_6(problem, axes, eps, dt):
    method = Method(cells=len(axes[0]) - 1, regularisation=eps)
    start = replace(problem, initial=at_centres(problem.initial, axes))
    flow = pf.solve(start, method, dt=dt, times=[2 * dt])
    truth = method.exact_sequence(problem, dt=dt, times=[2 * dt]).final
    cell = np.eye(len(axes)) * (axes[0][1] - axes[0][0]) ** 2 / 12  # a GridLaw has the variance of a cell besides
    assert np.abs(flow.final.mean() - truth.mean()).max() < 1e-8  # measured 1e-10: the tolerance of the marginal
    assert np.abs(flow.final.cov() - cell - truth.cov()).max() < 1e-8
    moved = np.abs(pf.exact_jko(problem, dt=dt, times=[2 * dt]).final.cov() - truth.cov()).max()
    assert moved > 1e-3  # which JKO without regularisation is not
    last = flow.history[-1]
    assert abs(last["mass_error"]) < 1e-13 and last["marginal_error"] <= 1e-9
    assert last["effective_temperature"] == pytest.approx(0.5 + eps / (2 * dt))


def test_what_underflows_is_summed_in_logarithms():
    problem = pf.problems.ou(1, 100.0, temperature=0.3, initial=Gaussian(0.3, 0.004))
    axes = [np.linspace(-2.0, 2.0, 161)]
    method = Method(cells=160, regularisation=1e-3)  # the scalings span 10^270
    start = replace(problem, initial=at_centres(problem.initial, axes))
    flow = pf.solve(start, method, dt=0.05, times=[0.05])
    truth = method.exact_sequence(problem, dt=0.05, times=[0.05]).final
    assert flow.final.mean()[0] == pytest.approx(truth.mean()[0], abs=1e-8)
    assert flow.final.cov()[0, 0] - (axes[0][1] - axes[0][0]) ** 2 / 12 == pytest.approx(truth.cov()[0, 0], rel=1e-6)


def test_cell_masses_of_the_law_are_of_order_two():
    errors = []
    truth = Method(regularisation=0.02).exact_sequence(LINE, dt=0.05, times=[0.1]).final
    for cells in (100, 200):
        flow = pf.solve(LINE, Method(cells=cells, lower=-5, upper=6, regularisation=0.02), dt=0.05, times=[0.1])
        errors.append(abs(flow.final.cov()[0, 0] - truth.cov()[0, 0]))
    assert errors[0] < 3e-3 and errors[0] / errors[1] == pytest.approx(4, rel=0.05)


def test_porous_medium_and_potential_alone_tend_to_jko():
    problem = pf.problems.porous_medium(1, 2.0, 0.1, 0.5)
    truth = pf.exact_jko(problem, dt=0.02, times=[0.04]).final.cov()[0, 0]
    found = []
    for eps in (2e-3, 1e-3):
        flow = pf.solve(problem, Method(cells=120, lower=-1.8, upper=1.8, regularisation=eps), dt=0.02, times=[0.04])
        found.append(flow.final.cov()[0, 0] - truth)
    assert 0 < found[1] < found[0] < 5e-3  # two steps add about ε each
    free = pf.Problem(Energy(Quadratic(1.0)), Gaussian(1.0, 0.25), 1.0)
    method = Method(cells=150, lower=-3, upper=4, regularisation=0.01)
    law = pf.solve(free, method, dt=0.1, times=[0.1]).final
    assert law.mean()[0] == pytest.approx(1 / 1.1, abs=1e-6)


def test_the_second_marginal_is_only_accepted_with_the_first():
    with pytest.raises(pf.NotConverged, match="marginal") as failure:
        pf.solve(LINE, Method(cells=200, iterations=5), dt=0.05, times=[0.05])
    assert failure.value.facts["residual"] > 1e-9


class Own(InternalEnergy):
    def value(self, r):
        return r**2

    def pressure(self, r):
        return r**2


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (pf.problems.ring_aggregation(), "interaction"),
        (pf.Problem(Energy(None, Own()), Gaussian(0.0, 1.0), 1.0), "no proximal step"),
        (pf.Problem(Energy(None, Power(0.5) + Power(2.0)), Gaussian(0.0, 1.0), 1.0), "no proximal step"),
        (pf.Problem(Energy(None, Entropy()), Gaussian(np.zeros(3), np.eye(3)), 1.0), "dim 3"),
    ],
)
def test_what_the_scaling_does_not_have_is_refused(problem, words):
    with pytest.raises(pf.Unsupported, match=words):
        Method(cells=200, lower=-2.0, upper=2.0).init(problem, None)


def test_cells_wider_than_the_kernel_are_refused():
    with pytest.raises(pf.BadInput, match="Take at least 110 cells"):
        Method(cells=50, lower=-5, upper=6).init(LINE, None)
