"""W2 on the line: ∫(Q_a(u) - Q_b(u))² du over the levels, exact where both quantile functions are piecewise linear."""

import numpy as np

from .._core.arrays import underflow_is_zero
from .._core.errors import NotAvailable, NotConverged
from .._core.quadrature import dyadic_levels, inner_levels, integrate
from ..laws import Law
from .pair import answers


@underflow_is_zero
def w2_on_the_line(first: Law, second: Law) -> tuple[float, str]:
    """(W2, how) of two laws of dim 1 that have quantile functions."""
    for law in (first, second):
        if not answers(law, "quantile"):
            raise NotAvailable(
                f"{type(law).__name__} has no quantile function, so w2 in dim 1 has no exact value. Use a law with "
                "quantile, "
                "or Particles of a sample."
            )
    a, b = _pieces(first), _pieces(second)
    if a is not None and b is not None:
        return _merged(a, b), "exact on merged levels"
    if a is None and b is None:
        return _level_integral(None, first, second), "quadrature in the level"
    return _level_integral(a or b, None, second if b is None else first), "quadrature in the level"


def _pieces(law):
    """(levels (k + 1,), left (k,), right (k,)) of the pieces of a piecewise linear quantile function, else None."""
    pieces = law.linear_pieces()
    if pieces is None:
        return None
    levels, q = pieces
    wide = np.diff(levels) > 0
    return np.append(levels[:-1][wide], levels[-1]), q[:-1][wide], q[1:][wide]


def _merged(a, b):
    edges = np.union1d(a[0], b[0])
    low, high = edges[:-1], edges[1:]
    # levels that differ by rounding alone would pair each atom with its neighbour on a sliver of 1e-16: leave it out
    real = high - low > 4 * np.finfo(float).eps * high
    low, high = low[real], high[real]
    (a0, a1), (b0, b1) = _on(a, low, high), _on(b, low, high)
    e0, e1 = a0 - b0, a1 - b1
    size = _power_of_two(max(np.max(np.abs(e0)), np.max(np.abs(e1))))
    e0, e1 = e0 / size, e1 / size
    return size * float(np.sqrt((high - low) @ (e0 * e0 + e0 * e1 + e1 * e1) / 3))


def _power_of_two(length):
    """A power of two of the size of a length: squares of quotients keep their bits and their range."""
    return float(2.0 ** min(max(np.frexp(length)[1], -1000), 1000))


def _on(pieces, low, high):
    """Values of the quantile function at both ends of each level interval, from within."""
    levels, left, right = pieces
    i = np.clip(np.searchsorted(levels, (low + high) / 2, side="right") - 1, 0, len(left) - 1)
    width, rise = levels[i + 1] - levels[i], right[i] - left[i]
    return left[i] + rise * ((low - levels[i]) / width), left[i] + rise * ((high - levels[i]) / width)


def _level_integral(pieces, first, second):
    """(∫(first - second)² du)^½ by adaptive quadrature; `pieces` stand in for the first law where they are given."""
    edges = dyadic_levels()
    if pieces is None:

        def gap(u, parent):
            return first.quantile(u) - second.quantile(u)

        bounds = first.quantile(np.array([1e-12, 1 - 1e-12]))
    else:
        levels, left, right = pieces
        edges = np.union1d(edges, levels)
        middle = (edges[:-1] + edges[1:]) / 2
        i = np.clip(np.searchsorted(levels, middle, side="right") - 1, 0, len(left) - 1)
        start, base = levels[i], left[i]
        slope = (right[i] - left[i]) / (levels[i + 1] - levels[i])
        atoms = not slope.any()

        def gap(u, parent):
            line = base[parent, None]
            if not atoms:
                line = line + slope[parent, None] * (u - start[parent, None])
            return line - second.quantile(u)

        bounds = np.array([left[0], right[-1]])
    # round-off of the quantiles: an error e in Q moves the integral by 2 e W2 + e²
    scale = max(np.max(np.abs(bounds)), np.max(np.abs(second.quantile(np.array([1e-12, 1 - 1e-12])))))

    def tolerances(total):
        root = np.sqrt(max(total, 0.0))
        return (
            1e-13 * total + 1e-15 * scale * root + 1e-30 * scale**2,
            1e-9 * total + 1e-11 * scale * root + 1e-22 * scale**2,
        )

    size = _power_of_two(scale)
    scale = scale / size
    squared = integrate(lambda u, parent: (gap(inner_levels(u), parent) / size) ** 2, edges, tolerances, "w2")
    last = np.array([[1 - 2.0**-52]])  # the levels beyond are too few to integrate over; what they carry must not count
    lost = 2.0**-52 * (gap(last, np.array([len(edges) - 2])).item() / size) ** 2
    if lost > 1e-9 * squared + tolerances(squared)[0]:
        raise NotConverged(
            f"W2² is {squared * size**2:.6g}, of which levels beyond 1 - 2^-52 carry about {lost / squared:.2g}. Only "
            "shares below 1e-9 are left out: the upper tails are too heavy. Reflect the laws, or truncate them if that "
            "is meant.",
            residual=float(lost * size**2),
        )
    return size * float(np.sqrt(max(squared, 0.0)))
