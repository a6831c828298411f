"""Every law through the same properties."""

import json
from itertools import pairwise

import numpy as np
import pytest
from contract.law_cases import LAWS, LINE, SPACE
from scipy.integrate import quad

import pdeflow as pf
from pdeflow.laws import (
    Barenblatt,
    Chi,
    FromQuantile,
    Gaussian,
    GaussianMixture,
    GridLaw,
    KernelDensity,
    Particles,
    Product,
    Quantiles,
    Radial,
    Reweighted,
    Ring,
    Semicircle,
    Uniform,
    from_spec,
)

every_law = pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
every_line = pytest.mark.parametrize("law", LINE.values(), ids=LINE.keys())
with_density = pytest.mark.parametrize(
    "law", [law for law in LINE.values() if "log_density" in law.answers()],
    ids=[name for name, law in LINE.items() if "log_density" in law.answers()],
)  # fmt: skip

QUESTIONS = {
    "sample": lambda law: law.sample(3, np.random.default_rng(0)),
    "log_density": lambda law: law.log_density(np.zeros((2, law.dim))),
    "mean": lambda law: law.mean(),
    "cov": lambda law: law.cov(),
    "quantile": lambda law: law.quantile(np.array([0.25, 0.5])),
    "cdf": lambda law: law.cdf(np.array([0.0, 1.0])),
    "entropy": lambda law: law.entropy(),
    "power_integral": lambda law: law.power_integral(2.0),
}


@every_law
def test_sample_has_the_mean_and_the_covariance(law, rng):
    n = 40_000
    x = law.sample(n, rng)
    assert x.shape == (n, law.dim) and x.dtype == np.float64
    mean, cov = law.mean(), law.cov()
    assert mean.shape == (law.dim,) and cov.shape == (law.dim, law.dim)
    spread = np.sqrt(np.diag(cov))
    # 5 standard errors: over some 250 entries, one false alarm in 7000 seeds. The round-off term serves clouds
    # without spread in a direction.
    assert np.all(np.abs(x.mean(0) - mean) <= 5 * spread / np.sqrt(n) + 1e-12)
    products = (x - mean)[:, :, None] * (x - mean)[:, None, :]
    bound = 5 * products.std(0) / np.sqrt(n) + 1e-12 * np.outer(spread, spread) + 1e-15
    assert np.all(np.abs(products.mean(0) - cov) <= bound)


@every_law
def test_same_seed_same_bits_and_empty_samples(law):
    first, again = (law.sample(17, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first, again)
    assert law.sample(0, np.random.default_rng(5)).shape == (0, law.dim)
    assert not np.array_equal(first, law.sample(17, np.random.default_rng(6)))
    for n in (-1, 2.5, True):
        with pytest.raises(pf.BadInput, match="n is"):
            law.sample(n, np.random.default_rng(0))


@every_law
def test_arguments_of_another_kind_are_bad_input(law):
    for rng in (0, None, np.random.RandomState(0)):
        with pytest.raises(pf.BadInput, match=r"rng is of type.*default_rng\(seed\)"):
            law.sample(3, rng)
    for question in ("cdf", "quantile"):
        for odd in ("a", ["a", "b"], [[1.0], [2.0, 3.0]], None, 1j, object()):
            if question in law.answers():
                with pytest.raises(pf.BadInput, match="Pass floats"):
                    getattr(law, question)(odd)


@every_law
def test_answers_says_exactly_what_is_answered(law):
    for question, ask in QUESTIONS.items():
        if question in law.answers():
            assert np.all(~np.isnan(ask(law)))
        else:
            with pytest.raises(pf.NotAvailable) as failure:
                ask(law)
            assert question in str(failure.value)
    with pytest.raises(pf.NotAvailable, match="answers: sample"):
        raise law.not_available("anything")


@every_law
def test_density_along_the_samples(law, rng):
    if "log_density" not in law.answers():
        with pytest.raises(pf.NotAvailable):
            law.sample_with_log_density(4, rng)
        return
    x, log_density = law.sample_with_log_density(50, rng)
    assert log_density.shape == (50,) and np.all(np.isfinite(log_density))
    # the shape of the points decides, not the batch they come in
    assert np.allclose(law.log_density(x[3:4])[0], log_density[3], rtol=1e-13, atol=1e-13)
    assert law.log_density(np.empty((0, law.dim))).shape == (0,)
    with pytest.raises(pf.BadInput, match="dimension"):
        law.log_density(np.zeros((4, law.dim + 1)))


@every_law
def test_description_rebuilds_the_same_bits(law, rng):
    try:
        spec = law.spec()
    except pf.NotAvailable:
        plain = GridLaw | Particles | KernelDensity | Quantiles | FromQuantile | Product | Radial | Reweighted
        assert isinstance(law, plain)
        return
    again = from_spec(json.loads(json.dumps(spec)))
    assert type(again) is type(law) and again.spec() == spec and repr(again) == repr(law)
    assert np.array_equal(again.sample(9, np.random.default_rng(1)), law.sample(9, np.random.default_rng(1)))
    assert np.array_equal(again.cov(), law.cov())


@every_law
def test_entropy_and_power_integral_are_those_of_the_samples(law, rng):
    if "entropy" not in law.answers():
        return
    n = 40_000
    _, log_density = law.sample_with_log_density(n, rng)
    deviation = log_density.std() / np.sqrt(n)
    assert abs(law.entropy() + log_density.mean()) <= 5 * deviation + 1e-12
    for m in (1.3, 2.0):
        values = np.exp((m - 1) * (log_density - log_density.max()))
        exact = law.power_integral(m) * np.exp(-(m - 1) * log_density.max())
        assert abs(exact - values.mean()) <= 5 * values.std() / np.sqrt(n) + 1e-12


def _breaks(law):
    """Points between which the density is smooth, from one end of the support (or 9 deviations out) to the other."""
    if isinstance(law, GridLaw | Quantiles):
        return law.axes[0] if isinstance(law, GridLaw) else law.q
    mean, deviation = law.mean()[0], np.sqrt(law.cov()[0, 0])
    inner = law.quantile(np.array([1e-14, 1e-4, 0.1, 0.29, 0.31, 0.5, 0.7, 0.9, 1 - 1e-4, 1 - 1e-14]))
    ends = law.quantile(np.array([0.0, 1.0]))
    ends = np.clip(ends, mean - 30 * deviation, mean + 30 * deviation)
    return np.unique(np.concatenate([inner, ends]))


@with_density
def test_density_integrates_to_one_and_has_the_entropy(law):
    breaks = _breaks(law)

    def integral(function):
        return sum(quad(function, a, b, epsabs=1e-13, epsrel=1e-12, limit=200)[0] for a, b in pairwise(breaks))

    def log_density(x):
        return float(law.log_density(np.array([[x]]))[0])

    assert integral(lambda x: np.exp(log_density(x))) == pytest.approx(1, abs=2e-10)
    if "entropy" in law.answers():
        with np.errstate(invalid="ignore"):
            entropy = integral(lambda x: -np.exp(log_density(x)) * max(log_density(x), -700.0))
        assert entropy == pytest.approx(law.entropy(), rel=1e-9, abs=1e-9)
    if "power_integral" in law.answers():
        for m in (1.5, 3.0):
            assert integral(lambda x, m=m: np.exp(m * log_density(x))) == pytest.approx(law.power_integral(m), rel=1e-9)


def _rounding(law):
    """What a rounding of x amounts to in levels: large for a narrow law far from 0."""
    return 4e-16 * np.max(np.abs(law.quantile(np.array([0.25, 0.75])))) / np.sqrt(law.cov()[0, 0])


@with_density
def test_density_is_the_slope_of_the_cdf(law):
    u = np.array([0.03, 0.12, 0.4, 0.55, 0.8, 0.97])
    x = law.quantile(u)
    # a step of 1e-4 of the deviation: the central difference errs by about its square, round-off by 1e-12 of a level
    h = 1e-4 * np.sqrt(law.cov()[0, 0]) * (0.05 if isinstance(law, GaussianMixture) else 1.0)
    slope = (law.cdf(x + h) - law.cdf(x - h)) / (2 * h)
    density = np.exp(law.log_density(x[:, None]))
    kinks = getattr(law, "q", None) if isinstance(law, Quantiles) else (law.axes[0] if isinstance(law, GridLaw) else [])
    clear = np.array([all(abs(point - k) > 2 * h for k in kinks) for point in x])
    assert clear.sum() >= 4
    assert np.allclose(slope[clear], density[clear], rtol=2e-6 + 1e4 * _rounding(law))


@every_line
def test_quantile_and_cdf_are_inverse_and_monotone(law):
    u = np.linspace(0, 1, 101)[1:-1]
    x = law.quantile(u)
    assert x.shape == u.shape and np.all(np.diff(x) >= 0)
    back = law.cdf(x)
    assert np.all(np.diff(back) >= 0) and back.min() >= 0 and back.max() <= 1 + 1e-12
    # Galois: cdf(quantile(u)) >= u, with equality where there is no atom (round-off of the inverse functions 1e-12)
    assert np.all(back >= u - 1e-12 - _rounding(law))
    if "log_density" in law.answers():
        assert np.allclose(back, u, atol=1e-12 + _rounding(law))
    spread = np.sqrt(law.cov()[0, 0])
    grid = np.linspace(x[0] - spread, x[-1] + spread, 80)
    values = law.cdf(grid)
    assert np.all(np.diff(values) >= -1e-15)
    # and the other way round: quantile(cdf(x)) <= x, to the width that one rounding of the level makes
    inside = (values > 1e-6) & (values < 1 - 1e-6)
    assert np.all(law.quantile(np.clip(values[inside] - 1e-13, 0, 1)) <= grid[inside] + 1e-9 * spread)


@every_line
def test_levels_zero_and_one_are_the_ends_of_the_support(law, rng):
    low, high = law.quantile(np.array([0.0, 1.0]))
    x = law.sample(2000, rng)[:, 0]
    assert low <= x.min() and x.max() <= high
    if np.isfinite(low):
        near = law.quantile(np.array([1e-13]))[0]
        # the support ends where the mass does: the quantile at 1e-13 lies by the end (within 2 % even at a flat edge)
        assert abs(near - low) <= 0.02 * np.sqrt(law.cov()[0, 0]) or isinstance(law, Barenblatt | Chi)
        assert law.cdf(low - 1e-9 * (1 + abs(low))) == 0 and law.cdf(high) == pytest.approx(1, abs=1e-12)
    assert law.quantile(np.empty(0)).shape == (0,)
    assert law.quantile(0.5).shape == () and law.cdf(np.zeros((2, 3))).shape == (2, 3)
    for bad in (-0.1, 1.5, np.nan):
        with pytest.raises(pf.BadInput, match=r"\[0, 1\]"):
            law.quantile(np.array([0.5, bad]))


@every_line
def test_moments_are_the_integrals_of_the_quantile_function(law):
    # midpoint sums of a monotone function of levels: the error is at most its range / n, and 1e-3 of the variance
    # with the cut tails of the unbounded laws
    n = 20_000
    q = law.quantile((np.arange(n) + 0.5) / n)
    spread = np.sqrt(law.cov()[0, 0])
    assert abs(q.mean() - law.mean()[0]) <= 4e-4 * spread
    assert np.mean((q - law.mean()[0]) ** 2) == pytest.approx(law.cov()[0, 0], rel=1e-3)


@every_law
def test_nobody_changes_a_law_behind_its_back(law):
    before = law.sample(5, np.random.default_rng(2))
    for name, value in vars(law).items():
        for array in value if isinstance(value, tuple) else (value,):
            if isinstance(array, np.ndarray):
                assert not array.flags.writeable, name
    for array in (law.mean(), law.cov()):
        if array.flags.writeable:
            array[...] = 99.0
    assert np.array_equal(before, law.sample(5, np.random.default_rng(2)))


def test_the_array_a_law_is_made_of_stays_the_callers():
    mass, x, weights = np.array([0.5, 0.5]), np.array([0.0, 1.0]), np.array([0.25, 0.75])
    laws = GridLaw(np.array([0.0, 1.0, 2.0]), mass), Particles(x, weights)
    mass[:] = x[:] = weights[:] = 0.0
    assert laws[0].mean()[0] == 1.0 and laws[1].mean()[0] == 0.75


BAD = {
    "not symmetric": (lambda: Gaussian([0, 0], [[1.0, 0.5], [0.2, 1.0]]), r"not symmetric: max \|A - Aᵀ\| = 0.3"),
    "not SPD": (lambda: Gaussian([0, 0], [[1.0, 2.0], [2.0, 1.0]]), "smallest eigenvalue -1"),
    "zero covariance": (lambda: Gaussian(0.0, 0.0), "smallest eigenvalue 0"),
    "negative weight": (lambda: GaussianMixture([1.5, -0.5], [0.0, 1.0], 1.0), "smallest -0.5"),
    "weights sum": (lambda: GaussianMixture([0.5, 0.4], [0.0, 1.0], 1.0), "sum to 0.9"),
    "weights and means": (lambda: GaussianMixture([0.5, 0.5], [0.0, 1.0, 2.0], 1.0), "Match"),
    "weights and covs": (lambda: GaussianMixture([0.5, 0.5], [0.0, 1.0], [1.0]), "one each"),
    "mean NaN": (lambda: Gaussian([0.0, np.nan], 1.0), r"mean\[1\] is nan"),
    "mean ragged": (lambda: Gaussian([[1.0, 2.0], [3.0]], 1.0), "rows differ"),
    "mean empty": (lambda: Gaussian([], 1.0), "empty"),
    "mean complex": (lambda: Gaussian([1j], 1.0), "complex128"),
    "mean text": (lambda: Gaussian("two", 1.0), "real numbers"),
    "mean matrix": (lambda: Gaussian(np.zeros((2, 2)), 1.0), "dimension"),
    "cov shape": (lambda: Gaussian([0.0, 0.0], np.eye(3)), r"\(2, 2\)"),
    "box inside out": (lambda: Uniform([0.0, 2.0], [1.0, 1.0]), "low < high"),
    "box shapes": (lambda: Uniform([0.0], [1.0, 1.0]), "one shape"),
    "negative mass": (lambda: GridLaw(np.array([0.0, 1.0, 2.0]), [1.1, -0.1]), r"mass\[1\] = -0.1"),
    "mass not one": (lambda: GridLaw(np.array([0.0, 1.0, 2.0]), [0.5, 0.4]), "sum to 0.9"),
    "mass zero": (lambda: GridLaw(np.array([0.0, 1.0, 2.0]), [0.0, 0.0]), "sum to 0"),
    "mass NaN": (lambda: GridLaw(np.array([0.0, 1.0, 2.0]), [np.nan, 1.0]), r"mass\[0\] is nan"),
    "mass shape": (lambda: GridLaw(np.array([0.0, 1.0, 2.0]), [1.0]), "cells"),
    "edges unordered": (lambda: GridLaw(np.array([0.0, 2.0, 1.0]), [0.5, 0.5]), "increase strictly"),
    "edges duplicate": (lambda: GridLaw(np.array([0.0, 1.0, 1.0]), [0.5, 0.5]), "increase strictly"),
    "one edge": (lambda: GridLaw(np.array([0.0]), []), "1 edges"),
    "four axes": (lambda: GridLaw([[0.0, 1.0]] * 4, np.ones((1, 1, 1, 1))), "one to three"),
    "no axes": (lambda: GridLaw([], 1.0), "0 axes"),
    "no particles": (lambda: Particles(np.empty((0, 2))), "n >= 1"),
    "particle inf": (lambda: Particles([[0.0, np.inf]]), r"x\[0, 1\] is inf"),
    "particle weights": (lambda: Particles([0.0, 1.0], [0.5, 0.6]), "sum to 1.1"),
    "particle negative": (lambda: Particles([0.0, 1.0], [1.5, -0.5]), "smallest -0.5"),
    "particle count": (lambda: Particles([0.0, 1.0], [1.0]), "one weight each"),
    "quantiles fall": (lambda: Quantiles([0.0, 1.0, 0.5], [0.0, 0.5, 1.0]), r"q\[2\] = 0.5 < q\[1\]"),
    "levels repeat": (lambda: Quantiles([0.0, 1.0, 2.0], [0.0, 0.0, 1.0]), "strictly from 0 to 1"),
    "levels open": (lambda: Quantiles([0.0, 1.0], [0.1, 1.0]), "0.1"),
    "one quantile": (lambda: Quantiles([0.0], [0.0]), "at least two"),
    "quantile function": (lambda: FromQuantile(lambda u: -u), "non-decreasing"),
    "no function": (lambda: FromQuantile(3.0), "callable"),
    "m one": (lambda: Barenblatt(1, 1.0, 1.0), "m > 1"),
    "m below one": (lambda: Barenblatt(2, 0.5, 1.0), "m > 1"),
    "time zero": (lambda: Barenblatt(1, 2.0, 0.0), "time is 0"),
    "time negative": (lambda: Barenblatt(1, 2.0, -1.0), "time is -1"),
    "time NaN": (lambda: Barenblatt(1, 2.0, np.nan), "time is nan"),
    "dim zero": (lambda: Barenblatt(0, 2.0, 1.0), "dim is 0"),
    "dim fraction": (lambda: Barenblatt(1.5, 2.0, 1.0), "dim is 1.5"),
    "center shape": (lambda: Barenblatt(2, 2.0, 1.0, center=[0.0]), "center has shape"),
    "radius": (lambda: Semicircle(-1.0), "radius is -1"),
    "semicircle center": (lambda: Semicircle(1.0, center=[0.0, 1.0]), "line"),
    "ring": (lambda: Ring(0.0), "radius is 0"),
    "product of nothing": (lambda: Product([]), "non-empty"),
    "product of numbers": (lambda: Product([1.0]), "laws"),
    "unknown law": (lambda: from_spec({"law": "Gausian"}), "Did you mean 'Gaussian'"),
    "no law": (lambda: from_spec({"mean": 0}), "key 'law'"),
}


@pytest.mark.parametrize("build, message", BAD.values(), ids=BAD.keys())
def test_bad_input_says_what_was_given(build, message):
    with pytest.raises(pf.BadInput, match=message):
        build()


def test_questions_of_the_line_in_the_plane_name_the_dimension():
    for law in (law for law in SPACE.values() if law.dim > 1):
        for question in ("quantile", "cdf"):
            with pytest.raises(pf.NotAvailable, match=r"dim"):
                getattr(law, question)(np.array([0.5]))
