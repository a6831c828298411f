"""Radial facts of aggregation kernels."""

import numpy as np
import pytest

from pdeflow.problems.aggregation import quartic_radii, quartic_second_moment, ring_radius


@pytest.mark.parametrize("dim", [1, 2, 3, 7])
def test_the_shell_of_four_and_two(dim):
    assert ring_radius(4.0, 2.0, dim) == pytest.approx(np.sqrt(dim / (2 * (dim + 1))), rel=1e-13)


def test_radii_begin_at_the_gaussian_and_tend_to_the_shell():
    weight, radii = quartic_radii(2, 0.25, [0.0, 1.0])
    assert weight.sum() == pytest.approx(1.0, rel=1e-13) and weight @ radii[0] ** 2 == pytest.approx(0.5, rel=1e-11)
    assert quartic_second_moment(2, 0.25, [20.0])[0] == pytest.approx(1 / 3, abs=5e-3)
