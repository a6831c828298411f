"""fit_order: the fit itself, its floor, and each verdict."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pdeflow as pf
from pdeflow._core.errors import BadInput

H = 2.0 ** -np.arange(1, 11)


@settings(max_examples=60, deadline=None)
@given(
    order=st.floats(0.25, 4), constant=st.floats(1e-3, 1e3), ratio=st.floats(1.2, 12), n=st.integers(3, 8),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_power_laws_are_recovered_in_any_order_of_the_points(order, constant, ratio, n, seed):
    h = ratio ** -np.arange(n, dtype=float)
    error = constant * h**order
    h, error = h[error > 1e-11], error[error > 1e-11]  # below, it is round-off by definition
    if len(h) < 3:
        return
    shuffle = np.random.default_rng(seed).permutation(len(h))
    found = pf.fit_order(h[shuffle], error[shuffle], expected=order)
    # exact data: only the rounding of log is left, about 1e-14 over a lever of log(1.2)
    assert abs(found.slope - order) < 1e-12 and found.upper - found.lower < 1e-10
    assert found.verdict == "pass" and found.used == len(h) and found.floor == 0
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


@pytest.mark.parametrize("floor", [1e-2, np.full(10, 1e-2)])
def test_given_floor_is_subtracted_and_points_near_it_set_aside(floor):
    found = pf.fit_order(H, 3 * H + 1e-2, floor=floor, expected=1)
    assert abs(found.slope - 1) < 1e-12 and found.verdict == "pass" and found.floor == 1e-2
    assert found.used == np.sum(3 * H > 2e-2) and list(found.mask) == list(3 * H > 2e-2)


def test_floor_of_each_point_counts_there():
    floor = 0.2 * H  # a floor that shrinks with the swept field hides no point
    found = pf.fit_order(H, H**1.0 + floor, floor=floor, expected=1)
    assert found.used == 10 and abs(found.slope - 1) < 1e-12


@pytest.mark.parametrize("shape", ["sum", "cut", "noisy"])
@pytest.mark.parametrize("order", [0.5, 1, 2])
def test_plateau_in_the_data_is_reported_as_floor(shape, order):
    h = 2.0 ** -np.arange(0, 14 / order**0.5, dtype=float)
    level = 2e-2 if order < 1 else 3e-3
    error = {
        "sum": h**order + level,
        "cut": np.maximum(h**order, level),
        "noisy": (h**order + level) * np.exp(0.03 * np.random.default_rng(3).standard_normal(len(h))),
    }[shape]
    found = pf.fit_order(h, error, expected=order, tolerance=0.15)
    assert "level off" in found.why
    # "cut" and noise leave the level uncertain by the scatter of the points near it
    assert abs(found.floor / level - 1) < (1e-6 if shape == "sum" else 0.15)
    assert found.verdict == "pass" and found.used >= 3 and not found.mask[-1]


def test_plateau_above_a_measured_floor_fails_and_over_an_unknown_one_is_inconclusive():
    error = H + 5e-3
    measured = pf.fit_order(H, error, floor=1e-6, expected=1)
    assert measured.verdict == "fail" and "above the measured floor" in measured.why
    assert pf.fit_order(H, error, floor=np.nan, expected=1).verdict == "inconclusive"
    assert pf.fit_order(H, error, expected=1).verdict == "pass"


def test_a_plateau_lies_below_the_errors_it_describes():
    found = pf.fit_order([1 / 4, 1 / 8, 1 / 16, 1 / 32], [0.1, 0.05, 0.03, 0.028], expected=1.0)
    assert found.floor == 0.028 and "level off at 0.028 from h = 0.125 down" in found.why
    assert list(found.mask) == [True, False, False, False] and found.verdict == "inconclusive"


@settings(max_examples=150, deadline=None)
@given(
    order=st.sampled_from([0.5, 1, 2]), n=st.integers(4, 9), log_level=st.floats(-3, -0.5), given=st.sampled_from([0, 0.3, 1]),
    adds=st.sampled_from(["sum", "squares"]), seed=st.integers(0, 999),
)  # fmt: skip
def test_no_reported_floor_exceeds_the_finest_error_it_describes(order, n, log_level, given, adds, seed):
    rng, h = np.random.default_rng(seed), 0.5 ** np.arange(1, 1 + n)
    level = 10**log_level
    error = (h**order + level) * np.exp(0.2 * rng.standard_normal(n))
    floor = given * level * np.exp(0.05 * rng.standard_normal(n))
    found = pf.fit_order(h, error, floor=floor, expected=order, floor_adds=adds)
    assert found.floor <= max(error[-1], floor[-1])
    if "level off at" in found.why:
        said, start = (float(found.why.split(word)[1].split()[0]) for word in ("level off at", "from h ="))
        described = (h <= start * 1.001) & (error > 3 * floor)  # three digits are printed: 5e-3 each
        assert described.any() and said <= 1.005 * error[described].min()


def test_a_plateau_above_a_floor_combines_by_squares_where_the_metric_says_so():
    h, floor, level = 0.5 ** np.arange(0, 12), 0.003, 0.01
    error = np.hypot(h + level, floor)  # the excess over the floor is h + level to round-off
    found = pf.fit_order(h, error, floor=floor, expected=1, floor_adds="squares")
    assert found.verdict == "fail" and abs(found.floor / np.hypot(floor, level) - 1) < 1e-8
    assert f"level off at {np.hypot(floor, level):.3g} from" in found.why and abs(found.slope - 1) < 1e-8
    assert list(found.mask) == list(error > 3 * np.hypot(floor, level))


def test_no_plateau_is_seen_in_clean_curved_or_oscillating_data():
    for error in (H + H**2, H - 0.5 * H**2, H**2 + 0.05 * H, H * (1 + 0.5 * (-1.0) ** np.arange(10)), 1 / H, 0 * H + 1):
        assert "level off" not in pf.fit_order(H, error, expected=1).why


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
    for size, verdict in ((0.1, "inconclusive"), (0.05, "pass")):
        found = pf.fit_order(h, h**0.925 * np.exp(size * bumps), expected=1)
        # [0.53, 1.32] holds one half to within a thirtieth and is no proof of order one; [0.73, 1.12] is
        assert found.verdict == verdict and abs(found.slope - 0.925) < 1e-12
        assert ((found.upper - found.lower) / 2 > 0.25) == (verdict == "inconclusive")
    assert pf.fit_order(h, h**0.925 * np.exp(0.1 * bumps), expected=1, tolerance=0.4).verdict == "pass"


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
        ([1, 1, 0.5], [1, 1, 1], {}), ([1, 0, 0.5], [1, 1, 1], {}), ([1, -0.5, 2], [1, 1, 1], {}),
        ([1, 0.5, np.nan], [1, 1, 1], {}), ([1, 0.5], [1, -1], {}), ([1, 0.5], [1, 1, 1], {}),
        ([1, 0.5], [1, 1], {"floor": -1}), ([1, 0.5], [1, 1], {"floor": [0, 0, 0]}),
        ([1, 0.5], [1, 1], {"truth_error": -1}), ([1, 0.5], [1, 1], {"expected": 1, "tolerance": 0}),
        ([1, 0.5], [1, 1], {"expected": np.nan}),
    ],
)  # fmt: skip
def test_bad_input(h, error, extra):
    with pytest.raises(BadInput):
        pf.fit_order(h, error, **extra)


def test_it_prints():
    assert str(pf.fit_order(H, H, expected=1)).startswith("order 1.000 [1.000, 1.000] from 10 of 10 points")


def test_a_floor_adds_as_the_metric_says():
    """Exact data of either kind give the exact order by their own rule, and not by the other one."""
    h, floor = 0.5 ** np.arange(2, 7), 0.1
    for kind, error in (("sum", 8 * h + floor), ("squares", np.sqrt((24 * h) ** 2 + floor**2))):
        found = pf.fit_order(h, error, floor=floor, expected=1, floor_adds=kind)
        assert found.verdict == "pass" and abs(found.slope - 1) < 1e-12
        other = pf.fit_order(h, error, floor=floor, floor_adds={"sum": "squares", "squares": "sum"}[kind])
        assert abs(other.slope - 1) > 0.02
    with pytest.raises(pf.BadInput, match="'sum' or 'squares'"):
        pf.fit_order(h, h, floor_adds="product")
    assert pf.metrics.w2.floor_adds == pf.metrics.l2.floor_adds == pf.metrics.sliced_w2.floor_adds == "squares"


@pytest.mark.parametrize("error", [lambda h: h**4 + 1e-3 * h, lambda h: h**3 + 0.01 * h, lambda h: np.expm1(20 * h)])
def test_an_order_that_sinks_to_one_is_no_plateau(error):
    found = pf.fit_order(0.5 ** np.arange(1, 9), error(0.5 ** np.arange(1, 9)), expected=1)
    assert "level off" not in found.why and found.used == 8
    assert abs(found.local[-1] - 1) < 0.06  # what the local orders say, and the fit over all points does not


def test_noise_alone_seldom_reads_as_a_plateau(rng):
    h = 0.5 ** np.arange(2, 9)
    seen = sum("level off" in pf.fit_order(h, h**0.5 * np.exp(0.2 * rng.standard_normal(7))).why for _ in range(200))
    assert seen <= 16  # 2.7 % of 300 draws were; 200 draws at 4 standard errors above that


def test_round_off_against_a_truth_that_is_not_exact_decides_nothing():
    assert pf.fit_order([1, 0.5, 0.25], [0, 1e-14, 0]).verdict == "exact"
    for truth_error in (1e-3, np.nan):
        assert pf.fit_order([1, 0.5, 0.25], [0, 1e-14, 0], truth_error=truth_error).verdict == "inconclusive"
