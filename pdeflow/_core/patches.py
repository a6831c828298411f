"""What the user's own code has put into classes and objects that are otherwise told by their names and parameters."""

from __future__ import annotations

import dis
import functools
import inspect
import sys
import types
from dataclasses import dataclass
from typing import Any

from .origin import OWN, USERS, origin_of

WRAPPERS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    ((staticmethod, classmethod, types.MethodType), ("__func__",)),
    (property, ("fget", "fset", "fdel")),
    ((functools.partial, functools.partialmethod, functools.cached_property), ("func",)),
    (functools._lru_cache_wrapper, ("__wrapped__",)),
    (functools.singledispatchmethod, ("func",)),
)


@dataclass(frozen=True)
class Body:
    """What the text of a class puts under its names: constants, functions by their name, other things unseen."""

    constants: dict[str, Any]
    functions: frozenset[str]
    names: frozenset[str]


def put_into(kind: type) -> dict[str, Any]:
    """What stands in a class of this package or of an installed one, or in its bases, and was put there later."""
    return {
        f"{base.__qualname__}.{name}": value
        for base in kind.__mro__
        if isinstance(module := getattr(base, "__module__", None), str) and origin_of(module) != USERS
        for name, value in vars(base).items()
        if has_users_code(value) or (origin_of(module) == OWN and _is_new(base, name, value))
    }


def put_on(thing: Any) -> dict[str, Any]:
    """The attributes of an object of this package or of an installed one that its class never sets."""
    expected = set_by_class(type(thing))
    return {name: value for name, value in getattr(thing, "__dict__", {}).items() if name not in expected}


def has_users_code(value: Any) -> bool:
    """Whether something that stands in a class is the user's own function or class, or wraps one."""
    if isinstance(value, types.FunctionType):
        return origin_of(value.__globals__.get("__name__")) == USERS
    for kinds, parts in WRAPPERS:
        if isinstance(value, kinds):
            return any(has_users_code(getattr(value, part)) for part in parts)
    compiled = getattr(value, "py_func", None) if type(value).__module__.startswith("numba.") else None
    if compiled is not None:
        return has_users_code(compiled)
    kind = value if isinstance(value, type) else type(value)
    return any(isinstance(part, types.FunctionType) and has_users_code(part) for part in vars(kind).values())


def _is_new(kind: type, name: str, value: Any) -> bool:
    """Whether the text of a class of this package puts something else under this name, or nothing."""
    body = _bodies(kind.__module__).get(kind.__qualname__)
    if body is None or issubclass(kind, tuple) or name.startswith(("_abc_", "_is_", "__")):  # what others put there
        return False
    if name in body.constants:
        return type(value) is not type(body.constants[name]) or value != body.constants[name]
    if name in body.functions and isinstance(value, types.FunctionType):
        return inspect.unwrap(value).__code__.co_qualname != f"{kind.__qualname__}.{name}"
    return name in body.functions or name not in body.names


def code_of_module(module: str) -> types.CodeType | None:
    """The code of a module's text; None where it has no text, or cannot give it."""
    loader = getattr(getattr(sys.modules.get(module), "__spec__", None), "loader", None)
    read = getattr(loader, "get_code", None)
    try:
        return None if read is None else read(module)
    except ImportError:  # of a loader for another name
        return None


@functools.cache
def _bodies(module: str) -> dict[str, Body]:
    """The classes of a module by their qualified names."""
    code = code_of_module(module)
    found: dict[str, Body] = {}
    pending = [code] if code is not None else []
    while pending:
        one = pending.pop()
        if not one.co_flags & inspect.CO_OPTIMIZED:  # no function
            found[one.co_qualname] = body_of(one)
        pending += [inner for inner in one.co_consts if isinstance(inner, types.CodeType)]
    return found


def body_of(code: types.CodeType) -> Body:
    """What the text of a class or of a module stores under its names."""
    steps = [step for step in dis.get_instructions(code) if step.opname != "EXTENDED_ARG"]
    constants: dict[str, Any] = {}
    functions: set[str] = set()
    names: set[str] = set()
    for before, step in zip([None, *steps], steps):
        if step.opname != "STORE_NAME" or before is None:
            continue
        name = str(step.argval)
        if before.opname in ("LOAD_CONST", "LOAD_SMALL_INT") and name not in names:
            constants[name] = before.argval
        elif before.opname == "MAKE_FUNCTION" and name not in names:
            functions.add(name)
        else:
            constants.pop(name, None)
            functions.discard(name)
        names.add(name)
    return Body(constants, frozenset(functions), frozenset(names))


@functools.cache
def set_by_class(kind: type) -> frozenset[str]:
    """The names of attributes that the text of a class and of its bases sets, and the parts that it remembers."""
    names: set[str] = set()
    for base in kind.__mro__:
        names |= set(getattr(base, "__dataclass_fields__", {}))
        names |= {name for name, value in vars(base).items() if isinstance(value, functools.cached_property)}
        for code in _codes(base):
            if dis.opmap["STORE_ATTR"] in code.co_code[::2]:
                names |= {str(step.argval) for step in dis.get_instructions(code) if step.opname == "STORE_ATTR"}
            if "__setattr__" in code.co_names:
                names |= {text for text in code.co_consts if isinstance(text, str)}
    return frozenset(names)


def _codes(kind: type) -> list[types.CodeType]:
    """The code of the methods of a class that is not the user's, but for what was put into it later."""
    found: list[types.CodeType] = []
    for value in vars(kind).values() if origin_of(kind.__module__) != USERS else ():
        value = inspect.unwrap(
            getattr(value, "__func__", getattr(value, "fget", value))
        )  # of checks of shapes in tests
        if isinstance(value, types.FunctionType) and not has_users_code(value):
            found.append(value.__code__)
    return found
