"""The combinations of the levels of several swept axes, free or coupled to others."""

import inspect
import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from .._core.errors import BadInput, UnknownField, unknown_field
from .._core.short_text import shown
from .._core.validate import positive
from ..problems.family import Family, levels_of
from ..problems.problem import Problem
from .axes import COLUMNS, Axis
from .run import Named


class Sweep:
    """All combinations of the levels of several axes, with what is computed from them.

    Parameters
    ----------
    sweep : mapping
        Axis -> levels, or a function of other axes that computes its value from theirs.
    family : Family or None
        Its axes come first.
    fields : {method: names of its fields}
        What may be swept besides dt and the parameters of the family.

    Raises
    ------
    UnknownField, BadInput
        For what cannot be meant.
    """

    def __init__(self, sweep: Any, family: Family | None, fields: Mapping[str, Collection[str]]):
        if not isinstance(sweep, Mapping) or not (sweep or (family is not None and family.axes)):
            raise BadInput(
                f"sweep is {shown(sweep)}. It must be a dict with at least one axis. Write e.g. {{'dt': [0.1, 0.05]}}."
            )
        self.family, self.fields = family, fields
        self.given: dict[str, Any] = {}  # the sweep as it was given
        self.targets: dict[str, str] = {}  # axis -> the field or parameter that it sets
        self.levels: dict[str, tuple[Any, ...]] = {}
        rules: dict[str, Callable[..., Any]] = {}
        axes: dict[str, Axis] = {}
        for name, levels in ({} if family is None else family.axes).items():
            self._add(axes, self._prefixed(name, sweep), "parameter", name)
            self.levels[next(reversed(axes))] = levels
        for name, levels in sweep.items():
            column = self._add(axes, *self._meant(name))
            if callable(levels):
                rules[column] = levels
            else:
                self.levels[column] = levels_of(levels, f"sweep[{name!r}]")
            self.given[name] = self.levels.get(column, levels)
        if "dt" in self.levels:
            self.levels["dt"] = tuple(positive(level, "sweep['dt']") for level in self.levels["dt"])
        self.rules = _ordered(rules, axes)
        self._complete(axes)
        self.combinations = tuple(self._combined(axes))
        self.axes = tuple(self._judged(axis) for axis in axes.values())

    def _add(self, axes: dict[str, Axis], column: str, kind: Literal["dt", "field", "parameter"], target: str) -> str:
        """Enter an axis, unless what it sets is set already."""
        family = self.family
        doubled = column in axes or (kind, target) in [(axes[name].kind, self.targets[name]) for name in axes]
        if doubled or (kind == "parameter" and family is not None and target in family.fixed):
            raise BadInput(
                f"{target!r} is given in two places: in the sweep, and in the Family or under another name. An axis "
                "has one place. Drop one of the two."
            )
        axes[column] = Axis(column, kind)
        self.targets[column] = target
        return column

    def _prefixed(self, parameter: str, sweep: Mapping[str, Any]) -> str:
        """The column of a parameter of the family."""
        taken = parameter in COLUMNS or parameter == "dt"
        field = parameter in sweep and any(parameter in names for names in self.fields.values())
        return f"problem_{parameter}" if taken or field else parameter

    def _meant(self, name: Any) -> tuple[str, Literal["dt", "field", "parameter"], str]:
        """Column, kind and target of a key of the sweep."""
        if not isinstance(name, str):
            raise BadInput(
                f"sweep has the key {name!r}. It must be 'dt', a field name of the methods or a parameter of the "
                "Family. Pass such a name."
            )
        if name == "dt":
            return name, "dt", name
        found = {"parameter": self._parameter(name), "field": self._field(name)}
        meant = {kind: target for kind, target in found.items() if target is not None}
        if len(meant) == 2 and name not in (self.family.axes if self.family is not None else {}):
            raise BadInput(
                f"sweep has {name!r}, which is a parameter of the Family and a field of the methods. It must say "
                f"which. Write 'problem_{name}' or 'method_{name}'."
            )
        if not meant:
            raise self._unknown(name)
        kind = "field" if "field" in meant else "parameter"
        target = str(meant[kind])
        prefix = "method_" if kind == "field" else "problem_"
        return (prefix + target if target in COLUMNS else name), kind, target

    def _parameter(self, name: str) -> str | None:
        """The parameter of the family that a key of the sweep names, where it names one."""
        bare = name.removeprefix("problem_")
        if self.family is None or not self.family.takes(bare):
            return None
        if name in self.family.parameters or bare not in self.family.parameters:
            bare = name
        if bare == name and name in COLUMNS:
            seeds = ", or seeds= for the runs" if name == "seed" else ""
            raise BadInput(
                f"sweep has {name!r}, which is a parameter of the Family and a column of the table. The prefix "
                f"problem_ tells them apart. Write 'problem_{name}'{seeds}."
            )
        return bare

    def _field(self, name: str) -> str | None:
        """The field of the methods that a key of the sweep names, where it names one."""
        for candidate in (name, name.removeprefix("method_")):
            if any(candidate in names for names in self.fields.values()):
                return candidate
        return None

    def _unknown(self, name: str) -> UnknownField:
        """The error for a key of the sweep that names nothing."""
        methods = ", ".join(self.fields)
        owner = f"Method {methods}" if len(self.fields) == 1 else f"The set of methods {methods}"
        valid = set().union(*self.fields.values())
        if self.family is None:
            return unknown_field(owner, name, valid)
        owner = f"The Family of {self.family.name!r} with {owner[0].lower()}{owner[1:]}"
        return unknown_field(owner, name, valid | set(self.family.parameters) | {"dt"}, "parameter or field")

    def _complete(self, axes: Mapping[str, Axis]) -> None:
        """`BadInput` where a parameter that the builder needs is given nowhere."""
        if self.family is not None:
            swept = [self.targets[name] for name, axis in axes.items() if axis.kind == "parameter"]
            self.family.require_complete({*self.family.fixed, *swept})

    def _combined(self, axes: Mapping[str, Axis]) -> Iterator[dict[str, Any]]:
        for values in itertools.product(*self.levels.values()):
            found = dict(zip(self.levels, values, strict=True))
            for name, (rule, arguments) in self.rules.items():
                with Named(f"in the rule of sweep[{name!r}]", found):
                    value = rule(**{argument: found[argument] for argument in arguments})
                (value,) = levels_of([value], f"The value of sweep[{name!r}] at {shown(found, 200)}")
                found[name] = positive(value, "the dt of the sweep") if name == "dt" else value
            yield {name: found[name] for name in axes}

    def _judged(self, axis: Axis) -> Axis:
        """The axis with what its values and its rule say of it."""
        values = [found[axis.name] for found in self.combinations]
        counts = axis.kind == "field" and all(type(value) is int and value > 0 for value in values)
        return replace(axis, counts=counts, follows=self._roots(axis.name) if axis.name in self.rules else ())

    def _roots(self, name: str) -> tuple[str, ...]:
        if name not in self.rules:
            return (name,)
        return tuple(dict.fromkeys(root for argument in self.rules[name][1] for root in self._roots(argument)))

    def described(self) -> dict[str, Any]:
        """What makes it another sweep."""
        return {"sweep": [self.levels, self.rules]}

    def targets_of(self, kind: str, found: Mapping[str, Any]) -> dict[str, Any]:
        """The fields or the parameters that a combination sets."""
        return {self.targets[axis.name]: found[axis.name] for axis in self.axes if axis.kind == kind}


def _ordered(
    rules: Mapping[str, Callable[..., Any]], axes: Mapping[str, Axis]
) -> dict[str, tuple[Callable[..., Any], tuple[str, ...]]]:
    """The rules with the axes that they take, each after those that it takes."""
    waiting = {name: (rule, _arguments(name, rule, axes)) for name, rule in rules.items()}
    ordered: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {}
    while waiting:
        ready = [name for name, (_, taken) in waiting.items() if not set(taken) & set(waiting)]
        if not ready:
            names = ", ".join(f"sweep[{name!r}]" for name in waiting)
            raise BadInput(f"{names} take each other's value. One of them must come first. Give one of them as a list.")
        for name in ready:
            ordered[name] = waiting.pop(name)
    return ordered


def _arguments(name: str, rule: Callable[..., Any], axes: Mapping[str, Axis]) -> tuple[str, ...]:
    """The axes that a rule takes."""
    where = f"The function of sweep[{name!r}]"
    try:
        parameters = inspect.signature(rule).parameters.values()
    except (TypeError, ValueError):
        raise BadInput(
            f"{where} is {shown(rule, 200)}, whose arguments Python cannot list. It must name the axes that it takes. "
            "Write lambda dt: ..."
        ) from None
    others = [other for other in axes if other != name]
    for one in parameters:
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD, one.POSITIONAL_ONLY):
            raise BadInput(
                f"{where} takes {one}. It must take axes by their names. Name those that it needs: "
                f"{', '.join(others) or 'there is no other axis'}."
            )
        if one.name not in others and one.default is one.empty:
            raise unknown_field("The sweep", one.name, others, f"other axis, for the function of {name!r},")
    taken = tuple(one.name for one in parameters if one.name in others)
    if not taken:
        raise BadInput(
            f"{where} takes no axis. A coupled axis follows another one: {', '.join(others) or 'and there is none'}. "
            "Name it as an argument, or give a list."
        )
    return taken


def problems_of(family: Family, sweep: Sweep) -> list[Problem]:
    """The problem of each combination of the sweep; combinations of the same parameters share one."""
    made: list[tuple[dict[str, Any], Problem]] = []
    problems = []
    for combination in sweep.combinations:
        parameters = sweep.targets_of("parameter", combination)
        known = [problem for other, problem in made if other == parameters]
        if not known:
            known = [family.problem(**parameters)]
            made.append((parameters, known[0]))
        problems.append(known[0])
    return problems
