"""score: problems x methods as one board, each method with its own levels and seeds."""

from __future__ import annotations

import math
import os
import time as clock
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._core.errors import BadInput
from .._core.short_text import shown
from .._core.threads import one_thread
from .._core.validate import count, known_arguments, positive
from .._core.value import Value
from ..problems.problem import Problem
from ..study import Claim, Study, Table
from ..study.fit import round_off
from ..study.rows import Row
from ..trajectory import Trajectory, exact
from .board import CLASSES, Board

NAN = float("nan")
_FLOOR_DRAWS = 4  # of a random method: as much as the verdict doubts a floor anyway, at half the cost of the usual 8
_KERNELS = 5  # timings of the kernel before each study, and as many after the last


@dataclass(frozen=True)
class Entry(Value):
    """A method on a board, and how it is run there.

    Parameters
    ----------
    name : str
        What the board calls it.
    method : Method
        An object with init, step and law, or with run.
    kind : {"classical", "particle", "neural", "own"}
        The class in which it is ranked.
    steps : sequence of float
        The steps dt, at least one; an order needs three.
    seeds : int
        How many seeds each run is repeated with; 1 for a method without randomness.
    order : float
        The order in dt that it claims; a better one passes too.
    tolerance : float
        How far below it the order may lie.

    Raises
    ------
    BadInput
        For another class, and for numbers out of range.
    """

    name: str
    method: Any
    kind: str = "own"
    steps: Sequence[float] = (1 / 4, 1 / 8, 1 / 16, 1 / 32)
    seeds: int = 3
    order: float = 1.0
    tolerance: float = 0.15

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise BadInput(f"name is {shown(self.name)}. It must be a non-empty string. Pass the name of the method.")
        if self.kind not in CLASSES:
            raise BadInput(f"kind is {shown(self.kind)}. It must be one of {', '.join(CLASSES)}. Choose one.")
        if not self.steps:
            raise BadInput("steps is empty. A method runs with at least one step dt. Pass e.g. [1/4, 1/8, 1/16].")
        object.__setattr__(self, "steps", tuple(sorted((positive(dt, "steps") for dt in self.steps), reverse=True)))
        count(self.seeds, "seeds")
        positive(self.order, "order")
        positive(self.tolerance, "tolerance")


@known_arguments
def score(
    problems: Mapping[str, Problem],
    entries: Iterable[Entry],
    metrics: Callable[..., Any] | Mapping[str, Callable[..., Any]],
    *,
    time: float,
    against: Callable[..., Trajectory] = exact,
    budget: float | None = None,
    seed: int = 0,
    jobs: int = 1,
    store: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> Board:
    """Run every method on every problem and rank what they reach.

    Parameters
    ----------
    problems : {str: Problem}
        What is solved, by the names on the board.
    entries : iterable of Entry
        The methods.
    metrics : callable, or {name: callable}
        One metric for all: a function (approximation, truth, *, rng=None) -> Estimate.
    time : float
        When laws are compared.
    against : callable
        The truth, (problem, times) -> Trajectory.
    budget : float, optional
        CPU seconds a run, see `Study.run`.
    seed : int
        The first seed; a method with three is run with seed, seed + 1 and seed + 2.
    jobs, store, progress
        As for `Study.run`.

    Returns
    -------
    Board
        One row per problem and method, in the order of the problems; a method that does not treat a problem has its
        row too, with the status that says so.

    Raises
    ------
    BadInput
        For no problem, no method, or two methods of one name.

    Notes
    -----
    Methods with the same steps and number of seeds run in one study, each from its largest step to its smallest. After
    one that is out of time, no smaller step of that method is tried on that problem, nor that step with another seed;
    `why` says so. A fixed computation, the kernel, is timed
    before each study and after the last, so that times of boards that were made on different machines, or on one that
    was busy, can be compared. Methods of the class `own` run first. One that raises another error than a `PdeflowError`
    ends the whole board: what it does not treat, it refuses in its init by raising `Unsupported`.
    """
    entries = _distinct(problems, entries)
    given = _one_metric(metrics)
    groups: dict[tuple[Any, ...], list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.kind != "own"):  # what is new breaks first, if it does
        groups.setdefault((entry.steps, entry.seeds), []).append(entry)
    kernels, rows = list[float](), list[Row]()
    for (steps, seeds), members in groups.items():
        kernels += [kernel_seconds() for _ in range(_KERNELS)]
        study = Study(
            list(problems.values()),
            {entry.name: entry.method for entry in members},
            {"dt": steps},
            given,
            times=[positive(time, "time")],
            against=against,
            seeds=range(seed, seed + seeds),
            floors=_FLOOR_DRAWS,
        )
        table = study.run(store=store, jobs=jobs, progress=progress, budget=budget, coarse_first=True)
        called = dict(zip(study.problems, problems, strict=True))
        named = ({**row, "problem": called[row["problem"]]} for row in table)
        table = Table(named, table.axes, table.floor_adds)
        rows += _rows(table, {entry.name: entry for entry in members}, problems)
    kernels += [kernel_seconds() for _ in range(_KERNELS)]
    shared = {
        "kernel_seconds": float(np.median(kernels)),
        "kernel_spread": float(np.std(np.log(kernels), ddof=1)),
        "budget": math.inf if budget is None else float(budget),
    }
    names = list(problems), [entry.name for entry in entries]
    rows.sort(key=lambda row: (names[0].index(row["problem"]), names[1].index(row["method"])))
    return Board({**row, **shared} for row in rows)


def _distinct(problems: Mapping[str, Problem], entries: Iterable[Entry]) -> list[Entry]:
    """The methods, of which each must have a name of its own."""
    entries = list(entries)
    if not problems or not entries:
        raise BadInput(f"There are {len(problems)} problems and {len(entries)} methods. A board has some. Pass them.")
    names = [entry.name for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise BadInput(f"Two methods are called {name!r}. Each needs a name of its own. Rename one.")
    return entries


def _one_metric(metrics: Any) -> Mapping[str, Callable[..., Any]]:
    """The metric by its name."""
    given = metrics if isinstance(metrics, Mapping) else {getattr(metrics, "__name__", "metric"): metrics}
    if len(given) != 1:
        raise BadInput(f"metrics has {len(given)} entries. A board is in one metric. Make one board for each.")
    return given


@one_thread()
def kernel_seconds() -> float:
    """CPU seconds of a fixed computation of some 30 ms: products of matrices, sorting, exponentials, a Python loop."""
    rng = np.random.default_rng(0)
    matrix, values = rng.standard_normal((150, 150)), rng.standard_normal(60_000)
    begun = clock.process_time()
    for _ in range(6):
        matrix = matrix @ matrix / np.linalg.norm(matrix)
        np.sort(values)
        np.exp(-(values**2)).sum()
    total = 0.0
    for i in range(60_000):
        total += i * 1e-9
    return clock.process_time() - begun


def _rows(table: Table, entries: Mapping[str, Entry], problems: Mapping[str, Problem]) -> list[Row]:
    metric = table[0]["metric"]
    claims = [
        Claim(entry.name, metric, at_least=entry.order, tolerance=entry.tolerance, source="the board")
        for entry in entries.values()
        if len(entry.steps) >= 3
    ]
    judged = {(row["problem"], row["method"]): row for row in (table.claims(claims) if claims else ())}
    return [
        {
            "problem": label,
            "dim": problems[label].initial.dim,
            "class": entries[method].kind,
            "method": method,
            "metric": metric,
            "time": time,
            **_summary(table.levels(group), judged.get((label, method))),
        }
        for (label, method, time), group in table.select(metric).items()
    ]


def _summary(levels: Sequence[Row], judged: Row | None) -> Row:
    """What the steps of one method on one problem, from coarse to fine, and its verdict say together."""
    best = next((level for level in reversed(levels) if level["status"] == "ok"), None)
    bad = next((level for level in levels if level["status"] != "ok"), None)
    where = "" if bad is None or best is None else f"dt = {bad['dt']:g}: "
    return {
        **_reached(best or levels[-1]),
        **_judged(judged),
        **({"status": "ok", "why": ""} if bad is None else {"status": bad["status"], "why": where + bad["why"]}),
        "steps": tuple(level["dt"] for level in levels),
        "errors": tuple(float(level["error"]) for level in levels),
        "stderrs": tuple(float(level["stderr"]) for level in levels),
        "costs": tuple(level["cpu_seconds"] for level in levels),
    }


def _reached(level: Row) -> Row:
    """The columns of the finest level that is `ok`."""
    kind = next((kind for kind in ("null", "floor") if level[kind] > round_off(level["scale"])), "")
    height = float(level[kind]) if kind else NAN
    return {
        **{name: float(level[name]) for name in ("dt", "error", "stderr", "truth_error", "cpu_seconds")},
        "seeds": level["seeds"],
        "level": height,
        "level_kind": {"null": "null level", "floor": "floor", "": ""}[kind],
        "times_level": float(level["error"]) / height,
    }


def _judged(found: Row | None) -> Row:
    """The order with its interval, and the verdict on "at least the order claimed"."""
    if found is None or found["verdict"] == "error":  # too few steps, or one is not ok, which the status says
        return {"order": NAN, "lower": NAN, "upper": NAN, "verdict": "-"}
    return {
        "order": float(found["slope"]),
        "lower": float(found["lower"]),
        "upper": float(found["upper"]),
        "verdict": found["verdict"],
    }
