"""The fit of an order: floors and plateaus."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pdeflow as pf

H = 2.0 ** -np.arange(1, 11)


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
    order=st.sampled_from([0.5, 1, 2]),
    n=st.integers(4, 9),
    log_level=st.floats(-3, -0.5),
    given=st.sampled_from([0, 0.3, 1]),
    adds=st.sampled_from(["sum", "squares"]),
    seed=st.integers(0, 999),
)
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
