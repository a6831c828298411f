"""compare: what got worse or better between two boards, beyond noise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, polygamma
from scipy.stats import t as student

from .._core.errors import BadInput
from .._core.validate import known_arguments, positive, real
from .._core.value import Value
from ..study.rows import Row, Rows
from .board import Board

_LEAST_SPREAD = 0.1  # of the logarithm of a CPU time: what a quiet machine has
_IN_DOUBT = 2 / 3  # of the budget: a run that took more may end on either side of it


class Changes(Rows):
    """What differs: one row per finding, `kind` being worse, better or noted, with the reason in `why`."""

    columns = ("kind", "what", "problem", "method", "old", "new", "ratio", "p", "why")

    @property
    def regressions(self) -> list[Row]:
        """The rows that got worse."""
        return [row for row in self.rows if row["kind"] == "worse"]

    @property
    def exit_code(self) -> int:
        """1 where something got worse, 0 else."""
        return 1 if self.regressions else 0


ByPair = dict[tuple[str, str], Row]  # by problem and method
Pair = tuple[Row, Row]  # old and new


@dataclass(frozen=True)
class _Difference(Value):
    """One number of both boards: in which problem and method, and how surprising the change is, to each side."""

    what: str
    row: Row
    old: float
    new: float
    worse: float
    better: float


@known_arguments
def compare(old: Board, new: Board, *, false_alarms: float = 0.01, least: float = 0.01, slower: float = 1.5) -> Changes:
    """What a new board has worse or better than an old one, beyond noise.

    Parameters
    ----------
    old, new : Board
        Two boards, of one battery.
    false_alarms : float
        How often two boards of the same methods, which differ in seeds and machine only, may show a regression: a
        share of such comparisons, between 0 and 1.
    least : float
        Relative change of an error below which it is no finding, however certain.
    slower : float
        Factor of a CPU time below which it is no finding.

    Returns
    -------
    Changes
        Worse first, then better, then noted.

    Raises
    ------
    BadInput
        For boards without a common row, and for numbers out of range.

    Notes
    -----
    Errors are compared at the finest common step by Student's t of their difference over its standard error. Few seeds
    tell a spread badly, so that the rows of a method lend each other theirs: the relative variances of single runs on
    its problems are taken as draws of a scaled inverse chi-square law, whose two parameters are fitted, and t is
    moderated by it [smyth2004], with half of the degrees of freedom that the fit lends. A method with noise on fewer
    than six problems, or with two seeds, has the plain t of its own seeds. No spread is enlarged in proportion to an
    error that grew: near its null level an error is a third noise, and four times the error are not four times the
    noise. Where a board has no noise at all, each
    change of more than `least` counts.

    CPU seconds are compared in units of the kernel timed in the same run. The logarithm of a time is taken to have the
    spread of the kernel's own timings, at least 0.1, with as many degrees of freedom as these. A difference of less
    than 50 kernels (some 1.5 s) is no finding: that much may be compiling, which falls on the first run of a process.

    All p-values of one direction, errors and times, are judged together by the method of Holm: the chance that any of
    them is a false alarm is at most `false_alarms`, however many are compared, as far as the spreads are right. What
    is no number has no rate: a method that ends otherwise than `ok` at a step where it was `ok` is a regression, but
    for one that runs out of a budget of which it had used more than two thirds. A changed verdict is noted and does not
    count, as it follows from the errors.
    """
    before, after, common = _rows_of(old, new, false_alarms, least, slower)
    spreads = _spreads(common)
    differences = [
        found
        for pair in common
        for found in (_of_errors(*pair, spreads[pair[1]["method"]], least), _of_times(*pair, slower))
        if found
    ]
    rows = [
        *_judged(differences, "worse", false_alarms),
        *_judged(differences, "better", false_alarms),
        *(row for pair in common for row in _states(*pair)),
        *(_finding("noted", "row", before[key], why="only in the old board") for key in before if key not in after),
        *(_finding("noted", "row", after[key], why="only in the new board") for key in after if key not in before),
    ]
    return Changes(sorted(rows, key=lambda row: ("worse", "better", "noted").index(row["kind"])))


def _rows_of(
    old: Board, new: Board, false_alarms: float, least: float, slower: float
) -> tuple[ByPair, ByPair, list[Pair]]:
    """The rows of both boards by problem and method, and those of both; `BadInput` where they cannot be compared."""
    for name, value, top in (("false_alarms", false_alarms, 1.0), ("least", least, math.inf)):
        if not 0 < real(value, name) < top:
            raise BadInput(f"{name} = {value!r}. It must be above 0 and below {top:g}. Pass e.g. 0.01.")
    if positive(slower, "slower") <= 1:
        raise BadInput(f"slower = {slower!r}. It must be a factor above 1. Pass e.g. 1.5.")
    before, after = ({(row["problem"], row["method"]): row for row in board} for board in (old, new))
    common = [(before[key], row) for key, row in after.items() if key in before]
    if not common:
        raise BadInput(
            f"The boards have {len(old)} and {len(new)} rows and none in common. Two boards of one battery can be "
            "compared. Run `pdeflow score` with the same methods and problems."
        )
    for one, other in common:
        if one["metric"] != other["metric"] or not math.isclose(one["time"], other["time"]):
            raise BadInput(
                f"{one['problem']} was judged in {one['metric']} at time {one['time']:g}, and in {other['metric']} at "
                f"{other['time']:g}. Only the same question can be compared. Run `pdeflow score` for both."
            )
    return before, after, common


def _of_errors(old: Row, new: Row, spread: _Spread, least: float) -> _Difference | None:
    """The change of the error at the finest step that both boards have."""
    dt = _finest(old, new)
    if dt is None:
        return None
    (one, _), (other, _) = _at(old, dt), _at(new, dt)
    what, change = f"error at dt = {dt:g}", other - one
    if abs(change) <= least * max(abs(one), abs(other)):
        return _Difference(what, new, one, other, 1.0, 1.0)
    own, freedom = _variance(old, new, dt)
    if own == 0 or freedom == 0:
        own = math.hypot(_at(old, dt)[1], _at(new, dt)[1])  # one seed: noise that the metric knows of, or none
        if own == 0:
            return _Difference(what, new, one, other, float(change <= 0), float(change >= 0))
        return _Difference(what, new, one, other, *_surprise(change / own, np.inf))
    variance, freedom = spread.moderated(own, freedom, abs(one * other))
    score = change / math.sqrt(variance * (1 / old["seeds"] + 1 / new["seeds"]))
    return _Difference(what, new, one, other, *_surprise(score, freedom))


def _surprise(score: float, freedom: float) -> tuple[float, float]:
    """The p-values of Student's t to either side: for a change to the worse, and to the better."""
    return float(student.sf(score, freedom)), float(student.sf(-score, freedom))


def _finest(old: Row, new: Row) -> float | None:
    """The finest step at which both have an error."""
    return min((dt for dt in old["steps"] if dt in new["steps"] and _known(old, dt) and _known(new, dt)), default=None)


def _known(row: Row, dt: float) -> bool:
    return math.isfinite(_at(row, dt)[0])


def _at(row: Row, dt: float) -> tuple[float, float]:
    """Error and standard error at a step."""
    at = row["steps"].index(dt)
    return row["errors"][at], row["stderrs"][at]


def _variance(old: Row, new: Row, dt: float, relative: bool = False) -> tuple[float, int]:
    """The variance of the error of a single run, or of that over the mean error, and its degrees of freedom."""
    freedom = old["seeds"] + new["seeds"] - 2
    total = 0.0
    for row in (old, new):
        error, stderr = _at(row, dt)
        size = error if relative else 1.0
        total += (row["seeds"] - 1) * row["seeds"] * (stderr / size) ** 2 if size else 0.0
    return (total / freedom if freedom > 0 else 0.0), freedom


@dataclass(frozen=True)
class _Spread(Value):
    """What the relative variances of a method on all problems tell of a single one: a scaled inverse chi-square law."""

    typical: float
    freedom: float

    def moderated(self, variance: float, freedom: int, square: float) -> tuple[float, float]:
        """The variance of one row of this squared error after the others are known, and its degrees of freedom.

        `square` is the product of the old and the new error, not the mean of their squares: where an error grows out
        of its noise, its noise did not grow with it.
        """
        total = self.freedom + freedom
        return (self.freedom * self.typical * square + freedom * variance) / total, total


def _spreads(common: Sequence[Pair]) -> dict[str, _Spread]:
    """The spread of each method, by the moments of the logarithms of its variances [smyth2004 section 6.2]."""
    found: dict[str, list[tuple[float, int]]] = {}
    for old, new in common:
        known = found.setdefault(new["method"], [])
        dt = _finest(old, new)
        variance, freedom = (0.0, 0) if dt is None else _variance(old, new, dt, relative=True)
        known += [(variance, freedom)] if variance > 0 and freedom > 0 else []
    return {method: _fitted(known) for method, known in found.items()}


def _fitted(known: Sequence[tuple[float, int]]) -> _Spread:
    if len(known) < _FEW or min(freedom for _, freedom in known) < _SEEDS:
        return _Spread(0.0, 0.0)  # each row speaks for itself
    half = np.array([freedom for _, freedom in known]) / 2
    logs = np.log([variance for variance, _ in known]) - digamma(half) + np.log(half)
    excess = float(np.var(logs, ddof=1) - np.mean(polygamma(1, half)))
    if excess <= polygamma(1, _MOST / 2):
        freedom = float(_MOST)
    else:
        root: Any = brentq(lambda x: float(polygamma(1, x)) - excess, 1e-3, _MOST)
        freedom = 2 * float(root)
    typical = float(np.exp(logs.mean() + digamma(freedom / 2) - np.log(freedom / 2)))
    return _Spread(typical, freedom / 2)  # half: what is fitted on a dozen rows is itself uncertain


_FEW = 6  # rows of a method from which a common spread is worth a fit
_SEEDS = 3  # degrees of freedom of a row: with two, false alarms were 3 % where spreads differ much
_MOST = 100  # degrees of freedom that the rows of a method may lend each other


def _of_times(old: Row, new: Row, slower: float) -> _Difference | None:
    """The change of the CPU time at the same finest step, in units of the kernel."""
    one, other = old["cpu_seconds"] / old["kernel_seconds"], new["cpu_seconds"] / new["kernel_seconds"]
    if old["dt"] != new["dt"] or not (0 < one < math.inf and 0 < other < math.inf):
        return None
    change = math.log(other / one)
    if abs(change) <= math.log(slower) or abs(other - one) <= _START:
        return _Difference("CPU time in kernels", new, one, other, 1.0, 1.0)
    spread = math.hypot(*(max(row["kernel_spread"], _LEAST_SPREAD) for row in (old, new)))
    return _Difference("CPU time in kernels", new, one, other, *_surprise(change / spread, _TIMINGS))


_START = 50.0  # kernels, some 1.5 s: compiling falls on whichever run comes first in a process
_TIMINGS = 18  # degrees of freedom of the spreads of two boards with ten timings of the kernel each


def _judged(differences: Iterable[_Difference], side: str, false_alarms: float) -> list[Row]:
    """The differences to one side that Holm's method keeps."""
    ordered = sorted(differences, key=lambda one: getattr(one, side))
    rows = []
    for at, one in enumerate(ordered):
        p = getattr(one, side)
        if p > false_alarms / (len(ordered) - at):
            break
        why = "" if p > 0 else "no noise: the same on every seed"
        rows.append(_finding(side, one.what, one.row, one.old, one.new, p, why))
    return rows


def _states(old: Row, new: Row) -> list[Row]:
    """Findings that are no numbers: how runs end, and verdicts."""
    rows = []
    for dt in old["steps"]:
        if dt not in new["steps"] or _known(old, dt) == _known(new, dt):
            continue
        kind = "worse" if _known(old, dt) else "better"
        ended, other = (new, old) if kind == "worse" else (old, new)
        kernels = other["costs"][other["steps"].index(dt)] / other["kernel_seconds"]
        if ended["status"] == "out of time" and kernels * ended["kernel_seconds"] > _IN_DOUBT * ended["budget"]:
            kind = "noted"
        words = f"{old['status']} -> {new['status']}. {ended['why']}"
        rows.append(_finding(kind, f"status at dt = {dt:g}", new, _at(old, dt)[0], _at(new, dt)[0], why=words))
    if old["verdict"] != new["verdict"]:
        why = f"{old['verdict']} -> {new['verdict']}"
        rows.append(_finding("noted", "verdict", new, old["order"], new["order"], why=why))
    return rows


def _finding(
    kind: str, what: str, row: Row, old: float = math.nan, new: float = math.nan, p: float = math.nan, why: str = ""
) -> Row:
    """A row of `Changes`."""
    return {
        **{"kind": kind, "what": what, "problem": row["problem"], "method": row["method"]},
        **{"old": old, "new": new, "ratio": new / old if old else math.nan, "p": p, "why": why},
    }
