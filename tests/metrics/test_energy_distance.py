"""The energy distance, against 2 ∫(F - G)² dx on the line."""

import numpy as np
import pytest

from pdeflow.laws import Barenblatt, Gaussian, GaussianMixture, GridLaw, Particles, Quantiles, Uniform
from pdeflow.metrics import energy_distance

MIXTURE = GaussianMixture([0.3, 0.7], [[-2.0], [1.0]], [[[0.2]], [[0.5]]])


def by_quadrature(a, b, breaks=()):
    """Twenty Gauss points on short panels, which end where a distribution function has a step or a kink."""
    ends = np.unique(np.concatenate([np.linspace(-30, 30, 601), breaks]))
    nodes, weights = np.polynomial.legendre.leggauss(20)
    half = np.diff(ends)[:, None] / 2
    x = ends[:-1, None] + half * (1 + nodes)
    return 2 * np.sum(half * (a.cdf(x) - b.cdf(x)) ** 2 * weights)


@pytest.mark.parametrize("a, b", [(Gaussian(0.0, 1.0), Gaussian(0.7, 2.0)), (MIXTURE, Gaussian(0.0, 3.0))])
def test_closed_form_on_the_line(a, b):
    assert energy_distance(a, b).value ** 2 == pytest.approx(by_quadrature(a, b), abs=1e-10)


def test_clouds_on_the_line_with_weights_and_ties(rng):
    x, y = rng.integers(0, 9, 40) / 4.0, rng.integers(0, 9, 25) / 4.0
    weights = rng.random(25)
    a, b = Particles(x[:, None]), Particles(y[:, None], weights / weights.sum())
    assert energy_distance(a, b).value ** 2 == pytest.approx(by_quadrature(a, b, np.arange(9) / 4.0), abs=1e-10)
    known = energy_distance(b, MIXTURE)
    assert known.value**2 == pytest.approx(by_quadrature(b, MIXTURE, np.arange(9) / 4.0), abs=1e-10)


def test_on_the_line_the_order_of_the_points_does_not_matter_and_a_far_origin_costs_no_digits(rng):
    x, y = rng.standard_normal((500, 1)), rng.standard_normal((400, 1))
    near = energy_distance(Particles(x), Particles(y))
    assert energy_distance(Particles(x[::-1]), Particles(x)).value == 0
    far = energy_distance(Particles(x + 2.0**20), Particles(y + 2.0**20))
    assert far.value == pytest.approx(near.value, rel=1e-8) and far.stderr == pytest.approx(near.stderr, rel=1e-6)
    # the same cloud in the plane goes through the sums over all pairs
    flat = energy_distance(*(Particles(np.column_stack([part, 0 * part])) for part in (x, y)))
    for name in ("value", "stderr", "null"):
        assert getattr(flat, name) == pytest.approx(getattr(near, name), rel=1e-9)


GRID = GridLaw((np.linspace(-3, 3, 41),), np.diff(Gaussian(0.0, 1.0).cdf(np.linspace(-3, 3, 41))) / 0.9973002039367398)
LINE = [GRID, Uniform(-1.0, 2.0), Barenblatt(1, 2, 1.0), Quantiles(np.linspace(-1, 1, 20) ** 3, np.linspace(0, 1, 20))]


@pytest.mark.parametrize("law", LINE, ids=lambda law: type(law).__name__)
def test_laws_on_the_line_need_no_draws(law, rng):
    breaks = law.density_edges()
    other = Gaussian(0.3, 0.8)
    exact = energy_distance(law, other)
    assert exact.how == "quadrature" and exact.stderr == 0 and energy_distance(law, law).value == 0
    assert exact.value**2 == pytest.approx(by_quadrature(law, other, breaks), abs=1e-10)
    cloud = Particles(rng.standard_normal((30, 1)))
    found = energy_distance(cloud, law)
    assert found.value**2 == pytest.approx(by_quadrature(cloud, law, np.union1d(breaks, cloud.x)), abs=1e-10)
    assert energy_distance(law, cloud).value == found.value
    # the mean of the square of 30 draws is E|Y - Y'|/30, that of its root a tenth less on the line
    square = law.mean_pair_power(1).value / 30
    assert 0.75 * square < found.null**2 < square
