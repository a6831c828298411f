"""A point that is not a number has no probability, and a masked entry is no number."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import laws
from pdeflow.laws import AffineMap, PushForward

GRID = np.linspace(-2.0, 2.0, 5)
LINE = {
    "gaussian": laws.Gaussian(0.0, 1.0),
    "mixture": laws.GaussianMixture([0.5, 0.5], [-1.0, 1.0], 0.5),
    "uniform": laws.Uniform(-1.0, 1.0),
    "barenblatt": laws.Barenblatt(1, 2, 1.0),
    "semicircle": laws.Semicircle(1.0),
    "particles": laws.Particles([0.0, 1.0]),
    "grid": laws.GridLaw(GRID, np.full(4, 0.25)),
    "quantiles": laws.Quantiles([-1.0, 0.0, 1.0], [0.0, 0.5, 1.0]),
    "from quantile": laws.FromQuantile(laws.Gaussian(0.0, 1.0).quantile),
    "product": laws.Product([laws.Uniform(-1.0, 1.0)]),
    "pushed": PushForward(laws.Uniform(-1.0, 1.0), [AffineMap([[2.0]], [1.0])]),
}
PLANE = {
    "gaussian": laws.Gaussian([0.0, 0.0], 1.0),
    "mixture": laws.GaussianMixture([0.5, 0.5], [[-1.0, 0.0], [1.0, 0.0]], 0.5),
    "uniform": laws.Uniform([-1.0, -1.0], [1.0, 1.0]),
    "barenblatt": laws.Barenblatt(2, 2, 1.0),
    "grid": laws.GridLaw([GRID, GRID], np.full((4, 4), 1 / 16)),
    "product": laws.Product([laws.Uniform(-1.0, 1.0), laws.Gaussian(0.0, 1.0)]),
}


@pytest.mark.parametrize("name", LINE)
def test_the_distribution_function_at_nan_is_nan(name):
    """Of the kind of jax-ml/jax#38606 and #38317: cdf(nan) was 1 of a cloud and 0 of a law given by its quantiles."""
    law = LINE[name]
    if "cdf" in law.answers():
        at = law.cdf(np.array([np.nan, -np.inf, np.inf, 0.5]))
        assert np.isnan(at[0]) and at[1] == 0 and at[2] == pytest.approx(1.0, abs=1e-15)
        assert at[3] == law.cdf(0.5)
    with pytest.raises(pf.BadInput, match="nan"):
        law.quantile(np.nan)


@pytest.mark.parametrize("name, law", [*((f"{k} 1", v) for k, v in LINE.items()), *PLANE.items()])
def test_the_density_and_the_score_at_nan_are_nan(name, law):
    """Of the kind of jax-ml/jax#38317: three laws had the log density -inf at nan, as if it lay outside."""
    for question in ("log_density", "score"):
        if question in law.answers():
            x = np.zeros((3, law.dim))
            x[:, 0] = [np.nan, 0.25, -0.25]
            found = getattr(law, question)(x)
            assert np.isnan(found[0]).any() and np.isfinite(found[1:]).all()
            assert np.array_equal(found[1:], getattr(law, question)(x[1:]))
    if "log_density" in law.answers():
        assert np.all(law.log_density(np.full((1, law.dim), np.inf)) == -np.inf)


def test_a_masked_entry_is_refused_everywhere():
    """Unidata/netcdf4-python#785, #849: the fill value under the mask was taken for a number."""
    masked = np.ma.array([0.2, 0.5, 9.97e36], mask=[0, 0, 1])
    law = laws.Gaussian(0.0, 1.0)
    for use in (
        lambda: laws.Particles(masked),
        lambda: laws.Particles([0.0, 1.0, 2.0], np.ma.array([0.5, 0.5, 0.0], mask=[0, 0, 1])),
        lambda: laws.Gaussian(masked, 1.0),
        lambda: laws.GridLaw(masked, [0.5, 0.5]),
        lambda: law.log_density(masked),
        lambda: law.cdf(masked),
        lambda: law.quantile(masked),
        lambda: PushForward(law).cdf(masked),
        lambda: laws.Particles([masked, masked]),
        lambda: law.cdf(np.ma.masked),
    ):
        with pytest.raises(pf.BadInput, match="mask"):
            use()
    whole = np.ma.array([0.2, 0.5], mask=[0, 0])
    assert np.array_equal(laws.Particles(whole).x[:, 0], [0.2, 0.5])
