"""PushForward: a base law moved by invertible maps."""

import functools
from importlib import import_module

import numpy as np

from .._core.errors import BadInput, NotAvailable
from .._core.quadrature import graded_rule
from .._core.validate import levels, points
from .base import Law
from .maps import Certificate
from .spec import from_spec

NUMBERS = 1 << 22  # held at a time by the widest array
KINDS = {
    "ConvexMap": "pdeflow.neural.maps.convex",
    "LinearMap": "pdeflow.neural.maps.affine_residual",
    "ParametricMap": "pdeflow.neural.maps.parametric",
    "ResidualMap": "pdeflow.neural.maps.affine_residual",
}  # maps that files hold, by class: the module of this folder that reads them back


class PushForward(Law):
    """The law of T_k(... T_1(x)), x ~ base.

    base : a Law. maps : sequence of maps (n, d) -> (n, d) of numpy arrays. What they answer beside `__call__` decides what the law answers:
    `with_log_det(x)` (T(x) (n, d), log|det ∂T(x)| (n,)) gives sample_with_log_density, log ρ(T(x)) = log ρ_base(x) - Σ log|det ∂T_i|;
    `invert(y)` (point (n, d), Certificate) gives pull, path_back, cdf and, with the former, log_density; `increasing = True` on
    the line gives the quantile function T(Q_base(u)) exactly, and mean and cov as integrals over the level; in higher dimension these
    two are known where all maps are affine (`affine = True` and `matrix`), else not in closed form (sample instead). A map that cannot answer may say why in `no_density` or `no_inverse`.
    `numbers_a_point()` (optional) bounds how many points are held at a time.
    """

    def __init__(self, base, maps=()):
        if not isinstance(base, Law):
            raise BadInput(f"base is {base!r}. It must be a Law. Take one of pdeflow.laws.")
        self.base, self.maps, self.dim = base, tuple(maps), base.dim

    def push(self, x):
        """T(x), (n, d) -> (n, d)."""
        for move in self.maps:
            x = _in_chunks(move, x, move)
        return x

    def pull(self, y):
        """(x, certificate) with T(x) = y, both (n, d): every map inverted by a convex solve, in the dtype of y (float32 or float64).

        The certificate has the largest relative residual and the most Newton steps of all maps. `NotConverged` with
        `residual` and `points` where a solve misses its tolerance: never the last iterate.
        """
        path, certificate = self.path_back(y)
        return path[0], certificate

    def path(self, x):
        """The places of particles from the base law on, (n, d) -> (k + 1, n, d)."""
        out = [x]
        for move in self.maps:
            out.append(_in_chunks(move, out[-1], move))
        return np.stack(out)

    def path_back(self, y):
        """(the same places found from the last one, (k + 1, n, d) with the base law first; certificate)."""
        out, residual, rounds = [np.asarray(y)], 0.0, 0
        for move in reversed(self.maps):
            x, certificate = _ask(move, "invert", "no_inverse")(out[-1])
            out.append(x)
            residual, rounds = max(residual, certificate.residual), max(rounds, certificate.iterations)
        return np.stack(out[::-1]), Certificate(residual, rounds, len(out[0]))

    def answers(self):
        """The questions that this law answers: what every one of its maps does."""
        known = set(super().answers())
        for move in self.maps:
            inverse, volume = (_has(move, *pair) for pair in (("invert", "no_inverse"), ("with_log_det", "no_density")))
            known -= set() if inverse else {"log_density", "cdf"}
            known -= set() if volume else {"log_density"}
            known -= set() if getattr(move, "increasing", False) else {"quantile", "cdf"}
        if not self._affine() and (self.dim > 1 or "quantile" not in known):
            known -= {"mean", "cov"}
        return [name for name in super().answers() if name in known]

    def sample(self, n, rng):
        return self.push(self.base.sample(n, rng))

    def sample_with_log_density(self, n, rng):
        volumes = [_ask(move, "with_log_det", "no_density") for move in self.maps]
        x, log_density = self.base.sample_with_log_density(n, rng)
        for move, with_log_det in zip(self.maps, volumes):
            x, volume = _in_chunks(move, x, with_log_det)
            log_density = log_density - volume
        return x, log_density

    def log_density(self, x):
        """By inverting the maps; raises `NotConverged` with the residual where an inversion fails."""
        volumes = [_ask(move, "with_log_det", "no_density") for move in self.maps]
        inverses = [_ask(move, "invert", "no_inverse") for move in self.maps]
        x, volume = points(x, self.dim), 0.0
        for move, invert, with_log_det in reversed(list(zip(self.maps, inverses, volumes))):
            x = invert(x)[0]
            volume = volume + _in_chunks(move, x, with_log_det)[1]
        return self.base.log_density(x) - volume

    def quantile(self, u):
        self._line("quantile")
        u = levels(u)
        start = np.ravel(self.base.quantile(u))
        finite = np.isfinite(start)
        start[finite] = self.push(start[finite][:, None])[:, 0]
        return start.reshape(u.shape)

    def cdf(self, x):
        self._line("cdf")
        x = np.asarray(x, dtype=float)
        return self.base.cdf(self.pull(x.reshape(-1, 1))[0][:, 0]).reshape(x.shape)

    def mean(self):
        if self._affine():
            return functools.reduce(lambda mean, move: move(mean), self.maps, self.base.mean())
        self._line("mean")
        u, weight = graded_rule()
        return np.array([weight @ self.quantile(u)])

    def cov(self):
        if self._affine():
            return functools.reduce(lambda cov, move: move.matrix @ cov @ move.matrix.T, self.maps, self.base.cov())
        self._line("cov")
        u, weight = graded_rule()
        return np.array([[weight @ (self.quantile(u) - self.mean()) ** 2]])

    def _affine(self):
        return all(getattr(move, "affine", False) for move in self.maps)

    def _line(self, question):
        if self.dim != 1:
            raise NotAvailable(
                f"PushForward has dim {self.dim}; {question!r} is closed in dim 1 only. It answers {', '.join(self.answers())}. "
                "Estimate from a sample: Particles(law.sample(n, rng))."
            )
        for move in self.maps:
            if not getattr(move, "increasing", False):
                raise NotAvailable(
                    f"A map is {type(move).__name__}, which need not increase, so {question!r} has no closed form. Sample instead."
                )

    def to_data(self):
        """({...} of JSON data, {name: array}): all that `from_data` needs. `pf.reference.save_flow(path, *law.to_data())` writes it.

        Only maps of the classes in KINDS and bases of few parameters can be kept, else `NotAvailable`.
        """
        for move in self.maps:
            if type(move).__name__ not in KINDS:
                raise NotAvailable(
                    f"A map is {type(move).__name__}. Only {', '.join(KINDS)} can be kept. Keep this law in your own format, or use scheme='backward' where it is a forward step."
                )
        arrays = {f"map{i:04d}.{name}": a for i, move in enumerate(self.maps) for name, a in move.named().items()}
        return {"base": self.base.spec(), "maps": [move.architecture() for move in self.maps]}, arrays

    @staticmethod
    def from_data(architecture, arrays):
        """The law of `to_data`. Raises `BadInput` where arrays are missing, misshapen, not finite, or the network is not convex."""
        try:
            base, shapes = from_spec(architecture["base"]), list(architecture["maps"])
            kinds = [shape["map"] for shape in shapes]
        except (KeyError, TypeError) as error:
            raise BadInput(
                f"The architecture lacks {error}. It must have 'base' and 'maps', each with its 'map'. Take it from to_data()."
            ) from error
        maps = []
        for i, (kind, shape) in enumerate(zip(kinds, shapes)):
            if kind not in KINDS:
                raise BadInput(
                    f"A map is a {kind!r}. Known are {', '.join(KINDS)}. Use the version of pdeflow that wrote it."
                )
            part = {name[8:]: array for name, array in arrays.items() if name[:8] == f"map{i:04d}."}
            module = import_module(KINDS[kind])
            maps.append(getattr(module, kind).from_named(base.dim, shape, part))
        return PushForward(base, maps)

    def __repr__(self):
        return f"PushForward({self.base!r}, maps={len(self.maps)})"


def _has(move, question, reason):
    """Whether a map has the method `question` and gives no `reason` why not."""
    return hasattr(move, question) and getattr(move, reason, None) is None


def _ask(move, question, reason):
    """The method `question` of a map, or `NotAvailable` with the map's own `reason`."""
    if not _has(move, question, reason):
        why = getattr(move, reason, None) or f"It has no {question}."
        raise NotAvailable(f"A map is {type(move).__name__}. {why} Sample instead, or use a map that has one.")
    return getattr(move, question)


def _in_chunks(move, x, function):
    """function(x) by rows, so that the hidden arrays of many points are never held at once; tuples are joined part by part."""
    rows = max(64, NUMBERS // move.numbers_a_point()) if hasattr(move, "numbers_a_point") else len(x)
    if len(x) <= rows:
        return function(x)
    parts = [function(x[start : start + rows]) for start in range(0, len(x), rows)]
    if isinstance(parts[0], tuple):
        return tuple(np.concatenate(part) for part in zip(*parts))
    return np.concatenate(parts)
