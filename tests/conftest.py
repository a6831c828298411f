"""Shared by all tests: floating-point faults raise, seeds are fixtures, array shapes are checked."""

import numpy as np
import pytest
import shape_checks

shape_checks.install()  # before a test module imports pdeflow


@pytest.fixture(autouse=True)
def raise_on_floating_point_faults():
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(20260101)
