"""plan: how many levels, seeds and samples make the verdicts of a study conclusive, from a short pilot run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import nnls

from .._core.errors import BadInput, NotAvailable, PdeflowError
from .._core.shapes import Values
from .._core.short_text import shown
from .._core.validate import count, known_arguments, positive
from .._core.value import Value
from ..metrics.metric import FloorAdds
from .claim import Claim
from .evidence import DISCREPANCY, FLOOR_DOUBT, Series, centre, odds, words
from .rows import Row
from .study import Study
from .table import Table, noise_of, pooled

PILOT_LEVELS, PILOT_SEEDS = 3, 12  # fewer seeds tell the noise so badly that plans cost up to six times too much
SEEDS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
MORE_SAMPLES = (1, 4, 16, 64)
_DRAWS = 200


@dataclass(frozen=True, eq=False)
class Plan(Value):
    """What `plan` found.

    Parameters
    ----------
    study : Study
        The study that was planned, ready to run.
    levels : tuple
        Levels of its swept axis.
    seeds : int
        How many seeds it has.
    samples : int or None
        The value of the field that counts samples, None where none was named.
    seconds : float
        What its runs will cost, in seconds of one worker, without the metrics.
    conclusive : float
        The predicted chance that all claims end as `pass`, if they are true.
    why : str
        What the prediction rests on.
    """

    study: Study = field(repr=False)
    levels: tuple[Any, ...]
    seeds: int
    samples: int | None
    seconds: float
    conclusive: float
    why: str

    def __str__(self):
        more = "" if self.samples is None else f", {self.samples} samples"
        return (
            f"{len(self.levels)} levels {', '.join(f'{level:g}' for level in self.levels)}, {self.seeds} seed(s){more}"
            f": conclusive with probability {self.conclusive:.2f}, about {self.seconds:.3g} s ({self.why})"
        )


@known_arguments
def plan(
    study: Study,
    claims: Claim | Iterable[Claim],
    *,
    pilot: Table | None = None,
    samples: str | None = None,
    share: float = 0.95,
    most_levels: int = 9,
    seed: int = 0,
) -> Plan:
    """The cheapest levels, seeds and samples for which the claims, if they are true, will most likely end as `pass`.

    Parameters
    ----------
    study : Study
        What is to be planned; one axis is swept. Its coarsest level and the ratio of its first two are kept.
    claims : Claim or iterable of Claim
        Orders, exact or at least, that are to be judged.
    pilot : Table, optional
        A short run of the same study: its coarsest levels, three or more, with two seeds or more where the method is
        random. Without it, the three coarsest levels are run with twelve seeds.
    samples : str, optional
        A field of the methods that counts samples, such as "particles": it may grow up to 64 times. Noise and floor
        fall by its square root, and seconds grow in proportion.
    share : float
        The chance wanted, below 1.
    most_levels : int
        How many levels are allowed.
    seed : int
        Of the simulated studies.

    Returns
    -------
    Plan
        With the study that it describes, and what that will cost.

    Raises
    ------
    BadInput
        For a study that sweeps several axes, for claims without an order, and for a pilot without errors to go by.
    NotAvailable
        Where no allowed combination reaches the chance that is wanted.

    Notes
    -----
    The errors of the pilot are taken for a h^p (1 + b r + c r²) with the order claimed; (b, c) are drawn from the prior
    of `fit_order` with weights by how well they describe the pilot. The standard deviation over seeds is that of the
    pilot, pooled over its levels in the square; the floor is the measured one. With these, 200 studies are simulated
    for each combination and judged as `Table.claims` does. Seconds are those of the pilot: c₀ + c₁/h where dt is swept,
    else a power of h. A planned study takes the seeds 0, 1, 2, ...
    """
    claims = _orders_claimed(claims)
    name, steps = _one_axis(study)
    share, most = positive(share, "share"), count(most_levels, "most_levels", 4)
    if share >= 1:
        raise BadInput(f"share is {share:g}. It must be below 1, for no noise is bounded. Pass e.g. 0.95.")
    if pilot is None:
        pilot = _changed(study, {name: _levels(steps, PILOT_LEVELS)}, PILOT_SEEDS, {}).run(progress=False)
    seen = [one for claim in claims for one in _seen(pilot, claim)]
    cost = _Cost(pilot, {claim.method for claim in claims})
    size = None if samples is None else _size(study, samples, {claim.method for claim in claims})
    designs = [
        (levels, np.array([pilot.step_size(level) for level in levels]), factor)
        for factor in (MORE_SAMPLES if size else MORE_SAMPLES[:1])
        for levels in (_levels(steps, n) for n in range(4, most + 1))
    ]
    best, cheapest, found = _cheapest(designs, seen, cost, share, np.random.default_rng(seed))
    why = _grounds(seen)
    if found is None:
        raise NotAvailable(
            f"Of the studies with up to {most} levels and {SEEDS[-1]} seeds the best is conclusive with probability "
            f"{best:.2f} ({why}), and {share:g} is wanted. A plan needs claims that the pilot does not contradict, and "
            "noise and floors that can be averaged out. Name the field that counts samples (samples='particles'), "
            "allow more levels, or ask for a smaller share."
        )
    levels, seeds, factor, chance = found
    fields = {} if size is None else {str(samples): size * factor}
    planned = _changed(study, {name: levels}, seeds, fields)
    return Plan(planned, levels, seeds, fields.get(str(samples)), cheapest, chance, why)


def _cheapest(designs, seen, cost, share, rng):
    """The best chance met, the seconds of the cheapest design that reaches the share, and that design, None for none.

    designs : of (levels, h, factor of samples).
    """
    best, cheapest, found = 0.0, np.inf, None
    all_seeds = SEEDS if any(one.spread > 0 for one in seen) else SEEDS[:1]
    for levels, h, factor in designs:
        price = factor * cost.of(h)
        tried = [seeds for seeds in all_seeds if seeds * price < cheapest]
        while tried:  # the chance grows with the seeds
            seeds = tried[len(tried) // 2]
            chance = min(one.chance(h, seeds, factor, rng) for one in seen)
            best = max(best, chance)
            if chance >= share:
                cheapest, found = seeds * price, (levels, seeds, factor, chance)
                tried = tried[: len(tried) // 2]
            else:
                tried = tried[len(tried) // 2 + 1 :]
    return best, cheapest, found


@dataclass(frozen=True, eq=False)
class _Seen:
    """What a pilot shows of one claim on one problem and time.

    h : (n,) of the pilot. error, stderr : (n,), means over its seeds. spread : standard deviation over seeds.
    """

    claim: Claim
    h: Values
    error: Values
    stderr: Values
    spread: float
    floor: float
    floor_adds: FloorAdds
    truth: float

    def curves(self, h: Values, rng: np.random.Generator) -> np.ndarray:
        """Errors without noise and floor at steps h: curves of the claimed order that fit the pilot, (draws, n)."""
        many = 20 * _DRAWS
        b, c = rng.uniform(-1, 1, (many, 1)), rng.uniform(-0.5, 0.5, (many, 1))
        p, top = float(self.claim.expected or 0.0), max(self.h.max(), h.max())

        def shape(steps):
            return (steps / top) ** p * (1 + b * steps / top + c * (steps / top) ** 2)

        if self.floor_adds == "sum":
            left = self.error - self.floor
        else:
            left = np.sqrt(np.maximum(self.error**2 - self.floor**2, 0.0))
        weight = 1 / (self.stderr**2 + (DISCREPANCY * self.error) ** 2 + (FLOOR_DOUBT * self.floor) ** 2)
        there = shape(self.h)
        a = np.maximum((there * weight) @ left / np.sum(there**2 * weight, axis=-1), 0.0)[:, None]
        misfit = np.sum((left - a * there) ** 2 * weight, axis=-1)
        misfit[(1 + b * h / top + c * (h / top) ** 2).min(axis=-1) < 0.3] = np.inf
        odds_of_curve = np.exp(-0.5 * (misfit - misfit.min()))
        chosen = rng.choice(many, _DRAWS, p=odds_of_curve / odds_of_curve.sum())
        return (a * shape(h))[chosen]

    def chance(self, h: Values, seeds: int, factor: int, rng: np.random.Generator) -> float:
        """The share of simulated studies whose claim passes."""
        curves, floor, spread = self.curves(h, rng), self.floor / np.sqrt(factor), self.spread / np.sqrt(factor)
        mean = curves + floor if self.floor_adds == "sum" else np.hypot(curves, floor)
        if self.truth > mean.min(axis=-1).mean() / 10:
            return 0.0
        runs = np.abs(mean[:, None, :] + spread * rng.standard_normal((_DRAWS, seeds, len(h))))
        error, noise = runs.mean(axis=1), np.zeros_like(curves)
        if seeds > 1 and spread > 0:
            noise = pooled(runs.std(axis=1, ddof=1) / np.sqrt(seeds))
        elif floor > 0:  # points near the floor are set aside where no noise is known
            kept = np.median(error, axis=0) > 3 * floor
            h, error, noise = h[kept], error[:, kept], noise[:, kept]
        if len(h) < 4:
            return 0.0
        series = Series(h, error, noise, np.full(len(h), floor), self.floor_adds)
        least = self.claim.at_least is not None
        found = words(*odds(series, float(self.claim.expected or 0.0), self.claim.tolerance, centre(series), least))
        return float(np.mean(found == "pass"))


class _Cost:
    """Seconds of all runs of one seed, as a function of their steps."""

    def __init__(self, pilot: Table, methods: set[str]):
        groups: dict[tuple[str, str], dict[float, list[float]]] = {}
        for row in pilot.rows:
            if row["method"] in methods:
                levels = groups.setdefault((row["problem"], row["method"]), {})
                levels.setdefault(pilot.step_size(row[pilot.swept]), []).append(row["seconds"])
        self.laws = [self._law(pilot.swept, levels) for levels in groups.values()]

    @staticmethod
    def _law(swept: str, levels: dict[float, list[float]]) -> tuple[float, float, float]:
        """(c0, c1, k) of c0 + c1/h^k."""
        h, seconds = np.array(list(levels)), np.array([np.median(each) for each in levels.values()])
        if not np.all(np.isfinite(seconds)):
            raise BadInput("The pilot has runs without seconds. Every run must be timed. Use a table of Study.run.")
        if swept == "dt":
            fixed, rate = nnls(np.stack([np.ones_like(h), 1 / h], axis=-1), seconds)[0]
            return float(fixed), float(rate), 1.0
        slope, height = np.polyfit(-np.log(h), np.log(np.maximum(seconds, 1e-9)), 1)
        return 0.0, float(np.exp(height)), float(max(slope, 0.0))

    def of(self, h: Values) -> float:
        return float(sum(np.sum(fixed + rate / h**power) for fixed, rate, power in self.laws))


def _orders_claimed(claims: Claim | Iterable[Claim]) -> list[Claim]:
    listed = [claims] if isinstance(claims, Claim) else list(claims)
    if not listed or not all(isinstance(claim, Claim) and claim.expected is not None for claim in listed):
        raise BadInput(
            f"claims are {shown(listed)}. A plan is for claims of a finite order; exact methods and invariants need no "
            "levels. Pass pf.Claim(method, metric, order, tolerance, source)."
        )
    return listed


def _one_axis(study: Study) -> tuple[str, tuple[Any, ...]]:
    """The name of the swept axis as it was given, and its levels, coarsest first."""
    free = [name for name, levels in study.sweep.given.items() if not callable(levels)]
    if study.family is not None or len(free) != 1 or len(study.sweep.given[free[0]]) < 2:
        raise BadInput(
            f"The study sweeps {', '.join(axis.name for axis in study.axes)}. A plan is for one axis with two levels "
            "or more, which give its ratio. Plan a study that sweeps one of them."
        )
    counts = next(axis.counts for axis in study.axes if not axis.follows)
    return free[0], tuple(sorted(study.sweep.given[free[0]], reverse=not counts))


def _levels(steps: Sequence[Any], n: int) -> tuple[Any, ...]:
    """n levels from the first of `steps` on, with the ratio of its first two."""
    first, ratio = steps[0], steps[1] / steps[0]
    levels = [first * ratio**k for k in range(n)]
    return tuple(round(level) for level in levels) if isinstance(first, int) else tuple(levels)


def _size(study: Study, samples: str, methods: set[str]) -> int:
    """The value of the field that counts samples."""
    found = {getattr(study.methods[name], samples, None) for name in methods if name in study.methods}
    size = found.pop() if len(found) == 1 else None
    if isinstance(size, bool) or not isinstance(size, int):
        raise BadInput(
            f"samples is {samples!r}. It must name a field of whole numbers that all claimed methods have, with one "
            "value. Possible: 'particles' for pf.particle.EulerMaruyama."
        )
    return size


def _changed(study: Study, sweep: dict[str, Any], seeds: int, fields: dict[str, int]) -> Study:
    """The study with other levels and seeds, and other fields of the methods that have them."""
    methods = {}
    for name, method in study.methods.items():
        known = {field: value for field, value in fields.items() if field in study.sweep.fields[name]}
        methods[name] = study.changed(name, known) if known else method
        if isinstance(methods[name], PdeflowError):
            raise methods[name]
    return Study(
        list(study.problems.values()),
        methods,
        {**study.sweep.given, **sweep},
        study.metrics,
        dt=study.dt,
        times=study.times,
        against=study.against,
        seeds=range(seeds),
        floors=study.floors,
    )


def _seen(pilot: Table, claim: Claim) -> list[_Seen]:
    """What the pilot shows of a claim, on every problem and time."""
    adds = pilot.floor_adds.get(claim.metric, "sum")
    return [_shown_by(pilot, claim, rows, adds) for rows in pilot.select(claim.metric, method=claim.method).values()]


def _shown_by(pilot: Table, claim: Claim, rows: Sequence[Row], adds: FloorAdds) -> _Seen:
    levels = pilot.levels(rows)
    error, truth = (np.array([level[name] for level in levels]) for name in ("error", "truth_error"))
    if len(levels) < PILOT_LEVELS or not np.all(np.isfinite(error)) or not np.all(error > 0) or np.isnan(truth).any():
        raise BadInput(
            f"The pilot has the errors {error.tolist()} of {claim.method} in {claim.metric}, and the truth's own "
            f"{truth.tolist()}. A plan goes by {PILOT_LEVELS} errors > 0 or more, against a truth that knows its "
            "error. Run a longer pilot, or one that does not fail."
        )
    seeds, noise = np.array([level["seeds"] for level in levels]), noise_of(levels)
    floor = np.array([level["floor"] for level in levels])
    floor = float(np.abs(floor[np.isfinite(floor)]).max(initial=0.0))
    h = np.array([pilot.step_size(level[pilot.swept]) for level in levels])
    spread = float(np.sqrt(np.mean(noise**2 * seeds)))
    return _Seen(claim, h, error, noise, spread, floor, adds, float(np.abs(truth).max()))


def _grounds(seen: Sequence[_Seen]) -> str:
    """What the prediction rests on."""
    worst = max(seen, key=lambda one: one.spread / one.error.min())
    return (
        f"{len(seen)} claim(s); the noisiest is {worst.claim.method} in {worst.claim.metric}, with a finest error of "
        f"{worst.error.min():.3g}, {worst.spread:.2g} of noise a seed, and a floor of {worst.floor:.2g}"
    )
