"""Table: the rows of a study, its orders, the verdicts on claims, and what a run cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .._core.errors import BadInput, unknown_field
from ..metrics.metric import FloorAdds
from .axes import Along, Axis
from .claim import Claim, Claims, weigh, weigh_invariant, with_failures
from .fit import round_off
from .growth import Growths, growth_of
from .order import Order, judge
from .rows import Row, Rows

_COSTS = ("seconds", "first_call_seconds", "cpu_seconds", "memory", "steps")
_FLOATS = ("error", "stderr", "null", "floor", "time_error", "truth_error", "scale", *_COSTS)
# error over that of the exact discrete sequence: what a floor of a tenth and its way of adding leave in doubt
SIZE = (0.8, 1.25)


class Orders(Rows):
    """Observed orders: one row per problem, method and time.

    One per level of the other axes, too, where a study sweeps several. `order` of each row is the full `Order`, `local`
    holds its local orders from coarse to fine.
    """

    columns = (
        "problem",
        "method",
        "metric",
        "time",
        "slope",
        "lower",
        "upper",
        "used",
        "floor",
        "verdict",
        "why",
        "local",
    )


class Table(Along):
    """The long table of a study: one row per problem, method, levels of the sweep, seed, time and metric.

    Parameters
    ----------
    rows : iterable of dict
        The columns are problem, method, <the swept names>, seed, time, metric, error, stderr, floor, time_error,
        status, why, seconds (of wall time, for the whole run), first_call_seconds, cpu_seconds and memory (peak of the
        process in MB, libraries included), steps, truth_error, null (that of the metric's `Estimate`), dt, how,
        floor_how and scale (the size of what the metric compares). A number that does not exist is NaN, and `why` or
        `floor_how` says why. `str` leaves out `null` where no row has one.
    axes : str, or a sequence of Axis
        What was swept; the name of a single axis will do.
    floor_adds : {metric: "sum" or "squares"}
        How `fit_order` takes the floor out; see `pdeflow.metrics.metric`.
    reused : int
        Number of runs that came from the store.
    """

    def __init__(
        self,
        rows: Iterable[Row],
        axes: str | Sequence[Axis],
        floor_adds: Mapping[str, FloorAdds] | None = None,
        reused: int = 0,
    ):
        self.reused = reused
        self.axes = (Axis(axes, "dt" if axes == "dt" else "field"),) if isinstance(axes, str) else tuple(axes)
        self.floor_adds: dict[str, FloorAdds] = dict(floor_adds or {})
        swept = [axis.name for axis in self.axes]
        tail = ("truth_error", "null", "dt", "how", "floor_how", "scale")
        run = ("problem", "method", *swept, "seed", "time", "metric")
        found = ("error", "stderr", "floor", "time_error", "status", "why", *_COSTS)
        super().__init__(rows, (*run, *found, *(name for name in tail if name not in swept)))

    def described(self) -> dict[str, Any]:
        """What `==` compares: the rows, and what their orders depend on."""
        return {**super().described(), "axes": self.axes, "along": self._along, "floor_adds": self.floor_adds}

    def visible(self) -> tuple[str, ...]:
        long = {"why", "how", "floor_how", "dt", "scale", *_COSTS[1:]} - {axis.name for axis in self.axes}
        if not any(np.isfinite(row["null"]) for row in self.rows):
            long.add("null")
        short = [name for name in self.columns if name not in long]
        if any(row["why"] for row in self.rows):
            short.append("why")
        return tuple(short)

    def orders(
        self,
        metric: str,
        time: float | None = None,
        expected: float | None = None,
        tolerance: float = 0.1,
        *,
        along: str | None = None,
    ) -> Orders:
        """The order of every method on every problem at every time, or at one.

        Parameters
        ----------
        metric : str
            Key of the metric.
        time : float or None
            The time at which the errors are taken, None for all.
        expected, tolerance : float
            As in `fit_order`.
        along : str, optional
            The axis in which the order is, see `along`.

        Returns
        -------
        Orders
            One row per problem, method, time and level of the other axes.

        Raises
        ------
        UnknownField
            For a metric that the table does not have.
        BadInput
            For a time that the table does not have.

        Notes
        -----
        Errors are averaged over seeds by their mean before the fit. A level where any seed failed counts as NaN: it is
        dropped, named, and never ends as `pass`. The floor is the measured one; a plateau above it is not excused.
        Where the swept field itself changes the floor (by more than a tenth: cells, points, particles), the floor is
        part of what converges, and nothing is subtracted.

        A sweep over dt is also judged by size. Where the error of the exact discrete sequence is known and stands above
        all else, a `pass` becomes `fail` if the errors are outside 0.8 to 1.25 times it at every level used, all on one
        side.
        """
        if along is not None:
            return self.along(along).orders(metric, time, expected, tolerance)
        rows = []
        for group in self.select(metric, time).values():
            order = self._order(group, expected, tolerance)
            rows.append(
                {
                    **{name: group[0][name] for name in ("problem", "method", *self.others, "metric", "time")},
                    **{name: getattr(order, name) for name in ("slope", "lower", "upper", "floor", "verdict", "why")},
                    "used": order.used,
                    "local": order.local,
                    "order": order,
                }
            )
        return Orders(rows, self._with_others(Orders.columns))

    def _order(self, group: Sequence[Row], expected: float | None, tolerance: float, at_least: bool = False) -> Order:
        levels = self.levels(group)
        error = np.array([level["error"] for level in levels])
        scale = max((level["scale"] for level in levels if np.isfinite(level["scale"])), default=np.nan)
        floor, notes, measured = np.abs([level["floor"] for level in levels]), [], True
        if self.swept != "dt" and np.isfinite(floor).all() and np.ptp(floor) > max(0.1 * floor.max(), round_off(scale)):
            notes.append(f"the floor changes with {self.swept}: it is part of the error and not subtracted")
            floor, measured = np.zeros(len(levels)), False
        negative = error < 0  # a Monte Carlo divergence may be: it has no logarithm
        order = judge(
            [self.step_size(level[self.swept]) for level in levels],
            np.where(negative, np.nan, error),
            floor=floor,
            truth_error=np.abs([level["truth_error"] for level in levels]),
            stderr=noise_of(levels),
            expected=expected,
            tolerance=tolerance,
            measured=measured,
            scale=scale,
            floor_adds=self.floor_adds.get(group[0]["metric"], "sum"),
            at_least=at_least,
        )
        wrong_size = _wrong_size(levels, order.mask, at_least) if order.verdict == "pass" and self.swept == "dt" else ""
        if wrong_size:
            order = replace(order, verdict="fail", why=wrong_size)
        why = order.why.replace("h = ", "dt = ") if self.swept == "dt" else order.why
        notes += [f"the error {value:.3g} is negative" for value in error[negative]]
        return replace(order, why="; ".join(with_failures(why, notes, group)))

    def levels(self, group: Sequence[Row]) -> list[Row]:
        """One row per level: means over seeds, medians of the costs."""
        return [self._mean(rows) for rows in _by(group, lambda row: row[self.swept])]

    def _mean(self, rows: Sequence[Row]) -> Row:
        column = {name: np.array([row[name] for row in rows], dtype=float) for name in _FLOATS}
        n, error = len(rows), column["error"]
        bad = next((row for row in rows if row["status"] != "ok"), rows[0])
        spread = 0.0 if n == 1 or np.ptp(error) == 0 else error.std(ddof=1)  # round-off of the mean is no noise
        return {
            **{name: rows[0][name] for name in ("problem", "method", "time", "metric", "dt")},
            **{axis.name: rows[0][axis.name] for axis in self.axes},
            "seeds": n,
            "error": error.mean(),
            "stderr": spread / np.sqrt(n) if n > 1 else column["stderr"][0],
            **{name: column[name].mean() for name in ("null", "floor", "time_error", "truth_error", "scale")},
            **{name: float(np.median(column[name])) for name in _COSTS},
            **{name: bad[name] for name in ("status", "why")},
        }

    def claims(self, claims: Claim | Iterable[Claim]) -> Claims:
        """The verdict on each claim, on every problem and time.

        Parameters
        ----------
        claims : Claim or iterable of Claim
            What is asserted. A claim on rows that are not `ok` ends as `error`.

        Returns
        -------
        Claims
            One row per claim, problem and time.

        Raises
        ------
        BadInput
            For no claim at all, and for what is not a `Claim`.
        UnknownField
            For a method or metric that the table does not have.
        """
        claims = [claims] if isinstance(claims, Claim) else list(claims) if isinstance(claims, Iterable) else []
        if not claims or not all(isinstance(claim, Claim) for claim in claims):
            raise BadInput(f"claims are {claims!r}. They must be a non-empty list of Claim. Pass what is asserted.")
        methods = list(dict.fromkeys(row["method"] for row in self.rows))
        rows = []
        for claim in claims:
            if claim.method not in methods:
                raise unknown_field("This table", claim.method, methods, kind="method")
            for group in self._claimed(claim):
                if claim.invariant is not None:
                    runs = _by(group, lambda row: (row[self.swept], row["seed"]))
                    weighed = weigh_invariant(claim, group, [sorted(run, key=lambda row: row["time"]) for run in runs])
                else:
                    failed = [row for row in group if row["status"] != "ok"]
                    order = self._order(group, claim.expected, claim.tolerance, claim.at_least is not None)
                    weighed = weigh(claim, group[0], order, failed)
                rows.append({**weighed, **{name: group[0][name] for name in self.others}})
        return Claims(rows, self._with_others(Claims.columns))

    def _claimed(self, claim: Claim) -> list[list[Row]]:
        """The rows that one row of verdicts is about: those of one problem and time, or of all times."""
        groups = list(self.select(claim.metric, method=claim.method).values())
        if claim.invariant is None:
            return groups
        return _by(
            (row for group in groups for row in group),
            lambda row: tuple(row[name] for name in ("problem", *self.others)),
        )

    def work_precision(self, metric: str, time: float | None = None) -> Rows:
        """Error against cost: means of the error over seeds (with their standard error), medians of the costs.

        Parameters
        ----------
        metric : str
            Key of the metric.
        time : float or None
            One time, None for all.

        Returns
        -------
        Rows
            One row per problem, method, time and level.
        """
        columns = ("problem", "method", "time", self.swept, "dt", "seeds", "error", "stderr", "seconds")
        columns = self._with_others(tuple(dict.fromkeys((*columns, *_COSTS, "status"))))
        return Rows([level for group in self.select(metric, time).values() for level in self.levels(group)], columns)

    def growth(
        self,
        of: str,
        along: str | None = None,
        *,
        metric: str | None = None,
        time: float | None = None,
        start: float | None = None,
    ) -> Growths:
        """How errors and costs grow along an axis, such as the dimension.

        Parameters
        ----------
        of : {"error", "seconds", "cpu_seconds", "step_seconds", "memory"}
            "step_seconds" are those of a step after the first; the others are columns of the table.
        along : str, optional
            The axis; the default is the only parameter of the problem that is swept, beside its seed.
        metric : str, optional
            Key of the metric, where the table has several.
        time : float, optional
            The time at which the errors are taken; the default is the last.
        start : float, optional
            Levels below it are left out: where an overhead still rules.

        Returns
        -------
        Growths
            One row per problem, method and level of the other axes, with exponent, 95 % interval and law, see
            `fit_growth`.

        Raises
        ------
        UnknownField, BadInput
            For a quantity, an axis, a metric or a time that the table does not have.

        Notes
        -----
        Draws of the problem (its parameter `seed`) and seeds of the runs are repeats of a level. Rows that are not `ok`
        are left out and counted in `why`. Wall time grows with what else the machine does: `cpu_seconds` do not.
        """
        return growth_of(self, of, along, metric, time, start)

    def parts(self, metric: str, time: float | None = None) -> Rows:
        """The error budget: floor, time_error, and rest = error - floor - time_error, as means over seeds.

        Parameters
        ----------
        metric : str
            Key of the metric.
        time : float or None
            One time, None for all.

        Returns
        -------
        Rows
            One row per problem, method, time and level.

        Notes
        -----
        `rest` is what optimisation and sampling leave. It is signed and not clipped: distances do not add exactly, and
        a negative rest says that two parts cancel. It is NaN where the floor or the time error is not known;
        `undivided` = error - floor is then what can be said.
        """
        rows = []
        for group in self.select(metric, time).values():
            for level in self.levels(group):
                undivided = level["error"] - level["floor"]
                rows.append({**level, "rest": undivided - level["time_error"], "undivided": undivided})
        columns = ("problem", "method", "time", self.swept, "error", "floor", "time_error", "rest", "undivided")
        return Rows(rows, self._with_others(columns))


def _by(rows: Iterable[Row], key: Callable[[Row], Any]) -> list[list[Row]]:
    """The rows in groups of one key each, in the order of the table."""
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return list(groups.values())


def noise_of(levels: Sequence[Row]) -> np.ndarray:
    """The standard error of each level, 0 where it is unknown."""
    noise = np.array([abs(level["stderr"]) if np.isfinite(level["stderr"]) else 0.0 for level in levels])
    return pooled(noise) if all(level["seeds"] > 1 for level in levels) else noise


def pooled(noise: np.ndarray) -> np.ndarray:
    """Standard errors over a few seeds, uncertain themselves: half of the square comes from the median over levels."""
    if noise.shape[-1] < 3:
        return noise
    return np.sqrt((noise**2 + np.median(noise**2, axis=-1, keepdims=True)) / 2)


def _wrong_size(levels: Sequence[Row], used: np.ndarray, at_least: bool = False) -> str:
    """Why the errors are not those of the exact discrete sequence, or "" where they are or nothing can be said."""
    levels = [level for level, kept in zip(levels, used, strict=True) if kept]
    error, sequence, floor, truth = (
        np.abs([level[name] for level in levels]) for name in ("error", "time_error", "floor", "truth_error")
    )
    # NaN is not above anything: an unknown time error, floor or truth says nothing about the size
    least = [round_off(level["scale"]) for level in levels]
    known = sequence > np.maximum(10 * np.maximum(floor, truth), least)
    if len(levels) < 3 or not known.all():
        return ""
    ratio = error / sequence
    beyond = 3.3 * noise_of(levels)  # in standard errors, as for an order
    below = not at_least and np.all(ratio < SIZE[0]) and np.any(error + beyond < SIZE[0] * sequence)
    if not below and not (np.all(ratio > SIZE[1]) and np.any(error - beyond > SIZE[1] * sequence)):
        return ""
    low, high = f"{ratio.min():.3g}", f"{ratio.max():.3g}"
    return (
        f"the error is {low if low == high else f'{low} to {high}'} times that of the exact discrete sequence at every "
        "step size: the order may be right, the size is not"
    )
