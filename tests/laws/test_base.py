"""What every law answers from a few of its questions, and how it says that it does not know."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import AffineMap, Law, OneDimensional, PushForward


class Exponential(OneDimensional):
    """exp(-x) on x > 0, by its quantile function and its moments."""

    def quantile(self, u):
        return -np.log1p(-np.asarray(u))

    def cdf(self, x):
        return -np.expm1(-np.maximum(x, 0.0))

    def mean(self):
        return np.array([1.0])

    def cov(self):
        return np.array([[1.0]])


class Sampled(Law):
    """Only draws, in the plane."""

    dim = 2

    def sample(self, n, rng):
        return rng.normal(size=(n, 2))


def test_a_quantile_function_gives_support_samples_and_means(rng):
    law = Exponential()
    low, high = law.support()
    assert (low.tolist(), high.tolist()) == ([0.0], [np.inf]) and law.sample(5, rng).shape == (5, 1)
    assert law.mean_of(lambda x: x[:, 0] ** 3).value == pytest.approx(6.0, rel=1e-11)
    # X - Y has the Laplace law: E|X - Y| = 1, E|X - Y|² = 2
    assert law.mean_pair_power(1.0).value == pytest.approx(1.0, rel=1e-11)
    assert law.mean_pair_power(2.0).value == 2.0 and law.mean_pair_power(3.0) is None


def test_a_distribution_function_gives_cell_masses():
    cells = Exponential().cell_masses([np.array([0.0, 1.0, 2.0])])
    assert cells.mass == pytest.approx([1 - np.exp(-1), np.exp(-1) - np.exp(-2)], rel=1e-14)
    assert cells.outside == pytest.approx(np.exp(-2), rel=1e-13)


def test_a_law_that_is_only_sampled_knows_nothing_else():
    law = Sampled()
    assert law.answers() == ["sample"] and repr(law) == "Sampled(dim=2)" and law.blocks([2]) == (law,)
    questions = {
        "blocks": ([1, 1],),
        "cell_masses": ([np.array([0.0, 1.0])] * 2,),
        "projected": (np.array([1.0, 0.0]),),
        "mean_of": (lambda x: x[:, 0],),
        "mean_pair_power": (2.0,),
        "quadrature_nodes": (10,),
    }
    for name in (
        "support has_density atoms as_gaussian gaussian_components as_barenblatt as_semicircle scale_family factors "
        "linear_pieces grid_axes fields density_steps finite_dissipation"
    ).split():
        questions[name] = ()
    assert [name for name, arguments in questions.items() if getattr(law, name)(*arguments) is not None] == []
    for question in ("log_density", "mean", "cov", "entropy", "spec", "score", "coordinates"):
        with pytest.raises(pf.NotAvailable, match=r"Sampled \(dim 2\) does not answer .* It answers: sample"):
            getattr(law, question)(*([np.zeros((1, 2))] if question in ("log_density", "score") else []))


def test_a_moved_law_is_a_push_forward():
    moved = Sampled().pushed(AffineMap(2 * np.eye(2), np.zeros(2)))
    assert isinstance(moved, PushForward) and moved.base.dim == 2
