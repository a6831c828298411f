"""L1 and L2 distances of densities."""

import numpy as np

from .._core.arrays import underflow_is_zero
from .._core.errors import NotAvailable
from .._core.estimate import Estimate, together
from .._core.quadrature import kronrod
from .._core.validate import count, known_arguments
from ..laws import Law
from ..laws.cell_integrals import cell_masses
from ..laws.cells import cell_volumes, overlap
from ..laws.line_integrals import LineDensities, sign_changes
from .metric import metric
from .pair import answers, checked_pair, common_grid, generator, lacking, reduced, require_densities
from .scales import density_norm, one


@metric(floor_adds="sum", scale=one)
@known_arguments
def l1(approximation: Law, truth: Law, *, rng: np.random.Generator | None = None, n: int = 100_000) -> Estimate:
    """∫|p - q| dx, which is twice the total variation distance.

    Parameters
    ----------
    approximation, truth : Law
        Two laws of one dimension.
    rng : Generator, optional
        Needed where neither cell masses nor quadrature are known.
    n : int
        How many points are drawn then, half of them from each law, at least 4.

    Returns
    -------
    Estimate
        The distance.

    Raises
    ------
    NotAvailable
        For Particles without a grid on the other side, and where draws are needed and rng is None.
    NotConverged
        Where cell masses by quadrature miss 1e-9.

    Notes
    -----
    Against a GridLaw: Σ|Δm_i| over the cell masses plus the mass outside the box, so that a second-order scheme is seen
    as second order and not through its piecewise constant picture. Of two grids the one with fewer cells is used. So it
    is not the L1 distance of two piecewise constant densities, which is larger. Where the edges of that grid cut cells
    of the other (they nest where each edge is one of the other's too), the mass of a cut cell counts as evenly spread,
    and the `null` of the estimate says how large the distance is then of one law on both grids: by how much the masses
    change where the density is linear in a cell. A study takes that for the floor. The other law's cell masses come
    from its distribution function, from overlap, from counting (Particles) or from quadrature of its density. Without a
    grid in dimension 1: adaptive quadrature. In higher dimension two laws that were moved by the same maps are compared
    without these, and two that are invariant under rotations by their radii.
    Else Monte Carlo: E_m[2|p - q|/(p + q)] under m = (p + q)/2.
    """
    return _lp(approximation, truth, 1, rng, n)


@metric(floor_adds="squares", scale=density_norm)
@known_arguments
def l2(approximation: Law, truth: Law, *, rng: np.random.Generator | None = None, n: int = 100_000) -> Estimate:
    """(∫(p - q)² dx)^½, not its square.

    Parameters
    ----------
    approximation, truth : Law
        Two laws of one dimension.
    rng : Generator, optional
        Needed where neither cell masses nor quadrature are known.
    n : int
        How many points are drawn then, half of them from each law, at least 4.

    Returns
    -------
    Estimate
        The distance.

    Raises
    ------
    NotAvailable
        For Particles without a grid on the other side, and where draws are needed and rng is None.
    NotConverged
        Where cell masses by quadrature miss 1e-9.

    Notes
    -----
    Against a GridLaw: (Σ Δm_i²/|cell_i|)^½ over the cell masses; what lies outside the box has no cell and is left out,
    which `how` says when it is more than 1e-12. Cells that do not nest, and all else, as in `l1`.
    """
    return _lp(approximation, truth, 2, rng, n)


@underflow_is_zero
def _lp(approximation, truth, p, rng, n):
    name = f"l{p}"
    first, second = checked_pair(approximation, truth, rng, name)
    if p == 1 and first.dim > 1:  # L2 distances depend on the volume, which a map changes
        first, second = reduced(first, second, isometric=False)
    axes = common_grid(first, second)
    if axes is not None:
        return _on_cells(first, second, axes, p, name)
    for law in (first, second):
        if law.atoms() is not None:
            raise NotAvailable(
                f"{law!r} has no density, so {name} against {type(second if law is first else first).__name__} is not "
                "defined. "
                "Against a GridLaw its cells are counted; w2 and sliced_w2 need no density."
            )
    if first.dim == 1 and all(answers(law, "log_density", "quantile") for law in (first, second)):
        return Estimate(_on_line(first, second, p), 0.0, "quadrature", name)
    require_densities(first, second)
    needed = lacking([first, second], "quantile", "log_density")
    value, stderr = _sampled(first, second, p, count(n, "n", 4), generator(rng, f"{name} in dim {first.dim}", needed))
    return Estimate(value, stderr, f"Monte Carlo, n = {n}", name)


def _on_cells(first, second, axes, p, name):
    (mass_1, out_1, how_1), (mass_2, out_2, how_2) = (cell_masses(law, axes) for law in (first, second))
    how, outside = together([how_1, how_2]), out_1 + out_2

    def size(gap):
        return float(np.sum(np.abs(gap)) if p == 1 else np.sqrt(np.sum(gap * gap / cell_volumes(axes))))

    value = size(mass_1 - mass_2) + (outside if p == 1 else 0.0)
    if p == 2 and outside > 1e-12:
        how += f"; mass {outside:.3g} outside the box left out"
    null = size(sum(_unknown_in_cut_cells(law, axes) for law in (first, second)))
    if null <= 1e-12:  # round-off of edges that agree
        return Estimate(value, 0.0, how, name)
    return Estimate(value, 0.0, f"{how}; edges of one grid cut cells of the other", name, null)


def _unknown_in_cut_cells(law, axes):
    """By how much the masses in the cells of `axes` change where a grid law is linear in its cells, not constant.

    Zero where every edge of `axes` is one of the law's own, or lies outside them.
    """
    own, moved = law.grid_axes(), np.zeros([len(edges) - 1 for edges in axes])
    if own is None:
        return moved
    masses = cell_masses(law, own).mass
    for axis, (mine, edges) in enumerate(zip(own, axes, strict=True)):
        mass = np.moveaxis(masses, axis, -1)
        width, middle = np.diff(mine), (mine[1:] + mine[:-1]) / 2
        density = np.pad(mass / width, [(0, 0)] * (mass.ndim - 1) + [(1, 1)])  # nothing beyond the ends
        place = np.concatenate([[mine[0] - width[0] / 2], middle, [mine[-1] + width[-1] / 2]])
        slope = (density[..., 2:] - density[..., :-2]) / (place[2:] - place[:-2]) * width**2
        slope = np.clip(slope, -2 * mass, 2 * mass)  # no density below zero
        cut = np.clip(np.searchsorted(mine, edges, side="right") - 1, 0, len(width) - 1)
        part = np.clip((edges - mine[cut]) / width[cut], 0.0, 1.0)
        change = np.moveaxis(np.diff(-slope[..., cut] * part * (1 - part) / 2), -1, axis)
        for other in range(len(axes)):
            change = change if other == axis else overlap(change, other, own[other], axes[other])
        moved += change
    return moved


def _on_line(first, second, p):
    """Quadrature in x, on panels that end where the densities of both laws have their features and where they cross."""
    if first.density_steps() is not None and second.density_steps() is not None:
        return _of_steps(first, second, p)
    densities = LineDensities([first, second])
    half, y, logs = densities.first_look()
    densities.require_mass(half, logs)
    if p == 1 and any(law.linear_pieces() is None for law in (first, second)):
        enough = 1e-15  # of the whole, 2, for each crossing
        densities.split(
            *sign_changes(lambda x, panel: _difference(densities.logs(x, panel)), y, _difference(logs), enough)
        )
    squares = sum(np.exp(2 * log[:, 1:-1]) for log in logs)
    whole = 2.0 if p == 1 else float(half @ (squares @ kronrod(15)[1]))

    # densities are known to 1e-14 of themselves, so a small difference is not known to 1e-10 of itself
    def tolerances(total):
        if p == 1:
            return 1e-11 * total + 1e-16 * whole, 1e-8 * total + 1e-13 * whole
        return 1e-11 * total + 1e-28 * whole, 1e-8 * total + 1e-24 * whole

    total = densities.integral(lambda logs: np.abs(_difference(logs)) ** p, tolerances, f"l{p}")
    return float(total if p == 1 else np.sqrt(total))


def _of_steps(first, second, p):
    """The distance of two densities that are constant between steps: a finite sum."""
    edges = np.union1d(first.density_steps()[0], second.density_steps()[0])
    middle = (edges[:-1] / 2 + edges[1:] / 2)[:, None]
    gap = np.exp(first.log_density(middle)) - np.exp(second.log_density(middle))
    return float((np.diff(edges) @ np.abs(gap) ** p) ** (1 / p))


def _difference(logs):
    return np.exp(logs[0]) - np.exp(logs[1])


def _sampled(first, second, p, n, rng):
    means, variances = [], []
    for law in (first, second):
        x, mine = law.sample_with_log_density(n // 2, rng)
        other = (second if law is first else first).log_density(x)
        with np.errstate(over="ignore"):  # a ratio beyond 1e308 is a tanh of 1
            share = np.tanh(np.abs(mine - other) / 2)  # |p - q|/(p + q)
        values = 2 * share
        if p == 2:
            values = values * share * (np.exp(mine) + np.exp(other))
        means.append(values.mean())
        variances.append(values.var(ddof=1) / len(values))
    value, stderr = np.mean(means), np.sqrt(np.sum(variances)) / 2
    if p == 2:
        root = np.sqrt(value)
        value, stderr = root, stderr / (2 * root) if root > 0 else 0.0
    return float(value), float(stderr)
