"""Estimates are numbers that say how they were got."""

import pdeflow as pf


def test_an_estimate_is_a_number_and_prints_its_error():
    estimate = pf.Estimate(0.25, 0.01, "Monte Carlo", "w2")
    assert float(estimate) == 0.25 and str(estimate) == "w2 = 0.25 ± 0.01 (Monte Carlo)"
    assert str(pf.Estimate(2.0)) == "2 (closed form)"
