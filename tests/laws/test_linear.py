"""Piecewise linear quantile functions as lists."""

import numpy as np
import pytest

from pdeflow.laws.linear import jumping, mean_gap, steps_of


def test_a_jump_repeats_its_level():
    levels, q = jumping(np.array([0.0, 0.25, 1.0]), np.array([0.0, 5.0]), np.array([1.0, 5.0]))
    assert levels.tolist() == [0.0, 0.25, 0.25, 1.0] and q.tolist() == [0.0, 1.0, 5.0, 5.0]


def test_two_ways_to_write_one_weight_give_one_level():
    tenths = steps_of(np.full(10, 0.1), np.arange(10.0), np.arange(10.0) + 1)[0][1::2]
    assert np.array_equal(tenths, np.arange(1, 11) / 10)


def test_pieces_whose_mass_is_lost_in_the_sum_are_left_out():
    levels, q = steps_of(np.array([0.5, 1e-30, 0.5]), np.array([0.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))
    assert q.tolist() == [0.0, 1.0, 3.0, 4.0] and levels.tolist() == [0.0, 0.5, 0.5, 1.0]


def test_mean_gap_of_the_uniform_law_is_a_third():
    assert mean_gap(np.array([0.0, 0.4, 1.0]), np.array([0.0, 0.4, 1.0])) == pytest.approx(1 / 3, rel=1e-15)
