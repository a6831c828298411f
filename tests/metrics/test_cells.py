"""Masses of laws in the cells of a grid."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr

from pdeflow import metrics
from pdeflow.laws import Gaussian, GaussianMixture, GridLaw, Law, Product, Uniform
from pdeflow.laws.cell_integrals import cell_masses

AXES = (np.linspace(-2, 2, 11), np.linspace(-2.025, 2.025, 16))  # cells 0.4 x 0.27
WEIGHTS, PLACES = np.array([0.3, 0.7]), np.array([[-0.61, 0.1], [0.7, -0.3]])


def mixture_masses(deviations, axes=AXES):
    """Of Σ w_k N(place_k, diag(deviations_k²)), from the normal distribution function alone."""
    deviations = np.broadcast_to(deviations, (2, 2))
    rows = [[np.diff(ndtr((e - m) / s)) for e, m, s in zip(axes, *pair)] for pair in zip(PLACES, deviations)]
    return sum(w * np.multiply.outer(*row) for w, row in zip(WEIGHTS, rows))


class DensityOnly(Law):
    """A law that hides what it is, and its sampler too if asked to."""

    def __init__(self, law, sampled=True, offset=0.0):
        self.law, self.dim, self.sampled, self.offset = law, law.dim, sampled, offset

    def log_density(self, x):
        return self.law.log_density(x) + self.offset

    def sample(self, n, rng):
        return self.law.sample(n, rng)

    def answers(self):
        return ["log_density", "sample"] if self.sampled else ["log_density"]


SMALL = (np.linspace(-0.5, 0.75, 6), np.linspace(-0.6, 0.5, 4))


def in_box(law):
    """P(SMALL) by quadrature in x of the conditional distribution function of a Gaussian."""
    mean, cov = law.mean(), law.cov()
    slope, deviation = cov[0, 1] / cov[0, 0], np.sqrt(cov[1, 1] - cov[0, 1] ** 2 / cov[0, 0])

    def strip(x):
        ends = (SMALL[1][[0, -1]] - mean[1] - slope * (x - mean[0])) / deviation
        return np.exp(Gaussian(mean[0], cov[0, 0]).log_density(np.array([[x]])))[0] * (ndtr(ends[1]) - ndtr(ends[0]))

    return quad(strip, SMALL[0][0], SMALL[0][-1], epsabs=1e-13)[0]


@pytest.mark.parametrize("deviation", [5e-4, 0.02, 0.05, 0.1, 0.5])
def test_masses_of_laws_narrow_against_a_cell(deviation):
    law, exact = GaussianMixture(WEIGHTS, PLACES, deviation**2), mixture_masses(deviation)
    by_cdf, outside, how = cell_masses(law, AXES)
    assert "distribution function" in how
    np.testing.assert_allclose(by_cdf, exact, rtol=1e-12, atol=1e-15)
    assert outside == pytest.approx(1 - exact.sum(), abs=1e-14)
    # the quadrature's own promise is 1e-9, over all cells
    hidden, rest, how = cell_masses(DensityOnly(law), AXES)
    assert "quadrature" in how and np.sum(np.abs(hidden - exact)) < 1e-9
    assert rest == pytest.approx(1 - exact.sum(), abs=1e-9)
    if deviation < 0.2:  # wider ones leave the box
        grid = GridLaw(AXES, exact)
        assert metrics.l1(grid, law).value < 1e-13 and metrics.l2(grid, law).value < 1e-13
        assert metrics.l1(grid, DensityOnly(law)).value < 2e-9


@pytest.mark.parametrize("tilt", [0.0, 0.4])
@pytest.mark.parametrize("dress", ["law", "mixture", "product"])
def test_mass_outside_the_box_counts(tilt, dress):
    law = Gaussian([0.2, 0.1], [[1, tilt], [tilt, 0.5]])
    axes, inside = SMALL, in_box(law)
    if dress == "mixture":
        law = GaussianMixture([0.5, 0.5], [law.mean()] * 2, [law.cov()] * 2)
    if dress == "product":  # half of the third block leaves the box
        law, axes, inside = Product([law, Uniform(0, 1)]), (*SMALL, np.array([0.0, 0.25, 0.5])), inside / 2
    masses, outside, how = cell_masses(law, axes)
    assert ("quadrature" in how) == (tilt > 0)
    tolerance = 1e-9 if tilt else 1e-13
    assert masses.sum() == pytest.approx(inside, abs=tolerance) and outside == pytest.approx(1 - inside, abs=tolerance)
    other = GridLaw(axes, np.full(masses.shape, 1 / masses.size))
    assert metrics.l1(other, law).value == pytest.approx(
        np.sum(np.abs(masses - 1 / masses.size)) + 1 - inside, abs=tolerance
    )


def test_upper_tails_keep_their_digits():
    """Differences of 1 - 1e-16 hold nothing: the masses mirror those of the lower tail."""
    edges = np.linspace(-20, 20, 161)
    masses, *_ = cell_masses(Gaussian(0, 1), (edges,))
    # 2e-8: round-off of 1 over 1e-8, the mass below which the density is integrated
    np.testing.assert_allclose(masses[80:], masses[79::-1], rtol=2e-8)
    np.testing.assert_allclose(masses[110:], masses[49::-1], rtol=1e-12)
    assert masses[-1] > 0
    grid = GridLaw(edges, np.concatenate([masses[:80], masses[79::-1]]))
    assert "left out" not in metrics.kl(grid, Gaussian(0, 1)).how
