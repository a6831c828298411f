"""How laws of parts make a law of the whole, and the whole is taken apart again."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.problems import mexican_hat, ou, rotated, rotated_wells, separable

GRID = pf.laws.GridLaw(np.linspace(0.0, 2.0, 5), [0.1, 0.4, 0.4, 0.1])


def test_join_and_split_are_inverse():
    for problem, laws in (
        (rotated_wells(4), [pf.laws.Product([GRID] * 4)]),
        (separable([ou(1), ou(1, 2.0), ou(1)]), [GRID, pf.laws.Gaussian(0.0, 1.0)]),
        (mexican_hat(3), [GRID]),
    ):
        structure = problem.structure
        whole = structure.join(laws)
        assert whole.dim == problem.dim
        again = structure.at(whole, problem.horizon)
        assert again.join([part.initial for part in again.parts]) == whole


def test_equal_blocks_are_one_part_whoever_built_them():
    whole = separable([ou(1), ou(1, 2.0), ou(1)])
    assert whole.structure.which == (0, 1, 0) and len(whole.structure.parts) == 2


def test_the_round_off_of_a_rotation_is_no_correlation():
    problem = rotated(separable([ou(1)] * 6), 0)
    start = pf.laws.Gaussian(np.zeros(6), 0.3)
    (blocks,) = problem.structure.split(start)
    assert blocks.blocks([1] * 6) is not None
    assert blocks.cov() == pytest.approx(0.3 * np.eye(6), rel=1e-14)
    correlated = pf.laws.Gaussian(np.zeros(6), np.diag(np.arange(1.0, 7.0)))
    assert problem.structure.split(correlated)[0].blocks([1] * 6) is None
