"""Study: problems x methods x one swept axis x seeds x metrics x times, against a truth."""

import copy
import inspect
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace

import numpy as np

from .._core.errors import BadInput, PdeflowError, unknown_field
from .._core.fingerprint import describe
from .._core.validate import count, positive, saved_times
from ..problems.problem import Problem
from ..trajectory import Trajectory, exact
from .engine import execute
from .named import Named
from .run import Run
from .store import Store
from .table import Table


class Study:
    """Runs of every method on every problem for every level of one swept axis and every seed, judged against a truth.

    problems : a Problem or a list. methods : {name: method}, or a method or list (named by class). metrics : {name: metric},
    metric(approximation, truth, *, rng=None) -> Estimate or number. sweep : {"dt": [...]} or {a field of the methods: [...]}, which
    then needs dt. A field of whole numbers counts (cells, points, particles): its order is that in h = 1/value.
    times : where laws are compared, default the horizon of each problem. seeds : ints.
    against : (problem, times) -> Trajectory, the truth: `exact`, a loaded Reference, `finer(...)`, or a Trajectory itself. If it
    takes `dt` (as `exact_jko` does), it gets the step of the run. A truth may carry its own error: stats["error"] or stats["coarser"];
    a run of `solve` without one has an unknown error, and verdicts against it are `inconclusive`.

    Raises `BadInput` or `UnknownField` here, before anything runs, for what cannot be meant. What one run meets, becomes its rows.
    """

    def __init__(self, problems, methods, sweep, metrics, *, dt=None, times=None, against=exact, seeds=(0,)):
        self._records = {}
        self.problems = _labelled([problems] if isinstance(problems, Problem) else problems)
        self.methods = _named(methods, "methods", _is_method, "an object with init, step and law")
        self.metrics = _named(metrics, "metrics", _is_metric, "a function (approximation, truth, *, rng=None)")
        self.swept, self.levels = _axis(sweep)
        if self.swept == "dt":
            if dt is not None:
                raise BadInput(f"dt = {dt!r} is given, and dt is swept. One of them is too many. Drop dt=.")
            self.levels = tuple(positive(level, "sweep['dt']") for level in self.levels)
        else:
            if dt is None:
                raise BadInput(f"The sweep is over {self.swept!r} and dt is missing. Every run needs a step. Pass dt=.")
            self._check_field()
        self.dt = None if dt is None else positive(dt, "dt")
        self.times = None if times is None else tuple(saved_times(times).tolist())
        self.against, self.truth_takes_dt = _truth(against)
        self.seeds = tuple(count(seed, "seed", 0) for seed in _listed(seeds, "seeds"))
        _distinct(self.seeds, "seeds")

    def _check_field(self):
        names = {name: _field_names(method) for name, method in self.methods.items()}
        if not any(self.swept in valid for valid in names.values()):
            owner = f"{'Method' if len(names) == 1 else 'The set of methods'} {', '.join(names)}"
            raise unknown_field(owner, self.swept, set().union(*names.values()))

    @property
    def counts(self) -> bool:
        """Whether the swept field counts something, so that finer means a larger value."""
        return self.swept != "dt" and all(type(level) is int and level > 0 for level in self.levels)

    def cases(self):
        """(labels, problem, method or the error in its way, dt, seed, times) of every run, in the order of the table."""
        for label, problem in self.problems.items():
            times = (float(problem.horizon),) if self.times is None else self.times
            for name, method in self.methods.items():
                for level in self.levels:
                    variant, dt = (method, level) if self.swept == "dt" else (self._variant(name, level), self.dt)
                    for seed in self.seeds:
                        labels = {"problem": label, "method": name, self.swept: level, "seed": seed, "dt": dt}
                        yield labels, Run(problem, variant, dt, seed, times, self.metrics, None, {})

    def _variant(self, name, level):
        method = self.methods[name]
        valid = _field_names(method)
        if self.swept not in valid:
            error = unknown_field(type(method).__name__, self.swept, valid)
            return _unsupported(error)
        try:
            with Named("in the run", {"method": name, self.swept: level}):
                if is_dataclass(method):
                    return replace(method, **{self.swept: level})
                variant = copy.copy(method)
                setattr(variant, self.swept, level)
                return variant
        except PdeflowError as error:
            return error

    def run(self, store=None, jobs=1, progress=True) -> Table:
        """Run what is not in the store yet, and give the table; same study, same bits, whatever `jobs`.

        store : folder with one file a run, named by the hash of what was asked; None keeps nothing. Damaged files are redone.
        The hash covers the source of your own classes and functions, not of what these call: after editing that, use a new store.
        jobs : workers of joblib (-1: all cores); an active `joblib.parallel_config(backend=...)` is honoured. progress : a bar on
        stderr, if that is a terminal. Ctrl-C stops cleanly: what was whole stays in the store. `Table.reused` counts the runs taken from it.
        Errors of your code that are not pdeflow's own stop the study, with a note that names the run.
        """
        if jobs != -1:
            count(jobs, "jobs")
        rows, reused = execute(self, None if store is None else Store(store), jobs, progress)
        adds = {name: getattr(metric, "floor_adds", "sum") for name, metric in self.metrics.items()}
        return Table(rows, self.swept, self.counts, adds, reused)

    def question(self, labels, run) -> dict:
        """What a run asks, as JSON data; its hash names the run's file."""
        from .. import __version__

        return {
            "pdeflow": __version__, "problem": self._described(run.problem), "method": self._described(run.method),
            "dt": describe(run.dt), "seed": run.seed, "times": describe(run.times),
            "metrics": self._described(self.metrics), "against": self._described(self.against),
        }  # fmt: skip

    def _described(self, thing):
        """`describe`, once an object: reading the source of a user's code takes milliseconds."""
        if id(thing) not in self._records:
            record = str(thing) if isinstance(thing, PdeflowError) else describe(thing)
            self._records[id(thing)] = thing, record  # holds the object too, so that its id stays its own
        return self._records[id(thing)][1]


def _unsupported(error):
    from .._core.errors import Unsupported

    return Unsupported(str(error))


def _is_method(thing):
    return not isinstance(thing, type) and all(callable(getattr(thing, verb, None)) for verb in ("init", "step", "law"))


def _is_metric(thing):
    return callable(thing) and not isinstance(thing, type)


def _field_names(method):
    if is_dataclass(method):
        return {f.name for f in fields(method) if f.init}
    return set(getattr(method, "__dict__", {}))


def _listed(things, name):
    things = [things] if isinstance(things, int | float | str) else things
    try:
        things = list(things)
    except TypeError:
        raise BadInput(f"{name} is {things!r}. It must be a list. Put it into one.") from None
    if not things:
        raise BadInput(f"{name} is empty. A study needs at least one. Name one.")
    return things


def _distinct(things, name):
    for i, thing in enumerate(things):
        if thing in things[:i]:
            raise BadInput(f"{name} has {thing!r} twice. Each may occur once. Drop the double.")


def _named(things, name, fits, what):
    if not isinstance(things, Mapping):
        things = [things] if fits(things) else _listed(things, name)
        labels = [getattr(thing, "__name__", type(thing).__name__) for thing in things]
        _distinct(labels, f"{name} (named by class or function)")
        things = dict(zip(labels, things, strict=True))
    if not things:
        raise BadInput(f"{name} is empty. A study needs at least one. Name one.")
    for label, thing in things.items():
        if not isinstance(label, str) or not label:
            raise BadInput(f"{name} has the key {label!r}. Keys must be non-empty strings. Rename it.")
        if not fits(thing):
            raise BadInput(f"{name}[{label!r}] is {thing!r}. It must be {what}. Pass one.")
    return dict(things)


def _axis(sweep):
    if not isinstance(sweep, Mapping) or len(sweep) != 1:
        raise BadInput(
            f"sweep is {sweep!r}. It must be a dict with exactly one axis. Write e.g. {{'dt': [0.1, 0.05]}}."
        )
    ((name, levels),) = sweep.items()
    if not isinstance(name, str):
        raise BadInput(f"sweep has the key {name!r}. It must be 'dt' or a field name of the methods. Name one.")
    levels = _listed(levels, f"sweep[{name!r}]")
    levels = tuple(level.item() if isinstance(level, np.generic) else level for level in levels)
    _distinct(levels, f"sweep[{name!r}]")
    return name, levels


def _labelled(problems):
    problems = _listed(problems, "problems")
    for problem in problems:
        if not isinstance(problem, Problem):
            raise BadInput(f"problems has {problem!r}. Each must be a Problem. Take one of pdeflow.problems.")
    labels = []
    for problem in problems:
        namesakes = [other for other in problems if other.name == problem.name]
        differing = [
            key
            for key in problem.params
            if any(describe(other.params.get(key)) != describe(problem.params[key]) for other in namesakes)
        ]
        short = [f"{key}={problem.params[key]}" for key in differing if len(str(problem.params[key])) <= 40]
        labels.append(problem.name + (f"({', '.join(short)})" if short else ""))
    return {
        label if labels.count(label) == 1 else f"{label}#{labels[:i].count(label) + 1}": problem
        for i, (label, problem) in enumerate(zip(labels, problems, strict=True))
    }


def _truth(against):
    if isinstance(against, Trajectory):
        return Fixed(against), False
    if not callable(against):
        raise BadInput(
            f"against is {against!r}. It must be a Trajectory or a callable (problem, times) -> Trajectory. "
            "Possible: pf.exact, pf.exact_jko, a loaded Reference, pf.finer(method, dt)."
        )
    return against, "dt" in inspect.signature(against).parameters


class Fixed:
    """A Trajectory as the truth of every problem."""

    def __init__(self, trajectory):
        self.trajectory = trajectory

    def described(self):
        """A run and a closed form with the same laws are different truths: the error of one is unknown, of the other zero."""
        return {"fixed": self.trajectory, "computed": "seconds" in self.trajectory.stats}

    def __call__(self, problem, times):
        return self.trajectory
