"""Law: a probability measure on R^d that answers exactly, for what it is, or raises `NotAvailable`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .._core.errors import NotAvailable
from .._core.estimate import Estimate
from .._core.level_moments import quantile_moment
from .._core.overriding import forget_shortcuts
from .._core.quadrature import dyadic_levels
from .._core.rising import require_rising, require_sorted
from .._core.shapes import Matrix, Points, Row, SameShape, Values, Vector
from .._core.short_text import LONGEST_REPR, cut, shown
from .._core.validate import draws
from .._core.value import Value
from .cells import CellMasses, line_masses
from .levels import level_mean

if TYPE_CHECKING:
    from .barenblatt import Barenblatt
    from .gaussian import Gaussian
    from .maps import Map
    from .semicircle import Semicircle

# Out to 38.5 deviations a Gaussian density is a number of double precision; every panel between two of these is smooth.
_OUT = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.5, 11.5, 14.0, 18.0, 24.0, 38.5])
DEVIATIONS = np.concatenate([-_OUT[::-1], [0.0], _OUT])

# What a law knows of itself in closed form, beyond its density, distribution function, quantiles and moments.
CLOSED_FORMS = (
    *("entropy", "power_integral", "score", "as_gaussian", "gaussian_components", "as_barenblatt", "as_semicircle"),
    *("scale_family", "blocks", "factors", "linear_pieces", "cell_masses", "projected", "mean_of", "mean_pair_power"),
    *("quadrature_nodes", "pushed", "atoms", "density_steps", "pushed_from", "grid_axes", "density_edges"),
    *("difference", "upper_quantile", "radial_part", "mean_of_radius"),
)


class Law(Value):
    """A probability measure on R^d. Answers a question exactly, for what it is, or raises `NotAvailable`.

    A subclass overrides what it knows; `sample` is the one question that every law answers. No answer is a hidden
    density estimate and none is hidden Monte Carlo. Whoever needs something of a law asks the law; nobody asks which
    class it is.

    Attributes
    ----------
    dim : int
        d.
    moments_how : str
        How `mean` and `cov` are found: "closed form" or "quadrature".
    mass_error : float
        The total mass minus one, of laws that are given by masses.
    min_mass : float
        The smallest mass of a cell, of laws that are given by the masses of cells; else 0.

    Notes
    -----
    The questions below `spec` are those that metrics, schemes, energies and files ask instead of looking at the class.
    The base class answers what follows from the first ones, and else "unknown": None, or `NotAvailable` where only the
    exact answer is of use.

    At a point that is NaN `log_density`, `score` and `cdf` are NaN; at an infinite point the density is 0 and there is
    no score (NaN). A level that is NaN is outside [0, 1] and raises `BadInput`, as masked entries do everywhere.
    """

    dim: int
    moments_how: str = "closed form"
    mass_error: float = 0.0
    min_mass: float = 0.0

    def __init_subclass__(cls, **kwargs):
        """A subclass that overrides an answer has the defaults for the closed forms that rest on that answer."""
        super().__init_subclass__(**kwargs)
        forget_shortcuts(cls, Law, ("log_density", "mean", "cov", "quantile", "cdf"), CLOSED_FORMS)

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        """Draw n independent points, shape (n, d)."""
        raise self.not_available("sample")

    def log_density(self, x: Points) -> Values:
        """Log of the density at the points x, (n, d) -> (n,), also in dimension 1; -inf outside the support."""
        raise self.not_available("log_density")

    def sample_with_log_density(self, n: int, rng: np.random.Generator) -> tuple[Points, Values]:
        """n draws (n, d) and the log density at them (n,), for which a pushed law needs no inverse map."""
        x = self.sample(n, rng)
        return x, self.log_density(x)

    def weighted_sample(self, n: int, rng: np.random.Generator) -> tuple[Points, Values]:
        """n points (n, d) and weights (n,) with the sum one, whose sums estimate integrals over the law.

        The base class draws, with equal weights. A law that has no exact draws overrides it.
        """
        return self.sample(n, rng), np.full(n, 1 / max(n, 1))

    def mean(self) -> Vector:
        """E x, shape (d,)."""
        raise self.not_available("mean")

    def cov(self) -> Matrix:
        """E (x - Ex)(x - Ex)ᵀ, shape (d, d): the population covariance, without Bessel's correction."""
        raise self.not_available("cov")

    def quantile(self, u: ArrayLike) -> SameShape:
        """The left-continuous inverse of P(X <= x) at levels u in [0, 1], of the shape of u; dimension 1 only."""
        raise self.not_available("quantile")

    def cdf(self, x: ArrayLike) -> SameShape:
        """P(X <= x), of the shape of x; dimension 1 only."""
        raise self.not_available("cdf")

    def entropy(self) -> float:
        """-∫ρ log ρ dx in closed form."""
        raise self.not_available("entropy")

    def power_integral(self, m: float) -> float:
        """∫ρ^m dx in closed form, m > 0."""
        raise self.not_available("power_integral")

    def spec(self) -> dict[str, Any]:
        """The law as JSON data from which `laws.from_spec` rebuilds it; only laws of few parameters have one."""
        raise self.not_available("spec")

    def to_data(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON data and named arrays for a file of `reference.save_flow`; laws of few parameters need no arrays."""
        return {"law": self.spec()}, {}

    def score(self, x: Points, power: float = 0.0) -> Points:
        """ρ^power ∇ log ρ at points where ρ > 0.

        Parameters
        ----------
        x : (n, d)
            Points of the support.
        power : float
            At least 0. The product with ρ^power stays finite at the edge of a support where ∇ log ρ alone does not.

        Returns
        -------
        (n, d)
            The weighted score at each point.
        """
        raise self.not_available("score")

    def finite_dissipation(self, power: float = 0.0) -> bool | None:
        """Whether ∫ρ^(2 power) |∇ log ρ|² dρ is finite, as the velocity of a flow must be. None if unknown."""
        return None

    def support(self) -> tuple[Vector, Vector] | None:
        """(low, high), each (d,): the smallest box that holds the law; entries may be infinite. None if unknown."""
        if self.dim == 1 and "quantile" in self.answers():
            with np.errstate(all="ignore"):  # the ends of an unbounded law are infinite
                ends = np.asarray(self.quantile(np.array([0.0, 1.0])), dtype=float)
            return ends[:1], ends[1:]
        return None

    def has_density(self) -> bool | None:
        """Whether the law is absolutely continuous: False for atoms, curves and shells. None if unknown."""
        return True if "log_density" in self.answers() else None

    def atoms(self) -> tuple[Points, Values] | None:
        """(points (n, d), weights (n,)) where the law is given as a finite sum of point masses, else None."""
        return None

    def as_gaussian(self) -> Gaussian | None:
        """The same law as a `Gaussian`, where it is one, else None."""
        return None

    def gaussian_components(self) -> tuple[Values, tuple[Gaussian, ...]] | None:
        """(weights (k,), Gaussians) where the law is a mixture of Gaussians (k = 1 for a Gaussian), else None."""
        single = self.as_gaussian()
        return None if single is None else (np.ones(1), (single,))

    def as_barenblatt(self) -> Barenblatt | None:
        """The same law as a `Barenblatt` profile, where it is one, else None."""
        return None

    def as_semicircle(self) -> Semicircle | None:
        """The same law as a `Semicircle`, where it is one, else None."""
        return None

    def scale_family(self) -> tuple[Hashable, Row, Row] | None:
        """The family of laws of c + s z, one z per family, to which the law belongs.

        Returns
        -------
        (family, centre (d,), spread (k,)) or None
            Two laws of one family have W2² = |centre_1 - centre_2|² + |spread_1 - spread_2|² [docs/math.md 1]. k = 1
            where z is scaled alike in all directions: spread is then the root of E|x - centre|². None if the law is in
            no such family.
        """
        return None

    def blocks(self, sizes: Sequence[int]) -> tuple[Law, ...] | None:
        """The independent laws of consecutive blocks of coordinates of these sizes; None if dependent or unknown."""
        return (self,) if list(sizes) == [self.dim] else None

    def factors(self) -> tuple[Law, ...] | None:
        """The independent laws of consecutive blocks of coordinates, where the law was made as a product, else None."""
        return None

    def pushed_from(self) -> tuple[Law, tuple[Map, ...]] | None:
        """The base law and the maps that this law was made of, where it was made as a push-forward, else None."""
        return None

    def radial_part(self) -> Law | None:
        """The law of |x| where this law is known to be invariant under rotations about the origin, in d > 1."""
        return None

    def mean_of_radius(self, function: Callable[[Points], Values]) -> Estimate | None:
        """E function(|x|), function of radii (n, 1), where the law of |x| is known and has it, else None."""
        radius = self.radial_part()
        return None if radius is None else radius.mean_of(function)

    def linear_pieces(self) -> tuple[Values, Values] | None:
        """(levels (k,), quantiles (k,)) of a piecewise linear quantile function (jumps repeat a level), else None."""
        return None

    def grid_axes(self) -> tuple[Row, ...] | None:
        """The cell edges of each axis where the law is given by the masses of grid cells, else None."""
        return None

    def cell_masses(self, axes: Sequence[Row]) -> CellMasses | None:
        """The probability of every cell of a grid, where it is known exactly.

        Parameters
        ----------
        axes : sequence of (n_i + 1,)
            The cell edges of each axis, increasing.

        Returns
        -------
        CellMasses or None
            mass (n_1, ..., n_d), the mass outside the grid, and how they were found. None where it takes quadrature of
            the density (see `pdeflow.laws.cell_integrals.cell_masses`).
        """
        return line_masses(self, axes[0]) if self.dim == 1 and "cdf" in self.answers() else None

    def projected(self, direction: Vector) -> Law | None:
        """The law on the line of directionᵀx, direction (d,) of length one, where it is known, else None."""
        return None

    def mean_of(self, function: Callable[[Points], Values], breakpoints: Sequence[float] = ()) -> Estimate | None:
        """E function(x) by a finite sum or by quadrature.

        Parameters
        ----------
        function : (n, d) -> (n,)
            What is averaged.
        breakpoints : (k,)
            On the line, places at which panels are to end, such as the ends of a narrow feature of the function.

        Returns
        -------
        Estimate or None
            None where only sampling is left. On the line the base class integrates over the levels of the quantile
            function, and over the shares above by `upper_quantile` where that tells small ones apart.

        Raises
        ------
        NotConverged
            Where the error estimate of the quadrature stays above 1e-9 of E|function(x)|.
        BadInput
            Where the quantile function falls.
        """
        return level_mean(self, function, breakpoints) if self.dim == 1 and "quantile" in self.answers() else None

    def mean_pair_power(self, p: float) -> Estimate | None:
        """E|X - Y|^p of independent X and Y of this law (E log|X - Y| for p = 0); None where it would take sampling."""
        known = self.answers()
        if p == 2 and "mean" in known and "cov" in known:
            return Estimate(float(2 * np.trace(self.cov())), 0.0, self.moments_how, "mean")
        if p == 1 and self.dim == 1 and "quantile" in known:
            require_rising(self.quantile, self)
            value = 2 * quantile_moment(self.quantile, 1, weight=lambda u: 2 * u - 1)
            return Estimate(value, 0.0, "quadrature", "mean")
        return None

    def quadrature_nodes(self, most: int) -> tuple[Points, Values] | None:
        """Points (k, d) and weights (k,) whose sums stand for integrals over a law that is given on a grid, else None.

        These are three Gauss points per axis and cell where there are at most `most` of them, else the centres of the
        cells.
        """
        return None

    def density_edges(self) -> Values | None:
        """Places (k,) on the line, increasing, between which the density is smooth and has no narrow feature.

        They reach as far as the law has mass that counts. None where it is not known where the law lives. The base
        class takes the centres of Gaussian components with multiples of their deviations, else quantiles, the finite
        ends of the support and the kinks of a piecewise linear quantile function.
        """
        mixture = self.gaussian_components() if self.dim == 1 else None
        if mixture is not None:
            weights, parts = mixture
            parts = [part for weight, part in zip(weights, parts) if weight > 0]
            places = [part.mean()[0] + np.sqrt(part.cov()[0, 0]) * DEVIATIONS for part in parts]
            return np.unique(np.concatenate(places))
        if self.dim != 1 or "quantile" not in self.answers():
            return None
        places = np.asarray(self.quantile(dyadic_levels()), dtype=float)
        require_sorted(places, dyadic_levels(), self)
        pieces = self.linear_pieces()
        if pieces is not None:
            places = np.append(places, pieces[1])
        return np.unique(places[np.isfinite(places)])

    def upper_quantile(self, share: ArrayLike) -> SameShape:
        """The quantile at level 1 - share, of the shape of share; dimension 1 only.

        A law that knows it without rounding 1 - share overrides it. Here shares below 2^-53 are nothing.
        """
        return self.quantile(1 - np.asarray(share, dtype=float))

    def times(self, log_weight: Callable[[Points], Values]) -> tuple[Law, float | None] | None:
        """The law with density ρ exp(log_weight) over its mass, where that is a law of the same kind, else None.

        Parameters
        ----------
        log_weight : (n, d) -> (n,)
            At most finite; -inf where the weight is zero.

        Returns
        -------
        (Law, float or None) or None
            The law, and log E_ρ exp(log_weight) where that is known. `laws.reweighting` asks this first.
        """
        return None

    def difference(self) -> Law | None:
        """The law of X - Y for independent X and Y of this law, where it is known, else None."""
        return None

    def pushed(self, move: Map) -> Law:
        """The law of move(x): of the same kind where that is certain, else a `PushForward`."""
        from .push_forward import PushForward  # which is a Law itself

        return PushForward(self, (move,))

    def fields(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]] | None:
        """{name: (axes, array)}: the data of the law for a file, with its axes named. None where it has no such data.

        An array whose only axis bears its own name is a coordinate: it must be the same at all times of a trajectory.
        """
        return None

    def coordinates(self) -> tuple[np.ndarray, ...]:
        """The arrays that change where the law changes: masses, quantiles, positions, else mean and covariance."""
        return self.mean(), self.cov()

    def density_steps(self) -> tuple[Row, Row] | None:
        """(edges (k + 1,), heights (k,)) of a piecewise constant density on the line, else None."""
        return None

    def not_available(self, question: str, why: str = "") -> NotAvailable:
        """The error for a question that this law does not answer, with those that it does."""
        return NotAvailable(
            f"{type(self).__name__} (dim {self.dim}) does not answer {question!r}{why and f' ({why})'}. It answers: "
            f"{', '.join(self.answers())}. Use one of these, or a law that has {question!r}."
        )

    def answers(self) -> list[str]:
        """Names of the questions that this law answers: what its class overrides, quantile and cdf on the line only."""
        questions = ("sample", "log_density", "mean", "cov", "quantile", "cdf", "entropy", "power_integral", "score")
        known = [name for name in questions if getattr(type(self), name) is not getattr(Law, name)]
        return [name for name in known if self.dim == 1 or name not in ("quantile", "cdf")]

    def __repr__(self) -> str:
        try:
            fields = {key: value for key, value in self.spec().items() if key != "law"}
        except NotAvailable:
            return cut(f"{type(self).__name__}(dim={self.dim})")
        room = LONGEST_REPR // max(len(fields), 1)
        return cut(
            f"{type(self).__name__}({', '.join(f'{key}={shown(value, room)}' for key, value in fields.items())})"
        )


class OneDimensional(Law):
    """A law on the line that is sampled through its quantile function."""

    dim = 1

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        n = draws(n, rng)
        return self.quantile(rng.random(n))[:, None]
