"""Laws far from the origin answer right, or say that floats cannot hold their positions.

The kind was met in trials of grids at 1e9 to 1e16 (cf. scipy/scipy#15990, a narrow law far away that integrates to 0).
"""

import numpy as np
import pytest

import pdeflow as pf


@pytest.mark.parametrize(
    "law",
    [
        lambda c: pf.laws.Gaussian(c, 1.0),
        lambda c: pf.laws.GaussianMixture([0.5, 0.5], [c, c + 1], 1.0),
        lambda c: pf.laws.Uniform(c, c + 4),
        lambda c: pf.laws.Semicircle(1.0, c),
        lambda c: pf.laws.Barenblatt(1, 2.0, 1.0, [c]),
    ],
)
def test_quantiles_are_right_or_refused(law):
    levels, rng = np.linspace(0.05, 0.95, 19), np.random.default_rng(0)
    plain = law(0.0).quantile(levels)
    for center in (1e6, 1e9, 1e16):
        try:
            far = law(center)
            moved, drawn = far.quantile(levels) - center, far.sample(1000, rng)[:, 0] - center
        except pf.PdeflowError as error:
            assert center == 1e16 and "round" in str(error)
            continue
        assert np.allclose(moved, plain, atol=4 * np.spacing(center))
        assert len(np.unique(drawn)) > 900 and abs(drawn.std() - law(0.0).cov()[0, 0] ** 0.5) < 0.1
        assert center < 1e16


def test_what_needs_no_positions_stays_right():
    far = pf.laws.Gaussian(1e16, 1.0)
    assert far.cov()[0, 0] == 1 and np.isclose(far.entropy(), pf.laws.Gaussian(0, 1).entropy())
    assert np.isclose(pf.metrics.w2(far, pf.laws.Gaussian(1e16, 4.0)).value, 1.0)
    with pytest.raises(pf.NotAvailable, match="rounded"):
        far.cell_masses([1e16 + np.arange(-8, 10, 2.0)])
