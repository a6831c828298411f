"""Laws with a piecewise linear quantile function."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.laws import Quantiles


def test_quantiles_with_an_atom():
    law = Quantiles([-1.0, 0.5, 0.5, 1.0], [0.0, 0.3, 0.7, 1.0])
    assert law.cdf(np.array([0.5 - 1e-12, 0.5])) == pytest.approx([0.3, 0.7], abs=1e-11)
    assert "log_density" not in law.answers() and "mean" in law.answers()
    with pytest.raises(pf.NotAvailable, match="atom"):
        law.entropy()
