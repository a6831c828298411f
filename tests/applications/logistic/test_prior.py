"""The prior of logistic regression: its draws, density and score fit one another."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import digamma, polygamma
from scipy.stats import kstest, t

import pdeflow as pf
from pdeflow import checks
from pdeflow.applications.logistic import Prior


@pytest.mark.parametrize(("rate", "shape"), [(0.01, 1.0), (100.0, 1.0), (2.0, 0.3)])
def test_draws_have_the_law_that_is_stated(rate, shape, rng):
    law, n = Prior(3, rate, shape), 20_000
    x = law.sample(n, rng)
    assert x.shape == (n, 4)
    mean, variance = digamma(shape) - np.log(rate), polygamma(1, shape)  # of the log of a Gamma variable
    assert abs(x[:, 3].mean() - mean) < 5 * np.sqrt(variance / n)  # 5 standard errors
    # each weight is Student's t of 2a degrees of freedom with scale √(b/a); the level is one false alarm in 10,000
    scaled = x[:, 1] / np.sqrt(rate / shape)
    assert kstest(scaled, t(2 * shape).cdf).pvalue > 1e-4


def test_the_density_has_mass_one_and_the_score_is_its_slope(rng):
    law = Prior(1, 0.7, 1.3)

    def in_eta(w):
        return quad(lambda eta: float(np.exp(law.log_density(np.array([[w, eta]]))[0])), -25, 6, limit=200)[0]

    student = t(2.6, scale=np.sqrt(0.7 / 1.3))
    for w in (-2.0, 0.1, 5.0):
        assert in_eta(w) == pytest.approx(student.pdf(w), rel=1e-7)
    checks.law(Prior(3), rng=rng, n=2000)
    x = law.sample(50, rng)
    assert np.allclose(law.score(x, 0.5), law.score(x) * np.exp(0.5 * law.log_density(x))[:, None])


def test_what_it_has_not_it_does_not_answer():
    with pytest.raises(pf.NotAvailable):
        Prior(2).mean()
    with pytest.raises(pf.BadInput):
        Prior(2, rate=-1.0)


def test_draws_that_would_overflow_are_refused(rng):
    """A tenth of the weights would be infinite at the first shape; at the last one in 10^29 has |w| beyond e^350."""
    for law in (Prior(2, shape=1e-3), Prior(2, rate=1e300, shape=0.1)):
        state = rng.bit_generator.state
        with pytest.raises(pf.NotAvailable, match=r"Take a shape of at least 0\.1"):
            law.sample(10, rng)
        assert rng.bit_generator.state == state
        assert np.isfinite(law.log_density(np.zeros((1, 3)))).all()
    x = Prior(2, shape=0.1).sample(10_000, rng)
    assert np.isfinite((x * x).sum(axis=1)).all()
