"""Relative entropy (Kullback-Leibler divergence)."""

import numpy as np

from .._core.arrays import underflow_is_zero
from .._core.errors import BadInput, NotAvailable
from .._core.estimate import Estimate, together
from .._core.quadrature import dyadic_levels, inner_levels, integrate, kronrod
from .._core.rising import require_rising
from .._core.validate import count, known_arguments
from ..laws import Law
from ..laws.cell_integrals import cell_masses
from ..laws.line_integrals import LineDensities, asked_log_density
from .gaussian import gaussian_kl, minus_log1p
from .metric import metric
from .pair import answers, blocks, checked_pair, common_grid, each_block, generator, lacking, reduced, require_densities
from .scales import one

_EMPTY = 1e-12  # GridLaw's own limit for a cell that counts as empty


@metric(floor_adds="sum", scale=one)
@known_arguments
def kl(approximation: Law, truth: Law, *, rng: np.random.Generator | None = None, n: int = 100_000) -> Estimate:
    """The relative entropy KL(approximation || truth) = ∫p log(p/q) dx, in nats.

    Parameters
    ----------
    approximation, truth : Law
        Two laws of one dimension.
    rng : Generator, optional
        Needed where neither a closed form nor quadrature is known.
    n : int
        How many points are drawn then, at least 2.

    Returns
    -------
    Estimate
        The relative entropy, inf where the truth is empty and the approximation is not, which `how` says; mass of at
        most 1e-12 in all that lies there is left out, which `how` says too.

    Raises
    ------
    NotAvailable
        For laws without a density (Particles, Ring), and where draws are needed and rng is None. Nothing is smoothed.

    Notes
    -----
    Gaussians: closed form. Products of equal blocks: the sum. Two laws that were moved by the same maps are compared
    without these, and two that are invariant under rotations by their radii. Against a GridLaw: Σ p_i log(p_i/q_i) over
    the cell masses (see `l1` for how they are got), written as Σ(p_i log(p_i/q_i) - p_i + q_i) with the outside of the
    box as one more cell, which is the same for equal totals and has no negative term. In dimension 1: quadrature in the
    level of p.

    Else Monte Carlo with draws of p: the mean of -log r + c(r - 1), r = q/p, with c near 1 where the laws are near.
    There its standard deviation is O(KL) and not O(√KL) [docs/math.md 4.4]. Each half of the draws takes the c that is
    best on the other half, so that c is independent of what it multiplies and the mean is unbiased. That relies on E_p
    r = 1, that is on q having no mass where p has none. So c is 0, which leaves the plain mean of log(p/q), for laws p
    of bounded support, and where the other half of the draws contradicts the premise or a moderate variance. `how` says
    which mean was taken.
    """
    first, second = checked_pair(approximation, truth, rng, "kl")
    return _kl(first, second, rng, count(n, "n", 2))


@metric(floor_adds="sum", scale=one)
@known_arguments
def sym_kl(approximation: Law, truth: Law, *, rng: np.random.Generator | None = None, n: int = 100_000) -> Estimate:
    """KL(approximation || truth) + KL(truth || approximation): the sum, not its half.

    Parameters
    ----------
    approximation, truth : Law
        Two laws of one dimension.
    rng : Generator, optional
        Needed where neither a closed form nor quadrature is known.
    n : int
        How many points are drawn of each law then, at least 2.

    Returns
    -------
    Estimate
        The sum; stderr combines those of the two terms in quadrature. Ways and errors are those of `kl`.
    """
    first, second = checked_pair(approximation, truth, rng, "sym_kl")
    there, back = _kl(first, second, rng, count(n, "n", 2)), _kl(second, first, rng, n, axes_of=(first, second))
    stderr = float(np.hypot(there.stderr, back.stderr))
    return Estimate(there.value + back.value, stderr, together([there.how, back.how]), "sym_kl")


@underflow_is_zero
def _kl(first, second, rng, n, axes_of=None):
    _refuse_atoms(first, second)
    gaussians = first.as_gaussian(), second.as_gaussian()
    if None not in gaussians:
        return Estimate(gaussian_kl(*gaussians), 0.0, "closed form", "kl")
    axes = common_grid(*(axes_of or (first, second)))
    if axes is not None:
        return _on_cells(first, second, axes)
    if first.dim == 1 and answers(first, "quantile", "log_density") and answers(second, "log_density"):
        located = first.gaussian_components() is not None or first.density_steps() is not None
        return _on_line(first, second) if located else _on_levels(first, second)
    simpler = reduced(first, second, isometric=False)
    if simpler[0] is not first:
        return _kl(*simpler, rng, n)
    split = blocks(first, second)
    if split is not None:
        parts = each_block(split, lambda a, b: _kl(a, b, rng, n))
        stderr = float(np.linalg.norm([part.stderr for part in parts]))
        how = f"sum over blocks: {together(part.how for part in parts)}"
        return Estimate(float(sum(part.value for part in parts)), stderr, how, "kl")
    require_densities(first, second)
    needed = [*lacking([first], "quantile", "log_density"), *lacking([second], "log_density")]
    return _sampled(first, second, n, generator(rng, f"kl from {type(first).__name__} in dim {first.dim}", needed))


def _refuse_atoms(*laws):
    for law in laws:
        if law.atoms() is not None:
            raise NotAvailable(
                f"{law!r} has no density, so its relative entropy is not defined. w2, sliced_w2 and the moment errors "
                "are. Use one of these, or compare a law with a density."
            )


def _on_cells(first, second, axes):
    (p, p_out, how_1), (q, q_out, how_2) = (cell_masses(law, axes) for law in (first, second))
    p, q = (np.append(np.maximum(mass.ravel(), 0.0), out) for mass, out in ((p, p_out), (q, q_out)))
    how = together([how_1, how_2])
    lost = float(p[q == 0].sum())
    if lost > _EMPTY:
        return Estimate(np.inf, 0.0, f"{how}; mass {lost:.3g} where the other law is empty", "kl")
    if lost > 0:
        how += f"; mass {lost:.2g} where the other law is empty left out"
    both = (p > 0) & (q > 0)
    terms = q[both] * _entropy_gap(p[both], q[both])
    return Estimate(float(np.sum(terms) + q[p == 0].sum()), 0.0, how, "kl")


def _entropy_gap(p, q):
    """r log r - r + 1 >= 0 at r = p/q, as r (y - log(1 + y)) with y = 1/r - 1 = (q - p)/p, which does not cancel."""
    ratio = p / q
    near = (ratio > 0.5) & (ratio < 2)
    excess = np.where(near, (q - p) / np.where(near, p, 1.0), 0.0)
    far = ratio * (np.log(p) - np.log(q)) - ratio + 1
    return np.where(near, ratio * minus_log1p(excess), far)


def _on_line(first, second):
    """∫p log(p/q) - p + q dx, which has no negative term, for a p that is a mixture of Gaussians or has steps.

    The terms without logarithm are left out where q is no such mixture: what it has beyond the panels is not counted.
    """
    densities = LineDensities([first, second])
    half, _, logs = densities.first_look()
    densities.require_mass(half, logs)
    mine, other = (log[:, 1:-1] for log in logs)
    lost = float(half @ ((np.isneginf(other) * np.exp(mine)) @ kronrod(15)[1]))
    if lost > _EMPTY:
        return Estimate(np.inf, 0.0, f"quadrature; mass {lost:.3g} where the other law is empty", "kl")
    signed = second.gaussian_components() is None

    def tolerances(total):
        return 1e-13 * abs(total) + (1e-15 if signed else 1e-28), 1e-9 * abs(total) + (1e-11 if signed else 1e-22)

    value = densities.integral(lambda logs: _terms(logs[0], logs[1], signed), tolerances, "kl")
    return Estimate(_not_negative(value, first, second), 0.0, _how_of("quadrature", lost), "kl")


def _terms(mine, other, signed):
    """p log(p/q), less p - q unless signed, from the two logs."""
    p = np.exp(mine)
    rise = np.where(
        (p > 0) & np.isfinite(other), np.where(np.isfinite(other), other, 0.0) - np.maximum(mine, -1e300), 0
    )
    if signed:
        return -p * rise
    small, series = np.abs(rise) < 0.05, np.ones(rise.shape)
    near = np.where(small, rise, 0.0)
    for k in range(10, 2, -1):  # e^t - 1 - t = t²/2 (1 + t/3 (1 + t/4 (...)))
        series = 1 + near * series / k
    return np.where(small & (p > 0), p * near * near / 2 * series, np.exp(other) - p - p * rise)


def _how_of(way, lost):
    return way + (f"; mass {lost:.2g} where the other law is empty left out" if lost > 0 else "")


def _not_negative(value, first, second):
    """The relative entropy, which is at least 0 up to round-off; `BadInput` where a density cannot be one."""
    if value < -1e-9:
        raise BadInput(
            f"kl({first!r:.200}, {second!r:.200}) comes out as {value:.6g}. A relative entropy is at least 0, so "
            "one of the densities does not integrate to one or does not fit the quantiles. Check each with "
            "pf.checks.law."
        )
    return value


def _on_levels(first, second):
    """∫ log p(Q(u)) - log q(Q(u)) du over the levels of p, panels cut at the kinks of both densities."""
    require_rising(first.quantile, first)
    edges = [dyadic_levels()]
    mine = first.linear_pieces()
    if mine is not None:
        edges.append(mine[0])
    if answers(first, "cdf"):
        places = second.density_edges()
        edges.append(first.cdf(np.empty(0) if places is None else places))
    edges = np.unique(np.concatenate(edges))
    if mine is None:
        densities = LineDensities([first])
        widths, _, found = densities.first_look()
        densities.require_mass(widths, found)

    def logs(u):
        x = first.quantile(inner_levels(u))
        return asked_log_density(first, x), asked_log_density(second, x)

    lost = None

    def integrand(u, parent):
        nonlocal lost
        mine, other = logs(u)
        if lost is None:  # the first round, over the whole panels
            empty = (np.isneginf(other) & np.isfinite(mine))[:, :-2]
            lost = float(np.diff(edges) / 2 @ (empty @ kronrod(empty.shape[1])[1]))
        if lost > _EMPTY:
            return np.zeros(u.shape)
        known = np.isfinite(mine) & np.isfinite(other)  # a node that rounds to the end of the support has log 0
        return np.where(known, np.where(known, mine, 0.0) - np.where(known, other, 0.0), 0.0)

    def tolerances(total):
        return 1e-13 * abs(total) + 1e-15, 1e-9 * abs(total) + 1e-11

    value = integrate(integrand, edges, tolerances, "kl", poles=(0.0, 1.0))
    if lost is not None and lost > _EMPTY:
        return Estimate(np.inf, 0.0, f"quadrature; mass {lost:.3g} where the other law is empty", "kl")
    value = _not_negative(value, first, second)
    return Estimate(value, 0.0, _how_of("quadrature in the level", lost), "kl")


def _sampled(first, second, n, rng):
    x, mine = first.sample_with_log_density(n, rng)
    log_ratio = second.log_density(x) - mine
    if np.any(np.isneginf(log_ratio)):
        share = float(np.mean(np.isneginf(log_ratio)))
        return Estimate(np.inf, 0.0, f"Monte Carlo, n = {n}; mass {share:.3g} where the other law is empty", "kl")
    halves = log_ratio[: n // 2], log_ratio[n // 2 :]
    factors = [_control(half) for half in halves[::-1]]
    # r > e^50 has probability e^-50 under E_p r = 1 (Markov): it refutes the premise at no bias
    if not any(factors) or _bounded(first) or np.max(log_ratio) > 50:
        error = float(log_ratio.std(ddof=1) / np.sqrt(n))
        return Estimate(float(-log_ratio.mean()), error, f"Monte Carlo, n = {n}, plain mean of log(p/q)", "kl")
    means, variances = [], []
    for half, factor in zip(halves, factors):
        excess = np.expm1(half)
        with np.errstate(divide="ignore"):
            smooth = np.where(half > -30, minus_log1p(excess), excess - half)  # r - 1 - log r without cancellation
        values = smooth + (factor - 1) * excess if factor else -half
        means.append(values.mean())
        variances.append(values.var(ddof=1) / len(half))
    how = f"Monte Carlo, n = {n}, mean of -log r + c(r - 1), c from the other half"
    return Estimate(float(np.mean(means)), float(np.sqrt(np.sum(variances)) / 2), how, "kl")


def _control(log_ratio):
    """The c that makes the variance of -log r + c(r - 1) least on these draws, or 0 where they do not vouch for r.

    They vouch for r with at least 50 draws, r <= 5 with standard deviation <= ½ (measured: with r <= 20 and 1, the tail
    r^-2.5 of a Gaussian of variance 0.6 against 1 makes stderr 1.4 times too small, with these limits it is right), and
    a mean within 4 standard errors of one.
    """
    if len(log_ratio) < 50 or np.max(log_ratio) > np.log(5):
        return 0.0
    excess = np.expm1(log_ratio)
    spread = excess.std(ddof=1)
    if spread == 0 or spread > 0.5 or abs(excess.mean()) > 4 * spread / np.sqrt(len(excess)):
        return 0.0
    offset = excess - excess.mean()
    return float(offset @ (log_ratio - log_ratio.mean()) / (offset @ offset))


def _bounded(law):
    """Whether the law is known to leave part of the space empty, where another law may have mass."""
    box = law.support()
    return box is not None and bool(np.isfinite(box).any())
