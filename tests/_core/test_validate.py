"""Slips in arguments that numpy would quietly convert."""

import functools

import numpy as np
import pytest

import pdeflow as pf
from pdeflow._core.validate import called_with, points, positive


@pytest.mark.parametrize("slip", [True, "0.1", None, [0.1], (0.1, 0.2), np.ones(2), 1j, np.nan, np.inf, 0, -1.0])
def test_a_positive_number_is_a_number_and_positive(slip):
    with pytest.raises(pf.BadInput, match=r"step is .* (Pass a float|Choose a positive value)\."):
        positive(slip, "step")


@pytest.mark.parametrize("number", [2, 0.5, np.float32(0.5), np.int64(3), np.array(0.25)])
def test_any_positive_number_passes(number):
    assert positive(number, "step") == float(number) and type(positive(number, "step")) is float


@pytest.mark.parametrize("slip", ["a", ["a", "b"], [1j], None, [[1.0], [1.0, 2.0]], object()])
def test_points_are_real_numbers(slip):
    with pytest.raises(pf.BadInput, match="must be real numbers"):
        points(slip, 1)
    with pytest.raises(pf.BadInput, match="must be real numbers"):
        pf.laws.Gaussian(0.0, 1.0).log_density(slip)


def test_a_function_is_called_with_what_it_takes():
    called_with(lambda a, b=0, *, c: None, "f", ("a",), ("c",))
    called_with(lambda *rest, **more: None, "f", ("a", "b"), ("c",))
    called_with(functools.wraps(lambda a: None)(lambda *rest: None), "f", ("a", "b"))  # what is called decides
    called_with(min, "f", ("a",))  # no signature, or one that says nothing
    with pytest.raises(pf.BadInput, match=r"^f takes \(a, b\)\. It is called with \(x, time=time\)\. Let it take"):
        called_with(lambda a, b: None, "f", ("x",), ("time",))
