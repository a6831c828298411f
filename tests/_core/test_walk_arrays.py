"""What arrays, numbers of numpy and tensors hold."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow import fingerprint


def test_an_array_is_told_by_shape_dtype_and_content_in_whatever_order():
    table = np.arange(6.0).reshape(2, 3)
    assert fingerprint.sha256(table) == fingerprint.sha256(np.asfortranarray(table))
    assert fingerprint.sha256(table) == fingerprint.sha256(table.astype(">f8"))
    others = [table.T, table.astype(np.float32), table + 1e-9, np.arange(6.0)]
    assert len({fingerprint.sha256(one) for one in (table, *others)}) == 5


def test_structured_arrays_long_doubles_and_arrays_of_objects_are_told_by_their_parts():
    pair = np.zeros(2, dtype=[("a", "i1"), ("b", "f8")])
    other = pair.copy()
    other["b"][1] = 1.0
    assert fingerprint.sha256(pair) != fingerprint.sha256(other)
    long = np.array([1, 2], dtype=np.longdouble)
    assert fingerprint.sha256(long) != fingerprint.sha256(long + np.finfo(np.longdouble).eps * 2)
    assert fingerprint.describe(np.array([None, "a"], dtype=object))["items"] == {"list": [None, "a"]}


def test_a_number_of_numpy_counts_by_its_type_and_a_subclass_by_its_class():
    class Mine(np.float64):
        pass

    assert fingerprint.describe(np.float32(2.0))["scalar"] == "float32"
    assert fingerprint.describe(Mine(2.0))["content"] == fingerprint.describe(np.float64(2.0))


def test_a_tensor_is_told_by_its_content_and_one_without_content_is_refused():
    torch = pytest.importorskip("torch")
    one, other = torch.ones(3), torch.ones(3)
    assert fingerprint.sha256(one) == fingerprint.sha256(other) != fingerprint.sha256(one.requires_grad_())
    with pytest.raises(pf.BadInput, match="it has no plain content"):
        fingerprint.describe(torch.ones(3, device="meta"))
