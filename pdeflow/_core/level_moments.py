"""Moments of quantile functions, whose tails are followed to the ends of the levels or refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.polynomial.legendre import legvander

from .errors import NotAvailable, NotConverged
from .quadrature import gauss_legendre, halved_levels
from .shapes import Values

_NODES = 16
_LAST = 44  # panels end at 2^-44 from both ends; levels nearer to 1 are too few to carry a rule
_ACCEPTED = 1e-9
# Levels 2^-44 ... 2^-996 at which a tail is held against its continuation.
_DEEP = np.array([*range(44, 65), 68, 72, 80, 90, 100, 120, 150, 200, 300, 450, 600, 750, 900, 996], dtype=float)


def quantile_moment(
    quantile: Callable[[Values], Values],
    power: int,
    centre: float = 0.0,
    weight: Callable[[Values], Values] | None = None,
) -> float:
    """∫_0^1 weight(u) (quantile(u) - centre)^power du, with a tested error.

    Parameters
    ----------
    quantile : (n,) -> (n,)
        A non-decreasing function of levels in (0, 1); it may jump.
    power : {1, 2}
        The power.
    centre : float
        What is subtracted.
    weight : (n,) -> (n,), optional
        A bounded factor, by default one.

    Returns
    -------
    float
        The moment, to 1e-9 of the same integral of absolute values.

    Raises
    ------
    NotAvailable
        Where the moment does not exist: the quantile function grows like level^(-1/power) or faster at an end, as far
        as levels tell.
    NotConverged
        Where the error of the panels and of the tails together is not below 1e-9. So it is where a tail is still
        changing its exponent at levels of 2^-44 and carries a share of the moment beyond them.

    Notes
    -----
    Panels halve towards both ends, down to 2^-44, and are bisected where the rule and that of the two halves differ.
    Beyond, the quantile function is continued by q + B level^(-α), with α and B from levels 2^-36 ... 2^-48, which are
    represented exactly; the change of α between them measures the error of the continuation. At smaller levels, as far
    as the function has numbers there, it must lie where a monotone function does; by what it leaves that counts as
    error, so that an atom of little mass far out is seen.
    """

    def at(distance, right_end):
        level = np.where(right_end, 1 - distance, distance)
        with np.errstate(over="ignore", invalid="ignore"):
            value = (np.asarray(quantile(level), dtype=float) - centre) ** power
        return value if weight is None else value * weight(level)

    value = size = error = 0.0
    for right_end in (False, True):
        exponents, continued = _tail(quantile, power, centre, right_end)
        early, late = (power * exponent for exponent in exponents)
        if early >= 1 - 1e-6 and late >= max(1 - 1e-2, early - 1e-2):
            raise NotAvailable(
                f"The moment of order {power} does not exist: at levels near {int(right_end)} the quantile function "
                f"grows like level^(-{late / power:.4g}), and only exponents below 1/{power} have one. Compare "
                "quantiles, or truncate the law if that is meant."
            )
        share = 1.0 if weight is None else float(np.asarray(weight(np.array([float(right_end)]))).item())
        value += share * continued[0]
        size, error = size + abs(share * continued[0]), error + abs(share) * continued[1]
    inner, absolute, inner_error = _panels(at)
    value, size, error = value + inner, size + absolute, error + inner_error
    if not (np.isfinite(value) and error <= _ACCEPTED * size):
        raise NotConverged(
            f"The moment of order {power} is {value:.6g} with an error of {error:.3g}; accepted is {_ACCEPTED:g} of "
            f"{size:.3g}. Quantile functions converge that are piecewise smooth and whose tails are light or follow a "
            "power. Give the law by its formula, or truncate it if that is meant.",
            residual=float(error),
        )
    return float(value)


def _panels(at):
    """(∫, ∫ of the absolute value, error) over the levels between 2^-44 and 1 - 2^-44."""
    half = halved_levels(_LAST)[1:]
    left, width = np.tile(half[:-1], 2), np.tile(np.diff(half), 2)
    right_end = np.arange(len(left)) >= len(half) - 1
    coarse, absolute, _ = _rule(at, left, width, right_end)
    size, total, error = absolute.sum(), 0.0, 0.0
    for rounds in range(51):
        first, _, missed_1 = _rule(at, left, width / 2, right_end)
        second, _, missed_2 = _rule(at, left + width / 2, width / 2, right_end)
        gap = np.abs(first + second - coarse) + missed_1 + missed_2
        # near level 1 half a panel must still hold enough levels for its nodes
        rough = (
            (gap > 1e-14 * size)
            & ~(right_end & (left < 2.0**-16) & (width < 2.0**-43))
            & (rounds < 50)
            & (len(left) < 20_000)
        )
        total += np.sum((first + second)[~rough])
        error += np.sum(gap[~rough])
        if not rough.any():
            break
        left = np.concatenate([left[rough], left[rough] + width[rough] / 2])
        coarse = np.concatenate([first[rough], second[rough]])
        width, right_end = np.tile(width[rough] / 2, 2), np.tile(right_end[rough], 2)
    return total, size, error


def _rule(at, left, width, right_end):
    """Integrals (k,) over panels that begin at the distance `left` from their end, those of absolute values, and what a
    jump between an end of a panel and its first node would hide.

    Levels near 1 are multiples of 2^-53: there the nodes are rounded to them, and the weights are those of the rounded
    nodes.
    """
    z, w = gauss_legendre(_NODES)
    nodes = np.broadcast_to(z, (len(left), _NODES))
    weights, to_ends = (np.broadcast_to(part[0], (len(left), *part.shape[1:])) for part in _weights(z[None]))
    v = left[:, None] + width[:, None] * (nodes + 1) / 2
    coarse = right_end & (left < 2.0**-16)
    if coarse.any():
        v[coarse] = np.round(v[coarse] * 2.0**53) * 2.0**-53
        weights, to_ends = weights.copy(), to_ends.copy()
        weights[coarse], to_ends[coarse] = _weights(2 * (v[coarse] - left[coarse, None]) / width[coarse, None] - 1)
    values = at(v.ravel(), np.repeat(right_end, _NODES)).reshape(v.shape)
    ends = at(np.stack([left, left + width], axis=1).ravel(), np.repeat(right_end, 2)).reshape(-1, 2)
    missed = np.abs(ends - np.einsum("ken,kn->ke", to_ends, values)).sum(axis=1) * (1 - z[-1]) * width / 2
    return np.sum(values * weights, axis=1) * width / 2, np.sum(np.abs(values) * w, axis=1) * width / 2, missed


def _weights(nodes):
    """(weights (k, n), extrapolation to both ends (k, 2, n)) of the rule through nodes (k, n) in (-1, 1)."""
    powers = np.swapaxes(legvander(nodes, _NODES - 1), 1, 2)
    wanted = np.zeros((len(nodes), _NODES, 3))
    wanted[:, 0, 0] = 2.0  # the integral of the first Legendre polynomial; those of the others vanish
    wanted[:, :, 1:] = legvander(np.array([-1.0, 1.0]), _NODES - 1).T
    found = np.swapaxes(np.linalg.solve(powers, wanted), 1, 2)
    return found[:, 0], found[:, 1:]


def _tail(quantile, power, centre, right_end):
    """((early exponent, late exponent), (integral beyond 2^-44, its error)) at one end."""
    steps = np.array([20, 27, 32, 34, 36, 39, 40, 44, 48])
    distance = 0.5**steps
    q = np.asarray(quantile(1 - distance if right_end else distance), dtype=float)
    at = dict(zip(steps.tolist(), q.tolist(), strict=True))

    def exponent(a, b, c):
        """Of q + B level^(-α) through the levels 2^-a, 2^-b, 2^-c with b - a = c - b; a shift does not change it."""
        near, far = abs(at[b] - at[a]), abs(at[c] - at[b])
        return np.log2(far / near) / (c - b) if near > 0 and far > 0 else -np.inf

    early, late = exponent(20, 27, 34), exponent(34, 39, 44)
    first, second, alpha = exponent(32, 36, 40), exponent(36, 40, 44), exponent(40, 44, 48)
    start, width = at[44] - centre, 0.5**_LAST
    if not (np.isfinite([first, second, alpha]).all() and alpha > 0.05):  # light: all that is left has no weight
        left = width * start**power
        return (early, late), (left, abs(left) + _unforeseen(quantile, power, centre, right_end, None))
    room = 1 - power * alpha
    if room <= 1e-6:
        return (early, late), (0.0, np.inf)
    b = (at[48] - at[44]) / (2.0 ** (4 * alpha) - 1)
    e = start - b
    moment = e + b / (1 - alpha) if power == 1 else e * e + 2 * e * b / (1 - alpha) + b * b / room
    change, before = abs(alpha - second), abs(second - first)
    if change <= max(before / 2, 1e-9):  # it settles
        error = power * (change + 1e-14) / room
    else:
        error = power * change / (2 * room**2 * np.log(2))
    scale = abs(e) ** power + abs(b) ** power / room
    error = width * scale * error + _unforeseen(quantile, power, centre, right_end, (e, b, alpha))
    return (early, late), (width * moment, error)


def _unforeseen(quantile, power, centre, right_end, followed):
    """By how much the integral between 2^-44 and the last level with a number leaves what monotone functions allow.

    followed : None where the function is taken for the constant that it is at 2^-44, else (e, b, alpha) of
    e + b (level 2^44)^-alpha. Between two levels a monotone function lies between its values there.
    """
    steps = _DEEP[_DEEP <= 53] if right_end else _DEEP
    level = 0.5**steps
    with np.errstate(all="ignore"):  # of a formula that rounds small levels away
        q = np.asarray(quantile(1 - level if right_end else level), dtype=float) - centre
        count = np.argmin(np.append(np.isfinite(q**power), False))
    level, q = level[:count], q[:count]
    if count < 2:
        return 0.0
    width, values = level[:-1] - level[1:], np.stack([q[:-1], q[1:]])
    crossing = (values.min(axis=0) < 0) & (values.max(axis=0) > 0) & (power == 2)
    least = np.where(crossing, 0.0, (values**power).min(axis=0))
    if followed is None:
        guess = width * q[0] ** power
    else:
        e, b, alpha = followed
        ratio, room = level / level[0], 1 - 2 * alpha

        def beyond(r):  # ∫ of the power over the levels below r 2^-44, in units of 2^-44
            first = b * r ** (1 - alpha) / (1 - alpha)
            return e * r + first if power == 1 else e * e * r + 2 * e * first + b * b * r ** (1 - 2 * alpha) / room

        guess = level[0] * -np.diff(beyond(ratio))
    most = (values**power).max(axis=0)
    return float(np.sum(np.maximum(np.maximum(width * least - guess, guess - width * most), 0.0)))
