"""Estimates are numbers that say how they were got."""

import pdeflow as pf


def test_an_estimate_is_a_number_and_prints_its_error():
    estimate = pf.Estimate(0.25, 0.01, "Monte Carlo", "w2")
    assert float(estimate) == 0.25 and str(estimate) == "w2 = 0.25 ± 0.01 (Monte Carlo)"
    assert str(pf.Estimate(2.0)) == "2 (closed form)"


def test_an_estimate_shows_its_null_level():
    estimate = pf.Estimate(0.25, 0.01, "empirical, n = 100", "w2", null=0.2)
    assert str(estimate) == "w2 = 0.25 ± 0.01 (empirical, n = 100; null level 0.2)"
    assert "null=0.2" in repr(estimate) and pf.Estimate(0.25).null is None
    assert estimate != pf.Estimate(0.25, 0.01, "empirical, n = 100", "w2")


def test_order_is_that_of_the_values():
    small, large = pf.Estimate(0.1, 0.05), pf.Estimate(0.2)
    assert small < large and small <= 0.1 and large > 0.1 and large >= small and not small > 0.1
