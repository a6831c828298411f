"""Study: problems x methods x swept axes x seeds x metrics x times, against a truth."""

import copy
import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from .._core.errors import BadInput, PdeflowError, Unsupported, unknown_field
from .._core.fingerprint import describe
from .._core.short_text import shown
from .._core.validate import count, flag, known_arguments, positive, saved_times
from .._core.value import Value
from ..method import VERBS, require_calls, runs_whole
from ..metrics.metric import FloorAdds, floor_adds_of
from ..problems.family import Family, require_distinct
from ..problems.problem import Problem
from ..trajectory import Trajectory, exact
from .axes import Axis
from .engine import Records, execute
from .floors import DRAWS
from .run import Named, Run
from .store import Store
from .sweep import Sweep, problems_of
from .table import Table


class Study(Value):
    """Runs of every method on every problem for every level of the swept axes and every seed, judged against a truth.

    Parameters
    ----------
    problems : Problem, iterable of Problem, or Family
        What is solved. The axes of a `Family` are swept too.
    methods : {name: method}, or a method or a list of methods
        How it is solved; methods without a name are named by their class.
    sweep : {str: iterable or callable}
        The axes: "dt", fields of the methods, parameters of the family. Each has its levels, {"dt": [...]}, or is a
        function of other axes, {"dt": [...], "cells": lambda dt: round(4 / dt)}. Every combination is run. Without
        "dt" it needs `dt`. A field of whole numbers counts (cells, points, particles): its order is that in h =
        1/value. A field or a parameter that is named like another column of the table has the prefix method_ or
        problem_ there: the seed of a family is problem_seed.
    metrics : {name: metric}, or a metric or a list of metrics
        Functions (approximation, truth, *, rng=None) -> Estimate or number.
    dt : float, optional
        The step of every run, where it is not swept.
    times : (k,) array_like, optional
        When laws are compared; the default is the horizon of each problem.
    against : Trajectory or callable
        The truth: a Trajectory, or (problem, times) -> Trajectory, such as `exact`, a loaded Reference or `finer(...)`.
        If it takes `dt` (as `exact_jko` does), it gets the step of the run. A truth may carry its own error in
        stats["error"] or stats["coarser"]; a run of `solve` without one has an unknown error, and verdicts against it
        are `inconclusive`.
    seeds : int or iterable of int
        Each run is repeated with each of them.
    floors : bool or int
        Whether the floor of each method is measured, and over how many starts, at least 2, that of a random one is
        averaged: True for 8. Each costs a start and a metric for each time. Without a floor nothing tells the
        representation of a method from its other errors.

    Raises
    ------
    BadInput, UnknownField
        Before anything runs, for what cannot be meant. What goes wrong in a single run becomes its rows.
    """

    def __init__(
        self,
        problems: Problem | Iterable[Problem] | Family,
        methods: Any,
        sweep: Mapping[str, Iterable[Any] | Callable[..., Any]],
        metrics: Mapping[str, Callable[..., Any]] | Iterable[Callable[..., Any]] | Callable[..., Any],
        *,
        dt: float | None = None,
        times: Iterable[float] | float | None = None,
        against: Trajectory | Callable[..., Trajectory] = exact,
        seeds: int | Iterable[int] = (0,),
        floors: bool | int = True,
    ):
        self.family = problems if isinstance(problems, Family) else None
        self.problems = {} if isinstance(problems, Family) else _labelled(problems)
        self.methods = _named(methods, "methods", _is_method, "an object with init, step and law, or with run")
        for method in self.methods.values():
            require_calls(method)
        self.metrics = _named(metrics, "metrics", _is_metric, "a function (approximation, truth, *, rng=None)")
        self.sweep = Sweep(sweep, self.family, {name: _field_names(method) for name, method in self.methods.items()})
        self.members = [] if self.family is None else problems_of(self.family, self.sweep)
        self.dt = _step(dt, [axis.name for axis in self.axes])
        self.times = None if times is None else tuple(saved_times(times).tolist())
        self.against, self.truth_takes_dt = _truth(against)
        self.seeds = tuple(count(seed, "seed", 0) for seed in _listed(seeds, "seeds"))
        require_distinct(self.seeds, "seeds")
        self.floors = bool(floors) if isinstance(floors, bool | np.bool_) else count(floors, "floors", 2)
        self.floor_draws = DRAWS if self.floors is True else int(self.floors)

    def shown_fields(self) -> dict[str, Any]:
        sweep = {name: levels if callable(levels) else list(levels) for name, levels in self.sweep.given.items()}
        problems = list(self.problems) if self.family is None else self.family
        return {"problems": problems, "methods": self.methods, "sweep": sweep, "metrics": list(self.metrics)}

    def described(self) -> dict[str, Any]:
        """What makes it another study: all but its store and the way it is run."""
        sweep = [self.sweep, self.dt, self.times, self.seeds, self.floors]
        problems = self.problems if self.family is None else self.family
        return {"study": [problems, self.methods, self.metrics, self.against, sweep]}

    @property
    def axes(self) -> tuple[Axis, ...]:
        """What is swept, those of the family first."""
        return self.sweep.axes

    def cases(self) -> Iterator[tuple[dict[str, Any], Run]]:
        """The labels of every run and the run itself, without its truth, in the order of the table.

        Runs of the same problem, or of the same method and fields, hold the very same object.
        """
        families = list(self.problems.items()) if self.family is None else [(self.family.name, None)]
        for label, problem in families:
            for name in self.methods:
                variants: list[tuple[dict[str, Any], Any]] = []
                for place, combination in enumerate(self.sweep.combinations):
                    member = self.members[place] if problem is None else problem
                    times = (float(member.horizon),) if self.times is None else self.times
                    variant = self._variant(name, self.sweep.targets_of("field", combination), variants)
                    dt = combination.get("dt", self.dt)
                    for seed in self.seeds:
                        labels = {"problem": label, "method": name, **combination, "seed": seed, "dt": dt}
                        yield labels, Run(member, variant, dt, seed, times, self.metrics, None, {}, self.floor_draws)

    def _variant(self, name: str, changes: dict[str, Any], variants: list[tuple[dict[str, Any], Any]]) -> Any:
        """The method with the swept fields at their levels, or the error in its way; one object for the same levels."""
        for other, variant in variants:
            if all(type(other[field]) is type(level) and other[field] == level for field, level in changes.items()):
                return variant
        variants.append((changes, self.changed(name, changes) if changes else self.methods[name]))
        return variants[-1][1]

    def changed(self, name: str, changes: dict[str, Any]) -> Any:
        """The method with other fields, or the error in its way."""
        method = self.methods[name]
        valid = _field_names(method)
        for field in changes:
            if field not in valid:
                return Unsupported(str(unknown_field(type(method).__name__, field, valid)))
        try:
            with Named("in the run", {"method": name, **changes}):
                if is_dataclass(method) and not isinstance(method, type):
                    return replace(method, **changes)
                variant = copy.copy(method)
                for field, level in changes.items():
                    setattr(variant, field, level)
                return variant
        except PdeflowError as error:
            return error

    @known_arguments
    def run(
        self,
        store: str | os.PathLike[str] | None = None,
        jobs: int = 1,
        progress: bool = True,
        *,
        budget: float | None = None,
        coarse_first: bool = False,
    ) -> Table:
        """Run what is not in the store yet, and return the table; same study, same bits, whatever `jobs`.

        Parameters
        ----------
        store : str or path, optional
            Folder with one file per run, named by the hash of what was asked; None keeps nothing. Damaged files are
            redone. The hash covers your own classes and functions and all that they reach
            (`pdeflow.fingerprint.describe`), so that after an edit of your code nothing old is returned.
        jobs : int
            Workers of joblib (-1: all cores); an active `joblib.parallel_config(backend=...)` is honoured.
        progress : bool
            Whether to show how far it is: a bar in a terminal, a line in a notebook, elsewhere a line on stderr every
            ten seconds. False shows nothing anywhere.
        budget : float, optional
            CPU seconds that a run may take, with those of the processes that it starts; its comparison with the truth,
            and the floor of a method, may each take as many. Each then has a process of its own, which is ended where
            it takes more, also inside a compiled step, or where it has not computed for a minute. Its rows have the
            status `out of time`. Compiling counts; reading libraries does not, and neither does the truth.
        coarse_first : bool
            With a budget: run the first seed from the largest dt to the smallest, then the other seeds, and do not try
            what can only take longer than a run of the same method on the same problem that was out of time. Rows of
            runs that were not tried have the status `out of time` too, and their `why` names that run. For methods
            whose work grows with the number of steps, which is not known of a method of yours.

        Returns
        -------
        Table
            `Table.reused` counts the runs that were taken from the store.

        Raises
        ------
        BadInput
            For a store that cannot be written to, and, with a store, for objects of yours that Python cannot tell from
            others (open files, locks); the message has the path to them and the cure.

        Notes
        -----
        Ctrl-C stops cleanly: what was whole stays in the store. Errors of your code that are not pdeflow's own stop the
        study, with a note that names the run.
        """
        if jobs != -1:
            count(jobs, "jobs")
        progress = flag(progress, "progress")
        budget = None if budget is None else positive(budget, "budget")
        early = flag(coarse_first, "coarse_first") and budget is not None
        rows, reused = execute(self, None if store is None else Store(store), jobs, progress, budget, early)
        adds: dict[str, FloorAdds] = {name: floor_adds_of(metric) for name, metric in self.metrics.items()}
        return Table(rows, self.axes, adds, reused)

    def question(self, labels: Mapping[str, Any], run: Run, records: Records | None = None) -> dict[str, Any]:
        """What a run asks, as JSON data; its hash names the run's file. `records` keeps what was described already."""
        from .. import __version__

        records = {} if records is None else records

        return {
            "pdeflow": __version__,
            "problem": _described(run.problem, "problem", records),
            "method": _described(run.method, "method", records),
            "dt": float(run.dt),
            "seed": run.seed,
            "times": [float(time) for time in run.times],
            "metrics": _described(self.metrics, "metrics", records),
            "against": _described(self.against, "against", records),
            **({} if self.floors is True else {"floors": self.floors}),
        }


def _step(dt: float | None, names: list[str]) -> float | None:
    """The step that all runs share, None where it is swept; `names` of the swept axes."""
    if "dt" in names and dt is not None:
        raise BadInput(f"dt = {dt!r} is given, and dt is swept too. Only one of the two can be. Drop dt=.")
    if "dt" not in names and dt is None:
        raise BadInput(f"The sweep is over {', '.join(names)} and dt is missing. Every run needs a step. Pass dt=.")
    return None if dt is None else positive(dt, "dt")


def _described(thing: Any, name: str, records: Records) -> Any:
    """`describe`, once per object in a run of the study."""
    if id(thing) not in records:
        records[id(thing)] = thing, {"error": str(thing)} if isinstance(thing, PdeflowError) else describe(thing, name)
    return records[id(thing)][1]


def _is_method(thing: Any) -> bool:
    steps = all(callable(getattr(thing, verb, None)) for verb in VERBS)
    return not isinstance(thing, type) and (steps or runs_whole(thing))


def _is_metric(thing: Any) -> bool:
    return callable(thing) and not isinstance(thing, type)


def _field_names(method: Any) -> set[str]:
    if is_dataclass(method):
        return {f.name for f in fields(method) if f.init}
    return set(getattr(method, "__dict__", {}))


def _listed(things: Any, name: str) -> list[Any]:
    things = [things] if isinstance(things, int | float | str) else things
    try:
        things = list(things)
    except TypeError:
        raise BadInput(f"{name} is {shown(things)}. It must be a list. Pass [...].") from None
    if not things:
        raise BadInput(f"{name} is empty. A study needs at least one entry. Pass one.")
    return things


def _named(things: Any, name: str, fits: Callable[[Any], bool], what: str) -> dict[str, Any]:
    if not isinstance(things, Mapping):
        things = [things] if fits(things) else _listed(things, name)
        labels = [getattr(thing, "__name__", type(thing).__name__) for thing in things]
        require_distinct(labels, f"{name} (named by class or function)")
        things = dict(zip(labels, things, strict=True))
    if not things:
        raise BadInput(f"{name} is empty. A study needs at least one entry. Pass one.")
    for label, thing in things.items():
        if not isinstance(label, str) or not label:
            raise BadInput(f"{name} has the key {shown(label, 200)}. Keys must be non-empty strings. Rename it.")
        if not fits(thing):
            raise BadInput(f"{name}[{shown(label, 200)}] is {shown(thing)}. It must be {what}. Pass such an object.")
    return dict(things)


def _labelled(problems: Any) -> dict[str, Problem]:
    """The problems by name, with those parameters in which problems of one name differ."""
    problems = [problems] if isinstance(problems, Problem) else _listed(problems, "problems")
    for problem in problems:
        _require_problem(problem)
    labels = []
    for problem in problems:
        namesakes = [other for other in problems if other.name == problem.name]
        differing = [
            key
            for key in problem.params
            if any(_differ(other.params.get(key), problem.params[key]) for other in namesakes)
        ]
        short = [f"{key}={problem.params[key]}" for key in differing if len(str(problem.params[key])) <= 40]
        labels.append(problem.name + (f"({', '.join(short)})" if short else ""))
    return {
        label if labels.count(label) == 1 else f"{label}#{labels[:i].count(label) + 1}": problem
        for i, (label, problem) in enumerate(zip(labels, problems, strict=True))
    }


def _require_problem(problem: Any) -> None:
    """`BadInput` for what is no problem in a list of problems."""
    if isinstance(problem, Family):
        raise BadInput(
            f"problems has {shown(problem, 200)} in a list. A Family is swept, and stands alone. Pass it without the "
            "list, or make one study for each."
        )
    if not isinstance(problem, Problem):
        raise BadInput(f"problems has {shown(problem)}. Each must be a Problem. Pass one of pf.problems, or your own.")


def _differ(one: Any, other: Any) -> bool:
    return one is not other and describe(one) != describe(other)


def _truth(against: Any) -> tuple[Callable[..., Trajectory], bool]:
    """The truth as a function, and whether it takes the step of the run."""
    if isinstance(against, Trajectory):
        return Fixed(against), False
    if not callable(against):
        raise BadInput(
            f"against is {shown(against)}. It must be a Trajectory or a callable (problem, times) -> Trajectory. "
            "Possible: pf.exact, pf.exact_jko, a loaded Reference, pf.finer(method, dt)."
        )
    truth: Callable[..., Any] = against
    return truth, "dt" in inspect.signature(against).parameters


class Fixed:
    """A Trajectory as the truth of every problem that it answers, or of all where it does not say what it answers."""

    def __init__(self, trajectory: Trajectory):
        self.trajectory = trajectory

    def described(self) -> dict[str, Any]:
        """What makes it another truth: a run has an unknown error, a closed form with the same laws has none."""
        return {"fixed": self.trajectory, "computed": "seconds" in self.trajectory.stats}

    def __call__(self, problem: Problem, times: Any) -> Trajectory:
        answered = self.trajectory.problem
        if not isinstance(answered, Problem) or answered is problem:
            return self.trajectory
        from ..reference.problem_record import other_flow  # not at the top: it brings in h5py

        other = other_flow(problem, answered)
        if other:
            raise BadInput(
                f"against= answers {other} A truth must be that of the problem. Pass the truth of this problem; where "
                "another is meant, against=lambda problem, times: truth says so."
            )
        return self.trajectory
