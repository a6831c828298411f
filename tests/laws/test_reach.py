"""How far laws reach in any direction."""

import numpy as np
import pytest
from plane_cases import TURN
from scipy.special import ndtri

from pdeflow.laws import AffineMap, Gaussian, GaussianMixture, GridLaw, Particles, Product, Ring, Uniform
from pdeflow.laws.reach import reach, reach_along_axes

TAIL = 1e-6
EIGHTH = np.array([np.cos(0.4), np.sin(0.4)])
DEVIATIONS = -ndtri(TAIL)


@pytest.mark.parametrize(
    "law, interval",
    [
        (Gaussian([1.0, 2.0], [[0.5, 0.2], [0.2, 0.4]]), None),
        (Uniform([-1.0, 0.0], [1.0, 3.0]), (-EIGHTH[0], EIGHTH[0] + 3 * EIGHTH[1])),
        (Particles([[0.0, 0.0], [1.0, -2.0]]), (0.0, EIGHTH @ [1.0, -2.0])),
        (GridLaw((np.linspace(0, 1, 4), np.linspace(-1, 0, 3)), np.full((3, 2), 1 / 6)), (-EIGHTH[1], EIGHTH[0])),
        (Ring(2.0), (-2 * EIGHTH.sum(), 2 * EIGHTH.sum())),
    ],
    ids=["gaussian", "uniform", "cloud", "grid", "ring"],
)
def test_how_far_a_law_reaches_in_any_direction(law, interval):
    if interval is None:
        spread = DEVIATIONS * np.sqrt(EIGHTH @ law.cov() @ EIGHTH)
        interval = EIGHTH @ law.mean() - spread, EIGHTH @ law.mean() + spread
    # what is not known in every direction is bounded by the box of the support
    assert reach(law, EIGHTH, TAIL) == pytest.approx(interval, rel=1e-9)


def test_products_mixtures_and_images_reach_as_far_as_their_parts():
    parts = Gaussian(1.0, 0.25), Gaussian([0.0, 2.0], [[0.5, 0.2], [0.2, 0.4]])
    direction = np.array([0.5, -0.3, 0.8])
    low, high = reach(Product(parts), direction, TAIL)
    first = reach(parts[0], direction[:1], TAIL)
    second = reach(parts[1], direction[1:], TAIL)
    assert (low, high) == pytest.approx((first[0] + second[0], first[1] + second[1]), rel=1e-12)
    uniform = Product([Uniform(0.0, 1.0), Uniform(-1.0, 1.0)])
    turned = uniform.pushed(AffineMap(TURN, np.array([5.0, 0.0])))
    cosine, sine = TURN[0, 0], TURN[1, 0]
    tail = 1 - 2 * TAIL  # of each interval
    width = 1 * cosine * tail / 2 + 2 * sine * tail / 2
    middle = 5 + cosine / 2
    assert reach(turned, np.array([1.0, 0.0]), TAIL) == pytest.approx((middle - width, middle + width), rel=1e-9)
    mixture = GaussianMixture([0.5, 0.5], [[-3.0, 0.0], [4.0, 0.0]], [np.eye(2), 4 * np.eye(2)])
    low, high = reach(mixture, np.array([1.0, 0.0]), TAIL)
    assert (low, high) == pytest.approx((-3 - DEVIATIONS, 4 + 2 * DEVIATIONS), rel=1e-9)


def test_along_the_axes_all_ends_are_known_or_none(monkeypatch):
    law = Uniform([-1.0, 2.0], [3.0, 2.5])
    np.testing.assert_array_equal(reach_along_axes(law, 0.0), [[-1.0, 3.0], [2.0, 2.5]])
    silent = "pdeflow.laws.reach.reach"  # of a law that says nothing of its second axis
    monkeypatch.setattr(silent, lambda law, axis, tail: (0.0, 1.0) if axis[0] else None)
    assert reach_along_axes(law, 0.0) is None
