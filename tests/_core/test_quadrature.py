"""Quadrature rules are exact to their degree."""

import numpy as np
import pytest

from pdeflow._core.quadrature import gauss_and_lobatto, gauss_legendre, graded_rule, kronrod


def test_graded_rule_integrates_smooth_quantile_functions():
    u, weight = graded_rule()
    assert weight.sum() == pytest.approx(1, abs=1e-14) and np.all((u > 0) & (u < 1))
    assert weight @ np.log(u) == pytest.approx(-1, abs=1e-12)


@pytest.mark.parametrize("nodes, kronrod_degree, gauss_degree", [(5, 7, 3), (15, 22, 13)])
def test_rules_are_exact_to_their_degree(nodes, kronrod_degree, gauss_degree):
    z, weight, coarse = kronrod(nodes)
    for w, degree in ((weight, kronrod_degree), (coarse, gauss_degree)):
        moments = [w @ z**k for k in range(degree + 1)]
        np.testing.assert_allclose(moments, [2 / (k + 1) if k % 2 == 0 else 0 for k in range(degree + 1)], atol=1e-14)
    for (z, w), degree in zip(gauss_and_lobatto(), (9, 7)):
        moments = [w @ z**k for k in range(degree + 1)]
        np.testing.assert_allclose(moments, [2 / (k + 1) if k % 2 == 0 else 0 for k in range(degree + 1)], atol=1e-14)


def test_gauss_legendre_is_exact_to_its_degree_and_nobody_changes_the_kept_rule():
    z, w = gauss_legendre(4)
    assert [float(w @ z**k) for k in (0, 2, 6, 7)] == pytest.approx([2, 2 / 3, 2 / 7, 0], abs=1e-15)
    assert gauss_legendre(4)[0] is z
    with pytest.raises(ValueError, match="read-only"):
        z[0] = 0.0
