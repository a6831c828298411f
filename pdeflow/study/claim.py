"""Claim: what a validation asserts, and the verdict of a table on a list of claims."""

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
_SEVERITY = ("pass", "inconclusive", "fail", "error")


@dataclass(frozen=True)
class Claim(Value):
    """`method` converges with `order` within `tolerance` in `metric`, as `source` says.

    The claim is made on every problem and time of the study.

    Parameters
    ----------
    method, metric : str
        Keys of the study's methods and metrics.
    order : float
        The order claimed; inf claims that the method is exact (errors at round-off).
    tolerance : float
        How far the observed order may lie from it.
    source : str
        BibTeX key with the equation, or a section of the documentation.

    Raises
    ------
    BadInput
        For an empty name, and for values that are not numbers.
    """

    method: str
    metric: str
    order: float
    tolerance: float
    source: str

    def __post_init__(self):
        for name in ("method", "metric", "source"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise BadInput(
                    f"Claim.{name} is {shown(getattr(self, name))}. It must be a non-empty string. Pass the {name}."
                )
        if isinstance(self.order, bool) or not isinstance(self.order, int | float | np.number) or np.isnan(self.order):
            raise BadInput(
                f"Claim.order is {shown(self.order)}. It must be a number, or inf for exact. Pass the order."
            )
        positive(self.tolerance, "Claim.tolerance")


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
        words = sorted({f"{bad['status']}: {bad['why']}" for bad in failed})
        verdict, why = "error", f"{len(failed)} row(s) are not ok. {words[0]}"
    elif verdict == "exact":
        verdict = "pass" if claim.order == np.inf else "inconclusive"
        why += "" if verdict == "pass" else ": no order can be seen (claim order=inf if the method is exact)"
    elif claim.order == np.inf:
        verdict, why = ("fail", "the errors are not at round-off") if verdict != "inconclusive" else (verdict, why)
    return {
        "method": claim.method,
        "metric": claim.metric,
        "problem": row["problem"],
        "time": row["time"],
        "claimed": claim.order,
        "tolerance": claim.tolerance,
        "slope": order.slope,
        "lower": order.lower,
        "upper": order.upper,
        "used": order.used,
        "floor": order.floor,
        "verdict": verdict,
        "why": why,
        "source": claim.source,
    }
