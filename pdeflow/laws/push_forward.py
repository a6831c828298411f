"""PushForward: a base law moved by maps, and laws as the data of a file."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .._core.errors import BadInput, NotAvailable
from .._core.estimate import Estimate
from .._core.level_moments import quantile_moment
from .._core.shapes import Matrix, Points, Row, Values, Vector
from .._core.short_text import cut
from .._core.validate import at_finite_points, levels, numbers, points
from .affine_images import affine_image, image_of_box, moved_gaussian, stretches_alike, turns_about_origin
from .base import Law
from .gaussian import Gaussian
from .maps import AffineMap, Certificate, Map, map_from_data, recorded_kinds, require_map
from .spec import from_spec

NUMBERS = 1 << 22  # held at a time by the widest array


class PushForward(Law):
    """The law of T_k(... T_1(x)), x ~ base.

    Parameters
    ----------
    base : Law
        The law of x, on R^d.
    maps : sequence of Map
        T_1, ..., T_k, each of R^d.

    Raises
    ------
    BadInput
        For a base that is not a `Law`, and for a map that does not inherit `pdeflow.laws.Map` or has another dimension.

    Notes
    -----
    What the maps answer beside `__call__` decides what the law answers:

    - `with_log_det` gives `sample_with_log_density`, log ρ(T(x)) = log ρ_base(x) - Σ log|det ∂T_i|;
    - `invert` gives `pull`, `path_back` and `cdf` and, with the former, `log_density`; with `with_score` it gives
      `score`;
    - maps that increase on the line give the quantile function T(Q_base(u)) exactly, and the mean and covariance as
      integrals over the level;
    - in higher dimension these two are known where all maps are affine, as are `entropy` and `power_integral`.

    A question that a map does not answer raises `NotAvailable` with what the map says in `lacks`.
    """

    def __init__(self, base: Law, maps: Iterable[Map] = ()):
        if not isinstance(base, Law):
            raise BadInput(f"base is {base!r}. It must be a Law. Take one of pdeflow.laws.")
        if isinstance(maps, Map):
            raise BadInput(
                f"maps is the single map {maps!r}. It must be a sequence of maps. Pass ({type(maps).__name__}(...),)."
            )
        self.base, self.maps, self.dim = base, tuple(maps), base.dim
        for move in self.maps:
            require_map(move, self.dim)

    def pushed_from(self) -> tuple[Law, tuple[Map, ...]]:
        """The base law and the maps."""
        return self.base, self.maps

    def push(self, x: Points) -> Points:
        """T(x), (n, d) -> (n, d)."""
        for move in self.maps:
            x = _in_chunks(move, x, move)
        return x

    def pull(self, y: Points) -> tuple[Points, Certificate]:
        """The points x (n, d) with T(x) = y, in the dtype of y (float32 or float64), and the certificate.

        The certificate has the largest relative residual and the most steps of all maps. Raises `NotConverged` with
        `residual` and `points` where a solve misses its tolerance: never the last iterate.
        """
        path, certificate = self.path_back(y)
        return path[0], certificate

    def path(self, x: Points) -> np.ndarray:
        """The places of particles from the base law on, (n, d) -> (k + 1, n, d)."""
        out = [x]
        for move in self.maps:
            out.append(_in_chunks(move, out[-1], move))
        return np.stack(out)

    def path_back(self, y: Points) -> tuple[np.ndarray, Certificate]:
        """The same places found from the last one, (k + 1, n, d) with the base law first, and the certificate."""
        self._require("invert")
        out, residual, rounds = [np.asarray(y)], 0.0, 0
        for move in reversed(self.maps):
            x, certificate = move.invert(out[-1])
            out.append(x)
            residual, rounds = max(residual, certificate.residual), max(rounds, certificate.iterations)
        return np.stack(out[::-1]), Certificate(residual, rounds, len(out[0]))

    def answers(self) -> list[str]:
        """The questions that this law answers: those that its base and every one of its maps answer."""
        base, affine = set(self.base.answers()), self._affine()
        volume, inverse, second = (self._all_answer(name) for name in ("with_log_det", "invert", "with_score"))
        increasing = all(move.increasing for move in self.maps)
        known = dict.fromkeys(("mean", "cov", "entropy", "power_integral"), affine) | {
            "log_density": inverse and volume,
            "quantile": increasing,
            "cdf": increasing and inverse,
            "score": inverse and second,
        }
        mine = {name for name in base if known.get(name, False)} | {"sample"}
        if "quantile" in mine:
            mine |= {"mean", "cov"}
        return [name for name in super().answers() if name in mine]

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        return self.push(self.base.sample(n, rng))

    def sample_with_log_density(self, n: int, rng: np.random.Generator) -> tuple[Points, Values]:
        self._require("with_log_det")
        x, log_density = self.base.sample_with_log_density(n, rng)
        for move in self.maps:
            x, volume = _in_chunks(move, x, move.with_log_det)
            log_density = log_density - volume
        return x, log_density

    @at_finite_points
    def log_density(self, x: Points) -> Values:
        """By inverting the maps; raises `NotConverged` with the residual where an inversion fails."""
        self._require("with_log_det", "invert")
        x, volume = points(x, self.dim), 0.0
        for move in reversed(self.maps):
            x = move.invert(x)[0]
            volume = volume + _in_chunks(move, x, move.with_log_det)[1]
        return self.base.log_density(x) - volume

    @at_finite_points
    def score(self, x: Points, power: float = 0.0) -> Points:
        """ρ^power ∇ log ρ, by inverting the maps and carrying that of the base law through their derivatives."""
        self._require("invert", "with_score")
        x = self.pull(points(x, self.dim))[0]
        score = self.base.score(x, power)
        weight = np.exp(power * self.base.log_density(x)) if power else np.ones(len(x))
        for move in self.maps:
            x, volume, score = move.with_score(x, score, weight)
            thinner = np.exp(-power * volume)  # ρ^power = λ^power thinner
            score, weight = score * thinner[:, None], weight * thinner
        return score

    def finite_dissipation(self, power: float = 0.0) -> bool | None:
        """What the base law says under affine maps; else unknown: the map u = Φ(x) makes a Gaussian uniform."""
        known = self._affine() and self._all_answer("with_score")
        return self.base.finite_dissipation(power) if known else None

    def quantile(self, u) -> np.ndarray:
        return self._images("quantile", self.base.quantile, u)

    def upper_quantile(self, share) -> np.ndarray:
        return self._images("upper_quantile", self.base.upper_quantile, share)

    def _images(self, question, quantiles, u):
        self._require_increasing(question)
        at = np.ravel(quantiles(levels(u)))
        finite = np.isfinite(at)
        at[finite] = self.push(at[finite][:, None])[:, 0]
        for move in self.maps if not finite.all() else ():
            with np.errstate(all="ignore"):
                limit = move(at[~finite][:, None])[:, 0]
            at[~finite] = np.where(np.isnan(limit), at[~finite], limit)  # most maps have no number for ∞, and go there
        return at.reshape(np.shape(u))

    def cdf(self, x) -> np.ndarray:
        self._require_increasing("cdf")
        x = numbers(x)
        level = np.where(np.isnan(x), np.nan, np.where(x > 0, 1.0, 0.0)).ravel()  # at points that are not finite
        finite = np.isfinite(x.ravel())
        level[finite] = self.base.cdf(self.pull(x.ravel()[finite][:, None])[0][:, 0])
        return level.reshape(x.shape)

    @property
    def moments_how(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.base.moments_how if self._affine() else "quadrature"

    def mean(self) -> Vector:
        if self._affine():
            return functools.reduce(affine_image, self.maps, self.base.mean())
        self._require_increasing("mean")
        return np.array([quantile_moment(self.quantile, 1)])

    def cov(self) -> Matrix:
        if self._affine():
            return functools.reduce(lambda cov, move: move.matrix @ cov @ move.matrix.T, self.maps, self.base.cov())
        self._require_increasing("cov")
        return np.array([[quantile_moment(self.quantile, 2, float(self.mean()[0]))]])

    def entropy(self) -> float:
        """That of the base law plus Σ log|det A_i| of affine maps."""
        return self.base.entropy() + self._log_det("entropy")

    def power_integral(self, m: float) -> float:
        """That of the base law times Π |det A_i|^(1 - m) of affine maps."""
        return float(self.base.power_integral(m) * np.exp((1 - m) * self._log_det("power_integral")))

    def support(self) -> tuple[Vector, Vector] | None:
        """Known on the line by the quantile function, and for affine maps that send every axis to an axis."""
        box = super().support()
        if box is None:
            box = self.base.support()
            for move in self.maps:
                box = None if box is None else image_of_box(move, *box)
        return box

    def has_density(self) -> bool | None:
        """What the base law says where every map knows its volume, and so keeps null sets null; else unknown."""
        if self.base.atoms() is not None:
            return False
        return self.base.has_density() if self._all_answer("with_log_det") else None

    def atoms(self) -> tuple[Points, Values] | None:
        found = self.base.atoms()
        return None if found is None else (self.push(found[0]), found[1])

    def as_gaussian(self) -> Gaussian | None:
        """The Gaussian that affine maps make of one, else None."""
        base = self.base if isinstance(self.base, Gaussian) else self.base.as_gaussian()
        return None if base is None or not self._affine() else moved_gaussian(base, self.maps)

    def gaussian_components(self) -> tuple[Values, tuple[Gaussian, ...]] | None:
        found = self.base.gaussian_components()
        known = found if self._affine() else None
        return None if known is None else (known[0], tuple(moved_gaussian(part, self.maps) for part in known[1]))

    def radial_part(self) -> Law | None:
        return self.base.radial_part() if all(map(turns_about_origin, self.maps)) else None

    def scale_family(self) -> tuple[Hashable, Row, Row] | None:
        """That of the base law under affine maps that stretch all directions alike; a Gaussian answers for itself."""
        single = self.as_gaussian()
        if single is not None and self.maps:
            return single.scale_family()
        found = self.base.scale_family()
        for move in self.maps:
            if found is None or not stretches_alike(move):
                return None
            family, centre, spread = found
            found = family, affine_image(centre, move), move.matrix[0, 0] * spread
        return found

    def blocks(self, sizes: Sequence[int]) -> tuple[Law, ...] | None:
        """The blocks of the base law, moved, where all maps are affine and mix no two blocks."""
        parts, edges = self.base.blocks(sizes), np.cumsum([0, *sizes])
        if parts is None or not self._affine():
            return None
        slices = [slice(a, b) for a, b in itertools.pairwise(edges)]
        for move in self.maps:
            apart = np.zeros_like(move.matrix, dtype=bool)
            for part in slices:
                apart[part, part] = True
            if np.any(move.matrix[~apart]):
                return None
            parts = [
                law.pushed(AffineMap(move.matrix[s, s], move.shift[s])) for law, s in zip(parts, slices, strict=True)
            ]
        return tuple(parts)

    def projected(self, direction: Vector) -> Law | None:
        """For affine maps: eᵀ(A x + b) = |Aᵀe| (Aᵀe/|Aᵀe|)ᵀx + eᵀb from the projection of the base law."""
        if not self._affine():
            return None
        scale, offset, direction = 1.0, 0.0, np.asarray(direction, dtype=float)
        for move in reversed(self.maps):
            offset = offset + scale * float(direction @ move.shift)
            direction = move.matrix.T @ direction
            length = float(np.linalg.norm(direction))
            scale, direction = scale * length, direction / length
        line = self.base.projected(direction)
        if line is None or not self.maps:
            return line
        return line.pushed(AffineMap(np.array([[scale]]), np.array([offset])))

    def mean_of(self, function: Callable[[Points], Values], breakpoints: Sequence[float] = ()) -> Estimate | None:
        """By quantiles on the line; else, for affine maps and atoms, that of function(T(x)) under the base law."""
        found = super().mean_of(function, breakpoints)
        if found is None and (self._affine() or self.base.atoms() is not None):
            found = self.base.mean_of(lambda x: function(self.push(x)))
        return found

    def density_edges(self) -> Values | None:
        """On the line, under increasing maps, those of the base law are carried along too."""
        places, base = super().density_edges(), self.base.density_edges() if self.dim == 1 else None
        if places is None or base is None or self._affine():
            return places
        with np.errstate(all="ignore"):  # a map may overflow far out, where the law has no mass that counts
            moved = self.push(base[:, None])[:, 0]
        low, high = places[[0, -1]]
        return np.unique(np.append(places, moved[(moved > low) & (moved < high)]))

    def pushed(self, move: Map) -> Law:
        """The push-forward of the same base with one more map."""
        return PushForward(self.base, (*self.maps, move))

    def composed(self) -> PushForward:
        """The same law, neighbouring maps made one where two of a kind compose to one (`Map.then`)."""
        maps: tuple[Map, ...] = ()
        for move in self.maps:
            maps = (*maps[:-1], *maps[-1].then(move)) if maps else (move,)
        return PushForward(self.base, maps)

    def to_data(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON data and named arrays: all that `from_data` needs. `pdeflow.reference.save_flow` writes them.

        Raises
        ------
        NotAvailable
            For maps of a kind that no file can hold, and for bases that are not laws of few parameters.
        """
        shapes, arrays = [], {}
        for i, move in enumerate(self.maps):
            why = move.lacks("to_data")
            shape, named = ({}, {}) if why else move.to_data()
            if why or shape.get("map") not in recorded_kinds():
                why = why or f"Its kind {shape.get('map')!r} is not registered."
                raise NotAvailable(
                    f"A map is {type(move).__name__}. {why} Only {', '.join(recorded_kinds())} can be kept. Keep this "
                    "law in your own format, or register the kind with pdeflow.laws.register_map."
                )
            shapes.append(shape)
            arrays |= {f"map{i:04d}.{name}": array for name, array in named.items()}
        return {"base": self.base.spec(), "maps": shapes}, arrays

    @staticmethod
    def from_data(data: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> PushForward:
        """The law of `to_data`; `BadInput` where arrays are missing, misshapen or not finite."""
        try:
            base, shapes = from_spec(data["base"]), list(data["maps"])
            _ = [shape["map"] for shape in shapes]
        except (KeyError, TypeError) as error:
            raise BadInput(
                f"The data of a law lack {error}. They must have 'base' and 'maps', each with its 'map'. Take them "
                "from to_data()."
            ) from error
        maps = []
        for i, shape in enumerate(shapes):
            part = {name[8:]: array for name, array in arrays.items() if name[:8] == f"map{i:04d}."}
            maps.append(map_from_data(base.dim, shape, part))
        return PushForward(base, maps)

    def __repr__(self):
        return cut(f"PushForward({self.base!r}, maps={len(self.maps)})")

    def _affine(self) -> bool:
        return all(move.affine for move in self.maps)

    def _all_answer(self, question: str) -> bool:
        return all(move.lacks(question) is None for move in self.maps)

    def _require(self, *questions: str) -> None:
        """`NotAvailable`, with the map's own reason, unless every map answers these questions."""
        for question in questions:
            for move in self.maps:
                if move.lacks(question) is not None:
                    raise move.not_available(question)

    def _require_increasing(self, question: str) -> None:
        if self.dim != 1:
            raise NotAvailable(
                f"PushForward has dim {self.dim}; {question!r} is closed in dim 1 only. It answers "
                f"{', '.join(self.answers())}. Estimate from a sample: Particles(law.sample(n, rng))."
            )
        for move in self.maps:
            if not move.increasing:
                raise NotAvailable(
                    f"A map is {type(move).__name__}, which need not increase, so {question!r} has no closed form. "
                    "Sample instead."
                )

    def _log_det(self, question: str) -> float:
        """Σ log|det A_i| of affine maps, else `NotAvailable`."""
        if not self._affine():
            raise self.not_available(question, "it is closed for affine maps only")
        return float(sum(np.linalg.slogdet(move.matrix)[1] for move in self.maps))


def law_from_data(data: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Law:
    """The law of `Law.to_data`; `BadInput` where the data are damaged."""
    return from_spec(data["law"]) if "law" in data else PushForward.from_data(data, arrays)


def _in_chunks(move: Map, x: Points, function: Callable) -> Any:
    """function(x) by rows, so that hidden arrays of many points are never held at once; tuples are joined by part."""
    rows = max(64, NUMBERS // move.numbers_a_point())
    if len(x) <= rows:
        return function(x)
    parts = [function(x[start : start + rows]) for start in range(0, len(x), rows)]
    if isinstance(parts[0], tuple):
        return tuple(np.concatenate(part) for part in zip(*parts, strict=True))
    return np.concatenate(parts)
