"""Elementary functions that numpy arrays and tensors share."""

import numpy as np
import pytest

from pdeflow._core import arrays


def test_sums_of_exponentials_do_not_overflow():
    x = np.array([[1000.0, 1000.0], [-np.inf, 0.0]])
    assert np.allclose(arrays.log_sum_exp(x), [1000 + np.log(2), 0.0], rtol=1e-15)
    assert np.allclose(arrays.softmax(x), [[0.5, 0.5], [0.0, 1.0]], rtol=1e-15)


def test_tensors_give_the_same_numbers():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(4, 3))
    t = torch.tensor(x)
    assert arrays.is_tensor(t) and not arrays.is_tensor(x) and arrays.like(x[0], t).dtype == t.dtype
    for function in (arrays.exp, arrays.log_sum_exp, arrays.softmax):
        assert np.allclose(function(t).numpy(), function(x), rtol=1e-14)
    assert np.allclose(arrays.log(arrays.exp(t)).numpy(), x, rtol=1e-12)


@pytest.mark.parametrize("length", [5e-324, 1e-300, 0.3, 1.0, 7.0, 1e308])
def test_a_power_of_two_of_the_size_of_a_length(length):
    size = arrays.power_of_two(length)
    assert np.frexp(size)[0] == 0.5 and np.square(length / size) > 0
    assert 0.5 <= length / size < 1 or not 1e-300 < length < 1e300
