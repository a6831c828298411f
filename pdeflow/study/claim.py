"""Claim: what a validation asserts, and the verdict of a table on a list of claims."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._core.errors import BadInput
from .._core.short_text import LONGEST_MESSAGE, cut, shown
from .._core.validate import positive
from .._core.value import Value
from .order import Order
from .rows import Row, Rows

EXIT_CODES = {"pass": 0, "fail": 1, "inconclusive": 2, "error": 3}
INVARIANTS = ("zero", "constant", "falling")
_SEVERITY = ("pass", "inconclusive", "fail", "error")


@dataclass(frozen=True)
class Claim(Value):
    """`method` converges with `order` within `tolerance` in `metric`, or keeps an invariant, as `source` says.

    The claim is made on every problem and time of the study. Exactly one of `order`, `at_least` and `invariant` is
    given.

    Parameters
    ----------
    method, metric : str
        Keys of the study's methods and metrics.
    order : float, optional
        The order claimed; inf claims that the method is exact (errors at round-off).
    tolerance : float
        How far the observed order may lie from it; for an invariant the largest value, change or rise, in the unit of
        the metric.
    source : str
        BibTeX key with the equation, or a section of the documentation.
    at_least : float, optional
        The least order claimed; a scheme that converges faster does not fail, nor one that is exact.
    invariant : {"zero", "constant", "falling"}, optional
        What the metric does in every run, whatever the step: it is zero (mass lost, mass below zero, the distance from
        a Gibbs law that a scheme keeps), it is the same at all saved times (a mass, a mean), or it never rises from one
        saved time to the next (an energy; four standard errors of a Monte Carlo energy are taken off each rise). The
        built-in quantities are `metrics.mass_error` and `metrics.negative_mass` ("zero") and `metrics.free_energy`
        ("falling"); for the Gibbs law, take a distance on `problems.at_equilibrium(problem)` ("zero").

    Raises
    ------
    BadInput
        For an empty name, for values that are not numbers, and for none or more than one of the three kinds.
    """

    method: str
    metric: str
    order: float | None = None
    tolerance: float = 0.1
    source: str = ""
    at_least: float | None = None
    invariant: str | None = None

    def __post_init__(self):
        for name in ("method", "metric", "source"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                what = (
                    "where the claim comes from, such as source='my notes, theorem 3'"
                    if name == "source"
                    else f"the {name}"
                )
                raise BadInput(
                    f"Claim.{name} is {shown(getattr(self, name))}. It must be a non-empty string. Pass {what}."
                )
        given = [name for name in ("order", "at_least", "invariant") if getattr(self, name) is not None]
        if len(given) != 1:
            raise BadInput(
                f"Claim has {' and '.join(given) or 'no claim'}. It makes one claim: order, at_least or invariant. "
                "Pass one of the three."
            )
        if self.invariant is not None and self.invariant not in INVARIANTS:
            raise BadInput(
                f"Claim.invariant is {shown(self.invariant)}. It must be one of {', '.join(INVARIANTS)}. Pass one."
            )
        for name in ("order", "at_least"):
            _require_order(name, getattr(self, name))
        if self.at_least is not None and np.isinf(self.at_least):
            raise BadInput(f"Claim.at_least is {self.at_least}. It must be finite. Pass order=inf for an exact method.")
        positive(self.tolerance, "Claim.tolerance")

    @property
    def expected(self) -> float | None:
        """The order that the errors are judged by, None where they are not."""
        order = self.order if self.at_least is None else self.at_least
        return None if order is None or order == np.inf else float(order)

    @property
    def claimed(self) -> float | str:
        """The claim as a table shows it."""
        if self.order is not None:
            return self.order
        return f"at least {self.at_least:g}" if self.at_least is not None else str(self.invariant)


def _require_order(name: str, number) -> None:
    if number is None:
        return
    if isinstance(number, bool) or not isinstance(number, int | float | np.number) or np.isnan(number):
        raise BadInput(f"Claim.{name} is {shown(number)}. It must be a number, or inf for exact. Pass the order.")


class Claims(Rows):
    """Verdicts: one row per claim, problem and time."""

    columns = (
        "method",
        "metric",
        "problem",
        "time",
        "claimed",
        "tolerance",
        "slope",
        "lower",
        "upper",
        "used",
        "floor",
        "verdict",
        "why",
        "source",
    )

    @property
    def worst(self) -> str:
        """The worst verdict of all rows, in the order pass, inconclusive, fail, error."""
        return max((row["verdict"] for row in self.rows), key=_SEVERITY.index)

    @property
    def exit_code(self) -> int:
        """The worst verdict as the exit code of a program: 0 pass, 1 fail, 2 inconclusive, 3 error."""
        return EXIT_CODES[self.worst]

    def assert_all(self) -> None:
        """AssertionError with the whole table unless every verdict is `pass`."""
        if self.worst != "pass":
            raise AssertionError(cut(f"The claims end as {self.worst!r}:\n{self}", LONGEST_MESSAGE))


def weigh(claim: Claim, row: Row, order: Order, failed: Sequence[Row]) -> Row:
    """The row of one claim on one problem and time. failed : rows of the group that are not `ok`."""
    verdict, why = order.verdict, order.why
    if failed:
        verdict, why = _not_ok(failed)
    elif verdict == "exact":
        verdict = "inconclusive" if claim.order is not None and claim.order < np.inf else "pass"
        why += "" if verdict == "pass" else ": no order can be seen (claim order=inf if the method is exact)"
    elif claim.order == np.inf:
        verdict, why = ("fail", "the errors are not at round-off") if verdict != "inconclusive" else (verdict, why)
    found = {name: getattr(order, name) for name in ("slope", "lower", "upper", "used", "floor")}
    return {**_named(claim, row), **found, "verdict": verdict, "why": why}


def weigh_invariant(claim: Claim, rows: Sequence[Row], runs: Sequence[Sequence[Row]]) -> Row:
    """The row of an invariant on one problem. rows : all of it. runs : those of one level and seed each, by time."""
    failed = [row for row in rows if row["status"] != "ok"]
    worst, place = -np.inf, rows[0]
    for run in runs:
        values = np.array([row["error"] for row in run], dtype=float)
        if claim.invariant == "falling":
            noise = np.array([row["stderr"] for row in run], dtype=float)
            off = np.concatenate([[0.0], np.diff(values) - 4 * np.hypot(noise[1:], noise[:-1])])
        else:
            off = np.abs(values - (values[0] if claim.invariant == "constant" else 0.0))
        off = np.where(np.isnan(off), np.inf, off)
        if off.max() > worst:
            worst, place = float(off.max()), run[int(np.argmax(off))]
    what = {"zero": "it is", "constant": "it changes by", "falling": "it rises by"}[str(claim.invariant)]
    at = f"at t = {place['time']:g}, seed {place['seed']}, dt = {place['dt']:g}"
    at += f" ({place['how']}: {place['why']})" if place["why"] else ""
    if failed:
        verdict, why = _not_ok(failed)
    elif claim.invariant != "zero" and min(len(run) for run in runs) < 2:
        verdict, why = "inconclusive", "one saved time shows no change: pass times= to the study"
    elif worst <= claim.tolerance:
        verdict, why = "pass", f"{what} at most {worst:.3g}"
    else:
        verdict, why = "fail", f"{what} {worst:.3g} {at}, more than {claim.tolerance:g}"
    nothing = dict.fromkeys(("slope", "lower", "upper", "floor"), np.nan)
    last = max(rows, key=lambda row: row["time"])
    return {**_named(claim, last), **nothing, "used": len(rows), "verdict": verdict, "why": why}


def _not_ok(failed: Sequence[Row]) -> tuple[str, str]:
    status, why, most = most_frequent(failed)
    often = "" if most == len(failed) else f"Most often ({most} times), "
    return "error", f"{len(failed)} row(s) are not ok. {often}{status}: {why}"


def most_frequent(failed: Sequence[Row]) -> tuple[str, str, int]:
    """The kind of error (as `status`) that most of these rows have, its most frequent message, and how many have it."""
    (status, most), *_ = Counter(bad["status"] for bad in failed).most_common(1)
    words = [bad["why"] for bad in failed if bad["status"] == status]
    (sentence, _), *_ = Counter(map(first_sentence, words)).most_common(1)
    return status, next(text for text in words if first_sentence(text) == sentence), most


def with_failures(why: str, notes: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """Reason and notes with the most frequent error of the rows; it is the reason where no row has anything else."""
    failed = [row for row in rows if row["status"] != "ok"]
    if not failed:
        return [why, *notes]
    status, words, most = most_frequent(failed)
    reason = f"{most} of {len(rows)} runs ended as {status}: {first_sentence(words)}"
    return [reason, *notes] if len(failed) == len(rows) else [why, *notes, reason]


def first_sentence(words: str) -> str:
    """What stands before the first full stop that ends a word; an error's message begins with what was given."""
    return re.split(r"(?<=[.!?]) (?=[A-Z])", words, maxsplit=1)[0]


def _named(claim: Claim, row: Row) -> Row:
    """The columns that say what is claimed, and of what."""
    return {
        "method": claim.method,
        "metric": claim.metric,
        "problem": row["problem"],
        "time": row["time"],
        "claimed": claim.claimed,
        "tolerance": claim.tolerance,
        "source": claim.source,
    }
