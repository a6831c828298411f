"""Kinks are found to the last float, smooth potentials have none, and the energy of a kink is exact."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.grid.quantile_jko.kinks import KinkTerm, WithoutKinks, find_kinks


def potential(grad):
    return pf.potentials.FromFunction(lambda x: np.zeros(len(x)), grad)


def test_kinks_are_found():
    found = find_kinks(potential(lambda x: 3 * np.sign(x - 0.377) + 2 * (x > 1.1) + np.sin(x)), -4.0, 5.0)
    assert [k for k, _ in found] == pytest.approx([0.377, 1.1], abs=1e-14)
    assert [jump for _, jump in found] == pytest.approx([6.0, 2.0], rel=1e-9)


@pytest.mark.parametrize(
    "grad", [lambda x: x**3, lambda x: np.tanh(1e3 * x), lambda x: np.sign(x) * np.sqrt(np.abs(x))]
)
def test_smooth_potentials_have_none(grad):
    assert find_kinks(potential(grad), -4.0, 5.0) == []


def test_the_term_is_exact_and_its_derivatives_are_those_of_its_value():
    x, w = np.array([-1.0, -0.3, 0.9, 2.0]), np.array([0.2, 0.5, 0.3])
    term = KinkTerm([(0.2, 3.0)], w)
    assert term.value(x) == pytest.approx(1.5 * (0.2 * 0.85 + 0.5 * (0.25 + 0.49) / 2.4 + 0.3 * 1.25), rel=1e-13)
    gradient, diagonal, off, _ = term.derivatives(x)
    for i, unit in enumerate(1e-6 * np.eye(4)):
        assert gradient[i] == pytest.approx((term.value(x + unit) - term.value(x - unit)) / 2e-6, abs=1e-8)
        column = (term.derivatives(x + unit)[0] - term.derivatives(x - unit)[0]) / 2e-6
        dense = np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1)
        assert dense[:, i] == pytest.approx(column, abs=1e-7)
    assert term.shifted(5.0).value(x - 5.0) == pytest.approx(term.value(x), rel=1e-12)


def test_what_is_left_has_no_kink():
    whole = pf.potentials.FromFunction(lambda x: np.abs(x).sum(1) + (x**2).sum(1), lambda x: np.sign(x) + 2 * x)
    rest = WithoutKinks(whole, [(0.0, 2.0)])
    x = np.array([[-0.5], [1e-9], [2.0]])
    assert rest.value(x) == pytest.approx(x[:, 0] ** 2) and rest.grad(x) == pytest.approx(2 * x)


def test_kinks_on_a_cut_of_the_scan_close_by_and_in_great_number_are_found_with_all_of_their_jump():
    for lower, upper in ((-2.881137202426182, 4.08113750718276), (-1.0, 1.0), (-4.0, 3.0)):
        for place in (0.377, 0.0, lower + (upper - lower) * 3 / 2048, lower + (upper - lower) * (3 + 5 / 16) / 2048):
            ((k, jump),) = find_kinks(potential(lambda x, place=place: 3 * np.sign(x - place)), lower, upper)
            assert abs(k - place) < 1e-14 and jump == pytest.approx(6.0, rel=1e-12)
    pair = find_kinks(potential(lambda x: x + 2 * np.sign(x - 0.3) * (np.abs(x - 0.3) > 1e-4)), -3.0, 4.0)
    assert [k for k, _ in pair] == pytest.approx([0.2999, 0.3001], abs=1e-14)
    assert [jump for _, jump in pair] == pytest.approx([2.0, 2.0], rel=1e-9)
    teeth = np.linspace(-2, 2, 150)
    many = find_kinks(potential(lambda x: x + np.sign(x - teeth).sum(1, keepdims=True)), -3.0, 4.0)
    assert [k for k, _ in many] == pytest.approx(teeth, abs=1e-13)


def test_a_root_is_no_kink():
    assert find_kinks(potential(lambda x: np.sign(x) / np.sqrt(np.maximum(np.abs(x), 1e-300))), -4.8, 5.8) == []
