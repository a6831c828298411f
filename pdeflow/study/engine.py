"""The engine of a study: which runs are missing, their truths and floors, the workers, the progress bar."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import joblib
from joblib.parallel import get_active_backend

from .._core.errors import BadInput, OutOfTime, PdeflowError
from .._core.fingerprint import describe
from .._core.progress import ProgressBar
from .._core.threads import one_thread
from .._core.walk import text_of
from ..method import runs_whole, takes_step_length
from ..trajectory import Trajectory
from .floors import Floor, Floors, measure_floors, measure_floors_within, unmeasured
from .rows import Row
from .run import Named, Run, perform, perform_within, refused
from .store import Store, key_of
from .worker import Tell, dismiss, within

if TYPE_CHECKING:
    from .study import Study  # which calls this module

Labels = dict[str, Any]  # what names a run in the table
Case = tuple[Labels, Run]
Records = dict[int, tuple[Any, Any]]  # id of an object -> the object, which keeps its id its own, and its description
Sent = tuple[int, dict[str, Any]]  # the process that asks, and the parts of the question that go to a worker
RunTask = tuple[int, Labels, Run, Sent | None, float | None]  # number of the case, its labels and run, budget
PARTS = ("problem", "method", "metrics")
Task = TypeVar("Task")
Answer = TypeVar("Answer")


def execute(
    study: Study, store: Store | None, jobs: int, progress: bool, budget: float | None, coarse_first: bool = False
) -> tuple[list[Row], int]:
    """All rows of `study` in the order of its cases, and the number of runs that came from the store."""
    cases = list(study.cases())
    questions, results = ([], {}) if store is None else _stored(study, store, cases, budget)
    reused = len(results)
    missing = [index for index in range(len(cases)) if index not in results]
    if missing:
        with ProgressBar(progress, len(missing), "study") as bar, Dismissal():
            truths = _truths(study, [cases[index] for index in missing])
            floors = _known_floors(study, cases, results)
            for round_ in _rounds(study, cases, missing, coarse_first):
                hopeless = _hopeless(cases, results, round_, budget) if coarse_first else {}
                results |= hopeless  # not stored: they follow from the run that was out of time
                trials = [index for index in round_ if index not in hopeless]
                floors |= _floors(study, [cases[index] for index in trials], floors, truths, jobs, budget)
                tasks = _tasks(study, cases, trials, truths, floors, questions, budget)
                for index, rows in spread(_numbered, tasks, jobs):
                    if store is not None:
                        store.save(_asked(questions[index], budget, rows), rows)
                    results[index] = rows
                    bar.update(len(results) - reused)
                bar.update(len(results) - reused)
    return [{**labels, **row} for index, (labels, _) in enumerate(cases) for row in results[index]], reused


def _stored(
    study: Study, store: Store, cases: Sequence[Case], budget: float | None
) -> tuple[list[dict[str, Any]], dict[int, list[Row]]]:
    """The question of each case, and the rows of those that the store answers."""
    records: Records = {}
    questions = [study.question(labels, run, records) for labels, run in cases]
    results: dict[int, list[Row]] = {}
    for index, question in enumerate(questions):
        found = store.load(key_of(question))
        if found is None and budget is not None:
            found = store.load(key_of({**question, "budget": budget}))
        if found is not None:
            results[index] = found
    return questions, results


def _tasks(
    study: Study,
    cases: Sequence[Case],
    trials: Sequence[int],
    truths: dict[tuple[Any, ...], Trajectory | PdeflowError],
    floors: dict[tuple[Any, ...], Floors],
    questions: Sequence[dict[str, Any]],
    budget: float | None,
) -> list[RunTask]:
    """What `_numbered` takes for these runs, with their truths and floors."""
    tasks: list[RunTask] = []
    for index in trials:
        labels, run = cases[index]
        truth = truths[_truth_key(study, run)]
        run = replace(run, truth=truth, floors=floors.get(_floor_key(study, run), {}))
        sent = (os.getpid(), {part: questions[index][part] for part in PARTS}) if questions else None
        tasks.append((index, labels, run, sent, budget))
    return tasks


def _rounds(study: Study, cases: Sequence[Case], missing: Sequence[int], coarse_first: bool) -> list[list[int]]:
    """The runs with the first seed, from the largest dt to the smallest, and then those with the others; or all."""
    if not coarse_first:
        return [list(missing)]
    rounds: dict[tuple[bool, float], list[int]] = {}
    for index in missing:
        run = cases[index][1]
        others = run.seed != study.seeds[0]
        rounds.setdefault((others, 0.0 if others else -run.dt), []).append(index)
    return [rounds[key] for key in sorted(rounds)]


def _hopeless(
    cases: Sequence[Case], results: dict[int, list[Row]], round_: Sequence[int], budget: float | None
) -> dict[int, list[Row]]:
    """The rows of runs that are not tried: one with as many steps or fewer of the same method was out of time."""
    ended: dict[tuple[int, int], Run] = {}
    for index, rows in results.items():
        run = cases[index][1]
        if all(row["status"] == OutOfTime.status for row in rows):
            key = id(run.problem), id(run.method)
            ended[key] = max(ended.get(key, run), run, key=lambda one: one.dt)  # the first of equals
    found = {}
    for index in round_:
        run = cases[index][1]
        other = ended.get((id(run.problem), id(run.method)))
        if other is not None and other.dt >= run.dt:
            found[index] = refused(
                run,
                OutOfTime(
                    f"The run with dt = {run.dt:g} and seed {run.seed} was not tried, because the one with "
                    f"dt = {other.dt:g} and seed {other.seed} was out of time. The budget is {budget:g} CPU seconds "
                    "for each part of a run. Raise budget=, or take a smaller problem."
                ),
            )
    return found


class Dismissal:
    """Ends the process of runs with a budget that this thread started, at the end of a block."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        dismiss()


def _asked(question: dict[str, Any], budget: float | None, rows: Sequence[Row]) -> dict[str, Any]:
    """The question that these rows answer: one with this budget, where they ran out of it."""
    status = OutOfTime.status
    ended = any(row["status"] == status or row["floor_how"].startswith(status) for row in rows)
    return {**question, "budget": budget} if budget is not None and ended else question


def _numbered(task: RunTask) -> tuple[int, list[Row]]:
    index, labels, run, sent, budget = task
    with Named("in the run", labels, "what a method does not treat, its init refuses by raising pf.Unsupported"):
        if sent is not None:
            require_arrived(run, sent)
        if sent is not None and budget is not None:
            within(budget, require_arrived, run, sent)  # which takes nothing of the budget
        return index, perform(run) if budget is None else perform_within(budget, run)


def require_arrived(run: Run, sent: Sent, tell: Tell | None = None) -> None:
    """`BadInput` where a worker has got another question than the one under which its rows would be stored.

    Pickle leaves out some state, and a module that was changed after its import is imported afresh by a worker. A part
    that holds a global generator of random numbers is not compared: a worker has one of its own.
    """
    process, parts = sent
    if process == os.getpid() or isinstance(run.method, PdeflowError):
        return
    for part, asked in parts.items():
        if '"global":' not in text_of(asked) and describe(getattr(run, part), part) != asked:
            raise BadInput(
                f"{part} does not arrive in a worker as it is here: pickle leaves out a part of it, or a module "
                "that it uses was changed after the import. A run with a store and workers needs what a worker can "
                "make again. Set such values in the file or in the object, or run with jobs=1."
            )


def _truth_key(study: Study, run: Run) -> tuple[Any, ...]:
    """A truth depends on the problem, and on dt where it takes it; runs share the objects of the study."""
    return id(run.problem), run.dt if study.truth_takes_dt else None


def _floor_key(study: Study, run: Run) -> tuple[Any, ...]:
    """A floor depends on the method with its fields, not on the seed, and on dt where the truth or the start does."""
    starts_by_dt = not isinstance(run.method, PdeflowError) and not runs_whole(run.method)
    dt = run.dt if starts_by_dt and takes_step_length(run.method) else None
    return (*_truth_key(study, run), id(run.method), dt)


@one_thread()
def _truths(study: Study, cases: Sequence[Case]) -> dict[tuple[Any, ...], Trajectory | PdeflowError]:
    """The truth of each problem (and dt), or the PdeflowError that stands in its way."""
    truths: dict[tuple[Any, ...], Trajectory | PdeflowError] = {}
    keyword = "times" in inspect.signature(study.against).parameters
    for labels, run in cases:
        key = _truth_key(study, run)
        if key in truths:
            continue
        extra = {"dt": run.dt} if study.truth_takes_dt else {}
        try:
            with Named("in the truth for the run", labels):
                truth = (
                    study.against(run.problem, times=run.times, **extra)
                    if keyword
                    else study.against(run.problem, run.times, **extra)
                )
            if not isinstance(truth, Trajectory):
                raise BadInput(
                    f"against gave {truth!r}. It must give a Trajectory. Return one with a law at each time."
                )
            truths[key] = truth
        except PdeflowError as error:
            truths[key] = error
    return truths


def _known_floors(study: Study, cases: Sequence[Case], results: dict[int, list[Row]]) -> dict[tuple[Any, ...], Floors]:
    """The floors by floor key that whole runs hold."""
    floors: dict[tuple[Any, ...], Floors] = {}
    for index, rows in results.items():
        run = cases[index][1]
        if not isinstance(run.method, PdeflowError) and not runs_whole(run.method):
            floors[_floor_key(study, run)] = {
                (row["time"], row["metric"]): Floor(row["floor"], row["floor_how"], row["scale"]) for row in rows
            }
    return floors


def _floors(
    study: Study,
    trials: Sequence[Case],
    known: dict[tuple[Any, ...], Floors],
    truths: dict[tuple[Any, ...], Trajectory | PdeflowError],
    jobs: int,
    budget: float | None,
) -> dict[tuple[Any, ...], Floors]:
    """The floors by floor key that these runs need besides those that are known."""
    floors: dict[tuple[Any, ...], Floors] = {}
    tasks: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for labels, run in trials:
        key, truth = _floor_key(study, run), truths[_truth_key(study, run)]
        if key not in known and not isinstance(run.method, PdeflowError) and not isinstance(truth, PdeflowError):
            if study.floors:
                asked = run.problem, run.method, run.times, run.metrics, truth, run.dt, run.floor_draws
                tasks.setdefault(key, (key, labels, asked, budget))
            else:
                floors[key] = unmeasured(run.times, run.metrics, truth, "not measured: floors=False")
    floors.update(spread(_keyed_floors, list(tasks.values()), jobs))
    return floors


def _keyed_floors(task: tuple[Any, ...]) -> tuple[tuple[Any, ...], Floors]:
    key, labels, arguments, budget = task
    with Named("in the floor for the run", labels):
        return key, measure_floors(*arguments) if budget is None else measure_floors_within(budget, *arguments)


def spread(function: Callable[[Task], Answer], tasks: Sequence[Task], jobs: int) -> Iterator[Answer]:
    """Results of function(task) as they come: inline for jobs=1, by joblib else or inside `joblib.parallel_config`."""
    backend, active = cast("tuple[Any, int | None]", get_active_backend())
    default = type(backend).__name__ == "LokyBackend" and active in (None, 1)
    if len(tasks) == 0:
        return
    if jobs == 1 and default:
        for task in tasks:
            yield function(task)
        return
    # loky retires a worker whose memory grew (torch and numba load late) and warns; another one does its task
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given", category=UserWarning)
    if not backend.supports_return_generator:
        yield from _in_shares(function, tasks, None if jobs == 1 else jobs)
        return
    how: dict[str, Any] = {"return_as": "generator_unordered", "batch_size": 1}
    workers = joblib.Parallel(n_jobs=None if jobs == 1 else jobs, **how)
    answers: Any = workers(joblib.delayed(function)(task) for task in tasks)
    try:
        yield from answers
    finally:
        answers.close()  # after Ctrl-C or an error: cancel what has not started


def _in_shares(function: Callable[[Task], Answer], tasks: Sequence[Task], jobs: int | None) -> Iterator[Answer]:
    """`spread` for the backend "multiprocessing", which gives all answers at once and cannot pickle lambdas: as many
    tasks at a time as there are workers, so that what is finished is kept, pickled as loky pickles them."""
    share = joblib.effective_n_jobs(cast("int", jobs))  # None: as many as the context says
    with joblib.Parallel(n_jobs=jobs) as workers:
        for begin in range(0, len(tasks), share):
            packed = [
                joblib.wrap_non_picklable_objects(task, keep_wrapper=False) for task in tasks[begin : begin + share]
            ]
            yield from cast("list[Answer]", workers(joblib.delayed(function)(task) for task in packed))
