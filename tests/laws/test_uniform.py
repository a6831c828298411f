"""Uniform laws on boxes."""

import numpy as np
import pytest

from pdeflow.laws import Uniform

BOX = Uniform([-1.0, 2.0], [0.0, 7.0])


def test_box_by_hand():
    assert BOX.log_density(np.array([[-0.5, 3.0], [0.5, 3.0]])).tolist() == [-np.log(5.0), -np.inf]
    assert BOX.mean().tolist() == [-0.5, 4.5] and BOX.cov()[1, 1] == pytest.approx(25 / 12, rel=1e-15)
    assert BOX.power_integral(3.0) == pytest.approx(1 / 25, rel=1e-14)


def test_the_score_vanishes_and_the_edge_dissipates_infinitely():
    assert not BOX.score(np.array([[-0.5, 3.0]])).any() and BOX.finite_dissipation(5.0) is False


def test_sides_are_independent():
    first, second = BOX.blocks([1, 1])
    assert (first.low[0], second.high[0]) == (-1.0, 7.0) and BOX.blocks([1]) is None
    axes = np.array([-1.0, -0.75, 0.0]), np.array([2.0, 3.0, 12.0])
    assert BOX.cell_masses(axes).mass == pytest.approx(np.outer([0.25, 0.75], [0.2, 0.8]), rel=1e-15)


def test_mean_log_distance_on_the_line():
    # E log|X - Y| = log(b - a) - 3/2
    assert Uniform(0.0, 3.0).mean_pair_power(0.0).value == pytest.approx(np.log(3.0) - 1.5, rel=1e-15)
    assert BOX.mean_pair_power(0.0) is None
