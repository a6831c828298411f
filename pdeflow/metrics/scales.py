"""The size of what a metric compares, in the unit of the metric: round-off is judged against it."""

import numpy as np

from ..laws import Law
from ..laws.maps import AffineMap

# A study calls errors of 1e-12 of the scale round-off: what sums of 1e3 to 1e4 terms lose. A position is known only to
# 1e-16 of its distance from the origin; 64 such roundings are 1e-14, so that a 64th of the distance counts.
_SHARE_OF_OFFSET = 1 / 64


def one(truth: Law) -> float:
    """1: distances of probabilities, which have no unit."""
    return 1.0


def spread(truth: Law) -> float:
    """(tr Σ)^½, in units of x."""
    return float(np.sqrt(np.trace(truth.cov())))


def length(truth: Law) -> float:
    """The spread and a 64th of the distance of the mean from the origin, in units of x."""
    return spread(truth) + _SHARE_OF_OFFSET * float(np.linalg.norm(truth.mean()))


def squared_length(truth: Law) -> float:
    """The spread times `length`, in units of x²: rounded positions change a covariance by spread times rounding."""
    return spread(truth) * length(truth)


def density_norm(truth: Law) -> float:
    """s^(-d/2) for the spread s of one coordinate: the L2 norm of a density is of this size, in units of x^(-d/2)."""
    return float((spread(truth) / np.sqrt(truth.dim)) ** (-truth.dim / 2))


def stretched(truth: Law) -> Law:
    """The law with all distances from its mean doubled."""
    return truth.pushed(AffineMap(2 * np.eye(truth.dim), -truth.mean()))


# The root of a difference of numbers of size one is known to the root of their round-off: 3e-8, which is 3e4 times the
# 1e-12 that a study calls round-off.
_ROOT_OF_ROUNDING = 3e4


def root_of_one(truth: Law) -> float:
    """3e4: roots of differences of numbers of size one."""
    return _ROOT_OF_ROUNDING


def root_of_length(truth: Law) -> float:
    """3e4 times the root of `length`, in units of x^½: roots of differences of lengths."""
    return _ROOT_OF_ROUNDING * float(np.sqrt(length(truth)))


def root_of_score(truth: Law) -> float:
    """3e4 times d over the spread, in units of 1/x: roots of differences of squared scores, which are of that size."""
    return _ROOT_OF_ROUNDING * truth.dim / spread(truth)


def root_of_squared_length(truth: Law) -> float:
    """3e4 times `length`, in units of x: roots of differences of squared lengths."""
    return _ROOT_OF_ROUNDING * length(truth)
