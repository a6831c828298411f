"""Exact draws of Pólya-Gamma variables, in compiled code."""

import math

import numpy as np

from ..._core.compiled import compiled
from ..._core.errors import BadInput
from ..._core.shapes import Values
from ..._core.validate import draws, real_array

CUT = 0.64  # where the two series of the density are exchanged: each falls from term to term on its side of it


def polya_gamma(tilt: Values, rng: np.random.Generator) -> Values:
    """One exact draw of PG(1, z) for each z, (n,) -> (n,).

    Parameters
    ----------
    tilt : (n,)
        z, of any sign.
    rng : Generator
        What is drawn from.

    Returns
    -------
    (n,)
        Independent draws of the law with E exp(-t ω) = cosh(z/2) / cosh √(z²/4 + t/2).

    Notes
    -----
    By Devroye's method for the Jacobi law: a proposal by halves, exponential beyond 0.64 and inverse Gaussian below,
    accepted by the alternating series of the density, which decides after finitely many terms. No approximation enters.
    About 150 ns a draw.

    Raises
    ------
    BadInput
        For entries that are not finite, or beyond 1e100, where z² overflows, and for what is no generator.

    References
    ----------
    [polson2013], section 4 and its supplement.
    """
    halves = np.abs(real_array(tilt, "tilt", 1)) / 2
    if len(halves) and halves.max() > 0.5e100:
        raise BadInput(
            f"tilt has an entry of size {2 * halves.max():.3g}. It must be at most 1e100. Scale the features."
        )
    out = np.empty(draws(len(halves), rng))
    _fill(out, halves, rng)
    return out


@compiled(cache=True)
def _fill(out, halves, rng):  # pragma: no cover
    for i in range(len(out)):
        out[i] = _jacobi(halves[i], rng) / 4


@compiled(cache=True)
def _jacobi(z, rng):  # pragma: no cover
    """A draw of J*(1, z), z >= 0."""
    rate = math.pi**2 / 8 + z * z / 2
    share = _share_beyond(z, rate)
    while True:
        if rng.random() < share:
            x = CUT + rng.standard_exponential() / rate
        else:
            x = _inverse_gaussian_below(z, rng)
        total = _term(0, x)
        level, n = rng.random() * total, 0
        while True:
            n += 1
            if n % 2:
                total -= _term(n, x)
                if level <= total:
                    return x
            else:
                total += _term(n, x)
                if level > total:
                    break


@compiled(cache=True)
def _term(n, x):  # pragma: no cover
    """The n-th coefficient of the alternating series of the density of J*(1, 0) at x."""
    k = n + 0.5
    if x > CUT:
        return math.pi * k * math.exp(-k * k * math.pi**2 * x / 2)
    return math.pi * k * (2 / (math.pi * x)) ** 1.5 * math.exp(-2 * k * k / x)


@compiled(cache=True)
def _share_beyond(z, rate):  # pragma: no cover
    """The probability with which a proposal comes from beyond CUT."""
    root = math.sqrt(0.5 / CUT)
    low = math.erfc(-root * (CUT * z - 1)) / 2  # Φ at √(1/t)(t z - 1)
    high = math.erfc(root * (CUT * z + 1)) / 2  # Φ at -√(1/t)(t z + 1)
    mass = math.exp(-z) * low if z < 700 else 0.0
    if high > 0:
        mass += math.exp(z) * high
    if mass == 0:
        return 0.0
    odds = math.log(4 / math.pi * rate) + rate * CUT + math.log(mass)
    return 1 / (1 + math.exp(odds)) if odds < 700 else 0.0


@compiled(cache=True)
def _inverse_gaussian_below(z, rng):  # pragma: no cover
    """A draw of the inverse Gaussian law of mean 1/z and shape 1, given that it lies below CUT."""
    if z * CUT < 1:  # by rejection from a truncated inverse chi-square law
        while True:
            first, second = rng.standard_exponential(), rng.standard_exponential()
            while first * first > 2 * second / CUT:
                first, second = rng.standard_exponential(), rng.standard_exponential()
            x = CUT / (1 + CUT * first) ** 2
            if rng.random() <= math.exp(-z * z * x / 2):
                return x
    mean = 1 / z
    while True:
        y = rng.standard_normal() ** 2
        x = mean + mean * mean * y / 2 - mean / 2 * math.sqrt(4 * mean * y + mean * mean * y * y)
        if rng.random() > mean / (mean + x):
            x = mean * mean / x
        if x <= CUT:
            return x
