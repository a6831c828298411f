"""Whether the cells of a grid resolve a law: its width in cells, and what half as many cells make of the same run."""

from typing import Any

import numpy as np
from jaxtyping import Float

from .._core.errors import BadInput
from .._core.shapes import Numbers, Values
from .domain import Edges

HalfMasses = Float[np.ndarray, " half"]  # of half as many cells

LEAST_QUARTER = 0.5  # cells that a quarter of the mass must take; a Gaussian of one cell's deviation takes 0.66
# What half as many cells may change: the mean, in standard deviations; the variance, relative, both less that of one
# cell; and the distribution function. The error of the run itself is a third of it at order 2, all of it at order 1.
LIMITS = {"mean": 0.05, "variance": 0.1, "level": 0.03}
LEAST_CELLS = 6  # fewer have no half


def quarter_in_cells(mass: Values) -> float:
    """The length of the shortest interval with a quarter of the mass (n,), in cells."""
    levels = np.concatenate([[0.0], np.cumsum(np.maximum(mass, 0.0))])
    levels /= levels[-1]
    edges = np.arange(len(levels), dtype=float)

    def place(level: np.ndarray, side: Any) -> np.ndarray:
        """Where the distribution function first ("left") or last ("right") has a level."""
        j = np.clip(np.searchsorted(levels, level, side=side), 1, len(mass))
        rise = levels[j] - levels[j - 1]
        return j - 1 + np.clip((level - levels[j - 1]) / np.where(rise > 0, rise, 1.0), 0.0, 1.0)

    # the shortest one begins or ends at an edge
    begins, ends = levels <= 0.75, levels >= 0.25
    after = place(levels[begins] + 0.25, "left") - edges[begins]
    before = edges[ends] - place(levels[ends] - 0.25, "right")
    return float(min(after.min(), before.min()))


def refuse_narrow(mass: Values, edges: Edges, what: str, least: float = LEAST_QUARTER) -> None:
    """`BadInput` where a quarter of the mass (n,) lies within less than `least` cells."""
    quarter = quarter_in_cells(mass)
    if quarter < least * (1 - 1e-9):
        width, needed = (edges[-1] - edges[0]) / len(mass), int(np.ceil(len(mass) * least / quarter)) + 1
        raise BadInput(
            f"{what} is too narrow for the grid: a quarter of its mass lies within {quarter:.3g} of the {len(mass)} "
            f"cells, each {width:.3g} wide; at least {least:g} are needed. Take at least {needed} cells, or a "
            f"domain smaller than [{edges[0]:.6g}, {edges[-1]:.6g}] by lower= and upper= if the mass allows it.",
            quarter=quarter,
            cells=needed,
        )


def halved(mass: Numbers, on_cells: bool) -> Numbers:
    """The masses (n_1 // 2, ..., n_d // 2) in half as many equal cells of each axis between the same ends.

    on_cells : whether the law is constant on the cells. Then its mean is kept: all is moved by the difference that a
    narrow law off the centre of a wide cell makes. Any other narrow law is off the centres of both kinds of cells, by a
    half of these between them, which is the largest error of its place.
    """
    for k in range(mass.ndim):
        n = mass.shape[k]
        lines = np.moveaxis(mass, k, -1)
        wide = np.diff(below_edges(lines, n // 2), axis=-1)
        if on_cells:
            ratio = n / (n // 2)
            off = np.sum(lines @ (np.arange(n) + 0.5)) - ratio * np.sum(wide @ (np.arange(n // 2) + 0.5))
            moved = np.zeros((*wide.shape[:-1], n // 2 + 1))
            moved[..., 1:-1] = off / (2 * ratio) * (wide[..., 1:] + wide[..., :-1])
            wide = wide - np.diff(moved, axis=-1)
        mass = np.moveaxis(wide, -1, k)
    return np.ascontiguousarray(mass)


def below_edges(lines: Numbers, cells: int) -> Numbers:
    """The mass (..., cells + 1) below the edges of so many equal cells between the same ends of the lines (..., n)."""
    n = lines.shape[-1]
    levels = np.zeros((*lines.shape[:-1], n + 2))
    np.cumsum(lines, axis=-1, out=levels[..., 1:-1])
    levels[..., -1] = levels[..., -2]
    place = np.linspace(0.0, n, cells + 1)
    below = np.minimum(place.astype(int), n)
    return levels[..., below] + (place - below) * (levels[..., below + 1] - levels[..., below])


def grid_changes(mass: Values, coarse: HalfMasses) -> dict[str, float]:
    """What half as many cells change: `mean` in standard deviations, `variance` relative, `level` of the cdf.

    mass : (n,). coarse : (n // 2,), of the same run on half as many cells. Lengths are in cells of `mass`.
    """
    moments = []
    for masses in (mass, coarse):
        width = len(mass) / len(masses)
        centers = width * (np.arange(len(masses)) + 0.5)
        mean = masses @ centers / masses.sum()
        moments.append((mean, masses @ (centers - mean) ** 2 / masses.sum(), width**2 / 12))
    (mean, variance, own), (other_mean, other_variance, other_own) = moments
    gap = below_edges(mass, len(coarse))[1:-1] - np.cumsum(coarse)[:-1]
    # the variance of a law on cells is that of the law it stands for and that of a cell [Sheppard's correction]
    spread = abs((variance - own) - (other_variance - other_own))
    whole = variance + own  # of the law that is constant on the cells
    return {
        "mean": float(abs(mean - other_mean) / np.sqrt(whole)),
        "variance": float(spread / whole),
        "level": float(np.abs(gap).max()),
    }


def grid_change(mass: Values, coarse: HalfMasses | None) -> float:
    """The largest of the `grid_changes`, each over what is accepted; NaN without a coarse run."""
    if coarse is None:
        return float("nan")
    changes = grid_changes(mass, coarse)
    return max(changes[name] / limit for name, limit in LIMITS.items())


def refuse_unresolved(mass: Values, coarse: HalfMasses | None, edges: Edges, when: str) -> None:
    """`BadInput` where the law with masses (n,) is narrower than a cell, or half as many cells tell another story.

    coarse : (n // 2,), of the same run on half as many cells; None is not looked at.
    """
    refuse_narrow(mass, edges, f"The law {when}")
    excess = grid_change(mass, coarse)
    if coarse is not None and not excess <= 1:
        changes = grid_changes(mass, coarse)
        needed = int(np.ceil(len(mass) * min(excess, 1e6))) if np.isfinite(excess) else 2 * len(mass)
        raise BadInput(
            f"{len(mass)} cells on [{edges[0]:.6g}, {edges[-1]:.6g}] do not resolve the flow: {when} half as many "
            f"give a law whose mean differs by {changes['mean']:.3g} standard deviations, its variance by "
            f"{changes['variance']:.3g} and its distribution function by {changes['level']:.3g}; at most "
            f"{', '.join(map(str, LIMITS.values()))} are accepted. Where mass runs down a steep V, wide cells spread "
            f"it. Take about {needed} cells, or a smaller domain by lower= and upper= if the mass allows it.",
            cells=needed,
            **changes,
        )
