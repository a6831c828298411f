"""Registered builders of problems: a problem that one of them made can be rebuilt from its name and its arguments."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ParamSpec

import numpy as np

from .._core.errors import BadInput, NotAvailable, unknown_field
from ..laws import Law, from_spec
from .problem import Problem

CATALOGUE: dict[str, Callable[..., Problem]] = {}

Arguments = ParamSpec("Arguments")


def register(build: Callable[Arguments, Problem]) -> Callable[Arguments, Problem]:
    """Make the problems of a builder rebuildable, so that a reference file of one loads together with its problem.

    Parameters
    ----------
    build : callable
        A function with a name that returns a `Problem`. Its arguments are JSON data (numbers, texts, lists, None),
        arrays, laws with a `spec()`, problems of registered builders, and lists of these. It gives the same problem
        whenever it is called with the same arguments.

    Returns
    -------
    callable
        The builder, which now names its problems after itself and records their arguments in `Problem.params`. Use it
        in place of `build`; as a decorator, `register` does that by itself.

    Raises
    ------
    BadInput
        If `build` is no function with a name, or its name is taken by another builder.

    Notes
    -----
    A file knows the name of the builder and its arguments, not its code: the program that loads the file must have
    registered the builder too. The builders of the catalogue are registered in the same way.
    """
    name = getattr(build, "__name__", "")
    if not callable(build) or not name.isidentifier():
        raise BadInput(f"build is {build!r}. It must be a function that has a name. Define one with def.")
    taken = CATALOGUE.get(name)
    if taken is not None and _origin(taken) != _origin(build):
        raise BadInput(
            f"The name {name!r} is taken by the builder {'.'.join(_origin(taken))}. A name belongs to one builder, "
            "because "
            "files know a problem by it. Rename your function."
        )
    signature = inspect.signature(build)

    @functools.wraps(build)
    def entry(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Problem:
        bound = _bound(name, signature, args, kwargs)
        problem = build(*bound.args, **bound.kwargs)
        if not isinstance(problem, Problem):
            raise BadInput(f"The builder {name!r} returned {problem!r}. It must return a Problem. Return one.")
        return replace(problem, name=name, params={key: _plain(value) for key, value in bound.arguments.items()})

    CATALOGUE[name] = entry
    return entry


def _origin(build: Callable[..., Problem]) -> tuple[str, str]:
    """Where a builder is defined: a function that is defined again in the same place (a notebook's cell) is the same
    builder."""
    return build.__module__, build.__qualname__


def _bound(name: str, signature: inspect.Signature, args: tuple, kwargs: Mapping[str, Any]) -> inspect.BoundArguments:
    """The arguments of a builder with its defaults, laws rebuilt from their specifications; `BadInput` for wrong
    names and laws."""
    for key in kwargs:
        if key not in signature.parameters:
            raise unknown_field(f"problems.{name}", key, signature.parameters)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        plain = [field.replace(annotation=inspect.Parameter.empty) for field in signature.parameters.values()]
        raise BadInput(
            f"problems.{name}: {error}. Its arguments are {inspect.Signature(plain)}. Pass the missing or drop the "
            "surplus ones."
        ) from None
    bound.apply_defaults()
    for key, value in bound.arguments.items():
        bound.arguments[key] = value = _rebuilt(value)
        if key == "initial" and not (value is None or isinstance(value, Law)):
            raise BadInput(
                f"initial is {value!r}. It must be a Law, or None for the default. Take one of pdeflow.laws, e.g. "
                "Gaussian(mean, cov)."
            )
    return bound


def _rebuilt(value: Any) -> Any:
    """An argument with laws and problems in place of what `_plain` made of them."""
    if isinstance(value, dict) and "law" in value:
        return from_spec(value)
    if isinstance(value, dict) and "problem" in value:
        problem = rebuild(value["problem"], value["params"])
        changed = {key: _rebuilt(value[key]) for key in ("initial", "horizon") if key in value}
        return replace(problem, **changed) if changed else problem
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [_rebuilt(item) for item in value]
    return value


def _recorded(problem: Problem) -> dict[str, Any]:
    """A problem among the arguments as JSON data: its builder, and a start and a horizon that are not those of it."""
    unrecorded = {"unrecorded": repr(problem)}
    if problem.name not in CATALOGUE or _lost(problem.params):
        return unrecorded
    twin = rebuild(problem.name, problem.params)
    record = {"problem": problem.name, "params": dict(problem.params)}
    if twin.horizon != problem.horizon:
        record["horizon"] = float(problem.horizon)
    if twin.initial != problem.initial:
        record["initial"] = _plain(problem.initial)
    return record if twin.energy == problem.energy and not _lost(record) else unrecorded


def _lost(params: Any) -> Any:
    """The first argument, or part of one, that could not be recorded, or None."""
    if isinstance(params, Mapping):
        return params if "unrecorded" in params else _lost(list(params.values()))
    if isinstance(params, list):
        return next((found for item in params if (found := _lost(item)) is not None), None)
    return None


def _plain(value: Any) -> Any:
    """An argument as JSON data."""
    if isinstance(value, Problem):
        return _recorded(value)
    if isinstance(value, Law):
        try:
            return value.spec()
        except NotAvailable:  # a law that is data (a grid, a cloud, a function) is named but not recorded
            return {"unrecorded": repr(value)}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def rebuild(name: str, params: Mapping[str, Any]) -> Problem:
    """The problem that the registered builder `name` makes of `params`.

    Parameters
    ----------
    name : str
        Name of a catalogue entry or of a builder that was given to `register`.
    params : mapping
        Its arguments as JSON data, as in `Problem.params`.

    Raises
    ------
    UnknownField
        If no builder of that name is registered.
    NotAvailable
        If an argument was a law that is data and was not recorded.
    """
    if name not in CATALOGUE:
        raise unknown_field("pdeflow.problems", str(name), CATALOGUE, "registered builder")
    for key, value in params.items():
        lost = _lost(value)
        if lost is not None:
            raise NotAvailable(
                f"Problem {name!r} was built with {key} = {lost['unrecorded']}, which is data, not parameters. Laws "
                "with a spec() and problems of registered builders can be rebuilt. Build the problem by hand from the "
                "stored law."
            )
    return CATALOGUE[name](**params)
