"""The check of a user's law finds what does not fit."""

import numpy as np
import pytest
from contract.law_cases import LINE

import pdeflow as pf
from pdeflow.laws import Gaussian

NORMAL = Gaussian(0.5, 4.0)


@pytest.mark.parametrize("name", ["gaussian", "mixture", "uniform", "barenblatt-2", "semicircle", "grid", "quantiles"])
def test_laws_of_the_package_pass(name):
    assert pf.checks.law(LINE[name], rng=np.random.default_rng(0), n=2000) < 1e-6


def test_laws_in_space_pass():
    assert pf.checks.law(Gaussian([0.0, 1.0], [[1.0, 0.3], [0.3, 2.0]]), rng=np.random.default_rng(0)) < 1e-6


class Own(pf.laws.Law):
    """N(0.5, 4), asked of a Gaussian."""

    dim = 1

    def sample(self, n, rng):
        return NORMAL.sample(n, rng)

    def log_density(self, x):
        return NORMAL.log_density(x)

    def cdf(self, x):
        return NORMAL.cdf(x)

    def quantile(self, u):
        return NORMAL.quantile(u)

    def mean(self):
        return NORMAL.mean()

    def cov(self):
        return NORMAL.cov()

    def score(self, x, power=0.0):
        return NORMAL.score(x, power)


WRONG = {
    "sample": lambda self, n, rng: NORMAL.sample(n, rng)[:, 0],
    "log_density": lambda self, x: NORMAL.log_density(x) + 0.5,
    "cdf": lambda self, x: NORMAL.cdf(np.asarray(x) - 1.0),
    "quantile": lambda self, u: NORMAL.quantile(u) + 0.01,
    "mean": lambda self: NORMAL.mean() + 1,
    "cov": lambda self: NORMAL.cov() * 2,
    "score": lambda self, x, power=0.0: -NORMAL.score(x, power),
}


def test_a_law_of_ones_own_passes():
    assert pf.checks.law(Own(), rng=np.random.default_rng(0)) < 1e-6


@pytest.mark.parametrize("question", WRONG)
def test_every_wrong_answer_is_found(question):
    law = type("Wrong", (Own,), {question: WRONG[question]})()
    with pytest.raises(pf.BadInput):
        pf.checks.law(law, rng=np.random.default_rng(0))
