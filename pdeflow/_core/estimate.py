"""A number with its standard error and the way it was got."""

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real

from .short_text import cut
from .value import Value


@dataclass(frozen=True)
class Estimate(Value):
    """What every metric and energy returns.

    Parameters
    ----------
    value : float
        The number itself (a distance is a distance, never its square).
    stderr : float
        One standard error of a Monte Carlo estimate; 0.0 where nothing was sampled.
    how : str
        The way it was computed, in words ("closed form", "quadrature", "Monte Carlo, n = 10000", ...).
    metric : str
        The name of the quantity.
    null : float, optional
        The null level: the mean of the value if both samples came from one law, at the sizes and by the estimator used,
        in the unit of the value. An exact solver reaches it and no less; what counts is the value above it. The same of
        one law on two grids whose cells do not nest. None where the estimator does not know it, and where nothing was
        sampled or cut.

    Notes
    -----
    `<`, `<=`, `>` and `>=` compare the value, with a number or with that of another Estimate; whether a difference
    exceeds the errors is another question. `==` asks for equality in all fields, as of every value of the package.
    """

    value: float
    stderr: float = 0.0
    how: str = "closed form"
    metric: str = ""
    null: float | None = None

    def __lt__(self, other: object) -> bool:
        return self._compared(operator.lt, other)

    def __le__(self, other: object) -> bool:
        return self._compared(operator.le, other)

    def __gt__(self, other: object) -> bool:
        return self._compared(operator.gt, other)

    def __ge__(self, other: object) -> bool:
        return self._compared(operator.ge, other)

    def _compared(self, holds, other):
        """Whether an order holds between the values; `other` is an Estimate or a real number."""
        if not isinstance(other, Estimate | Real):
            return NotImplemented
        return bool(holds(float(self), float(other)))

    def __float__(self):
        return float(self.value)

    def __str__(self):
        error = f" ± {self.stderr:.2g}" if self.stderr else ""
        name = f"{self.metric} = " if self.metric else ""
        null = "" if self.null is None else f"; null level {self.null:.3g}"
        return cut(f"{name}{self.value:.6g}{error} ({self.how}{null})")


def together(hows: Iterable[str]) -> str:
    """The distinct ways of several parts in one phrase."""
    return ", ".join(dict.fromkeys(hows))
