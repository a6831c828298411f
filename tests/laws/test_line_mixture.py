"""Mixtures of Gaussians on the line, at places that are told from the means."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from pdeflow.laws.line_mixture import LineMixture

LEVELS = np.array([1e-290, 1e-30, 1e-12, 0.1, 0.3, 0.5, 0.7, 1 - 1e-9])


@pytest.mark.parametrize("steep", [1.0, 1e-8, 1e200])
@pytest.mark.parametrize("weights", [[1.0], [0.25, 0.75]])
def test_quantiles_of_one_gaussian_to_round_off(steep, weights):
    same = np.zeros(len(weights))
    law = LineMixture(np.array(weights), same, same + steep)
    x = law.quantile(LEVELS)
    assert x == pytest.approx(steep * ndtri(LEVELS), rel=1e-14, abs=1e-15 * steep)
    assert ndtr(x[2:] / steep) == pytest.approx(LEVELS[2:], rel=4e-15)
    assert law.quantile(LEVELS, upper=True) == pytest.approx(-x, rel=1e-15)
    assert law.quantile(np.array([0.0, 1.0])).tolist() == [-np.inf, np.inf]


@pytest.mark.parametrize("count", [3, 40])
def test_shares_of_places_are_the_levels_asked_for(count):
    rng = np.random.default_rng(count)
    law = LineMixture(rng.dirichlet(np.ones(count)), 5 * rng.standard_normal(count), 10 ** rng.uniform(-3, 1, count))
    levels = np.concatenate([LEVELS, rng.random(100)])
    for upper in (False, True):
        anchor, offset = law.places(levels, upper)
        share, density = law.shares(anchor, offset, upper)
        # a place in the tail is rounded by its own size, which the share there multiplies by up to 37²
        assert share == pytest.approx(levels, rel=2e-12)
        assert share[levels > 1e-3] == pytest.approx(levels[levels > 1e-3], rel=4e-15)
        step = 1e-3 * law.deviations.min()
        slope = (law.shares(anchor, offset + step)[0] - law.shares(anchor, offset - step)[0]) / (2 * step)
        middle = (levels > 0.01) & (levels < 0.99)
        assert slope[middle] == pytest.approx(density[middle], rel=1e-5)  # the square of the step


def test_a_narrow_mode_far_out_keeps_the_digits_of_its_offsets():
    law = LineMixture(np.array([0.5, 0.5]), np.array([-100.0, 100.0]), np.array([1e-9, 1e-9]))
    anchor, offset = law.places(np.array([0.25, 0.75 + 1e-3]))
    assert anchor.tolist() == [0, 1] and offset[0] == pytest.approx(0.0, abs=1e-24)
    assert offset[1] == pytest.approx(1e-9 * ndtri(0.502), rel=1e-13)  # 0.751 is rounded to 1e-16
    assert law.quantile(np.array([0.5]))[0] < 0  # the left end of the gap


@pytest.mark.parametrize("weights", [[1.0], [0.4, 0.6]])
def test_the_squared_gap_to_lines_is_that_of_many_levels(weights):
    means = np.array([-0.5, 1.0])[: len(weights)]
    law = LineMixture(np.array(weights), means, np.full(len(weights), 0.7))
    shares, start, slope = np.array([0.0, 0.2, 0.21, 0.9]), np.array([-1.0, 0.0, 0.3]), np.array([0.5, 0.0, 2.0])
    u = (np.arange(100_000) + 0.5) / 100_000 * 0.9
    piece = np.searchsorted(shares, u) - 1
    for upper in (False, True):
        sums = np.mean((law.quantile(u, upper) - start[piece] - slope[piece] * (u - shares[piece])) ** 2) * 0.9
        # the midpoint sum loses what the logarithm does in its first panel
        assert law.squared_gap(shares, start, slope, upper) == pytest.approx(sums, rel=1e-5)


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize(
    "parts",
    [
        ([0.3, 0.7], [-1.5, 2.0], [0.3, 0.6]),  # a valley between two modes
        ([0.2, 0.5, 0.3], [0.0, 0.1, 0.5], [1e-3, 1.0, 0.05]),  # narrow peaks within a wide one
    ],
)
def test_dense_shares_are_found_by_expansions_as_alone(parts, upper):
    """Shares by the thousand are told from expansions, few of them by roots: places and integrals are the same."""
    law = LineMixture(*(np.array(part) for part in parts))
    shares = np.append(np.arange(2001) / 4000, 0.5)
    few = [slice(i, i + 300) for i in range(0, len(shares), 299)]  # below the number from which there are expansions
    with_roots = np.concatenate([law.quantile(shares[part], upper)[(i > 0) :] for i, part in enumerate(few)])
    dense = law.quantile(shares, upper)
    inner = np.isfinite(with_roots)
    density = law.shares(*law.places(shares[inner], upper), upper)[1]
    # the round-off of a place, and that of its share over the density there
    assert np.all(np.abs(dense[inner] - with_roots[inner]) <= 2e-15 + 1e-15 * shares[inner] / density)
    edges = shares[:-1]
    steps = dense[1:-1] + 0.02 * np.sin(np.arange(2000))  # near the places: nothing but their differences is left
    whole = law.squared_gap(edges, steps, np.zeros(2000), upper)
    parts = [law.squared_gap(edges[i : i + 251], steps[i : i + 250], np.zeros(250), upper) for i in range(0, 2000, 250)]
    np.testing.assert_allclose(whole, np.sum(parts), rtol=1e-13, atol=0)
