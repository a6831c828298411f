"""Laws that are invariant under all rotations about the origin, given by the law of the radius."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._core.errors import BadInput
from .._core.estimate import Estimate
from .._core.shapes import Matrix, Points, Row, Values, Vector
from .._core.short_text import cut
from .._core.validate import at_finite_points, count, draws, points, readonly
from .affine_images import turns_about_origin
from .base import Law
from .cells import CellMasses, rest
from .chi import Chi
from .draws import drawn
from .gaussian import Gaussian
from .maps import Map
from .radial_masses import RadialPieces, planar_radial_masses
from .shells import Shells, log_sphere_area

BESIDE = 1e-150  # stands for the origin, where the density is that of its limit and 0 is no number of the logarithm
# of the radius, for what the law itself is asked; its quantiles give E log r
NEEDED = {
    "log_density": ("log_density",),
    "score": ("score",),
    "cov": ("mean", "cov"),
    "entropy": ("entropy", "quantile"),
    "power_integral": ("log_density", "quantile"),
}


class Radial(Law):
    """The law of r θ, with r of a law on the half line and, independent of it, θ uniform on the unit sphere of R^dim.

    Its density is ρ(x) = f(|x|) / (S |x|^(d-1)), f the density of the radius and S = 2 π^(d/2) / Γ(d/2) the area of the
    unit sphere.

    Parameters
    ----------
    radius : Law
        The law of |x|, in units of x, on the line with no mass below 0.
    dim : int
        d, at least 2. On the line a law of this kind is a mixture of two.

    Raises
    ------
    BadInput
        For a radius that is no law on the half line.

    Notes
    -----
    Mean, covariance and samples are those that the radius answers for; the entropy is that of the radius plus log S +
    (d - 1) E log r. Distances between two such laws are those of their radii: the relative entropy and the L1 distance
    because both have the same law on each sphere, W2 because the monotone map of the radii moves no point off its ray.

    A radius on a grid says the masses of spherical shells, and each is spread evenly over its shell: ρ is constant
    there, and density, samples, covariance, entropy and powers are those of that law. Distances of two such laws are
    still those of the radii, which spread the mass of a cell evenly along the radius: masses are the same, and W2
    differs by less than a cell.

    In the plane the masses in the cells of a grid are exact where the radius is a grid or has linear pieces between
    quantiles; there `l1`, `l2` and `kl` compare such a law with planar grids. In other cases they take quadrature.
    """

    def __init__(self, radius, dim):
        self.dim = count(dim, "dim", 2)
        if not isinstance(radius, Law) or radius.dim != 1:
            raise BadInput(f"radius is {radius!r}. It must be a Law on the line: that of |x|. Pass e.g. Chi(dim, 1.0).")
        box = radius.support()
        if box is not None and box[0][0] < 0:
            raise BadInput(
                f"radius is {radius!r}, with mass down to {box[0][0]:.6g}. A radius is at least 0. Take the law of |x|."
            )
        self.radius = radius
        axes = radius.grid_axes()
        cells = None if axes is None else radius.cell_masses(axes)
        self._shells = None
        if axes is not None and cells is not None:  # an edge below 0 is the round-off of the origin
            self._shells = Shells(readonly(np.maximum(axes[0], 0.0)), readonly(cells.mass), self.dim)

    @property
    def moments_how(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.radius.moments_how

    def answers(self) -> list[str]:
        known = set(self.radius.answers())
        return [name for name in super().answers() if set(NEEDED.get(name, ())) <= known]

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        r = drawn(self.radius, draws(n, rng), rng)
        if self._shells is not None:
            r = self._shells.spread(r[:, 0])[:, None]
        direction = rng.standard_normal((len(r), self.dim))
        return r * direction / np.linalg.norm(direction, axis=1, keepdims=True)

    @at_finite_points
    def log_density(self, x: Points) -> Values:
        self._require("log_density")
        r = np.linalg.norm(points(x, self.dim), axis=1)
        if self._shells is not None:
            return self._shells.log_density(r)
        r = np.maximum(r, BESIDE)
        return self.radius.log_density(r[:, None]) - log_sphere_area(self.dim) - (self.dim - 1) * np.log(r)

    def mean(self) -> Vector:
        return np.zeros(self.dim)

    def cov(self) -> Matrix:
        self._require("cov")
        if self._shells is not None:
            second = self._shells.second_moment()
        else:
            second = self.radius.cov()[0, 0] + self.radius.mean()[0] ** 2
        return second / self.dim * np.eye(self.dim)

    def entropy(self) -> float:
        if self._shells is not None:
            return self._shells.entropy()
        mean_log = self._mean("entropy", lambda r: np.log(np.maximum(r[:, 0], BESIDE)))
        return float(self.radius.entropy() + log_sphere_area(self.dim) + (self.dim - 1) * mean_log)

    def power_integral(self, m: float) -> float:
        """E ρ^(m-1) over the radius; `NotConverged` where a density without bound at the origin has none."""
        if self._shells is not None:
            return self._shells.power_integral(m)

        def weight(r: Points) -> Values:
            shell = log_sphere_area(self.dim) + (self.dim - 1) * np.log(np.maximum(r[:, 0], BESIDE))
            return np.exp((m - 1) * (self.radius.log_density(r) - shell))

        return self._mean("power_integral", weight)

    def _mean(self, question: str, function: Callable[[Points], Values]) -> float:
        """E function(r) by quadrature over the law of the radius."""
        self._require(question)
        found = self.radius.mean_of(function)
        if found is None:
            raise self.not_available(question, "the radius has no mean of a function")
        return float(found.value)

    @at_finite_points
    def score(self, x: Points, power: float = 0.0) -> Points:
        """∇log ρ = (f'/f - (d - 1)/r) x/r, times ρ^power."""
        self._require("score")
        x = points(x, self.dim)
        r = np.maximum(np.linalg.norm(x, axis=1, keepdims=True), BESIDE)
        score = (self.radius.score(r) - (self.dim - 1) / r) * x / r
        return score * np.exp(power * self.log_density(x))[:, None] if power else score

    def _require(self, question: str) -> None:
        """`NotAvailable` where the radius does not answer what is needed for a question."""
        missing = [name for name in NEEDED[question] if name not in self.radius.answers()]
        if missing:
            raise self.not_available(question, f"the radius does not answer {missing[0]!r}")

    def support(self) -> tuple[Vector, Vector] | None:
        box = self.radius.support()
        return None if box is None else (np.full(self.dim, -box[1][0]), np.full(self.dim, box[1][0]))

    def has_density(self) -> bool | None:
        return self.radius.has_density()

    def radial_part(self) -> Law | None:
        return self.radius

    def mean_of_radius(self, function: Callable[[Points], Values]) -> Estimate | None:
        """Of a radius on a grid with the mass of each cell spread evenly over its shell."""
        if self._shells is not None:
            return Estimate(self._shells.mean_of(function), 0.0, "quadrature", "mean")
        return super().mean_of_radius(function)

    def as_gaussian(self) -> Gaussian | None:
        radius = self.radius
        if not isinstance(radius, Chi) or radius.degrees != self.dim:
            return None
        return Gaussian(np.zeros(self.dim), radius.scale**2)

    def pushed(self, move: Map) -> Law:
        """The law itself where the map is a rotation or a reflection about the origin."""
        return self if turns_about_origin(move) else super().pushed(move)

    def cell_masses(self, axes: Sequence[Row]) -> CellMasses | None:
        """In the plane, where the radius is given by a grid or by quantiles that are linear in between."""
        pieces = self._planar_pieces() if self.dim == 2 else None
        if pieces is None:
            return super().cell_masses(axes)
        mass = planar_radial_masses(np.asarray(axes[0], dtype=float), np.asarray(axes[1], dtype=float), pieces)
        return CellMasses(mass, rest(mass, 1.0), "cell masses by the distribution function of the radius")

    def _planar_pieces(self) -> RadialPieces | None:
        """The distribution function of the radius by pieces, None where it has none, or mass at the origin itself."""
        if self._shells is not None:
            edges, mass = self._shells.edges, self._shells.mass
            return RadialPieces(edges, mass, np.zeros(len(edges)), True)
        linear = self.radius.linear_pieces()
        if linear is None:
            return None
        levels, quantiles = linear
        knots, place = np.unique(quantiles, return_inverse=True)
        change, mass, jumps = np.diff(levels), np.zeros(len(knots) - 1), np.zeros(len(knots))
        rising = np.diff(quantiles) > 0
        mass[place[:-1][rising]] = change[rising]
        np.add.at(jumps, place[:-1][~rising], change[~rising])
        return RadialPieces(knots, mass, jumps, False) if knots[0] > 0 or jumps[0] == 0 else None

    def coordinates(self) -> tuple[np.ndarray, ...]:
        return self.radius.coordinates()

    def fields(self) -> dict[str, tuple[tuple[str, ...], np.ndarray]] | None:
        """Those of the radius, and d."""
        own = self.radius.fields()
        return None if own is None else {**own, "radial_dim": ((), np.array(float(self.dim)))}

    def spec(self) -> dict[str, Any]:
        return {"law": "Radial", "radius": self.radius.spec(), "dim": self.dim}

    def __repr__(self) -> str:
        return cut(f"Radial({self.radius!r}, dim={self.dim})")
