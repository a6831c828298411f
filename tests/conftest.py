"""Shared fixtures: floating-point faults raise in every test, seeds are fixtures."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def raise_on_floating_point_faults():
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(20260101)
