"""What a metric is, and how one says in which way a floor adds to its value."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, ParamSpec, Protocol, cast

from .._core.errors import BadInput, NotAvailable
from .._core.estimate import Estimate
from ..laws import Law

FloorAdds = Literal["sum", "squares"]

Arguments = ParamSpec("Arguments")


class Metric(Protocol[Arguments]):
    """A function (approximation, truth, *, rng=None, ...) -> Estimate that says how a floor adds to its value.

    Attributes
    ----------
    floor_adds : {"sum", "squares"}
        See `metric`.
    scale : callable or None
        See `metric`.
    quantity : bool
        See `metric`.
    fact : str or None
        See `metric`.
    """

    floor_adds: FloorAdds
    scale: Callable[[Law], float] | None
    quantity: bool
    fact: str | None

    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Estimate: ...


def metric(
    *,
    floor_adds: FloorAdds,
    scale: Callable[[Law], float] | None = None,
    quantity: bool = False,
    fact: str | None = None,
) -> Callable[[Callable[Arguments, Estimate]], Metric[Arguments]]:
    """Decorator of a metric that says how a floor and the rest of an error combine in it.

    Parameters
    ----------
    floor_adds : {"sum", "squares"}
        "sum" for error = a h^p + floor, "squares" for error² = (a h^p)² + floor², as in Euclidean norms and L2
        distances; see `pdeflow.fit_order`.
    scale : callable, optional
        truth -> the size of what is compared there, in the unit of the metric, such as the variance of the truth for an
        error of variances. A study calls errors of 1e-12 of it round-off. Without it, the error of taking no step at
        all stands for that size.

    Returns
    -------
    callable
        The decorator; the function itself stays as it is and gains the attribute `floor_adds`.

    Raises
    ------
    BadInput
        For any other word.

    Notes
    -----
    A plain function is a metric too: its floor adds as a sum, and it names no scale.

    Examples
    --------
    >>> import numpy as np
    >>> from pdeflow import Estimate
    >>> from pdeflow.metrics import metric
    >>> @metric(floor_adds="squares")
    ... def spread_error(approximation, truth, *, rng=None):
    ...     return Estimate(float(np.linalg.norm(approximation.cov() - truth.cov())), metric="spread_error")
    """
    if floor_adds not in ("sum", "squares"):
        raise BadInput(f"floor_adds is {floor_adds!r}. It must be 'sum' or 'squares'. Pass one of the two.")

    def marked(function: Callable[Arguments, Estimate]) -> Metric[Arguments]:
        marked_function = cast(Any, function)
        marked_function.floor_adds = floor_adds
        marked_function.scale = scale
        marked_function.quantity = quantity
        marked_function.fact = fact
        return marked_function

    return marked


def floor_adds_of(function: Callable[..., Any]) -> FloorAdds:
    """How a floor adds to the values of a metric: what it says itself, "sum" where it says nothing."""
    return getattr(function, "floor_adds", "sum")


def is_quantity(function: Callable[..., Any]) -> bool:
    """Whether a metric is a quantity of the approximation alone."""
    return bool(getattr(function, "quantity", False))


def refused_with(function: Callable[..., Any], facts: Mapping[str, Any]) -> float | None:
    """What a quantity was of a law that was refused, by the facts of the error, or None where they do not say it."""
    fact = facts.get(getattr(function, "fact", None) or "")
    return None if fact is None else abs(float(fact))


def scale_of(function: Callable[..., Any], truth: Law) -> float:
    """The size of what a metric compares at this truth, NaN where the metric or the law does not say it."""
    ask = getattr(function, "scale", None)
    if ask is None:
        return float("nan")
    try:
        size = float(ask(truth))
    except NotAvailable:
        return float("nan")
    return size if 0 < size < float("inf") else float("nan")
