"""Whether the cells of a grid in two or three dimensions resolve a law; on the line see `resolution`.

Two things are asked, as there. The law must not be narrower than a cell: no quarter of the mass may lie on lines of
cells of which one cell holds more than half of what the line holds (on the line that is a quarter of the mass within
half a cell). Such lines run along the axes, so that a thin ridge across the axes is seen as well. And the same run on
half as many cells an axis may change the mean by 0.05 standard deviations, the covariance by 10 % and the distribution
function by 0.03: mean and covariance in every direction, measured by the covariance itself.
"""

from collections.abc import Sequence

import numpy as np

from .._core.errors import BadInput
from .._core.shapes import Numbers, Row
from .resolution import LIMITS, below_edges

MOST_IN_ONE_CELL = 0.5  # of what a line of cells holds


def fullest_share(mass: Numbers) -> float:
    """The share that one cell holds of its line, exceeded on lines with a quarter of the mass; of the worst axis."""
    worst = 0.0
    for k in range(mass.ndim):
        held = np.maximum(mass, 0.0)
        line, fullest = held.sum(axis=k).ravel(), held.max(axis=k).ravel()
        full = line > 0
        share = fullest[full] / line[full]
        order = np.argsort(-share)
        quarter = int(np.searchsorted(np.cumsum(line[full][order]), 0.25 * line.sum()))
        worst = max(worst, float(share[order[min(quarter, len(order) - 1)]]))
    return worst


def grid_changes(mass: Numbers, coarse: Numbers) -> dict[str, float]:
    """What half as many cells change: `mean`, `variance` and `level`, see `resolution.grid_changes`.

    mass, coarse : of the same run, in n and n // 2 cells of each axis. Lengths are in cells of `mass`.
    """
    (mean, cov, own), (other_mean, other_cov, other_own) = (_moments(part, mass.shape) for part in (mass, coarse))
    whole = np.linalg.cholesky(cov + np.diag(own))
    spread = np.linalg.solve(whole, np.linalg.solve(whole, cov - np.diag(own) - other_cov + np.diag(other_own)).T)
    fine, wide = mass, coarse
    for k in range(mass.ndim):
        fine = np.moveaxis(below_edges(np.moveaxis(fine, k, -1), coarse.shape[k]), -1, k)
        wide = np.moveaxis(below_edges(np.moveaxis(wide, k, -1), coarse.shape[k]), -1, k)
    return {
        "mean": float(np.linalg.norm(np.linalg.solve(whole, mean - other_mean))),
        "variance": float(np.abs(np.linalg.eigvalsh((spread + spread.T) / 2)).max()),
        "level": float(np.abs(fine - wide).max()),
    }


def _moments(mass: Numbers, shape: Sequence[int]) -> tuple[Numbers, Numbers, Numbers]:
    """Mean, covariance between the centres and variance of a cell, in cells of a grid of the given shape."""
    dim, total = mass.ndim, mass.sum()
    width = np.array(shape) / np.array(mass.shape)
    sums = [mass.sum(axis=tuple(j for j in range(dim) if j != k)) / total for k in range(dim)]
    centers = [w * (np.arange(n) + 0.5) for w, n in zip(width, mass.shape)]
    mean = np.array([part @ x for part, x in zip(sums, centers)])
    off, cov = [x - m for x, m in zip(centers, mean)], np.empty((dim, dim))
    for i in range(dim):
        cov[i, i] = sums[i] @ off[i] ** 2
        for j in range(i):
            both = mass.sum(axis=tuple(k for k in range(dim) if k not in (i, j))) / total
            cov[i, j] = cov[j, i] = off[j] @ both @ off[i]
    return mean, cov, width**2 / 12


def grid_change(mass: Numbers, coarse: Numbers | None) -> float:
    """The largest of the `grid_changes`, each over what is accepted; NaN without a coarse run."""
    if coarse is None:
        return float("nan")
    changes = grid_changes(mass, coarse)
    return max(changes[name] / limit for name, limit in LIMITS.items())


def refuse_narrow(mass: Numbers, axes: Sequence[Row], what: str, most: float = MOST_IN_ONE_CELL) -> None:
    """`BadInput` where one cell holds more than `most` of its line, on lines with a quarter of the mass."""
    share, cells = fullest_share(mass), max(mass.shape)
    if share > most * (1 + 1e-9):
        raise BadInput(
            f"{what} is too narrow for the grid: on lines of cells with a quarter of its mass one cell holds "
            f"{share:.3g} of the line or more; at most {most:g} is accepted. Take at least {2 * cells} cells, or a "
            f"domain smaller than {_box(axes)} by lower= and upper= if the mass allows it.",
            share=share,
            cells=2 * cells,
        )


def _box(axes: Sequence[Row]) -> str:
    return ", ".join(f"[{axis[0]:.6g}, {axis[-1]:.6g}]" for axis in axes)


def refuse_unresolved(mass: Numbers, coarse: Numbers | None, axes: Sequence[Row], when: str) -> None:
    """`BadInput` where the law is narrower than a cell, or half as many cells an axis tell another story.

    coarse : of the same run on half as many cells an axis; None is not looked at.
    """
    refuse_narrow(mass, axes, f"The law {when}")
    if coarse is None:
        return
    excess, cells = grid_change(mass, coarse), max(mass.shape)
    if not excess <= 1:
        changes = grid_changes(mass, coarse)
        needed = int(np.ceil(cells * min(excess, 1e3))) if np.isfinite(excess) else 2 * cells
        raise BadInput(
            f"{' x '.join(map(str, mass.shape))} cells on {_box(axes)} do not resolve the flow: {when} half as many an "
            f"axis give a law whose mean differs by {changes['mean']:.3g} standard deviations, its variance by "
            f"{changes['variance']:.3g} and its distribution function by {changes['level']:.3g}; at most "
            f"{', '.join(map(str, LIMITS.values()))} are accepted. Where mass runs down a steep V, wide cells spread "
            f"it. Take about {needed} cells, or a smaller domain by lower= and upper= if the mass allows it.",
            cells=needed,
            **changes,
        )
