"""Pilot runs of a study: what they show of its claims, and what its runs cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import nnls

from .._core.errors import BadInput
from .._core.shapes import Values
from ..metrics.metric import FloorAdds
from .claim import Claim
from .evidence import DISCREPANCY, FLOOR_DOUBT, Series, centre, odds, words
from .rows import Row
from .table import Table, pooled

PILOT_LEVELS = 3  # fewer tell no curve
_DRAWS = 300


class Pilot:
    """Runs of the coarsest levels of a study, each with the seeds 0, 1, 2, ...; more of them can be added.

    Parameters
    ----------
    run : (levels, seeds) -> Table
        Runs these levels with these seeds.
    """

    def __init__(self, run: Callable[[tuple[Any, ...], range], Table]):
        self._run = run
        self._seeds: dict[Any, int] = {}
        self.table: Table | None = None

    def seeds(self, level: Any) -> int:
        """With how many seeds this level was run."""
        return self._seeds.get(level, 0)

    def grow(self, levels: Sequence[Any], seeds: int) -> Table:
        """All runs made so far, once each of the levels has so many seeds."""
        missing: dict[int, list[Any]] = {}
        for level in levels:
            if self.seeds(level) < seeds:
                missing.setdefault(self.seeds(level), []).append(level)
        for first, part in missing.items():
            found = self._run(tuple(part), range(first, seeds))
            if self.table is not None:
                found = Table([*self.table.rows, *found.rows], found.axes, found.floor_adds)
            self.table = found
            self._seeds |= dict.fromkeys(part, seeds)
        assert self.table is not None  # the first call asks for some
        return self.table


@dataclass(frozen=True, eq=False)
class Seen:
    """What a pilot shows of one claim on one problem and time.

    h : (n,) of the pilot. error, stderr : (n,), means over its seeds. spread : standard deviation over seeds, with so
    many degrees of `freedom` (infinity where it is the metric's own).
    """

    claim: Claim
    h: Values
    error: Values
    stderr: Values
    spread: float
    freedom: float
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
        known = np.sum(there**2 * weight, axis=-1)
        a = np.maximum((there * weight) @ left / known, 1e-3 * self.error.max())
        misfit = np.sum((left - a[:, None] * there) ** 2 * weight, axis=-1)
        misfit[(1 + b * h / top + c * (h / top) ** 2).min(axis=-1) < 0.3] = np.inf
        odds_of_curve = np.exp(-0.5 * (misfit - misfit.min())) / np.sqrt(known * a**2)  # log a is flat before the pilot
        chosen = rng.choice(many, _DRAWS, p=odds_of_curve / odds_of_curve.sum())
        drawn = a[chosen] + rng.standard_normal(_DRAWS) / np.sqrt(known[chosen])
        return np.maximum(drawn, 1e-3 * a[chosen])[:, None] * shape(h)[chosen]  # an error of nothing has no logarithm

    def spreads(self, rng: np.random.Generator) -> Values:
        """Standard deviations over seeds that agree with the pilot, (draws,)."""
        if not np.isfinite(self.freedom):
            return np.full(_DRAWS, self.spread)
        return self.spread * np.sqrt(self.freedom / rng.chisquare(self.freedom, _DRAWS))

    def chance(self, h: Values, seeds: int, factor: int, rng: np.random.Generator) -> float:
        """The share of simulated studies whose claim passes."""
        curves, floor = self.curves(h, rng), self.floor / np.sqrt(factor)
        spread = self.spreads(rng)[:, None, None] / np.sqrt(factor)
        mean = curves + floor if self.floor_adds == "sum" else np.hypot(curves, floor)
        if self.truth > mean.min(axis=-1).mean() / 10:
            return 0.0
        runs = np.abs(mean[:, None, :] + spread * rng.standard_normal((_DRAWS, seeds, len(h))))
        error, noise = runs.mean(axis=1), np.zeros_like(curves)
        if seeds > 1 and self.spread > 0:
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


class Cost:
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


def seen(pilot: Table, claim: Claim) -> list[Seen]:
    """What the pilot shows of a claim, on every problem and time."""
    adds = pilot.floor_adds.get(claim.metric, "sum")
    return [_shown_by(pilot, claim, rows, adds) for rows in pilot.select(claim.metric, method=claim.method).values()]


def _shown_by(pilot: Table, claim: Claim, rows: Sequence[Row], adds: FloorAdds) -> Seen:
    levels = pilot.levels(rows)
    error, truth = (np.array([level[name] for level in levels]) for name in ("error", "truth_error"))
    if len(levels) < PILOT_LEVELS or not np.all(np.isfinite(error)) or not np.all(error > 0) or np.isnan(truth).any():
        raise BadInput(
            f"The pilot has the errors {error.tolist()} of {claim.method} in {claim.metric}, and the truth's own "
            f"{truth.tolist()}. A plan goes by {PILOT_LEVELS} errors > 0 or more, against a truth that knows its "
            "error. Run a longer pilot, or one that does not fail."
        )
    floor = np.array([level["floor"] for level in levels])
    floor = float(np.abs(floor[np.isfinite(floor)]).max(initial=0.0))
    h = np.array([pilot.step_size(level[pilot.swept]) for level in levels])
    stderr, spread, freedom = _noise(levels)
    return Seen(claim, h, error, stderr, spread, freedom, floor, adds, float(np.abs(truth).max()))


def _noise(levels: Sequence[Row]) -> tuple[Values, float, float]:
    """Standard errors of the levels (n,), the standard deviation of one seed, and its degrees of freedom.

    Half of each square comes from that of all levels together, which knows it better.
    """
    seeds = np.array([level["seeds"] for level in levels])
    squares = np.nan_to_num([level["stderr"] for level in levels]) ** 2 * seeds
    if np.all(seeds == 1):  # the metric's own
        common = squares.mean()
        return np.sqrt((squares + common) / 2), float(np.sqrt(common)), np.inf
    weight = seeds - 1
    common = weight @ squares / weight.sum()
    squares = np.where(seeds > 1, (squares + common) / 2, common)
    return np.sqrt(squares / seeds), float(np.sqrt(common)), float(weight.sum())
