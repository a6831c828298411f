"""W2 on the line: ∫(Q_a(u) - Q_b(u))² du over the levels, exact where both quantile functions are piecewise linear."""

from typing import Any

import numpy as np

from .._core.arrays import power_of_two, underflow_is_zero
from .._core.errors import NotAvailable, NotConverged
from .._core.quadrature import MOST_PANELS, halved_levels, integrate, kronrod, polynomial_at
from .._core.rising import require_rising
from .._core.shapes import Row
from .._core.short_text import shown
from ..laws import Law
from ..laws.linear import steps_of
from .pair import answers
from .reweighted import differences, w2_of_differences_on_the_line
from .w2_mixtures import w2_of_mixtures, w2_to_pieces

STEEPEST = 1e300  # slope of a quantile function; what a cell holds below a share of 1e-300 of its width counts nowhere
_LAST = 2.0**-53  # the least share above that 1 - share still shows
_HALVED = halved_levels(60)  # what lies below 2^-60 of a Gaussian is round-off
_PLACES = np.concatenate([[-1.0], kronrod(15)[0], [1.0]])  # of a panel where quantile functions are looked at
_BETWEEN = polynomial_at(_PLACES[1::2], _PLACES[::2])  # every second place by the polynomial through the others


@underflow_is_zero
def w2_on_the_line(first: Law, second: Law) -> tuple[float, str]:
    """(W2, how) of two laws of dim 1 that have quantile functions."""
    a, b = _checked_pieces(first), _checked_pieces(second)
    if a is not None and b is not None:
        clouds = first.atoms(), second.atoms()
        found = None if clouds[0] is None or clouds[1] is None else differences(*clouds[0], *clouds[1])
        value = None if found is None else w2_of_differences_on_the_line(found)
        return _merged(a, b) if value is None else value, "exact on merged levels"
    if a is None:
        first, second, a = second, first, b
    mixture, other = second.gaussian_components(), first.gaussian_components()
    if mixture is not None and a is not None:
        return w2_to_pieces(mixture, a, _pieces_from_above(first, a)), "quadrature over places"
    if mixture is not None and other is not None:
        return w2_of_mixtures(mixture, other), "quadrature over places"
    return _by_levels(first, second, a), "quadrature in the level"


def _checked_pieces(law):
    """Its pieces, None for another quantile function, which must rise; `NotAvailable` where it has none."""
    if not answers(law, "quantile"):
        raise NotAvailable(
            f"{type(law).__name__} has no quantile function, so w2 in dim 1 has no exact value. Use a law with "
            "quantile, or Particles of a sample."
        )
    pieces = _pieces(law)
    if pieces is None and law.gaussian_components() is not None:
        law.quantile(np.empty(0))  # which rises, and is refused where floats cannot hold the places
    elif pieces is None:
        require_rising(law.quantile, law)
    return pieces


def _pieces(law):
    """(levels (k + 1,), left (k,), right (k,)) of the pieces of a piecewise linear quantile function, else None."""
    pieces = law.linear_pieces()
    return None if pieces is None else _wide(*pieces)


def _wide(levels, q):
    """The pieces, as in `_pieces`, that hold more than no level at all, and enough for a slope that floats hold."""
    width = levels[1:] - levels[:-1]
    wide = np.flatnonzero(width * STEEPEST > np.abs(q[1:] - q[:-1]))
    starts = levels[wide]
    starts[0] = levels[0]
    return np.append(starts, levels[-1]), q[wide], q[wide + 1]


def _merged(a, b):
    edges = np.union1d(a[0], b[0])
    low, high = edges[:-1], edges[1:]
    # levels that differ by rounding alone would pair each atom with its neighbour on a sliver of 1e-16: leave it out
    real = high - low > 4 * np.finfo(float).eps * high
    low, high = low[real], high[real]
    (a0, a1), (b0, b1) = _on(a, low, high), _on(b, low, high)
    e0, e1 = a0 - b0, a1 - b1
    size = power_of_two(max(np.max(np.abs(e0)), np.max(np.abs(e1))))
    e0, e1 = e0 / size, e1 / size
    return size * float(np.sqrt((high - low) @ (e0 * e0 + e0 * e1 + e1 * e1) / 3))


def _on(pieces, low, high):
    """Values of the quantile function at both ends of each level interval, from within."""
    levels, left, right = pieces
    i = np.clip(np.searchsorted(levels, (low + high) / 2, side="right") - 1, 0, len(left) - 1)
    width, rise = levels[i + 1] - levels[i], right[i] - left[i]
    return left[i] + rise * ((low - levels[i]) / width), left[i] + rise * ((high - levels[i]) / width)


def _by_levels(first, second, pieces):
    """(∫(Q_1 - Q_2)² du)^½ by adaptive quadrature; the first law may be piecewise linear, with these pieces.

    Both halves of the levels are measured from their own ends, as the share of the mass beyond: a share of 1e-20 above
    is a number, a level of 1 - 1e-20 is not.
    """
    cuts = np.unique(np.concatenate([_levels_between_modes(law) for law in (first, second)]))
    sides = [_side(first, pieces, from_above, 1 - cuts if from_above else cuts) for from_above in (False, True)]
    low, high = (np.concatenate([side[0][i:stop] for side in sides]) for i, stop in ((0, -1), (1, None)))
    ends = low, high
    above = np.repeat([False, True], [len(side[0]) - 1 for side in sides])
    lines = None if pieces is None else np.concatenate([side[1] for side in sides], axis=1)
    shares = np.array([1e-300, 1e-12, 2.0**-10])
    with np.errstate(all="ignore"):  # of a formula that rounds a small level away
        known = np.array([[law.quantile(shares), law.upper_quantile(shares)] for law in (first, second)])
    # where a formula rounds the smallest shares to 0, an unbounded law has no number there
    least = np.where(np.isfinite(known[:, :, 0]).all(axis=0), 1e-300, _LAST)
    # round-off of the quantiles: an error e in Q moves the integral by 2 e W2 + e²
    scale = max(np.max(np.abs(known[0, :, 1 if lines is None else 0])), np.max(np.abs(known[1, :, 1])))
    size = power_of_two(scale)
    scale = scale / size

    def asked(law, v, upper):
        out = np.empty(v.shape)
        for rows, quantile in ((~upper, law.quantile), (upper, law.upper_quantile)):
            if rows.any():
                out[rows] = quantile(v[rows])
        return out

    def quantiles(v, panel):
        """Both quantile functions (2, k, q) at the shares v (k, q) in these panels of the sides, in units of size."""
        upper = above[panel]
        floor = least[upper.astype(int)][:, None]
        # a law that rounds 1 - v is compared at the level that it sees
        v = np.maximum(np.where(floor == _LAST, 1 - (1 - v), v), floor)
        if lines is None:
            mine = asked(first, v, upper)
        else:
            base, slope, start = lines[:, panel, None]
            # the share that the other law sees may lie beyond a piece of 1e-60, whose line is as steep as that is thin
            mine = base + slope * (np.clip(v, ends[0][panel, None], ends[1][panel, None]) - start)
        return np.stack([mine, asked(second, v, upper)]) / size

    def tolerances(total):
        root = np.sqrt(max(total, 0.0))
        return (
            1e-13 * total + 1e-15 * scale * root + 1e-30 * scale**2,
            1e-9 * total + 1e-11 * scale * root + 1e-22 * scale**2,
        )

    panel = np.arange(len(low))
    if second.as_gaussian() is None or (pieces is None and first.as_gaussian() is None):  # others have no hidden jumps
        with np.errstate(over="ignore"):  # of squares that certainly count
            low, high, panel = _where_both_are_smooth(low, high, above, quantiles)

    def integrand(v, parent):
        mine, other = quantiles(v, panel[parent])
        return (mine - other) ** 2

    with np.errstate(over="ignore", invalid="ignore"):  # an integral that is not finite is an error below
        squared = max(integrate(integrand, (low, high), tolerances, "w2", poles=(0.0,)), 0.0)
    bulk = np.max(np.abs(known[:, :, 2])) / size
    for upper in np.flatnonzero(least == _LAST):
        _require_light_tail(
            first, second, upper, squared * size**2, (1e-9 * squared + 1e-11 * bulk * np.sqrt(squared)) * size**2
        )
    return size * float(np.sqrt(squared))


def _where_both_are_smooth(low, high, above, quantiles):
    """(low, high, panel they came from) of panels in which no quantile function jumps by what would count.

    A difference of quantile functions may be zero at all nodes of a panel and large between two of them, where both
    jump. A monotone function cannot hide that: its rise is seen at the ends of the panel, and a jump at the nodes.
    Panels are halved until the square of both rises times the width is negligible, or the polynomial through every
    other node meets the function at the nodes between, or the width is the rounding of a level.
    """
    origin, kept, most = np.arange(len(low)), [], MOST_PANELS + len(low)
    while len(low):
        half = (high - low) / 2
        ends = quantiles(np.stack([low, high], axis=1), origin)
        rise = np.where(np.isfinite(ends).all(axis=2), np.abs(ends[:, :, 1] - ends[:, :, 0]), 0.0)
        counts = (2 * half * rise.sum(axis=0) ** 2 > 1e-20) & (half > 2.0**-53 * np.where(above[origin], 1.0, high))
        if counts.any():
            values = quantiles((low + half)[counts, None] + half[counts, None] * _PLACES, origin[counts])
            missed = np.abs(values[:, :, 1::2] - values[:, :, ::2] @ _BETWEEN).max(axis=2)
            counts[counts] = (missed > 1e-2 * rise[:, counts] + 1e-13).any(axis=0)
        kept.append((low[~counts], high[~counts], origin[~counts]))
        if sum(len(part[0]) for part in kept) + 2 * counts.sum() > most:
            raise NotConverged(
                f"The quantile functions are not smooth on {most} panels of levels. Piecewise smooth ones are. "
                "Check the laws for noise or NaN; a law of many atoms answers linear_pieces.",
                residual=float(np.sum(2 * half[counts] * rise[:, counts].sum(axis=0) ** 2)),
            )
        low, high, origin = low[counts], high[counts], np.tile(origin[counts], 2)
        middle = (low + high) / 2
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
    return tuple(np.concatenate(parts) for parts in zip(*kept))


def _levels_between_modes(law):
    """Levels at which the quantile function of a mixture may jump, or nearly so; none for other laws."""
    mixture = law.gaussian_components()
    if mixture is None or len(mixture[0]) == 1:
        return np.empty(0)
    places = law.density_edges()
    levels = law.cdf(places)
    empty = np.diff(levels) <= 1e-6 * np.minimum(levels[1:], 1 - levels[:-1])  # next to no mass between two places
    return np.concatenate([levels[:-1][empty], levels[1:][empty]])


def _side(law, pieces, from_above, cuts) -> tuple[Row, Any]:
    """Edges (k + 1,) of panels in the share below or above, from 0 to 1/2, and the quantiles there as lines, if known.

    The lines are (start value, slope, start) (3, k).
    """
    edges = np.union1d(_HALVED, cuts[(cuts > 0) & (cuts < 0.5)]) if len(cuts) else _HALVED
    if pieces is None:
        return edges, None
    levels, left, right = _pieces_from_above(law, pieces) if from_above else pieces
    edges = np.union1d(edges, levels[levels < 0.5])
    i = np.clip(np.searchsorted(levels, (edges[:-1] + edges[1:]) / 2, side="right") - 1, 0, len(left) - 1)
    return edges, np.stack([left[i], (right[i] - left[i]) / (levels[i + 1] - levels[i]), levels[i]])


def _pieces_from_above(law, pieces):
    """The pieces in the share of the mass above them. Cells are summed from above: 1 - level has lost the thin ones."""
    if law.grid_axes() is None:
        levels, left, right = (part[::-1] for part in pieces)
        levels = 1 - levels
        wide = np.flatnonzero(levels[1:] > levels[:-1])
        return np.append(levels[wide], levels[-1]), right[wide], left[wide]
    edges, heights = law.density_steps()
    full = heights > 0
    mass, low, high = (part[full][::-1] for part in (heights * np.diff(edges), edges[:-1], edges[1:]))
    return _wide(*steps_of(mass, high, low))


def _where_infinite(first, second, upper):
    """In words: which quantile function has no number at the smallest share."""
    name, share = ("upper_quantile" if upper else "quantile"), np.array([1e-300])
    with np.errstate(all="ignore"):
        found = [(law, float(np.asarray(getattr(law, name)(share)).item())) for law in (first, second)]
    return ", ".join(f"{name}(1e-300) of {shown(law, 200)} is {q}" for law, q in found if not np.isfinite(q))


def _require_light_tail(first, second, upper, squared, accepted):
    """`NotConverged` where what is not known of the last levels of a law may count.

    Beyond the share of 2^-52 the squared gap is taken to be what it is there. If it grows like a power of the share,
    as between 2^-44 and 2^-52, the error is this.
    """
    shares = np.array([2.0**-52, 2.0**-44])
    ask = (lambda law: law.upper_quantile(shares)) if upper else (lambda law: law.quantile(shares))
    last, before = (ask(first) - ask(second)) ** 2
    power = min(np.log2(last / before) / 8, 15 / 16) if last > before > 0 else 0.0
    error = 2.0**-52 * abs(last - before) / (8 * np.log(2) * (1 - power))
    if not error <= accepted:
        raise NotConverged(
            f"W2² is about {squared:.6g}, of which the levels {'above 1 - 2^-52' if upper else 'below 2^-52'}, where "
            f"a quantile function has no numbers ({_where_infinite(first, second, upper)}), carry {error:.2g} more or "
            f"less; {accepted:.2g} is accepted. Light "
            "tails converge. Give the law an upper_quantile (of the share above) or quantiles at the smallest levels, "
            "or truncate it if that is meant.",
            residual=float(error),
        )
