"""fit_order: orders, intervals and verdicts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pdeflow as pf
from pdeflow._core.errors import BadInput

H = 2.0 ** -np.arange(1, 11)


@settings(max_examples=60, deadline=None)
@given(
    order=st.floats(0.25, 4),
    constant=st.floats(1e-3, 1e3),
    ratio=st.floats(1.2, 12),
    n=st.integers(3, 8),
    seed=st.integers(0, 99),
)
def test_power_laws_are_recovered_in_any_order_of_the_points(order, constant, ratio, n, seed):
    h = ratio ** -np.arange(n, dtype=float)
    error = constant * h**order
    h, error = h[error > 1e-11], error[error > 1e-11]  # below, it is round-off by definition
    if len(h) < 3:
        return
    shuffle = np.random.default_rng(seed).permutation(len(h))
    found = pf.fit_order(h[shuffle], error[shuffle], expected=order)
    # exact data: only the rounding of log is left, about 1e-14 over a lever of log(1.2)
    assert abs(found.slope - order) < 1e-12 and found.lower <= order + 1e-12 and found.upper >= order - 1e-12
    # The interval is that of the model, in which higher-order terms may hide: on steps within a factor 3.4 they can
    # make up for half an order. Three points show a straight line and no such terms.
    short = len(h) > 3 and h.max() / h.min() < 3.4
    assert found.verdict == "pass" or (short and found.verdict == "inconclusive")
    assert found.upper - found.lower < (1e-10 if len(h) == 3 else np.inf if short else 0.7)
    assert found.used == len(h) and found.floor == 0
    assert np.allclose(found.local, order, rtol=0, atol=1e-10)


def test_ratio_ten_steps_of_an_order_one_scheme_give_one():
    assert abs(pf.fit_order([1, 0.1, 0.01, 0.001], [2, 0.2, 0.02, 0.002], expected=1).slope - 1) < 1e-13


def test_diverging_errors_give_a_negative_order_and_fail():
    found = pf.fit_order(H, 1 / H, expected=1)
    assert abs(found.slope + 1) < 1e-12 and found.verdict == "fail"
    assert pf.fit_order(H[:3], [0.1, 0.5, 0.3], expected=1).verdict == "fail"  # an interval as wide as it may be


@pytest.mark.parametrize("n", [1, 2])
def test_fewer_than_three_points_are_inconclusive(n):
    found = pf.fit_order(H[:n], H[:n], expected=1)
    assert found.verdict == "inconclusive" and "3 are needed" in found.why
    assert pf.fit_order(H[:n], H[:n]).verdict == "inconclusive"


def test_u_shaped_errors_do_not_pass():
    assert pf.fit_order(H[:5], [1, 0.5, 0.25, 0.5, 1], expected=1).verdict != "pass"
    assert pf.fit_order(H, H + 1e-4 / H, expected=1).verdict != "pass"  # locks as h -> 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_missing_error_is_named_and_never_passes(bad):
    error = H.copy()
    error[4] = bad
    found = pf.fit_order(H, error, expected=1)
    assert found.verdict == "inconclusive" and f"{bad:g} at h = 0.03125" in found.why
    assert found.used == 9 and abs(found.slope - 1) < 1e-12
    assert np.isnan(found.local[3:5]).all() and np.isfinite(np.delete(found.local, [3, 4])).all()
    assert pf.fit_order(H, np.full(10, bad), expected=1).verdict == "inconclusive"
    assert pf.fit_order(H, error).verdict == "measured"


def test_all_at_round_off_is_exact_and_single_zeros_are_set_aside():
    assert pf.fit_order(H, 0 * H, expected=1).verdict == "exact"
    assert pf.fit_order(H, np.full(10, 3e-16), expected=1).verdict == "exact"
    error = H.copy()
    error[-1] = 0
    found = pf.fit_order(H, error, expected=1)
    assert found.verdict == "pass" and found.used == 9
    # order 4 runs into round-off at the fine end: no plateau, no failure
    noise = 2e-15 * np.abs(np.random.default_rng(0).standard_normal(10))
    assert pf.fit_order(H, H**4 + noise, floor=1e-16, expected=4).verdict == "pass"


def test_truth_error_above_a_tenth_of_the_smallest_error_is_inconclusive():
    assert pf.fit_order(H, H, truth_error=0.11 * H[-1], expected=1).verdict == "inconclusive"
    assert pf.fit_order(H, H, truth_error=0.09 * H[-1], expected=1).verdict == "pass"
    assert pf.fit_order(H, H, truth_error=np.nan, expected=1).verdict == "inconclusive"


def test_wrong_order_fails_and_a_wide_interval_decides_nothing(rng):
    assert pf.fit_order(H, H**2, expected=1).verdict == "fail"
    assert pf.fit_order(H, H**0.8, expected=1).verdict == "fail"
    scatter = pf.fit_order(H[:4], H[:4] * np.array([1, 3, 0.5, 2]), expected=1)
    assert scatter.verdict == "inconclusive" and "too wide" in scatter.why
    assert pf.fit_order(H, H**2).verdict == "measured"


def test_an_interval_that_cannot_tell_half_an_order_decides_nothing():
    h, bumps = H[:4], np.array([1, -1, -1, 1])
    for size, verdict in ((0.1, "inconclusive"), (0.02, "pass")):
        found = pf.fit_order(h, h**0.925 * np.exp(size * bumps), expected=1)
        # [0.37, 1.17] holds one half and is no proof of order one; [0.66, 1.01] is
        assert found.verdict == verdict and found.lower < 0.925 < found.upper
        assert ((found.upper - found.lower) / 2 > 0.25) == (verdict == "inconclusive")
    assert pf.fit_order(h, h**0.925 * np.exp(0.05 * bumps), expected=1, tolerance=0.4).verdict == "pass"


def test_interval_covers_the_true_order_at_its_level(rng):
    covered = 0
    for _ in range(200):
        found = pf.fit_order(H, H * np.exp(0.1 * rng.standard_normal(10)), expected=1)
        covered += found.lower <= 1 <= found.upper
    # 95 % of 200 is 190 with standard deviation 3.1; three of them
    assert 180 <= covered <= 199


@pytest.mark.parametrize(
    ("h", "error", "extra"),
    [
        ([1, 1, 0.5], [1, 1, 1], {}),
        ([1, 0, 0.5], [1, 1, 1], {}),
        ([1, -0.5, 2], [1, 1, 1], {}),
        ([1, 0.5, np.nan], [1, 1, 1], {}),
        ([1, 0.5], [1, -1], {}),
        ([1, 0.5], [1, 1, 1], {}),
        ([1, 0.5], [1, 1], {"floor": -1}),
        ([1, 0.5], [1, 1], {"floor": [0, 0, 0]}),
        ([1, 0.5], [1, 1], {"truth_error": -1}),
        ([1, 0.5], [1, 1], {"expected": 1, "tolerance": 0}),
        ([1, 0.5], [1, 1], {"expected": np.nan}),
    ],
)
def test_bad_input(h, error, extra):
    with pytest.raises(BadInput):
        pf.fit_order(h, error, **extra)


def test_it_prints():
    assert str(pf.fit_order(H, H, expected=1)).startswith("order 1.000 [0.992, 1.008] from 10 of 10 points")


def test_round_off_against_a_truth_that_is_not_exact_decides_nothing():
    assert pf.fit_order([1, 0.5, 0.25], [0, 1e-14, 0]).verdict == "exact"
    for truth_error in (1e-3, np.nan):
        assert pf.fit_order([1, 0.5, 0.25], [0, 1e-14, 0], truth_error=truth_error).verdict == "inconclusive"


def test_the_least_order_claimed_is_no_bound_from_above():
    assert pf.fit_order(H, H**2, expected=1, at_least=True).verdict == "pass"
    assert pf.fit_order(H[:3], H[:3] ** 2, expected=1, at_least=True).verdict == "pass"
    assert pf.fit_order(H, H, expected=1, at_least=True).verdict == "pass"
    found = pf.fit_order(H, H, expected=1.5, at_least=True)
    assert found.verdict == "fail" and "not at least 1.5" in found.why and "expected at least 1.5" in str(found)


def test_a_sweep_that_changes_nothing_is_named():
    found = pf.fit_order(H, 0.25 + 0 * H, expected=1)
    assert found.verdict == "fail" and "what is swept changes nothing: the error is 0.25 at every level" in found.why
    assert "changes nothing" not in pf.fit_order(H, H, expected=1).why


def test_another_error_that_dominates_is_named():
    found = pf.fit_order(H, H + 5e-3, floor=1e-6, expected=1)
    assert found.verdict == "fail" and "another error dominates there" in found.why and "sweep both" in found.why


def test_without_any_error_nothing_is_known_of_the_floor():
    assert np.isnan(pf.fit_order([1, 0.5, 0.25], [np.nan] * 3, expected=1).floor)
    assert pf.fit_order([1, 0.5, 0.25], [np.nan] * 3, floor=0.1, expected=1).floor == 0.1  # but where it is given
