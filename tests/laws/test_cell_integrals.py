"""Masses of laws in the cells of a grid, exact and by quadrature of a density."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr

import pdeflow as pf
from pdeflow import metrics
from pdeflow.laws import Barenblatt, Gaussian, GaussianMixture, GridLaw, Law, Product, Semicircle, Uniform
from pdeflow.laws import cell_integrals as boxes
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


@pytest.mark.parametrize("dress", [lambda law: law, DensityOnly])
def test_what_leaks_over_the_border_of_a_cell_is_found(dress):
    """A speck 3.3 deviations from a border leaves 5e-4 beyond it, which no node of the neighbour sees."""
    s = 5e-4
    law = Gaussian([AXES[0][6] - 3.3 * s, 0.12], s * s)
    masses = boxes.box_masses(dress(law), AXES)
    assert masses[6, 7] == pytest.approx(ndtr(-3.3), abs=1e-9) and masses[5, 7] == pytest.approx(ndtr(3.3), abs=1e-9)


def test_masses_of_narrow_tilted_laws():
    """Correlated: the integral over x of the conditional distribution function, cell by cell."""
    s, r = 0.03, 0.6
    law = Gaussian([0.39, 0.1], s**2 * np.array([[1, r], [r, 1]]))
    masses, outside, _ = cell_masses(law, AXES)

    def strip(x, low, high):
        z = (x - 0.39) / s
        ends = [(y - 0.1 - r * s * z) / (s * np.sqrt(1 - r * r)) for y in (low, high)]
        return np.exp(-z * z / 2) / (s * np.sqrt(2 * np.pi)) * (ndtr(ends[1]) - ndtr(ends[0]))

    assert outside < 1e-9
    for i, j in ((5, 7), (5, 8), (6, 7), (6, 8)):
        ends = max(AXES[0][i], 0.39 - 9 * s), min(AXES[0][i + 1], 0.39 + 9 * s)
        exact = quad(strip, *ends, args=(AXES[1][j], AXES[1][j + 1]), epsabs=1e-13, epsrel=1e-12)[0]
        assert exact > 1e-6 and masses[i, j] == pytest.approx(exact, abs=1e-9)
    mixed, *_, how = cell_masses(GaussianMixture([0.5, 0.5], [law.mean()] * 2, [law.cov(), 0.04 * np.eye(2)]), AXES)
    straight = np.multiply.outer(*[np.diff(ndtr((e - m) / 0.2)) for e, m in zip(AXES, law.mean())])
    assert (
        np.sum(np.abs(2 * mixed - masses - straight)) < 1e-13 and "distribution function" in how and "quadrature" in how
    )


def test_what_two_rules_contradict_is_an_error(monkeypatch):
    """An edge or a kink inside the grid, a density that is none, one that is NaN: never a number."""
    monkeypatch.setattr(boxes, "POINTS", 400_000)
    grid = GridLaw(AXES, np.full((10, 15), 1 / 150))
    for hidden in (Barenblatt(2, 2, 0.3), Barenblatt(2, 3, 0.3), Uniform([-0.31, 0.1], [0.5, 0.93])):
        law = DensityOnly(hidden)
        with pytest.raises(pf.errors.NotConverged, match=r"(?s)two rules.*Particles") as caught:
            metrics.l1(grid, law)
        assert caught.value.residual > 1e-9
    with pytest.raises(pf.errors.NotConverged, match=r"sum to 1\.9"):
        metrics.l1(grid, DensityOnly(Gaussian([0, 0], 0.2), offset=np.log(2)))
    with pytest.raises(pf.errors.NotConverged, match="two rules"):
        metrics.l1(grid, DensityOnly(Gaussian([0, 0], 0.2), offset=np.nan))
    monkeypatch.undo()
    speck = Gaussian([0.013, 0.007], 1e-14)  # no node of any rule sees it; its draws do
    assert metrics.l1(grid, DensityOnly(speck)).value == pytest.approx(2 - 2 / 150, abs=1e-8)
    # a smooth law needs no sampler; boxes and semicircles in products are exact
    plain = Gaussian([0, 0], 0.2)
    assert metrics.l1(grid, DensityOnly(plain, sampled=False)).value == pytest.approx(
        metrics.l1(grid, plain).value, abs=2e-9
    )
    sharp = Product([Uniform(-0.31, 0.5), Semicircle(1.0, 0.3)])
    exact = np.multiply.outer(*[np.diff(part.cdf(edges)) for part, edges in zip(sharp.laws, AXES)])
    assert metrics.l1(GridLaw(AXES, exact), sharp).value < 1e-14


def test_smooth_edges_of_a_support_are_resolved():
    """ρ ~ distance² from a circle: where the edge passes between all nodes both rules overlook it, by 1.8e-8 in all."""
    axes = (np.linspace(-2, 2, 31), np.linspace(-2.03, 2.03, 36))
    assert boxes.box_masses(Barenblatt(2, 1.5, 0.1, [0.05, 0.1]), axes).sum() == pytest.approx(1, abs=1e-9)


def test_density_without_distribution_function_on_the_line():
    edges = np.linspace(-6, 6, 25)
    hidden = DensityOnly(Gaussian(0.1, 1e-4))
    masses, outside, how = cell_masses(hidden, (edges,))
    assert "quadrature" in how and np.sum(np.abs(masses - np.diff(hidden.law.cdf(edges)))) < 1e-9 and outside < 1e-9


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
