"""Growth: how errors, seconds and memory grow along a parameter of the problem, by a power or an exponential law."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, stdtrit

from .._core.errors import BadInput, unknown_field
from .._core.shapes import Values, Vector
from .._core.short_text import shown
from .._core.validate import known_arguments, numbers, real, real_array
from .._core.value import Value
from .rows import Row, Rows

if TYPE_CHECKING:
    from .table import Table  # which calls this module

STRONG = 20.0  # how many times more likely than the others a law must be
ROUND_OFF = 1e-12  # relative: what the arithmetic of a cost may be off by
STEEPEST = 8.0  # largest exponent that is looked for beside a constant
OF = ("error", "seconds", "cpu_seconds", "step_seconds", "memory")


Law = Literal["power", "power + constant", "exponential", "undecided"]


@dataclass(frozen=True)
class Growth(Value):
    """How y grows with x over the levels of x.

    Attributes
    ----------
    exponent, lower, upper : float
        p of y = a x^p, or of y = c + a x^p where that is the law, with its 95 % interval; NaN where it is not known.
    law : {"power", "power + constant", "exponential", "undecided"}
        Which of y = a x^p, y = c + a x^p with c > 0, and y = a exp(k x) the levels follow.
    rate : float
        k of the exponential law, per unit of x.
    evidence : float
        How many times more likely a power law, with a constant or without, is than the exponential one; NaN with fewer
        than three levels.
    local : tuple of float
        The exponents between neighbouring levels, upwards.
    why : str
        What the numbers rest on.
    """

    exponent: float
    lower: float
    upper: float
    law: Law
    rate: float
    evidence: float
    local: tuple[float, ...]
    why: str


class Growths(Rows):
    """Observed growth: a row per problem, method and level of the other axes; its `growth` is the whole `Growth`."""

    columns = tuple("problem method of time exponent lower upper law rate evidence local why".split())


@known_arguments
def fit_growth(x: ArrayLike, y: ArrayLike) -> Growth:
    """The growth of y with x: its exponent with an interval, and whether a power or an exponential law fits better.

    Parameters
    ----------
    x : (n,) array_like
        Values of the parameter, > 0, such as dimensions; equal values are repeats of one level.
    y : (n,) array_like
        What grows, one number for each; repeats may differ. Those that are not finite and above zero have no logarithm
        and are left out.

    Returns
    -------
    Growth
        Without two levels all is NaN and `undecided`; three are needed for an interval.

    Raises
    ------
    BadInput
        For arrays of different lengths, and for x that is not above zero.

    Notes
    -----
    The logarithms of the repeats are averaged, and log y = log a + p log x is fitted to the n means by least squares.
    The interval is the t-interval of its scatter with n - 2 degrees of freedom or, where it is wider, that of the
    scatter of the repeats (Satterthwaite's degrees of freedom). That of c + a x^p is the profile of the residual sum of
    squares, with n - 3. Where the law is `undecided` or `exponential`, the exponent is the mean slope over these levels
    and no more: that of a power beside a constant is then outside of the interval more often than not. How often the
    intervals hold the exponent, and how often a law is named wrongly, is measured by
    validation/batteries/growth.py.

    The evidence of a law with k numbers is its likelihood, integrated over them and over the size of the scatter:
    Γ((n-k)/2) (π/n)^(k/2) S^(-(n-k)/2), with S its residual sum of squares in log y and priors of width one in log y. A
    power law is named where it and its like with a constant are 20 times more likely than the exponential law, and the
    other way round, over five levels or more; the constant, where the law with it is 20 times more likely than that
    without. A cost that does not grow beside one that does looks exponential over few levels: such series are
    `undecided`.
    """
    x, y = real_array(x, "x", 1), numbers(y, "y")
    if x.shape != y.shape or not (x > 0).all():
        raise BadInput(
            f"x is {shown(x, 300)}, y is {shown(y, 300)}. Both must have one length, and x be above zero. Pass the "
            "parameter and what was measured at it."
        )
    kept = np.isfinite(y) & (y > 0)
    left_out = f"; {len(y) - kept.sum()} of {len(y)} runs have no positive value" if not kept.all() else ""
    levels = np.unique(x[kept])
    repeats = [np.log(y[kept & (x == level)]) for level in levels]
    n, nan = len(levels), float("nan")
    if n < 2:
        return Growth(
            nan, nan, nan, "undecided", nan, nan, (), f"{n} level(s): growth needs two, and three a law{left_out}"
        )
    means, logs = np.array([group.mean() for group in repeats]), np.log(levels)
    exponent, _ = _line(logs, means)
    rate, _ = _line(levels, means)
    local = tuple(float(one) for one in np.diff(means) / np.diff(logs))
    if n < 3:
        why = f"2 levels: no interval, and no law{left_out}"
        return Growth(exponent, nan, nan, "undecided", rate, nan, local, why)
    law, evidence, why = _law(levels, means)
    if law == "power + constant":
        exponent, lower, upper = _beside_constant(logs, means)
    else:
        half = _half_width(logs, means, repeats)
        lower, upper = exponent - half, exponent + half
    return Growth(exponent, lower, upper, law, rate, evidence, local, why + left_out)


def _line(x: Vector, y: Vector) -> tuple[float, float]:
    """The slope of the least-squares line and its residual sum of squares."""
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    rest = y - y.mean() - slope * centred
    return slope, float(rest @ rest)


def _half_width(x: Vector, means: Vector, repeats: Sequence[np.ndarray]) -> float:
    """Half the width of the 95 % interval of the slope."""
    weights = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    dof = len(x) - 2
    half = float(stdtrit(dof, 0.975) * np.sqrt(_line(x, means)[1] / dof * (weights @ weights)))
    sizes = np.array([len(group) for group in repeats])
    if (sizes > 1).all():
        parts = weights**2 * np.array([group.var(ddof=1) for group in repeats]) / sizes
        if parts.sum() > 0:
            repeated_dof = parts.sum() ** 2 / np.sum(parts**2 / (sizes - 1))
            half = max(half, float(stdtrit(repeated_dof, 0.975) * np.sqrt(parts.sum())))
    return half


def _law(levels: Vector, means: Vector) -> tuple[Law, float, str]:
    """The law, the evidence for power laws over the exponential one, and what is to be said."""
    logs, n = np.log(levels), len(levels)
    power, exponential = _likelihood(_line(logs, means)[1], means, 2), _likelihood(_line(levels, means)[1], means, 2)
    beside = _likelihood(_least_beside_constant(logs, means)[1], means, 3) if n > 3 else -np.inf
    evidence = float(np.exp(np.clip(np.logaddexp(power, beside) - exponential, -700, 700)))
    kind, times = ("a power law", evidence) if evidence >= 1 else ("the exponential law", 1 / evidence)
    why = f"{kind} is {times:.3g} times more likely than {'the exponential one' if evidence >= 1 else 'a power law'}"
    if times < STRONG:
        return "undecided", evidence, f"{why}, and {STRONG:g} are needed: take more levels"
    if evidence < 1 and n < 5:
        return "undecided", evidence, f"{why}, but one with a constant may look so over {n} levels: take five"
    if evidence < 1:
        return "exponential", evidence, why
    if beside - power < np.log(STRONG):
        return "power", evidence, why
    more = float(np.exp(beside - power))
    return "power + constant", evidence, f"{why}, and {more:.3g} times more with a constant than without"


def _likelihood(squares: float, means: Vector, k: int) -> float:
    """The logarithm of the integrated likelihood of a law with k numbers and this residual sum of squares."""
    n = len(means)
    squares = squares + n * (ROUND_OFF * max(1.0, float(np.abs(means).max()))) ** 2
    return float(gammaln((n - k) / 2) + k / 2 * np.log(np.pi / n) - (n - k) / 2 * np.log(squares))


def _profile(logs: Vector, means: Vector, exponents: Values) -> Values:
    """The least residual sum of squares of log(c + a x^p) over a and c >= 0, for each p."""
    powers = np.exp(exponents[:, None] * (logs - logs.mean()))  # x^p, its middle at one
    low, high = np.full(len(exponents), -12.0), np.full(len(exponents), 12.0)  # bounds of log(c/a)
    squares = np.full(len(exponents), np.inf)
    for _ in range(_FINER):  # a grid of the ratio, made finer around the best
        ratios = np.linspace(low, high, 9)
        rest = means - np.log(np.exp(ratios)[:, :, None] + powers)
        found = np.sum((rest - rest.mean(axis=-1, keepdims=True)) ** 2, axis=-1)
        best, at = found.argmin(axis=0), np.arange(len(exponents))
        squares = np.minimum(squares, found[best, at])
        width = (high - low) / 8
        low, high = ratios[best, at] - width, ratios[best, at] + width
    return squares


def _least_beside_constant(logs: Vector, means: Vector) -> tuple[float, float]:
    """The exponent of the least residual sum of squares of log(c + a x^p) over a, c >= 0 and p, and that sum."""
    low, high, least, exponent = -STEEPEST, STEEPEST, np.inf, 0.0
    for _ in range(_FINER // 2):  # a grid of the exponent, made finer around the best
        exponents = np.linspace(low, high, 17)
        squares = _profile(logs, means, exponents)
        best, width = exponents[squares.argmin()], (high - low) / 16
        if squares.min() < least:
            least, exponent = float(squares.min()), float(best)
        low, high = best - width, best + width
    return exponent, least


def _beside_constant(logs: Vector, means: Vector) -> tuple[float, float, float]:
    """The exponent beside a constant and its interval; infinite where every steeper one is in it."""
    best, least = _least_beside_constant(logs, means)
    dof = len(logs) - 3
    allowed = least * (1 + stdtrit(dof, 0.975) ** 2 / dof)
    grid = np.linspace(-STEEPEST, STEEPEST, 321)
    inside = np.append(grid[_profile(logs, means, grid) <= allowed], best)
    ends: list[float] = []
    for within, side in ((inside.min(), -1), (inside.max(), 1)):
        out = within + side * (grid[1] - grid[0])  # the end lies in between
        for _ in range(5):
            between = np.linspace(within, out, 17)
            first = int(np.argmax(np.append(_profile(logs, means, between) > allowed, True)))
            within, out = between[max(first - 1, 0)], between[min(first, 16)]
        ends.append(float(out) if abs(out) < STEEPEST else side * np.inf)
    return best, ends[0], ends[1]


_FINER = 12  # grids of log(c/a), each four times as fine as the one before, the last to 1e-6


def growth_of(
    table: Table, of: str, along: str | None, metric: str | None, time: float | None, start: float | None
) -> Growths:
    """What `Table.growth` returns."""
    if of not in OF:
        raise unknown_field("Growth", str(of), OF, kind="quantity")
    if metric is None and of != "error" and len(table) > 0:  # costs are those of the run, whatever is compared
        metric = table[0]["metric"]
    rows, least = [], 0.0 if start is None else real(start, "start")
    for group in grouped(table, along, the_metric(table, metric), time, least):
        found = fit_growth([row["level"] for row in group], [value_of(row, of) for row in group])
        first = group[0]
        named = {name: first[name] for name in ("problem", "method", *first["others"], "time")}
        fields = ("exponent", "lower", "upper", "law", "rate", "evidence", "why")
        fitted = {name: getattr(found, name) for name in fields}
        rows.append({**named, "of": of, **fitted, "local": np.array(found.local), "growth": found})
    kept = [axis.name for axis in table.axes if axis.name in rows[0]]
    place = Growths.columns.index("of")
    return Growths(rows, (*Growths.columns[:place], *kept, *Growths.columns[place:]))


@dataclass(frozen=True)
class Level(Value):
    """What a group of runs gave at one level of an axis: the errors and costs of its runs, and their means."""

    axis: str
    level: float
    metric: str
    time: float
    errors: tuple[float, ...]
    sequences: tuple[float, ...]
    costs: tuple[float, ...]

    @property
    def error(self) -> float:
        """The mean of the errors; NaN where a run has none."""
        return float(np.mean(self.errors))

    @property
    def stderr(self) -> float:
        """The standard error of that mean over draws and seeds; NaN for one run."""
        n = len(self.errors)
        return float(np.std(self.errors, ddof=1) / np.sqrt(n)) if n > 1 else float("nan")

    @property
    def sequence(self) -> float:
        """The mean of the errors of the exact discrete sequences; NaN where one is not known."""
        return float(np.mean(self.sequences))

    @property
    def ratio(self) -> float:
        """The mean error over that of the exact discrete sequences; NaN where it is not known or zero."""
        return self.error / self.sequence if self.sequence > 0 else float("nan")

    @property
    def worst_ratio(self) -> float:
        """The largest of these ratios in a single run."""
        known = [error / exact for error, exact in zip(self.errors, self.sequences, strict=True) if exact > 0]
        return max(known, default=float("nan"))

    @property
    def cost(self) -> float:
        """The median of the costs."""
        return float(np.median(self.costs))


def levels_of(
    table: Table, along: str | None, metric: str | None, time: float | None, cost: str
) -> dict[str, list[Level]]:
    """The levels of every group, by method and levels of the other axes in words."""
    chosen, named = the_metric(table, metric), {}
    groups = grouped(table, along, chosen, time)
    axis = _parameter(table) if along is None else along
    several = len({rows[0]["problem"] for rows in groups}) > 1
    for rows in groups:
        first = rows[0]
        words = [first["method"], *([first["problem"]] if several else [])]
        words += [f"{name} = {first[name]}" for name in first["others"]]
        levels = []
        for level in sorted({row["level"] for row in rows}):
            mine = [row for row in rows if row["level"] == level]
            errors, sequences, costs = (
                tuple(value_of(row, of) for row in mine) for of in ("error", "time_error", cost)
            )
            levels.append(Level(axis, level, chosen, first["time"], errors, sequences, costs))
        named[", ".join(words)] = levels
    return named


def grouped(table: Table, along: str | None, metric: str, time: float | None, start: float = 0.0) -> list[list[Row]]:
    """The rows whose growth is one: of one problem, method, metric, time and level of the other axes.

    Draws of the problem (its parameter `seed`) and seeds of the runs are repeats. Each row has its `level`, and in
    `others` the axes that tell the groups apart. The default time is the last.
    """
    view = table.along(_parameter(table) if along is None else along)
    last = max(row["time"] for row in table) if time is None else time
    others = tuple(name for name in view.others if name != "problem_seed")
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for rows in view.select(metric, last).values():
        key = tuple(rows[0][name] for name in ("problem", "method", "time", *others))
        found = [{**row, "level": _number(row[view.swept], view.swept), "others": others} for row in rows]
        groups.setdefault(key, []).extend(row for row in found if row["level"] >= start)
    groups = {key: rows for key, rows in groups.items() if rows}
    if not groups:
        raise BadInput(f"start is {start!r}, and no level of {view.swept} is as large. Pass a smaller one, or None.")
    return list(groups.values())


def the_metric(table: Table, metric: str | None) -> str:
    """The metric asked for, or the only one."""
    metrics = list(dict.fromkeys(row["metric"] for row in table))
    if metric is None and len(metrics) != 1:
        raise BadInput(f"The table has the metrics {', '.join(metrics)}. Growth is that of one. Pass metric=.")
    return metrics[0] if metric is None else metric


def _parameter(table: Table) -> str:
    """The only axis that is a parameter of the problem, beside its seed."""
    named = [axis.name for axis in table.axes if axis.kind == "parameter" and axis.name != "problem_seed"]
    if len(named) != 1:
        raise BadInput(
            f"The study sweeps the parameters {', '.join(named) or 'none'} of the problem, and no axis is named. "
            "Growth is along one axis. Pass along=."
        )
    return named[0]


def _number(level: Any, name: str) -> float:
    if isinstance(level, bool | str) or not np.isscalar(level) or not np.isreal(level) or not cast(Any, level) > 0:
        raise BadInput(f"{name} is {shown(level, 200)}. Growth needs numbers above zero. Look along another axis.")
    return float(cast(Any, level))


def value_of(row: Row, of: str) -> float:
    """A quantity of a row; NaN where the run has none."""
    if row["status"] != "ok":
        return float("nan")
    if of == "step_seconds":
        return (row["seconds"] - row["first_call_seconds"]) / (row["steps"] - 1) if row["steps"] > 1 else float("nan")
    return float(row[of])
