"""L1 and L2 distances of densities."""

import numpy as np

from .._core.errors import NotAvailable
from .._core.estimate import Estimate, together
from .._core.quadrature import dyadic_levels, inner_levels, integrate
from .._core.validate import count
from ..laws import Law
from .cells import cell_masses, common_grid
from .metric import metric
from .pair import answers, checked_pair, generator, lacking, require_densities
from .scales import density_norm, one


@metric(floor_adds="sum", scale=one)
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
    as second order and not through its piecewise constant picture. Of two grids the one with fewer cells is used. The
    other law's cell masses come from its distribution function, from overlap, from counting (Particles) or from
    quadrature of its density. Without a grid in dimension 1: adaptive quadrature. Else Monte Carlo: E_m[2|p - q|/(p +
    q)] under m = (p + q)/2.
    """
    return _lp(approximation, truth, 1, rng, n)


@metric(floor_adds="squares", scale=density_norm)
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
    which `how` says when it is more than 1e-12. Else as in `l1`.
    """
    return _lp(approximation, truth, 2, rng, n)


def _lp(approximation, truth, p, rng, n):
    name = f"l{p}"
    first, second = checked_pair(approximation, truth, rng, name)
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
    gap = mass_1 - mass_2
    how = together([how_1, how_2])
    if p == 1:
        return Estimate(float(np.sum(np.abs(gap)) + out_1 + out_2), 0.0, how, name)
    volume = np.ones(())
    for edges in axes:
        volume = np.multiply.outer(volume, np.diff(edges))
    if out_1 + out_2 > 1e-12:
        how += f"; mass {out_1 + out_2:.3g} outside the box left out"
    return Estimate(float(np.sqrt(np.sum(gap * gap / volume))), 0.0, how, name)


def _on_line(first, second, p):
    """Quadrature in x on panels between quantiles of both laws; the tails beyond the levels 2^-44 weigh 1e-13."""
    levels = inner_levels(dyadic_levels()[1:-1])
    edges = [law.quantile(levels) for law in (first, second)]
    for law in (first, second):
        ends = law.quantile(np.array([0.0, 1.0]))
        edges.append(ends[np.isfinite(ends)])
        pieces = law.linear_pieces()
        if pieces is not None:
            edges.append(pieces[1])
    edges = np.unique(np.concatenate(edges))

    def integrand(x, parent):
        densities = [np.exp(law.log_density(x.reshape(-1, 1))).reshape(x.shape) for law in (first, second)]
        return np.abs(densities[0] - densities[1]) ** p

    # densities are known to 1e-14 of themselves, so a small difference is not known to 1e-10 of itself
    whole = 1.0 if p == 1 else max(1.0, 1 / float(np.min(np.diff(edges[[0, -1]]))))
    total = integrate(
        integrand,
        edges,
        lambda total: (1e-11 * total + 1e-15 * whole, 1e-8 * total + 1e-12 * whole),
        f"l{p}",
    )
    return float(total if p == 1 else np.sqrt(total))


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
