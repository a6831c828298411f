"""Whether an object still answers with what its class was written with, or with something put in its place.

A shortcut (a fused loop, a closed form, compiled code) stands for a plainer answer of the same class. Where a subclass,
a mixin, the object itself or a patch of the class replaces the plainer answer, the shortcut speaks for somebody else
and must not be taken.
"""

import inspect
from collections.abc import Iterable
from typing import Any

import numpy as np

NOWHERE = object()


def position(thing: Any, name: str) -> float:
    """Where `name` is found: -1 on the object, i in the i-th class of its mro, inf only when asked (`__getattr__`)."""
    if name in getattr(thing, "__dict__", {}):
        return -1.0
    mro = type(thing).__mro__
    return float(next((i for i, kind in enumerate(mro) if name in vars(kind)), np.inf))


def speaks_for(thing: Any, shortcut: str, names: Iterable[str]) -> bool:
    """Whether the shortcut is defined no further up than all of `names`, and by the same hand where by one class."""
    place = position(thing, shortcut)
    return all(
        place < position(thing, name)
        or (place == position(thing, name) and _origin(thing, shortcut) == _origin(thing, name))
        for name in names
    )


def answers_as(thing: Any, kind: type, names: Iterable[str]) -> bool:
    """Whether `thing` is a `kind` and answers each of `names` with what was written in `kind` or its bases."""
    return isinstance(thing, kind) and all(
        inspect.getattr_static(thing, name, NOWHERE) is inspect.getattr_static(kind, name, NOWHERE) for name in names
    )


def forget_shortcuts(cls: type, base: type, written: Iterable[str], shortcuts: Iterable[str]) -> None:
    """Give a class the `base`'s own version of every shortcut that lies further up than one of `written` in its mro.

    For `__init_subclass__` of `base`: a class that overrides what a shortcut stands for loses the shortcut.
    """
    mro = cls.__mro__
    places = {name: next((i for i, kind in enumerate(mro) if name in vars(kind)), len(mro)) for name in written}
    first = min(places.values())
    for name in shortcuts:
        place = next((i for i, kind in enumerate(mro) if name in vars(kind)), len(mro))
        if first < place < mro.index(base):
            setattr(cls, name, vars(base)[name])


def _origin(thing: Any, name: str) -> tuple[Any, ...]:
    """Module, class and number of wrappers of a function, as far as it tells; those of a patch differ."""
    function = inspect.getattr_static(thing, name, None)
    function = getattr(function, "__func__", function)
    wrappers = 0
    while hasattr(function, "__wrapped__"):
        function, wrappers = function.__wrapped__, wrappers + 1
    where = getattr(function, "__qualname__", None)
    return getattr(function, "__module__", None), where and where.rpartition(".")[0], wrappers
