"""Adaptive quadrature over the levels of quantile functions, from both ends."""

import functools
from collections.abc import Callable, Sequence

import numpy as np

from .errors import NotConverged
from .quadrature import END, MOST_PANELS, end_values, gauss_legendre, halved_levels
from .shapes import Values

DEEPEST_LEVEL = 996  # of two: 2^-996 is about 1e-300
_SIDES = np.array([-1.0, 1.0])
_SEEN = 1 << 11  # one over the share of the mass that a probe stands for
_LEVEL_ROUNDING = 2.0**-53  # of 1 - v


def level_integral(
    function: Callable[[Values], Values],
    nodes: int = 16,
    tolerance: float = 1e-14,
    accepted: float = 1e-9,
    *,
    upper: Callable[[Values], Values] | None = None,
    deepest: tuple[int, int] = (44, 44),
    probed: bool = False,
    cuts: Sequence[float] | Values = (),
) -> float:
    """∫_0^1 function(u) du of a function that may have kinks and jumps and may grow like a power of log u at the ends.

    Parameters
    ----------
    function : (n,) -> (n,)
        The integrand at levels in (0, 1).
    nodes : int
        Gauss-Legendre points per panel.
    tolerance : float
        What a panel aims at, relative to ∫|function|.
    accepted : float
        The error estimate that is accepted in all, relative to ∫|function|.
    upper : (n,) -> (n,), optional
        The integrand at the levels 1 - v, as a function of v. Without it 1 - v is rounded to a multiple of 2^-53, and
        2^-53 of the variation of the function over the upper half counts as error.
    deepest : (int, int)
        Both functions have numbers down to 2^-deepest. The panels at the ends have width 2^-44, or less, as far as the
        functions there count.
    probed : bool
        Whether to look for features between the points, as is needed unless the function is monotone.
    cuts : (k,)
        Levels at which panels are to end.

    Returns
    -------
    float
        The integral.

    Raises
    ------
    NotConverged
        Where the estimate of the error stays above what is accepted.

    Notes
    -----
    The panels are those of `graded_rule`, each halved where its value and that of its two halves differ by more than
    the tolerance. A jump is closed in on by bisection, 50 times at most. Both values also agree where both overlook a
    feature; so a panel is halved too where the function at a probe differs from the polynomial through its points.
    Probes lie so close that one meets every feature that holds 1/2048 of the levels, and 1/8 of the levels of a panel.
    """
    z, w = gauss_legendre(nodes)
    last = _last_panels((function, upper), deepest)
    left, width, right_end = _level_panels(cuts, last)
    extended, seen = end_values(nodes, gauss=True), []

    def evaluate(v, right_end):
        if upper is None:
            return np.asarray(function(np.where(right_end, 1 - v, v)), dtype=float)
        out = np.empty(v.shape)
        for side, ask in ((~right_end, function), (right_end, upper)):
            if side.any():
                out[side] = ask(v[side])
        return out

    def integrals(left, width, right_end):
        v = left[:, None] + width[:, None] * (z + 1) / 2
        values = evaluate(v.ravel(), np.repeat(right_end, nodes)).reshape(v.shape)
        return values @ w * width / 2, values

    probe, home, rows = np.empty(0), np.empty(0, dtype=int), None
    if probed:
        plain = not len(cuts) and last == (44, 44)
        probe, home, rows = _probes_of_whole(nodes) if plain else (*_probes(left, width), None)
    height = evaluate(probe, right_end[home]) if probed else probe
    coarse, _ = integrals(left, width, right_end)
    total, error, size, scale, spent = 0.0, 0.0, 0.0, float(np.sum(np.abs(coarse))), 0
    for _ in range(50):
        spent += len(left)
        (left_half, left_values), (right_half, right_values) = (
            integrals(left, width / 2, right_end), integrals(left + width / 2, width / 2, right_end),
        )  # fmt: skip
        fine = left_half + right_half
        scale, gaps = max(scale, size + float(np.sum(np.abs(fine)))), np.abs(fine - coarse)
        # a jump between an end and the point next to it is overlooked by all points; the value at the end shows it
        reach = np.where(left > 0, END, 0.0)
        places = left[:, None] + width[:, None] * (1 + reach[:, None] * _SIDES) / 2
        ends = evaluate(places.ravel(), np.repeat(right_end, 2)).reshape(places.shape)
        outer = np.stack([left_values @ extended[:, 0], right_values @ extended[:, 1]], axis=1)
        known = np.isfinite(ends) & (left > 0)[:, None]  # a pole at the end is seen by the points themselves
        gap = np.where(known, np.where(known, ends, 0.0) - np.where(known, outer, 0.0), 0.0)
        middle = np.abs(left_values @ extended[:, 1] - right_values @ extended[:, 0])
        hidden = np.maximum(np.abs(gap).max(axis=1), middle) * width * (1 - z[-1]) / 4
        at = (probe - left[home]) / width[home]
        rows = _interpolation(at, nodes) if rows is None else rows
        missed = _missed(height, home, at, rows, left_values, right_values) * width
        # the panels at levels 0 and 1 stay whole: finer nodes would round to the ends themselves
        smooth = (gaps <= tolerance * scale) & (missed <= 0.1 * accepted * scale) & (hidden <= 1e-3 * accepted * scale)
        rough = ~smooth & (left > 0)
        if spent > MOST_PANELS:
            rough[:] = False
        kept = np.where(left > 0, fine, coarse)[~rough]
        total, size = total + np.sum(kept), size + float(np.sum(np.abs(kept)))
        error += float(np.sum(np.where(left > 0, np.maximum(gaps, np.maximum(missed, hidden)), gaps)[~rough]))
        if upper is None:
            rounded = right_end & ~rough
            seen.append((left[rounded], np.concatenate([left_values, right_values], axis=1)[rounded]))
        if not rough.any():
            break
        inner, child, rows = rough[home], np.cumsum(rough) - 1, None
        probe, height, home = probe[inner], height[inner], (child[home] + (at > 0.5) * rough.sum())[inner]
        left = np.concatenate([left[rough], left[rough] + width[rough] / 2])
        coarse = np.concatenate([left_half[rough], right_half[rough]])
        width, right_end = np.tile(width[rough] / 2, 2), np.tile(right_end[rough], 2)
    else:
        total, error = total + np.sum(coarse), error + float(np.sum(gaps[rough]))
    rounding = _LEVEL_ROUNDING * _variation(seen)
    if not error + rounding <= accepted * scale:
        why = "" if error <= accepted * scale else (
            "Functions that are piecewise smooth and have a mean converge. Check that the mean exists (heavy tails) "
            "and that the function has no noise, or name the places of its narrow features."
        )  # fmt: skip
        raise NotConverged(
            f"The integral over the levels of a law ended with error {error + rounding:.3g} on {total:.6g}; accepted "
            f"is {accepted * scale:.3g}. "
            + (why or "The function counts where so little mass lies above that levels 1 - v are too coarse. Give the "
               "law an upper_quantile (the quantile as a function of the share above), or reflect law and function."),
            residual=error + rounding,
        )  # fmt: skip
    return float(total)


def _variation(seen):
    """The variation of a function over panels that are given, in parts, by their ends (k,) and values (k, n)."""
    if not seen:
        return 0.0
    left, values = (np.concatenate(parts) for parts in zip(*seen))
    return float(np.sum(np.abs(np.diff(values[np.argsort(left)].ravel()))))


def _last_panels(functions, deepest):
    """(n, m): the panels next to the levels 0 and 1 may have width 2^-n and 2^-m, for what lies beyond does not count.

    That is judged by the functions at halved levels, as far as these are needed for the judgement.
    """
    sizes = [np.empty(0), np.empty(0)]
    look, going = 52, [side for side in (0, 1) if deepest[side] > 44]
    while going:
        for side in going:
            level = 0.5 ** np.arange(len(sizes[side]) + 1.0, min(look, deepest[side]) + 1.0)
            sizes[side] = np.append(sizes[side], level * np.abs(functions[side](level)))
        whole = sizes[0].sum() + sizes[1].sum()
        going = [side for side in going if look < deepest[side] and not 0 <= sizes[side][-8:].sum() < 1e-12 * whole]
        look += 64
    return tuple(
        int(max(44, np.count_nonzero(np.cumsum(part[::-1]) > 1e-12 * whole))) if len(part) else 44 for part in sizes
    )


def _level_panels(cuts, last=(44, 44)):
    """Start, width and side of the panels of `graded_rule`; those from level 1 downwards are measured from there."""
    cuts, sides = np.asarray(cuts, dtype=float), [halved_levels(panels) for panels in last]
    if len(cuts):
        inner = cuts[(cuts > 2.0**-43) & (cuts < 1 - 2.0**-43)]
        sides = [np.union1d(sides[0], inner[inner < 0.5]), np.union1d(sides[1], 1 - inner[inner > 0.5])]
    left = np.concatenate([side[:-1] for side in sides])
    return left, np.concatenate([np.diff(side) for side in sides]), np.arange(len(left)) >= len(sides[0]) - 1


def _probes(left, width):
    """Places in the panels, evenly spread, and the panel of each."""
    counts = np.maximum(8, np.ceil(_SEEN * width)).astype(int)
    home = np.repeat(np.arange(len(left)), counts)
    rank = np.arange(len(home)) - np.repeat(np.cumsum(counts) - counts, counts)
    return left[home] + width[home] * (rank + 0.618) / counts[home], home


@functools.cache
def _probes_of_whole(nodes):
    """The probes of the panels without cuts, the panel of each, and their rows of `_interpolation`; read-only."""
    left, width, _ = _level_panels(())
    probe, home = _probes(left, width)
    kept = probe, home, _interpolation((probe - left[home]) / width[home], nodes)
    for part in kept:
        part.setflags(write=False)
    return kept


def _interpolation(at, nodes):
    """Weights (n, nodes) of the values at the Gauss points of the half of a panel in which `at` (n,) lies."""
    z, w = gauss_legendre(nodes)
    weight = np.sqrt((1 - z * z) * w) * (-1.0) ** np.arange(nodes)  # barycentric
    gap = (4 * at - 1 - 2 * (at > 0.5))[:, None] - z
    factor = weight / np.where(gap == 0, 1e-300, gap)
    return factor / factor.sum(axis=1, keepdims=True)


def _missed(height, home, at, rows, left_values, right_values):
    """By how much a panel's polynomials, one in each half, differ at most from the heights at its probes."""
    out = np.zeros(len(left_values))
    if len(at):
        values = np.concatenate([left_values, right_values])[home + len(out) * (at > 0.5)]
        np.maximum.at(out, home, np.abs(height - np.einsum("kn,kn->k", rows, values)))
    return out
