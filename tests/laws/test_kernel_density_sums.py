"""The compiled sums of kernels against the same sums in arrays, and places against the shares below them."""

import numpy as np
import pytest
from scipy.special import logsumexp, ndtr

from pdeflow._core.compiled import BLOCK
from pdeflow.laws.kernel_density_sums import line_places, line_shares, log_sums


@pytest.mark.parametrize("dim", [1, 4])
@pytest.mark.parametrize("places", [3, BLOCK + 5])
def test_logarithms_of_sums_and_their_centres(dim, places, rng):
    at, x, logs = 3 * rng.standard_normal((places, dim)), rng.standard_normal((70, dim)), np.log(rng.random(70))
    at[0] = 60.0  # so far out that every kernel underflows
    found, centres = np.empty(places), np.empty((places, dim))
    log_sums(0, -(-places // BLOCK), at, x, logs, True, found, centres)
    terms = logs - 0.5 * np.sum((at[:, None] - x) ** 2, axis=2)
    # sums of 70 terms of one sign in another order; at 60 deviations a rounding of the exponent is 1e-12
    np.testing.assert_allclose(found, logsumexp(terms, axis=1), rtol=1e-14, atol=1e-13)
    np.testing.assert_allclose(centres, np.exp(terms - logsumexp(terms, axis=1)[:, None]) @ x, rtol=0, atol=1e-11)


def test_every_place_has_the_same_bits_in_every_batch(rng):
    at, x, logs = rng.standard_normal((3 * BLOCK, 2)), rng.standard_normal((50, 2)), np.zeros(50)
    whole, alone, unused = np.empty(3 * BLOCK), np.empty(1), np.empty((0, 2))
    log_sums(0, 3, at, x, logs, False, whole, unused)
    for place in (0, BLOCK - 1, 2 * BLOCK + 7):
        log_sums(0, 1, at[place : place + 1], x, logs, False, alone, unused)
        assert alone[0] == whole[place]


def test_shares_on_the_line_and_the_places_below_which_they_lie(rng):
    x, weights = np.sort(20 * rng.standard_normal(40)), rng.random(40)
    weights /= weights.sum()
    total = np.concatenate([[0.0], np.cumsum(weights)])
    at = np.concatenate([np.linspace(-80.0, 80.0, 2 * BLOCK), [x[0] - 12.0]])
    shares = np.empty(len(at))
    line_shares(0, 3, at, x, weights, total, shares)
    np.testing.assert_allclose(shares, ndtr(at[:, None] - x) @ weights, rtol=1e-13)  # 40 terms, and erfc against ndtr

    inside = shares[(shares > 1e-30) & (shares < 1 - 1e-6)]
    places, again = np.empty(len(inside)), np.empty(len(inside))
    line_places(0, 3, inside, x, weights, total, places)
    line_shares(0, 3, places, x, weights, total, again)
    # a place is known to round-off of its own size: 80 * 2e-16 deviations, times at most 12 = the slope of log share
    np.testing.assert_allclose(again, inside, rtol=1e-12)
