"""Moments of laws given by their quantiles: the right number, or an error; none that does not exist."""

import numpy as np
import pytest
from scipy import stats

import pdeflow as pf
from pdeflow.laws import FromQuantile


@pytest.mark.parametrize(
    "law, variance",
    [
        (stats.t(2.1), 21.0),
        (stats.t(3), 3.0),
        (stats.t(5), 5 / 3),
        (stats.pareto(2.1), 2.1 / (1.1**2 * 0.1)),
        (stats.lognorm(1.0), np.expm1(1.0) * np.e),
        (stats.poisson(3.0), 3.0),
    ],
)
def test_a_moment_of_a_heavy_tail_has_its_digits(law, variance):
    """JuliaActuary/ActuaryUtilities.jl#150; the poisson law stands for quantile functions that jump."""
    assert FromQuantile(law.ppf).cov()[0, 0] == pytest.approx(variance, rel=1e-9)


@pytest.mark.parametrize("s", [2.0, 4.0])
def test_a_moment_that_levels_cannot_resolve_is_an_error(s):
    """JuliaActuary/ActuaryUtilities.jl#150: half of the moment of lognormal(4) lies beyond the last level below 1."""
    with pytest.raises(pf.NotConverged, match="error of"):
        FromQuantile(stats.lognorm(s).ppf).cov()


@pytest.mark.parametrize(
    "quantile, moment",
    [
        (lambda u: np.tan(np.pi * (u - 0.5)), "mean"),
        (stats.t(1).ppf, "mean"),
        (stats.pareto(1).ppf, "mean"),
        (stats.t(2).ppf, "cov"),
        (stats.pareto(2).ppf, "cov"),
        (lambda u: 7 - u ** (-1 / 1.5), "cov"),
    ],
)
def test_a_moment_that_does_not_exist_is_no_number(quantile, moment):
    """JuliaActuary/ActuaryUtilities.jl#150: the mean of a Cauchy law was a finite number."""
    law = FromQuantile(quantile)
    with pytest.raises(pf.NotAvailable, match="does not exist"):
        getattr(law, moment)()
    metric = getattr(pf.metrics, f"{moment}_error")
    for rng in (None, np.random.default_rng(0)):  # draws would give a number, and hide that there is none
        with pytest.raises(pf.NotAvailable, match="does not exist"):
            metric(law, pf.laws.Gaussian(0, 1), rng=rng)


def test_a_mean_distance_that_does_not_exist_is_no_number():
    """JuliaActuary/ActuaryUtilities.jl#150 for E|X - Y|, which interaction energies ask for."""
    with pytest.raises(pf.NotAvailable, match="does not exist"):
        FromQuantile(stats.t(1).ppf).mean_pair_power(1)


@pytest.mark.parametrize("freedom", [1, 2.1, 3, 4, 6])
def test_the_distance_of_heavy_tails_has_its_digits_or_is_an_error(freedom):
    """JuliaActuary/ActuaryUtilities.jl#150: W = Inf must be found out."""
    law = stats.t(freedom)
    try:
        value = pf.metrics.w2(FromQuantile(law.ppf), FromQuantile(lambda u: 3 * law.ppf(u))).value
    except pf.NotConverged:
        assert freedom <= 4
    else:
        assert value == pytest.approx(2 * law.std(), rel=1e-9)
