"""Semicircle laws."""

import numpy as np
import pytest

from pdeflow.laws import Semicircle


def test_semicircle_facts():
    law = Semicircle(np.sqrt(2))
    assert law.cov()[0, 0] == pytest.approx(0.5, rel=1e-15)
    assert law.log_density(np.array([[0.0]]))[0] == pytest.approx(np.log(np.sqrt(2) / np.pi), rel=1e-14)
