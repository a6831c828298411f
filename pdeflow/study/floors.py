"""What the errors of a study are held against: the cost of a method's representation with no step taken."""

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .._core.errors import BadInput, Diverged, OutOfTime, PdeflowError
from .._core.estimate import Estimate
from .._core.threads import one_thread
from .._core.validate import real
from ..by_parts import by_parts
from ..laws import Law
from ..method import initial_state, runs_whole
from ..metrics.metric import is_quantity, scale_of
from ..problems.problem import Problem
from ..trajectory import Trajectory
from .fit import ROUND_OFF
from .worker import Tell, within

NAN = float("nan")
SIGN = 1e-9  # of what is compared: metrics by quadrature come so far below zero for equal laws
DRAWS = 8  # starts over which the floor of a random method is averaged, if a study says nothing else


class Floor(NamedTuple):
    """What a run's errors are held against at one time in one metric.

    Attributes
    ----------
    value : float
        What the method's representation costs with no step taken; NaN where it is not known.
    how : str
        How it was found, or why it is not known.
    scale : float
        The size of what the metric compares, in its unit; NaN where it is not known.
    sampled : bool
        Whether the metric drew samples for it.
    """

    value: float
    how: str
    scale: float
    sampled: bool = False


Start = Callable[[Law, np.random.Generator], Law]  # a law in the representation of a method that takes no step
Floors = dict[tuple[float, str], Floor]  # by time and metric


def stream(*parts: object) -> np.random.Generator:
    """A generator that depends on `parts` (numbers and strings) only, not on the order or place of the runs."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))


def measure(
    name: str,
    metric: Callable[..., Any],
    approximation: Law,
    truth: Law,
    rng: np.random.Generator,
    scale: float = NAN,
) -> Estimate:
    """metric(approximation, truth) as an Estimate; a metric may do without rng and may return a plain number.

    Raises `BadInput` where it returns neither, and where the number is below zero by more than its noise and 1e-9 of
    what is compared: of what the metric says itself, else of `scale`, and of one where neither is known (or `scale` is
    at round-off). `Diverged` where the number is not finite.
    """
    parameters = inspect.signature(metric).parameters.values()
    takes_rng = any(one.name == "rng" or one.kind is one.VAR_KEYWORD for one in parameters)
    found = metric(approximation, truth, rng=rng) if takes_rng else metric(approximation, truth)
    if not isinstance(found, Estimate):
        found = Estimate(real(found, f"The answer of metric {name!r}"), 0.0, "as the metric returned it", name)
    real(found.value, f"The value of metric {name!r}")
    real(found.stderr, f"The stderr of metric {name!r}")
    if found.null is not None:
        real(found.null, f"The null level of metric {name!r}")
    if not isinstance(found.how, str) or not isinstance(found.metric, str):
        raise BadInput(
            f"Metric {name!r} gave how = {found.how!r}, metric = {found.metric!r}. Both must be str. Correct "
            "the Estimate."
        )
    if found.stderr < 0 or (found.value < -6 * found.stderr and _below_round_off(metric, found.value, truth, scale)):
        raise BadInput(
            f"Metric {name!r} is {found.value:.6g} with stderr {found.stderr:.3g}. Metrics measure errors, which are "
            "at least 0, and orders are slopes of their logarithms. Return the absolute value, or the square if that "
            "is meant."
        )
    if not np.isfinite(found.value):
        raise Diverged(f"Metric {name!r} is {found.value}. It must be finite. Look at the law, or use a smaller dt.")
    return found


def _below_round_off(metric: Callable[..., Any], value: float, truth: Law, scale: float) -> bool:
    """Whether a number is a wrong sign, not what round-off leaves of a relative entropy of equal laws."""
    if is_quantity(metric):
        return False
    known = scale_of(metric, truth)
    if not np.isfinite(known):  # where the truth has hardly left the start, its distance is round-off itself
        known = scale if scale > ROUND_OFF else 1.0
    return value < -SIGN * known


def silent(part: str, known: Any) -> None:
    """Where nobody wants to know which part of a run begins."""


@one_thread()
def measure_floors(
    problem: Problem,
    method: Any,
    times: Sequence[float],
    metrics: Mapping[str, Callable[..., Any]],
    truth: Trajectory,
    dt: float,
    draws: int = DRAWS,
    *,
    tell: Tell = silent,
) -> Floors:
    """What the method's representation of the truth costs with no step taken, and the size of what is compared.

    value = metric(law(init(replace(problem, initial=truth))), truth), the mean over `draws` draws unless two agree to
    the bit. NaN, with the reason, where the method cannot start at the truth. scale is what the metric says; for one
    that says nothing, it is the error of the method's start, which takes no step at all. A method that runs as a whole
    has none of them before it has run.
    """
    tell("floor", None)
    if runs_whole(method):
        return {}

    treated = by_parts(problem, method)

    def start(law: Law, rng: np.random.Generator) -> Law:
        return treated.law(initial_state(replace(problem, initial=law), treated, rng, dt=dt))

    return {
        (time, name): _floor_and_scale(start, problem, truth, time, name, metric, draws)
        for time in times
        for name, metric in metrics.items()
    }


def measure_floors_within(budget: float, *question: Any) -> Floors:
    """`measure_floors(*question)` with at most `budget` CPU seconds; NaN where they do not suffice."""
    try:
        return within(budget, measure_floors, *question)
    except OutOfTime as error:
        _, _, times, metrics, truth, *_ = question
        return unmeasured(times, metrics, truth, f"{error.status}: {error}")


def unmeasured(
    times: Sequence[float], metrics: Mapping[str, Callable[..., Any]], truth: Trajectory, why: str
) -> Floors:
    """Floors that are not known, with the sizes that the metrics know."""
    floors = {}
    for time in times:
        for name, metric in metrics.items():
            try:
                scale = scale_of(metric, truth.at(time))
            except PdeflowError:
                scale = NAN
            floors[time, name] = Floor(NAN, why, scale)
    return floors


# By what is compared: a study asks for the floor of one representation once for every level and seed. What is compared
# is held too, so that its id stays its own.
_KNOWN: dict[tuple[Any, ...], tuple[Any, ...]] = {}
_MOST_KNOWN = 100


def known_floor(
    start: Start, problem: Problem, truth: Trajectory, time: float, name: str, metric: Callable[..., Any], draws: int
) -> Floor:
    """`_floor_and_scale`, kept for the next run whose representation of the same truth is the same to the bit."""
    try:
        target = truth.at(time)
        first = start(target, stream("floor start", 0, float(time)))
        arrays = first.coordinates()
    except PdeflowError:  # no floor, or nothing to know it by
        return _floor_and_scale(start, problem, truth, time, name, metric, draws)
    bits = hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).digest()
    held = problem, target, metric
    key = tuple(id(one) for one in held), type(first), bits, name, float(time), draws
    if key not in _KNOWN:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[key] = held, _floor_and_scale(start, problem, truth, time, name, metric, draws)
    return _KNOWN[key][1]


def _floor_and_scale(
    start: Start, problem: Problem, truth: Trajectory, time: float, name: str, metric: Callable[..., Any], draws: int
) -> Floor:
    if is_quantity(metric):
        return Floor(NAN, "a quantity of the law alone has no floor", NAN)
    scale = _scale(start, problem, truth, time, name, metric)
    return _floor(start, truth, time, name, metric, scale, draws)._replace(scale=scale)


def _floor(
    start: Start,
    truth: Trajectory,
    time: float,
    name: str,
    metric: Callable[..., Any],
    scale: float,
    draws: int,
) -> Floor:
    values, sampled = [], False
    try:
        target = truth.at(time)
        for draw in range(draws):
            law = start(target, stream("floor start", draw, float(time)))
            rng = stream("floor metric", draw, name, float(time))
            found = measure(name, metric, law, target, rng, scale)
            sampled |= found.stderr > 0 or found.null is not None
            values.append(float(found.value))
            if draw == 1 and values[0] == values[1]:
                return Floor(values[0], "deterministic", NAN, sampled)
    except PdeflowError as error:
        return Floor(NAN, f"{error.status}: {error}", NAN)
    spread = np.std(values, ddof=1) / np.sqrt(draws)
    return Floor(float(np.mean(values)), f"mean of {draws} draws ± {spread:.2g}", NAN, sampled)


def _scale(
    start: Start, problem: Problem, truth: Trajectory, time: float, name: str, metric: Callable[..., Any]
) -> float:
    try:
        target = truth.at(time)
        known = scale_of(metric, target)
        if np.isfinite(known):
            return known
        still = start(problem.initial, stream("scale start", float(time)))
        rng = stream("scale metric", name, float(time))
        moved = abs(float(measure(name, metric, still, target, rng, scale=np.inf).value))  # whatever its sign
    except PdeflowError:
        return NAN
    return moved if moved > 0 else NAN
