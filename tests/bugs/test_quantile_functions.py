"""A quantile function that falls is refused by whoever asks it, and what it says near the ends is heard."""

import numpy as np
import pytest
from scipy import stats

import pdeflow as pf
from pdeflow.laws import FromQuantile, Gaussian, GridLaw, Law


class Own(Law):
    """N(0, 1) whose quantile function has the wrong sign."""

    dim = 1

    def sample(self, n, rng):
        return rng.standard_normal((n, 1))

    def quantile(self, u):
        return -stats.norm.ppf(u)

    def cdf(self, x):
        return stats.norm.cdf(x)

    def log_density(self, x):
        return stats.norm.logpdf(x[:, 0])


@pytest.mark.parametrize("metric", ["w2", "l1", "l2", "kl"])
def test_a_metric_refuses_a_quantile_function_that_falls(metric):
    """scipy/scipy#17050: ppf of pearson3 falls. Here w2(N(0, 1), N(0, 4)) came out as 3 instead of 1."""
    pair = Own(), Gaussian(0.0, 4.0)
    for laws in (pair, pair[::-1]) if metric != "kl" else (pair,):
        with pytest.raises(pf.BadInput, match="falls from"):
            getattr(pf.metrics, metric)(*laws)


@pytest.mark.parametrize("method", [pf.grid.QuantileJKO(20), pf.grid.ChangCooper(20), pf.grid.CvxoptJKO(20)])
def test_a_method_refuses_a_quantile_function_that_falls(method):
    """scipy/scipy#17050 again, as the start of a flow; QuantileJKO made one atom of it."""
    problem = pf.Problem(pf.Energy(pf.potentials.Quadratic(1.0), pf.Entropy()), Own(), 0.1)
    with pytest.raises(pf.BadInput, match="falls from"):
        pf.solve(problem, method, dt=0.1)


def test_energies_and_the_check_of_a_law_refuse_it_too():
    """scipy/scipy#17050 again; pf.checks.law was content."""
    with pytest.raises(pf.BadInput, match="falls from"):
        pf.Energy(pf.potentials.FromFunction(lambda x: np.abs(x).sum(1))).evaluate(Own())
    with pytest.raises(pf.BadInput, match="falls from"):
        pf.checks.law(Own(), rng=np.random.default_rng(0))


def test_a_function_that_falls_between_three_levels_is_refused():
    """scipy/scipy#12796: a ppf that falls here and there. FromQuantile looked at three levels, and w2 was .70049."""
    with pytest.raises(pf.BadInput, match="falls from"):
        FromQuantile(lambda u: np.sin(20 * u) + 3 * u)


def test_a_check_without_randomness_says_what_to_pass():
    """No public thread; found beside scipy/scipy#17050: a bare TypeError."""
    with pytest.raises(pf.BadInput, match="default_rng"):
        pf.checks.law(Gaussian(0.0, 1.0))


@pytest.mark.parametrize("end", [0, 1])
def test_an_atom_of_little_mass_far_out_is_seen(end):
    """JuliaActuary/ActuaryUtilities.jl#150: an atom of 1e-15 at 1e9 is all of the variance, which was .0833."""

    def quantile(u):
        return np.where(u > 1 - 1e-15, 1e9, u) if end else np.where(u < 1e-15, -1e9, u)

    with pytest.raises(pf.NotConverged, match="error of"):
        FromQuantile(quantile).cov()


def above(place):
    return pf.Energy(pf.potentials.FromFunction(lambda x: (x[:, 0] > place) * 1.0))


def below(place):
    return pf.Energy(pf.potentials.FromFunction(lambda x: (x[:, 0] < place) * 1.0))


@pytest.mark.parametrize("place", [6.5, 7.5, 8.5, 20.0])
def test_both_tails_have_their_digits(place):
    """montanaflynn/stats#125: levels near one are rounded, and what lies above 8.5 deviations was nothing."""
    law, exact = Gaussian(0.0, 1.0), stats.norm.sf(place)
    assert above(place).evaluate(law).value == pytest.approx(exact, rel=1e-9, abs=0.0)
    assert below(-place).evaluate(law).value == pytest.approx(exact, rel=1e-9, abs=0.0)
    both = pf.laws.GaussianMixture([0.5, 0.5], [0.0, -1.0], 1.0)
    assert above(place).evaluate(both).value == pytest.approx((exact + stats.norm.sf(place + 1)) / 2, rel=1e-9, abs=0.0)


def test_a_tail_that_levels_do_not_reach_is_an_error():
    """montanaflynn/stats#125 again, for a law that knows its quantiles at levels alone."""
    law = FromQuantile(stats.norm.ppf)
    assert above(3.0).evaluate(law).value == pytest.approx(stats.norm.sf(3.0), rel=1e-9, abs=0.0)
    with pytest.raises(pf.NotConverged, match="upper_quantile"):
        above(6.5).evaluate(law)


@pytest.mark.parametrize(
    "make",
    [
        lambda: GridLaw(1e17 + np.arange(0.0, 400.0, 100.0), [0.2, 0.6, 0.2]),
        lambda: FromQuantile(lambda u: 1e17 + stats.norm.ppf(u)),
    ],
)
def test_a_law_that_floats_cannot_hold_is_refused(make):
    """No public thread; found by a trial: at 1e17 floats lie 16 apart, and a law of width one is an atom."""
    with pytest.raises(pf.BadInput, match="Move the origin"):
        make()


@pytest.mark.parametrize("centre", [1e5])
def test_the_divergence_of_a_quantile_grid_far_from_zero_is_that_near_zero(centre):
    """No public thread; found by a trial: places at 1e5 are rounded to 1e-11, which made noise of densities."""
    levels = np.linspace(0, 1, 201)
    q = np.clip(stats.norm.ppf(levels), -3.0, 3.0)
    near, far = (pf.metrics.kl(pf.laws.Quantiles(c + q, levels), Gaussian(c, 1.0)).value for c in (0.0, centre))
    # quantiles rounded to 1e-16 of the centre, in cells of 1e-2, change densities by 1e-14 of it, by chance in each
    assert far == pytest.approx(near, abs=1e-15 * centre)
