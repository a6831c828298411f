"""Value: the base of public objects that are what they hold. They print in short, and are equal where they ask the
same."""

import inspect
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Self

import numpy as np

from .errors import BadInput, unknown_field
from .fingerprint import canonical
from .short_text import LONGEST_REPR, cut, shown


class Value:
    """An object that is what it holds.

    Its repr is at most 1,000 characters long, whatever is inside. Two of them are equal where `pdeflow.fingerprint`
    describes them alike: the same question, whoever asks it and in which process. What cannot be described is compared
    field by field. The hash follows; both are computed when they are asked for and never kept, so that neither is
    stale. A constructor refuses an unknown keyword with the nearest valid one.
    """

    __array_ufunc__ = None  # numpy leaves `array == value` to the value, which answers with one bool

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if args or kwargs:
            _require_arguments(cls, args, kwargs)
        return super().__new__(cls)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in ("__repr__", "__eq__", "__hash__"):  # else `dataclass` would write its own over the inherited ones
            if name not in vars(cls):
                setattr(cls, name, getattr(cls, name))

    def shown_fields(self) -> Mapping[str, Any]:
        """The fields that the repr shows: those of a dataclass."""
        if not is_dataclass(self):
            return {}
        return {one.name: getattr(self, one.name, None) for one in fields(self) if one.repr}

    def __repr__(self) -> str:
        parts = self.shown_fields()
        room = LONGEST_REPR // max(len(parts), 2)
        short = ", ".join(f"{name}={shown(value, max(room, 60))}" for name, value in parts.items())
        return cut(f"{type(self).__qualname__}({short})")

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Value):
            return NotImplemented
        mine, others = _description(self), _description(other)
        if mine is None or others is None:
            return mine is others and _alike(self, other)
        return mine == others

    def __hash__(self) -> int:
        return hash(_description(self) or type(self).__qualname__)


def _description(thing: Any) -> str | None:
    """What the fingerprint says of it, or None where it refuses."""
    try:
        return canonical(thing)
    except BadInput:
        return None


def _alike(a: Any, b: Any) -> bool:
    """Whether two objects that cannot be described are of one class and hold equal things."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return bool(a.shape == b.shape and a.dtype == b.dtype and np.all((a == b) | ((a != a) & (b != b))))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_alike, a, b))
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(_alike(a[key], b[key]) for key in a)
    if isinstance(a, Value) and hasattr(a, "__dict__"):
        return _alike(vars(a), vars(b))
    answer = a == b
    return answer if isinstance(answer, bool) else False


@cache
def _arguments(cls: type) -> tuple[list[str], int, bool]:
    """The names that the constructor takes, how many of them by position, and whether it takes any more."""
    _, *given = inspect.signature(cls.__init__).parameters.values()
    named = [one for one in given if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]
    return [one.name for one in named], sum(one.kind is not one.KEYWORD_ONLY for one in named), len(named) < len(given)


def _require_arguments(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """`UnknownField` for a keyword that the constructor does not take, and for too many arguments."""
    valid, most, any_more = _arguments(cls)
    unknown = [name for name in kwargs if name not in valid]
    if len(args) > most:
        unknown.append(f"(argument {len(args)})")
    if unknown and not any_more:
        raise unknown_field(cls.__name__, unknown[0], valid, cure=_taken_by(cls, unknown[0]))


def _taken_by(cls: type, name: str) -> str:
    """The cure for a keyword that is none of the constructor but of a public method, or nothing."""
    for method, function in vars(cls).items():
        if inspect.isfunction(function) and not method.startswith("_"):
            if name in list(inspect.signature(function).parameters)[1:]:
                return f"{cls.__name__}.{method} takes it: {cls.__name__}(...).{method}({name}=...)."
    return ""
