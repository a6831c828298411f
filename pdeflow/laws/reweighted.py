"""Laws reweighted by a function: dμ = exp(log_weight) dρ / E_ρ exp(log_weight), the step of Bayes' rule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import ArrayLike

from .._core.errors import BadInput, Unsupported
from .._core.quadrature import gauss_panels
from .._core.shapes import Matrix, Numbers, Points, Row, SameShape, Values, Vector
from .._core.short_text import shown
from .._core.validate import at_finite_points, draws, levels, numbers, points
from .._core.value import Value
from .base import Law
from .grid import GridLaw
from .line_table import DensityTable
from .log_weights import LogWeight, PathWeight, refuse_cut, weights_at
from .maps import Map
from .mixture import GaussianMixture
from .particles import Particles
from .push_forward import PushForward
from .quantiles import Quantiles

UNEVEN = 0.05  # L1 distance of a reweighted law to the one on the same pieces, beyond which these are too coarse
MOST_CELL_CHANGE = 0.05  # nats: of the log mean weight, between centres of cells and Gauss points in them


class Sampler(Protocol):
    """What draws from a reweighted law by name: `Stratified`, `MetropolisHastings`, or an object of your own."""

    def sample(self, law: Reweighted, n: int, rng: np.random.Generator) -> Points:
        """n draws (n, d) of the law."""
        ...


@dataclass(frozen=True)
class Stratified(Value):
    """Draws on the line at the levels of van der Corput's sequence, all bits of which are flipped or not at random.

    Each has the law that is asked for, but they depend on each other: of n = 2^k consecutive ones, beginning at a
    multiple of n, one lies in each of n equally likely intervals, all at one random place of theirs. Means err by
    O(1/n) where independent draws err by O(n^(-1/2)), those over a batch too, and increasing maps keep that.
    """

    def sample(self, law: Reweighted, n: int, rng: np.random.Generator) -> Points:
        """n draws (n, 1), at most 2³²; `NotAvailable` in more than one dimension."""
        bits, level = np.arange(n, dtype=np.uint64), np.zeros(n, dtype=np.uint64)
        for _ in range(32):
            level, bits = (level << np.uint64(1)) | (bits & np.uint64(1)), bits >> np.uint64(1)
        level ^= np.uint64(rng.integers(2**32))
        return law.quantile((level + rng.random(n)) / 2.0**32)[:, None]


class Reweighting(NamedTuple):
    """A reweighted law, and what Bayes' rule divides by.

    Attributes
    ----------
    law : Law
        The reweighted law.
    log_mean_weight : float or None
        log E_ρ exp(log_weight), the log-evidence of an observation whose log-likelihood is the weight; None where no
        sum, closed form or quadrature gives it.
    """

    law: Law
    log_mean_weight: float | None


class Reweighted(Law):
    """exp(log_weight) ρ / E_ρ exp(log_weight) for a law ρ with a density.

    Parameters
    ----------
    base : Law
        ρ; on the line one that answers `log_density` and says where it lives.
    log_weight : callable
        (n, d) -> (n,), at most finite; -inf where the weight is zero.
    sampler : object, optional
        With sample(law, n, rng) -> (n, d), such as `laws.MetropolisHastings()`. On the line the default draws through
        the quantile function, exactly; elsewhere one must be named.

    Raises
    ------
    Unsupported
        In more than one dimension without a sampler, and on the line for a base without density.
    NotConverged
        By the first question on the line, where quadrature misses 1e-9.

    Notes
    -----
    On the line the law is tabulated once (`line_table.DensityTable`): panels are halved until two rules agree, and
    where the weight is so steep between neighbouring nodes that a peak may hide there. In more dimensions the
    normalising constant is not known, so there is no density, and draws come from the sampler alone.
    """

    moments_how = "quadrature"

    def __init__(self, base: Law, log_weight: LogWeight, sampler: Sampler | None = None):
        if not isinstance(base, Law) or not callable(log_weight):
            raise BadInput(
                f"base is {shown(base, 200)}, log_weight {shown(log_weight, 200)}. They must be a Law and a function "
                "(n, d) -> (n,). Pass these."
            )
        if sampler is not None and not callable(getattr(sampler, "sample", None)):
            raise BadInput(
                f"sampler is {shown(sampler, 200)}. It must have sample(law, n, rng). Take laws.MetropolisHastings()."
            )
        if base.dim == 1 and not ("log_density" in base.answers() and base.density_edges() is not None):
            raise Unsupported(
                f"{shown(base, 200)} has no density, or does not say where it lives. A law on the line is reweighted "
                "by quadrature of its density. Take a law with log_density and quantile, or Particles of a sample."
            )
        if base.dim > 1 and sampler is None:
            raise Unsupported(
                f"{shown(base, 200)} reweighted has no closed form, and no quadrature in dimension {base.dim}. Laws "
                "that are reweighted exactly are Particles, GridLaw, and Gaussians and their mixtures by a "
                "GaussianLikelihood. Take one of these, or name a sampler: laws.MetropolisHastings()."
            )
        self.base, self.log_weight, self.sampler, self.dim = base, log_weight, sampler, base.dim

    @cached_property
    def table(self) -> DensityTable:
        """The density on panels, made when it is first asked for; on the line only."""
        if self.dim != 1:
            raise self.not_available("log_density", "its normalising constant is known on the line only")
        return DensityTable(self.log_unnormalised, np.asarray(self.base.density_edges()), shown(self, 200))

    def log_unnormalised(self, x: Points) -> Values:
        """log ρ(x) + log_weight(x) at points (n, d), shape (n,): the log density up to a constant."""
        there = self.base.log_density(x)
        inside = there > -np.inf
        if inside.all():
            return there + weights_at(self.log_weight, x)
        out = np.full(len(x), -np.inf)
        if inside.any():
            out[inside] = there[inside] + weights_at(self.log_weight, x[inside])
        return out

    def log_mean_weight(self) -> float | None:
        """log E_ρ exp(log_weight), by quadrature on the line; None elsewhere."""
        return self.table.log_total if self.dim == 1 else None

    def described(self) -> dict[str, Any]:
        """What makes it another law, for `fingerprint`: not what was tabulated meanwhile."""
        return {"reweighted": {"base": self.base, "log_weight": self.log_weight, "sampler": self.sampler}}

    def answers(self) -> list[str]:
        return super().answers() if self.dim == 1 else ["sample"]

    def has_density(self) -> bool | None:
        return self.base.has_density()

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        """Through the quantile function on the line, unless a sampler is named; else by the sampler."""
        n = draws(n, rng)
        return self.quantile(rng.random(n))[:, None] if self.sampler is None else self.sampler.sample(self, n, rng)

    @at_finite_points
    def log_density(self, x: Points) -> Values:
        constant = self.table.log_total
        return self.log_unnormalised(points(x, self.dim)) - constant

    def quantile(self, u: ArrayLike) -> SameShape:
        u = levels(u)
        return self._ends(self.table.quantile(u), u == 0, u == 1)

    def upper_quantile(self, share: ArrayLike) -> SameShape:
        share = levels(share)
        return self._ends(self.table.upper_quantile(share), share == 1, share == 0)

    def _ends(self, x, lowest, highest):
        """The quantiles at 0 and 1 are the ends of the support of the base."""
        box = self.base.support()
        return x if box is None else np.where(lowest, box[0][0], np.where(highest, box[1][0], x))

    def cdf(self, x: ArrayLike) -> SameShape:
        x = numbers(x)
        return np.where(np.isnan(x), np.nan, self.table.cdf(x))

    def mean(self) -> Vector:
        return np.array([self.table.moments()[0]])

    def cov(self) -> Matrix:
        return np.array([[self.table.moments()[1]]])

    def density_edges(self) -> Values | None:
        return self.table.edges() if self.dim == 1 else None

    def __repr__(self) -> str:
        return f"Reweighted({shown(self.base, 300)}, {shown(self.log_weight, 300)})"


def reweighted(law: Law, log_weight: LogWeight, sampler: Sampler | None = None) -> Law:
    """The law exp(log_weight) ρ / E_ρ exp(log_weight); see `reweighting`, which also gives the constant."""
    return reweighting(law, log_weight, sampler).law


def reweighting(law: Law, log_weight: LogWeight, sampler: Sampler | None = None) -> Reweighting:
    """A law reweighted by exp(log_weight), with the log of the mean weight.

    Parameters
    ----------
    law : Law
        ρ.
    log_weight : callable
        (n, d) -> (n,), at most finite; -inf where the weight is zero. `laws.GaussianLikelihood` for linear observations
        with Gaussian noise.
    sampler : object, optional
        What draws from the law where no formula does, e.g. `laws.MetropolisHastings()`; see `laws.Reweighted`.

    Returns
    -------
    Reweighting
        The law and log E_ρ exp(log_weight), the log-evidence.

    Raises
    ------
    BadInput
        For weights that are NaN or +inf, of another shape than (n,), or zero on the whole law; for a sampler beside a
        law that needs none; and for a GridLaw where the weight moves more than 1e-4 of the mass into last cells that
        had less than 1e-8, or is so narrow that centres and Gauss points of the cells tell log mean weights that differ
        by more than 0.05.
    Unsupported
        For laws in more than one dimension that have none of these forms, without a sampler.

    Notes
    -----
    Particles get new weights. Gaussians and their mixtures stay such under a `GaussianLikelihood`. A GridLaw keeps its
    cells, with masses times the weight at the cell centres, of second order in the cells [mokrov2022, §4.5]. A
    piecewise linear quantile function keeps its nodes; the new mass of a piece is the old one times the mean weight
    there, by five Gauss points; where the weight changes so much within pieces that the result is more than 0.05 from
    the reweighted law in L1, as for a `Uniform` law of one piece, the density is reweighted by quadrature. The law of
    T(x), x ~ μ, is the law of T(x), x ~ μ reweighted by log_weight(T(x)): so the posterior of a flow of maps is a
    `PushForward` of the reweighted start, and all observations become weights of the start [mokrov2022, eq. (18)]. On
    the line all other laws with a density become `laws.Reweighted`.
    """
    found = _closed(law, log_weight)
    if found is not None:
        _refuse_idle(sampler, law)
        return found
    base, maps = unnested(law)
    if maps:
        return _pulled_back(law, base, maps, log_weight, sampler)
    start = _started(law, sampler)
    new = Reweighted(start.base, _joined(start, (), log_weight), start.sampler)
    return Reweighting(new, _gain(start, new))


def _refuse_idle(sampler: Any, law: Law) -> None:
    """`BadInput` for a sampler where the law is reweighted without one."""
    if sampler is not None:
        raise BadInput(
            f"sampler is {shown(sampler, 200)}, and {shown(law, 200)} is reweighted without one. A sampler is for "
            "flows of maps from a law with a density. Leave it out."
        )


def _closed(law: Law, log_weight: LogWeight) -> Reweighting | None:
    """Laws that stay what they are, else None."""
    own = law.times(log_weight)
    if own is not None:
        return Reweighting(*own)
    atoms = law.atoms()
    if atoms is not None:
        mass, log_mean = _times(atoms[1], weights_at(log_weight, atoms[0]), law)
        return Reweighting(Particles(atoms[0], mass), log_mean)
    mixture, product = law.gaussian_components(), getattr(log_weight, "times_gaussian", None)
    if mixture is not None and product is not None:
        parts = [product(part) for part in mixture[1]]
        weights, log_mean = _times(mixture[0], np.array([log for _, log in parts]), law)
        new = [part for part, _ in parts]
        single = len(new) == 1
        return Reweighting(new[0] if single else GaussianMixture.of_components(weights, new), log_mean)
    axes = law.grid_axes()
    cells = None if axes is None else law.cell_masses(axes)
    if axes is not None and cells is not None:
        centres = np.stack(np.meshgrid(*[(a[1:] + a[:-1]) / 2 for a in axes], indexing="ij"), axis=-1)
        log = weights_at(log_weight, centres.reshape(-1, law.dim)).reshape(cells.mass.shape)
        mass, log_mean = _times(cells.mass, log, law)
        refuse_cut(cells.mass, mass, axes)
        _refuse_wide_cells(cells.mass, axes, log_weight, log_mean, law)
        return Reweighting(GridLaw(axes, mass), log_mean)
    pieces = None if law.pushed_from() is not None else law.linear_pieces()
    return None if pieces is None else _piecewise(*pieces, log_weight, law)


def _refuse_wide_cells(mass: Numbers, axes: tuple[Row, ...], log_weight: LogWeight, log_mean: float, law: Law) -> None:
    """`BadInput` where the mean weight by Gauss points in the cells is another than by their centres."""
    nodes, share = np.polynomial.legendre.leggauss(3)
    parts = np.full(mass.shape, -np.inf)
    for which in np.ndindex(*(3,) * len(axes)):
        at = [(a[1:] + a[:-1] + nodes[i] * np.diff(a)) / 2 for a, i in zip(axes, which)]
        x = np.stack(np.meshgrid(*at, indexing="ij"), axis=-1).reshape(-1, len(axes))
        part = weights_at(log_weight, x).reshape(mass.shape) + np.log(share[list(which)] / 2).sum()
        parts = np.logaddexp(parts, part)
    finer = _times(mass, parts, law)[1]
    if not abs(finer - log_mean) <= MOST_CELL_CHANGE:
        raise BadInput(
            f"The log of the mean weight is {log_mean:.4g} by the centres of the cells and {finer:.4g} by three Gauss "
            f"points an axis in each; at most {MOST_CELL_CHANGE:g} apart is accepted. The cells must be narrower than "
            "what the weight lets through. Take more cells, or a smaller domain by lower= and upper=."
        )


def _piecewise(u: Row, q: Row, log_weight: LogWeight, law: Law) -> Reweighting | None:
    """A law of a piecewise linear quantile function on the same nodes.

    None where a piece inside has no mass, and where the weight changes so much within pieces that they do not hold it.
    """
    x, share = gauss_panels(q, 5)
    log = weights_at(log_weight, x.reshape(-1, 1)).reshape(x.shape)
    top = log.max()
    if not np.isfinite(top):
        return None
    with np.errstate(under="ignore"):
        weight = np.exp(log - top)
    means = np.maximum(weight @ share, 1e-300)
    mass, log_mean = _times(np.diff(u), np.log(means) + top, law)
    if mass @ (np.abs(weight / means[:, None] - 1) @ share) > UNEVEN:
        return None
    kept = np.flatnonzero(mass > 1e-300)
    inner = slice(kept[0], kept[-1] + 1)
    total = np.concatenate([[0.0], np.cumsum(mass[inner])])
    total /= total[-1]
    if np.any(np.diff(total) <= 0):
        return None
    return Reweighting(Quantiles(q[inner.start : inner.stop + 1], total), log_mean)


def unnested(law: Law) -> tuple[Law, tuple[Map, ...]]:
    """The law that all maps start from and the maps, where push-forwards are those of push-forwards."""
    maps: tuple[Map, ...] = ()
    pushed = law.pushed_from()
    while pushed is not None:
        law, first = pushed
        maps, pushed = (*first, *maps), law.pushed_from()
    return law, maps


def _pulled_back(law: Law, base: Law, maps: tuple[Map, ...], log_weight: LogWeight, sampler: Any) -> Reweighting:
    """The law of T(x) reweighted is the law of T(x) for x of the base, reweighted by the weight at T(x)."""
    closed = _closed(base, PathWeight(maps, ((len(maps), log_weight),)))
    if closed is not None:
        _refuse_idle(sampler, law)
        return Reweighting(PushForward(closed.law, maps), closed.log_mean_weight)
    start = _started(base, sampler)
    new = Reweighted(start.base, _joined(start, maps, log_weight), start.sampler)
    return Reweighting(PushForward(new, maps), _gain(start, new))


def _started(law: Law, sampler: Any) -> Reweighted:
    """The law as one that is reweighted already, with this sampler where one is given."""
    if isinstance(law, Reweighted):
        return Reweighted(law.base, law.log_weight, law.sampler if sampler is None else sampler)
    return Reweighted(law, PathWeight((), ()), sampler)


def _joined(start: Reweighted, maps: tuple[Map, ...], log_weight: LogWeight) -> PathWeight:
    """The weights so far and one more behind the maps; maps that the path has begun with are taken once."""
    old = start.log_weight
    path, stages = (old.maps, old.stages) if isinstance(old, PathWeight) else ((), ((0, old),))
    if len(path) <= len(maps) and all(a is b for a, b in zip(path, maps)):
        return PathWeight(maps, (*stages, (len(maps), log_weight)))
    return PathWeight(maps, ((0, old), (len(maps), log_weight)))


def _gain(start: Reweighted, new: Reweighted) -> float | None:
    """log E exp(log_weight) under the law so far: the ratio of two constants."""
    if new.dim != 1:
        return None
    before = start.log_mean_weight() if getattr(start.log_weight, "stages", True) else 0.0
    return new.table.log_total - cast(float, before)


def _times(mass: Any, log: Any, law: Law) -> tuple[Any, float]:
    """Masses times exp(log), made to sum to one, and the log of the sum."""
    top = float(np.max(log[mass != 0], initial=-np.inf))
    if not top > -np.inf:
        raise BadInput(
            f"The weight is zero wherever {shown(law, 200)} has mass. Its mean must be positive. Check the observation "
            "and its noise, or take a law that reaches there."
        )
    with np.errstate(under="ignore"):
        product = mass * np.exp(np.minimum(log - top, 0.0))
    total = float(product.sum())
    return product / total, top + float(np.log(total))
