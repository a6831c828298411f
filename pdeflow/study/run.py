"""One run of a study: solve, compare with the truth, and say what failed. All of it travels to worker processes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from .._core.costs import Costs
from .._core.errors import NotAvailable, OutOfTime, PdeflowError
from .._core.estimate import Estimate
from .._core.threads import one_thread
from ..laws import Law
from ..method import refuse_other_steps, runs_whole, solve
from ..metrics.metric import is_quantity, refused_with
from ..problems.problem import Problem
from ..trajectory import Trajectory
from .floors import DRAWS, Floor, Floors, known_floor, measure, silent, stream
from .rows import Row
from .worker import Tell, within

NAN = float("nan")


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
    floor_draws: int = DRAWS  # 0 for none


class Named:
    """Adds a note to an error of a user's code, which no study catches, on its way out: in which run it happened."""

    def __init__(self, where: str, labels: Mapping[str, Any], advice: str = ""):
        self.where, self.labels, self.advice = where, labels, advice

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> Literal[False]:
        if isinstance(error, Exception):  # not Ctrl-C
            run = ", ".join(f"{name} = {value!r}" for name, value in self.labels.items())
            error.add_note(f"{self.where}: {run}" + (f"\n({self.advice})" if self.advice else ""))
        return False


@one_thread()
def perform(run: Run, *, tell: Tell = silent) -> list[Row]:
    """The rows of a run: one per time and metric. A PdeflowError becomes a row; nothing else is caught."""
    costs = Costs()
    try:
        if (obstacle := _obstacle(run)) is not None:
            raise obstacle
        tell("run", None)
        with costs:
            trajectory = solve(run.problem, run.method, dt=run.dt, times=run.times, seed=run.seed)
    except PdeflowError as error:
        return refused(run, error)
    spent = {name: float(trajectory.stats[name]) for name in ("seconds", "first_call_seconds", "steps")}
    spent |= {"cpu_seconds": costs.cpu_seconds, "memory": costs.memory}
    tell("comparison with the truth", spent)
    sequence = _sequence(run)
    if runs_whole(run.method) and run.floor_draws and isinstance(run.truth, Trajectory):
        run = replace(run, floors=_answer_floors(run, trajectory))
    rows = [_compared(run, trajectory, sequence, time, name) for time in run.times for name in run.metrics]
    return [{**row, **spent} for row in rows]


def perform_within(budget: float, run: Run) -> list[Row]:
    """`perform` with at most `budget` CPU seconds for the run, and as many for its comparison with the truth."""
    if _obstacle(run) is not None:
        return perform(run)
    try:
        return within(budget, perform, run)
    except OutOfTime as error:
        return [{**row, **(error.facts["known"] or {})} for row in refused(run, error)]


def _obstacle(run: Run) -> PdeflowError | None:
    """What stands in the way of all rows of a run; quantities need no truth."""
    if isinstance(run.method, PdeflowError):
        return run.method
    return None if isinstance(run.truth, Trajectory) or any(map(is_quantity, run.metrics.values())) else run.truth


def refused(run: Run, error: PdeflowError) -> list[Row]:
    """The rows of a run that ended; a quantity for which a law was refused is known all the same."""
    rows = []
    for time in run.times:
        for name, metric in run.metrics.items():
            known, row = refused_with(metric, error.facts), _row(run, time, name, error)
            if known is not None:
                row |= {"error": known, "stderr": 0.0, "status": "ok", "how": f"the run ended as {error.status}"}
            rows.append(row)
    return rows


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
        law = trajectory.at(time)
        truth = law if is_quantity(metric) else _known(run.truth).at(time)
        scale = run.floors[time, name].scale if (time, name) in run.floors else NAN
        found = measure(name, metric, law, truth, stream(run.seed, name, float(time)), scale)
    except PdeflowError as error:
        return _row(run, time, name, error)
    row = _row(run, time, name)
    row.update(error=float(found.value), stderr=float(found.stderr), how=found.how)
    if not is_quantity(metric):
        row["null"] = NAN if found.null is None else float(found.null)
        row["floor"], row["floor_how"] = _comparable(run.floors.get((time, name)), found, row)
        row["truth_error"] = truth_error(run.truth, time, name, metric, found.metric)
        row["time_error"] = _time_error(sequence, truth, time, name, metric)
    return row


def _known(truth: Any) -> Trajectory:
    """The truth, or its error raised."""
    if isinstance(truth, PdeflowError):
        raise truth
    return truth


def _comparable(floor: Floor | None, found: Estimate, row: Row) -> tuple[float, str]:
    """The floor of an error and how it was found: with the bias of samples where the error has it, and only there."""
    known = row["floor"], row["floor_how"]
    if found.null is not None and found.stderr == 0 and floor is not None and floor.value < found.null / 10:
        # cells of two grids that do not nest: the start is cut as the truth is, the run is not
        return float(found.null), f"null level of the metric: the floor itself is {known[0]:.3g}"
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
    try:
        if ask is not None:
            return ask(run.problem, dt=run.dt, times=run.times)
    except NotAvailable:
        pass  # not closed: a solver may know the sequence of JKO
    except PdeflowError:
        return None
    takes_jko_steps = getattr(run.method, "takes_jko_steps", None)
    if takes_jko_steps is None or not takes_jko_steps(run.problem):
        return None
    from ..exact_sequences import jko_sequence  # not at the top: it brings in the grid and numba

    try:
        refuse_other_steps(run.method, "takes_jko_steps")
        return jko_sequence(run.problem, dt=run.dt, times=run.times)
    except PdeflowError:
        return None


def _time_error(sequence: Trajectory | None, truth: Law, time: float, name: str, metric: Callable[..., Any]) -> float:
    """The distance of the exact discrete sequence from the truth, NaN where it is not known.

    Nor is it known where the sequence took a solver whose own error is more than a tenth of it.
    """
    if sequence is None:
        return NAN
    try:
        law, rng = sequence.at(time), stream("time error", name, float(time))
        value = float(measure(name, metric, law, truth, rng).value)
        coarser = sequence.stats.get("coarser")
        # a third of the distance of two sequences of second order, one on half as many levels
        own = 0.0 if coarser is None else float(measure(name, metric, coarser.at(time), law, rng).value) / 3
    except PdeflowError:
        return NAN
    return value if own <= value / 10 else NAN


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
            floors[time, name] = known_floor(start, run.problem, run.truth, time, name, metric, run.floor_draws)
    return floors
