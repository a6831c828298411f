"""Family: a problem as a function of its parameters."""

import inspect
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .._core.errors import BadInput, PdeflowError, unknown_field
from .._core.short_text import shown
from .._core.value import Value
from .problem import Problem


class Family(Value):
    """A problem as a function of its parameters, some of which run over several values.

    Parameters
    ----------
    build : callable
        Returns a `Problem`: an entry of `pdeflow.problems`, or a function of your own.
    **parameters
        Its arguments. A list, tuple or range is an axis: a study runs over its values. Anything else is one value,
        also an array. Parameters that are left out keep their defaults, or are axes in the `sweep` of a study.

    Attributes
    ----------
    name : str
        The name of `build`.
    axes : {str: tuple}
        The values of each parameter that runs over several, in the order given.
    fixed : {str: object}
        The parameters of one value.

    Raises
    ------
    UnknownField
        For a parameter that `build` does not take.
    BadInput
        For what cannot be called, and for an axis that is empty or has a value twice.

    Examples
    --------
    >>> import pdeflow as pf
    >>> family = pf.Family(pf.problems.ou, dim=[1, 2, 4], seed=range(5), horizon=0.5)
    >>> len(family), family.problem(dim=4, seed=0).dim
    (15, 4)
    """

    def __init__(self, build: Callable[..., Problem], /, **parameters: Any):
        self.build = build
        self.name = str(getattr(build, "__name__", type(build).__name__))
        self._signature = _signature_of(build)
        self.axes: dict[str, tuple[Any, ...]] = {}
        self.fixed: dict[str, Any] = {}
        for name, value in parameters.items():
            self.require(name)
            if isinstance(value, list | tuple | range):
                self.axes[name] = levels_of(value, f"{name} of the Family")
            else:
                self.fixed[name] = value

    def shown_fields(self) -> dict[str, Any]:
        axes = {name: list(values) for name, values in self.axes.items()}
        return {"build": self.name, **axes, **self.fixed}

    def described(self) -> dict[str, Any]:
        """What makes it another family."""
        return {"family": [self.build, self.axes, self.fixed]}

    @property
    def parameters(self) -> list[str]:
        """The names that `build` takes."""
        return [one.name for one in self._signature.parameters.values() if one.kind not in _STARRED]

    def takes(self, name: str) -> bool:
        """Whether `build` takes a parameter of that name."""
        starred = any(one.kind is one.VAR_KEYWORD for one in self._signature.parameters.values())
        return name in self.parameters or starred

    def require(self, name: str) -> None:
        """`UnknownField` unless `build` takes a parameter of that name."""
        if not self.takes(name):
            raise unknown_field(f"The builder {self.name!r}", name, self.parameters, "parameter")

    def __len__(self) -> int:
        return math.prod(len(values) for values in self.axes.values())

    def __iter__(self) -> Iterator[tuple[dict[str, Any], Problem]]:
        """The values of the axes and the problem that they make, the last axis fastest."""
        for values in itertools.product(*self.axes.values()):
            chosen = dict(zip(self.axes, values, strict=True))
            yield chosen, self.problem(**chosen)

    def problem(self, **values: Any) -> Problem:
        """The problem at these values.

        Parameters
        ----------
        **values
            One value for each axis, and for parameters that the family left out.

        Raises
        ------
        UnknownField
            For a parameter that `build` does not take.
        BadInput
            For a missing value, a second one, a result that is no `Problem`, and by `build`.
        """
        for name in values:
            self.require(name)
            if name in self.fixed:
                raise BadInput(
                    f"{name} = {shown(values[name], 200)} is given, and the Family has {name} = "
                    f"{shown(self.fixed[name], 200)}. A parameter has one value. Drop one of the two."
                )
        given = {**self.fixed, **values}
        self.require_complete(given)
        try:
            problem = self.build(**given)
        except PdeflowError as error:
            named = ", ".join(f"{name} = {shown(value, 100)}" for name, value in values.items())
            error.add_note(f"in the problem {self.name} of the Family, at {named or 'its defaults'}")
            raise
        if not isinstance(problem, Problem):
            raise BadInput(
                f"The builder {self.name!r} of a Family returned {shown(problem, 200)}. It must return a Problem. "
                "Return one."
            )
        return problem

    def require_complete(self, given: Any) -> None:
        """`BadInput` where a parameter without a default is not among the names given."""
        missing = [
            one.name
            for one in self._signature.parameters.values()
            if one.kind not in _STARRED and one.default is one.empty and one.name not in given
        ]
        missing += [name for name in self.axes if name not in given]
        if missing:
            raise BadInput(
                f"The builder {self.name!r} got no {missing[0]}. It needs {', '.join(missing)}. Give a value in "
                "Family(...), or name it in the sweep."
            )


_STARRED = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


def _signature_of(build: Any) -> inspect.Signature:
    if callable(build) and not isinstance(build, Problem):
        try:
            return inspect.signature(build)
        except (TypeError, ValueError):  # some callables of C have none
            pass
    raise BadInput(
        f"build is {shown(build, 200)}. A Family needs a function that returns a Problem and whose arguments Python "
        "can list. Pass pf.problems.ou or a function of your own, without calling it."
    )


def levels_of(values: Any, name: str) -> tuple[Any, ...]:
    """The values of an axis, each of them one value that occurs once; numbers of numpy become numbers of Python."""
    values = [values] if isinstance(values, int | float | str) else values
    try:
        levels = tuple(level.item() if isinstance(level, np.generic) else level for level in values)
    except TypeError:
        raise BadInput(f"{name} is {shown(values)}. It must be a list. Pass [...].") from None
    if not levels:
        raise BadInput(f"{name} is empty. A study needs at least one entry. Pass one.")
    if any(isinstance(level, np.ndarray | list) for level in levels):
        raise BadInput(
            f"{name} is {shown(levels)}. Each level must be one value, and a list or an array is several. Pass a flat "
            "list (a tuple is one value)."
        )
    require_distinct(levels, name)
    return levels


def require_distinct(things: Any, name: str) -> None:
    """`BadInput` where one of them occurs twice."""
    for i, thing in enumerate(things):
        if thing in things[:i]:
            raise BadInput(f"{name} has {shown(thing, 200)} twice. Each may occur once. Remove the second.")
