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


def takes_keyword(thing: Any, verb: str, keyword: str, given: int, promise: type = object) -> bool:
    """Whether `verb` of an object can be called with `keyword`= after `given` arguments without a name.

    The first definition that names its keywords decides: that of the object, else of each class of its mro before
    `promise`. One that takes any keyword hands it on: to what it wraps, or further up, or to the objects in the fields
    of `thing` that have the verb; where there is none of these it takes the keyword itself.
    """
    own = getattr(thing, "__dict__", {})
    classes = [kind for kind in type(thing).__mro__ if kind is not promise and verb in vars(kind)]
    written = ([own[verb]] if verb in own else []) + [_bound(vars(kind)[verb], thing) for kind in classes]
    asked = getattr(thing, verb)
    for function in written or [asked]:
        taken = _named_or_open(function, keyword, given, thing)
        if taken is not None:
            return taken
    held = own.values() if written else [getattr(asked, "__self__", None)]
    inner = [one for one in held if one is not thing and callable(getattr(one, verb, None))]
    return all(takes_keyword(one, verb, keyword, given, promise) for one in inner)


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


def _bound(function: Any, thing: Any) -> Any:
    """A function of a class as the method of one object."""
    return function.__get__(thing, type(thing)) if hasattr(function, "__get__") else function


def _named_or_open(function: Any, keyword: str, given: int, thing: Any) -> bool | None:
    """Whether a function takes a keyword after `given` arguments; None where it takes any and wraps no other."""
    try:
        parameters = inspect.signature(function, follow_wrapped=False).parameters
    except (TypeError, ValueError):  # compiled code without a signature
        return False
    names, one = list(parameters), parameters.get(keyword)
    if one is not None and one.kind in (one.KEYWORD_ONLY, one.POSITIONAL_OR_KEYWORD):
        return one.kind is one.KEYWORD_ONLY or names.index(keyword) >= given
    if not any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return False
    wrapped = getattr(function, "__wrapped__", None)
    if wrapped is None:
        return None
    bound = _bound(wrapped, thing) if inspect.ismethod(function) else wrapped
    return _named_or_open(bound, keyword, given, thing)


def _origin(thing: Any, name: str) -> tuple[Any, ...]:
    """Module, class and number of wrappers of a function, as far as it tells; those of a patch differ."""
    function = inspect.getattr_static(thing, name, None)
    function = getattr(function, "__func__", function)
    wrappers = 0
    while hasattr(function, "__wrapped__"):
        function, wrappers = function.__wrapped__, wrappers + 1
    where = getattr(function, "__qualname__", None)
    return getattr(function, "__module__", None), where and where.rpartition(".")[0], wrappers
