"""The statistical model of a sweep: small seeded samples of validation/batteries/verdicts.py."""

import numpy as np
import pytest

import pdeflow as pf
from pdeflow.study.evidence import Series, centre, interval, log_evidence, verdicts

HALVES = 0.5 ** np.arange(6)


def noisy(signal, spread, repeats, rng, floor=0.0, adds="sum"):
    mean = signal + floor if adds == "sum" else np.hypot(signal, floor)
    error = np.abs(mean + spread * rng.standard_normal((repeats, signal.shape[-1])))
    levels = error.shape[-1]
    return Series(HALVES[:levels], error, np.full(error.shape, spread), np.full(levels, floor), adds)


@pytest.mark.parametrize(("b", "c"), [(0, 0), (0.8, 0), (-0.6, 0.4), (1, 0.5), (-1, 0.4), (2, 0)])
@pytest.mark.parametrize("order", [0.5, 1, 2])
def test_higher_order_terms_do_not_fail_a_correct_scheme_nor_pass_a_wrong_claim(order, b, c):
    signal = 0.3 * HALVES**order * (1 + b * HALVES + c * HALVES**2)
    series = Series(HALVES, signal, 0 * signal, 0 * signal)
    assert verdicts(series, order, 0.1)[()] == "pass"
    for claim in {order - 0.5, order + 0.5, order + 1} - {0.0}:
        assert verdicts(series, claim, 0.1)[()] == "fail"


@pytest.mark.parametrize(("adds", "floor"), [("sum", 0.0), ("sum", 0.5), ("squares", 1.0)])
@pytest.mark.parametrize(("noise", "levels"), [(0.03, 4), (0.1, 5), (0.3, 6)])
def test_noise_of_known_size_makes_few_errors_and_leaves_few_claims_undecided(adds, floor, noise, levels):
    rng, signal = np.random.default_rng(0), HALVES[:levels] * (1 + 0.8 * HALVES[:levels])
    series = noisy(signal, noise * signal[-1], 100, rng, floor=floor * signal[-1], adds=adds)
    words = verdicts(series, 1.0, 0.1)
    # 0.5 % of 100 is 0.5 with standard deviation 0.7, and 95 % has 2.2; four of them
    assert np.sum(words == "fail") <= 3 and np.sum(verdicts(series, 1.5, 0.1) == "pass") <= 3
    assert np.sum(words == "pass") >= 86
    lower, upper = interval(series, centre(series))
    assert np.sum((lower <= 1) & (upper >= 1)) >= 86


@pytest.mark.parametrize("claim", [0.5, 1, 2])
def test_noise_alone_tells_no_order(claim):
    error = np.abs(np.random.default_rng(1).standard_normal((100, 6)))
    words = verdicts(Series(HALVES, error, np.ones_like(error), 0 * HALVES), claim, 0.1)
    assert np.mean(words == "inconclusive") >= 0.95


def test_scatter_of_unknown_size_is_estimated(rng):
    error = HALVES * (1 + 0.5 * HALVES) * np.exp(0.1 * rng.standard_normal((100, 6)))
    series = Series(HALVES, error, 0 * error, 0 * HALVES)
    lower, upper = interval(series, centre(series))
    assert np.sum((lower <= 1) & (upper >= 1)) >= 86  # four standard deviations below 95
    assert not np.any(verdicts(series, 1.5, 0.1) == "pass") and not np.any(verdicts(series, 1.0, 0.1) == "fail")


def test_the_model_answers_alike_in_any_unit_and_finds_its_own_constants():
    signal = 7.0 * (HALVES / 3) ** 1.5
    for unit in (1e-9, 1.0, 1e9):
        found = centre(Series(HALVES / 3, unit * signal, 0 * signal, 0 * signal))
        assert abs(found.order - 1.5) < 1e-12 and abs(found.constant / (7 * unit) - 1) < 1e-11


def test_local_orders_on_their_way_are_named():
    found = pf.fit_order(HALVES, HALVES / (1 + 0.4 * HALVES), expected=1)
    assert found.verdict == "pass" and "still pre-asymptotic: local orders" in found.why and "approach 1" in found.why


def test_a_standard_error_decides_what_scatter_alone_cannot():
    h = HALVES[:5]
    error = h * (1 + 0.02 * np.array([1, -1, 1, 1, -1]))
    assert pf.fit_order(h, error, stderr=0.02 * error, expected=1).verdict == "pass"
    assert pf.fit_order(h, error, stderr=0.5 * h, expected=1).verdict == "inconclusive"
    with pytest.raises(pf.BadInput):
        pf.fit_order(h, error, stderr=-1.0)


def test_levels_that_tell_half_an_order_apart_by_far_need_less_evidence_for_it():
    """Four accurate levels over a floor: with one threshold for all, four times as many right claims are undecided."""
    rng, h = np.random.default_rng(3), HALVES[:4]
    shape = 1 + rng.uniform(-1, 1, (600, 1)) * h + rng.uniform(-0.5, 0.5, (600, 1)) * h**2
    signal = h**2 * shape[shape.min(axis=-1) >= 0.3]
    series = noisy(signal / signal[:, -1:], 0.03, len(signal), rng, floor=1.0, adds="squares")
    assert np.mean(verdicts(series, 2.0, 0.1) == "pass") >= 0.992  # 0.997, and 0.987 with one threshold, each ± 0.003
    assert np.mean(verdicts(series, 1.5, 0.1) == "pass") <= 0.02  # 0.005 with 0.003


def test_the_interval_is_credible_under_the_prior_and_no_more():
    """Over b and c of the prior it holds the order in 95 % or more; at one corner of it in little more than half."""
    rng, ratio = np.random.default_rng(0), HALVES[:4]
    b, c = rng.uniform(-1, 1, (400, 1)), rng.uniform(-0.5, 0.5, (400, 1))
    shape = 1 + b * ratio + c * ratio**2
    shape = shape[shape.min(axis=-1) >= 0.3]
    corner = np.tile(1 - ratio + 0.5 * ratio**2, (200, 1))
    for curves, least, most in ((shape, 0.93, 1.0), (corner, 0.4, 0.75)):  # give or take three errors of the share
        signal = ratio * curves
        spread = 0.1 * signal[:, -1:] + 0 * signal
        error = np.abs(signal + spread * rng.standard_normal(signal.shape))
        series = Series(ratio, error, spread, 0 * ratio)
        lower, upper = interval(series, centre(series))
        assert least <= np.mean((lower <= 1) & (1 <= upper)) <= most


@pytest.mark.parametrize(("power", "noise", "floor", "adds"), [(4, 1e-12, 1e-3, "sum"), (0.5, 1e-7, 5.0, "squares")])
def test_errors_far_below_their_floor_are_judged_without_overflow(power, noise, floor, adds):
    """What is left for the method is next to nothing there, and its square nothing; warnings are errors."""
    h = HALVES[1:5]
    series = Series(h, h**power, np.full(4, noise), np.full(4, floor), adds)
    assert np.isfinite(log_evidence(series, np.linspace(-4, 8, 25))).all()


def test_round_off_of_errors_far_below_their_floor_is_no_evidence():
    """Four errors of order two, known to many digits, below a floor that squares should have held them above."""
    error = np.array([0.24996816, 0.06411658, 0.01562488, 0.00390649])
    noise = np.array([4.23351696e-05, 1.44318825e-03, 8.21216119e-07, 2.04881377e-07])
    series = Series(HALVES[1:5], error, noise, np.full(4, 0.18949491), "squares")
    assert verdicts(series, 2.0, 0.15)[()] != "fail"  # evidence of 1e7 against it was round-off
