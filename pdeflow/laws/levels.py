"""Means over laws on the line, as integrals over the levels of their quantile functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .._core.estimate import Estimate
from .._core.level_integral import DEEPEST_LEVEL, level_integral
from .._core.rising import require_rising
from .._core.shapes import Points, Values

if TYPE_CHECKING:
    from .base import Law

_SMALLEST = np.array([0.5**DEEPEST_LEVEL, 1e-18, 1e-17])  # shares


def level_mean(law: Law, function: Callable[[Points], Values], breakpoints: Sequence[float]) -> Estimate:
    """E function(x), x of a law on the line, by `level_integral`; see `Law.mean_of`.

    Each half of the levels is measured from its own end where the law tells small shares apart.
    """
    require_rising(law.quantile, law)
    places = np.asarray(breakpoints, dtype=float)
    with np.errstate(all="ignore"):  # of a formula that rounds a small level away
        lower, upper = (np.asarray(ask(_SMALLEST), dtype=float) for ask in (law.quantile, law.upper_quantile))
    exact = bool(np.isfinite(upper).all() and upper[1] != upper[2])

    def at_share(share):
        return function(law.upper_quantile(share)[:, None])

    value = level_integral(
        lambda u: function(law.quantile(u)[:, None]),
        upper=at_share if exact else None,
        deepest=(DEEPEST_LEVEL if np.isfinite(lower).all() else 44, DEEPEST_LEVEL if exact else 44),
        probed=True,
        cuts=law.cdf(places) if len(places) and "cdf" in law.answers() else (),
    )
    return Estimate(value, 0.0, "quadrature", "mean")
