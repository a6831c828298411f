"""Integrals over the cells of a grid."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow._core.box_integral import box_integral, gauss_lobatto


def test_lobatto_rules_are_exact_to_their_degree():
    for nodes in (3, 5, 8):
        z, w = gauss_lobatto(nodes)
        for power in range(2 * nodes - 2):
            assert w @ z**power == pytest.approx((1 + (-1) ** power) / (power + 1), abs=1e-14)


def test_a_kink_inside_a_cell_is_closed_in_on():
    axes = (np.array([-1.0, 0.5, 2.0]), np.array([0.0, 1.0]))
    density = np.array([[1.0], [2.0]])
    value = box_integral(lambda x: np.abs(x[:, 0] - 0.3) + x[:, 1] ** 2, axes, density, 3, "a kink", accepted=1e-6)
    first, second = (1.3**2 + 0.2**2) / 2, (1.7**2 - 0.2**2) / 2
    assert value == pytest.approx(first + 2 * second + (1.5 + 3.0) / 3, rel=1e-6)


def test_noise_is_an_error():
    axes = (np.linspace(0.0, 1.0, 5),)
    with pytest.raises(pf.NotConverged, match="accepted"):
        box_integral(lambda x: np.sin(1e15 * x[:, 0]), axes, np.ones(4), 3, "noise")
