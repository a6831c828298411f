"""One run of a study: solve, compare with the truth, and say what failed. All of it travels to worker processes."""

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from .._core.costs import Costs
from .._core.errors import BadInput, Diverged, NotAvailable, OutOfTime, PdeflowError
from .._core.estimate import Estimate
from .._core.threads import one_thread
from .._core.validate import real
from ..laws import Law
from ..method import initial_state, runs_whole, solve
from ..metrics.metric import scale_of
from ..problems.problem import Problem
from ..trajectory import Trajectory
from .rows import Row
from .worker import Tell, within

NAN = float("nan")
DRAWS = 8  # starts over which the floor of a random method is averaged


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


@dataclass(frozen=True, eq=False)
class Run:
    """One run; method and truth may be the PdeflowError that stands in their way."""

    problem: Problem
    method: Any
    dt: float
    seed: int
    times: tuple[float, ...]
    metrics: dict[str, Callable[..., Any]]
    truth: Any
    floors: Floors
    floors_wanted: bool = True


class Named:
    """Adds a note to an error of a user's code, which no study catches, on its way out: in which run it happened."""

    def __init__(self, where: str, labels: Mapping[str, Any]):
        self.where, self.labels = where, labels

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> Literal[False]:
        if isinstance(error, Exception):  # not Ctrl-C
            error.add_note(f"{self.where}: " + ", ".join(f"{name} = {value!r}" for name, value in self.labels.items()))
        return False


def stream(*parts: object) -> np.random.Generator:
    """A generator that depends on `parts` (numbers and strings) only, not on the order or place of the runs."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))


def measure(
    name: str, metric: Callable[..., Any], approximation: Law, truth: Law, rng: np.random.Generator
) -> Estimate:
    """metric(approximation, truth) as an Estimate; a metric may do without rng and may return a plain number.

    Raises `BadInput` where it returns neither, `Diverged` where the number is not finite.
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
    # Monte Carlo errs to both sides of 0, and a relative entropy of equal laws by its round-off
    if found.value < -6 * found.stderr - 1e-9 or found.stderr < 0:
        raise BadInput(
            f"Metric {name!r} is {found.value:.6g} with stderr {found.stderr:.3g}. Metrics measure errors, which are "
            "at least 0, and orders are slopes of their logarithms. Return the absolute value, or the square if that "
            "is meant."
        )
    if not np.isfinite(found.value):
        raise Diverged(f"Metric {name!r} is {found.value}. It must be finite. Look at the law, or use a smaller dt.")
    return found


def _silent(part: str, known: Any) -> None:
    """Where nobody wants to know which part of a run begins."""


@one_thread()
def perform(run: Run, *, tell: Tell = _silent) -> list[Row]:
    """The rows of a run: one per time and metric. A PdeflowError becomes a row; nothing else is caught."""
    costs = Costs()
    try:
        for obstacle in (run.method, run.truth):
            if isinstance(obstacle, PdeflowError):
                raise obstacle
        tell("run", None)
        with costs:
            trajectory = solve(run.problem, run.method, dt=run.dt, times=run.times, seed=run.seed)
    except PdeflowError as error:
        return _refused(run, error)
    spent = {name: float(trajectory.stats[name]) for name in ("seconds", "first_call_seconds", "steps")}
    spent |= {"cpu_seconds": costs.cpu_seconds, "memory": costs.memory}
    tell("comparison with the truth", spent)
    sequence = _sequence(run)
    if runs_whole(run.method) and run.floors_wanted:
        run = replace(run, floors=_answer_floors(run, trajectory))
    rows = [_compared(run, trajectory, sequence, time, name) for time in run.times for name in run.metrics]
    return [{**row, **spent} for row in rows]


def perform_within(budget: float, run: Run) -> list[Row]:
    """`perform` with at most `budget` CPU seconds for the run, and as many for its comparison with the truth."""
    if isinstance(run.method, PdeflowError) or isinstance(run.truth, PdeflowError):
        return perform(run)
    try:
        return within(budget, perform, run)
    except OutOfTime as error:
        return [{**row, **(error.facts["known"] or {})} for row in _refused(run, error)]


def _refused(run: Run, error: PdeflowError) -> list[Row]:
    return [_row(run, time, name, error) for time in run.times for name in run.metrics]


def _row(run: Run, time: float, name: str, error: PdeflowError | None = None) -> Row:
    floor = run.floors.get((time, name), Floor(NAN, "not measured: the run cannot start", NAN))
    return {
        "time": float(time),
        "metric": name,
        "error": NAN,
        "stderr": NAN,
        "null": NAN,
        "floor": floor.value,
        "time_error": NAN,
        "status": error.status if error else "ok",
        "why": str(error) if error else "",
        "seconds": NAN,
        "first_call_seconds": NAN,
        "cpu_seconds": NAN,
        "memory": NAN,
        "steps": NAN,
        "truth_error": NAN,
        "how": "",
        "floor_how": floor.how,
        "scale": floor.scale,
    }


def _compared(run: Run, trajectory: Trajectory, sequence: Trajectory | None, time: float, name: str) -> Row:
    metric = run.metrics[name]
    try:
        truth = run.truth.at(time)
        found = measure(name, metric, trajectory.at(time), truth, stream(run.seed, name, float(time)))
    except PdeflowError as error:
        row = _row(run, time, name, error)
    else:
        row = _row(run, time, name)
        row.update(error=float(found.value), stderr=float(found.stderr), how=found.how)
        row["null"] = NAN if found.null is None else float(found.null)
        row["floor"], row["floor_how"] = _comparable(run.floors.get((time, name)), found, row)
        row["truth_error"] = truth_error(run.truth, time, name, metric, found.metric)
        row["time_error"] = _time_error(sequence, truth, time, name, metric)
    return row


def _comparable(floor: Floor | None, found: Estimate, row: Row) -> tuple[float, str]:
    """The floor of an error and how it was found: with the bias of samples where the error has it, and only there."""
    known = row["floor"], row["floor_how"]
    if floor is None or not np.isfinite(floor.value) or floor.sampled == (found.stderr > 0 or found.null is not None):
        return known
    if floor.sampled:
        return NAN, f"not comparable: the error is by {found.how}, the floor {known[0]:.3g} was sampled"
    if found.null is None:  # an error about its own mean, as of a Monte Carlo integral
        return known
    return float(found.null), "null level of the metric: the floor itself was found without samples"


def _sequence(run: Run) -> Trajectory | None:
    """The exact discrete sequence of the method, or None where it has none or cannot give it."""
    ask = getattr(run.method, "exact_sequence", None)
    if ask is None:
        return None
    try:
        return ask(run.problem, dt=run.dt, times=run.times)
    except PdeflowError:
        return None


def _time_error(sequence: Trajectory | None, truth: Law, time: float, name: str, metric: Callable[..., Any]) -> float:
    """The distance of the exact discrete sequence from the truth, NaN where it is not known."""
    if sequence is None:
        return NAN
    try:
        return float(measure(name, metric, sequence.at(time), truth, stream("time error", name, float(time))).value)
    except PdeflowError:
        return NAN


def truth_error(truth: Trajectory, time: float, name: str, metric: Callable[..., Any], spoken: str) -> float:
    """What the truth itself is off by in this metric: 0 for a closed form, NaN where it is not known.

    A trajectory of `solve` (stats["seconds"]) is not a closed form: without one of the two below its error is unknown.
    stats["coarser"] : a coarser run, whose distance from the truth is taken. stats["error"] : Estimate or number,
    in the metric that it or stats["error_metric"] names.
    """
    coarser, stated = truth.stats.get("coarser"), truth.stats.get("error")
    if coarser is not None:
        try:
            rng = stream("truth error", name, float(time))
            return abs(float(measure(name, metric, coarser.at(time), truth.at(time), rng).value))
        except PdeflowError:
            return NAN
    if stated is None:
        return NAN if "seconds" in truth.stats else 0.0
    names = {name.lower(), spoken.lower(), getattr(metric, "__name__", "").lower()}
    stated_in = (getattr(stated, "metric", "") or truth.stats.get("error_metric", "")).lower()
    return float(stated) if not stated_in or stated_in in names else NAN


@one_thread()
def measure_floors(
    problem: Problem,
    method: Any,
    times: Sequence[float],
    metrics: Mapping[str, Callable[..., Any]],
    truth: Trajectory,
    dt: float,
    *,
    tell: Tell = _silent,
) -> Floors:
    """What the method's representation of the truth costs with no step taken, and the size of what is compared.

    value = metric(law(init(replace(problem, initial=truth))), truth), the mean over 8 draws unless two draws agree to
    the bit. NaN, with the reason, where the method cannot start at the truth. scale is what the metric says; for one
    that says nothing, it is the error of the method's start, which takes no step at all. A method that runs as a whole
    has none of them before it has run.
    """
    tell("floor", None)
    if runs_whole(method):
        return {}

    def start(law: Law, rng: np.random.Generator) -> Law:
        return method.law(initial_state(replace(problem, initial=law), method, rng, dt=dt))

    return {
        (time, name): _floor_and_scale(start, problem, truth, time, name, metric)
        for time in times
        for name, metric in metrics.items()
    }


def measure_floors_within(budget: float, *question: Any) -> Floors:
    """`measure_floors(*question)` with at most `budget` CPU seconds; NaN where they do not suffice."""
    try:
        return within(budget, measure_floors, *question)
    except OutOfTime as error:
        _, _, times, metrics, truth, _ = question
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


def _answer_floors(run: Run, trajectory: Trajectory) -> Floors:
    """The same of a method that runs as a whole, from the representation of its answer at each time."""
    floors = {}
    for time in run.times:

        def start(law: Law, rng: np.random.Generator, time: float = time) -> Law:
            if not callable(getattr(run.method, "represent", None)):
                raise NotAvailable(
                    f"{type(run.method).__name__} has no represent. A method with run can say by it what its "
                    "representation of a law is. Add represent(law, answer, rng)."
                )
            return run.method.represent(law, trajectory.at(time), rng)

        for name, metric in run.metrics.items():
            floors[time, name] = _known_floor(start, run.problem, run.truth, time, name, metric)
    return floors


# By what is compared: a study asks for the floor of one representation once for every level and seed. What is compared
# is held too, so that its id stays its own.
_KNOWN: dict[tuple[Any, ...], tuple[Any, ...]] = {}
_MOST_KNOWN = 100


def _known_floor(
    start: Start, problem: Problem, truth: Trajectory, time: float, name: str, metric: Callable[..., Any]
) -> Floor:
    """`_floor_and_scale`, kept for the next run whose representation of the same truth is the same to the bit."""
    try:
        target = truth.at(time)
        first = start(target, stream("floor start", 0, float(time)))
        arrays = first.coordinates()
    except PdeflowError:  # no floor, or nothing to know it by
        return _floor_and_scale(start, problem, truth, time, name, metric)
    bits = hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).digest()
    held = problem, target, metric
    key = tuple(id(one) for one in held), type(first), bits, name, float(time)
    if key not in _KNOWN:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[key] = held, _floor_and_scale(start, problem, truth, time, name, metric)
    return _KNOWN[key][1]


def _floor_and_scale(
    start: Start, problem: Problem, truth: Trajectory, time: float, name: str, metric: Callable[..., Any]
) -> Floor:
    floor = _floor(start, truth, time, name, metric)
    return floor._replace(scale=_scale(start, problem, truth, time, name, metric))


def _floor(start: Start, truth: Trajectory, time: float, name: str, metric: Callable[..., Any]) -> Floor:
    values, sampled = [], False
    try:
        target = truth.at(time)
        for draw in range(DRAWS):
            law = start(target, stream("floor start", draw, float(time)))
            rng = stream("floor metric", draw, name, float(time))
            found = measure(name, metric, law, target, rng)
            sampled |= found.stderr > 0 or found.null is not None
            values.append(float(found.value))
            if draw == 1 and values[0] == values[1]:
                return Floor(values[0], "deterministic", NAN, sampled)
    except PdeflowError as error:
        return Floor(NAN, f"{error.status}: {error}", NAN)
    spread = np.std(values, ddof=1) / np.sqrt(DRAWS)
    return Floor(float(np.mean(values)), f"mean of {DRAWS} draws ± {spread:.2g}", NAN, sampled)


def _scale(
    start: Start, problem: Problem, truth: Trajectory, time: float, name: str, metric: Callable[..., Any]
) -> float:
    try:
        target = truth.at(time)
        known = scale_of(metric, target)
        if np.isfinite(known):
            return known
        still = start(problem.initial, stream("scale start", float(time)))
        moved = abs(float(measure(name, metric, still, target, stream("scale metric", name, float(time))).value))
    except PdeflowError:
        return NAN
    return moved if moved > 0 else NAN
