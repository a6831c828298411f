"""What code is: functions by bytecode, constants and all that they reach, modules, and what wraps functions.

Code of this package is told by the names that files record, code of installed packages by name and version, and the
user's own by what it does, so that docstrings, line numbers, annotations and the name of the module do not count.
"""

from __future__ import annotations

import functools
import inspect
import platform
import sys
import types
from typing import Any

import numpy as np

from .bytecode import instructions, reach
from .origin import OWN, USERS, named, origin_of, resolve
from .patches import put_into
from .recorded_names import recorded_module
from .walk import Describer, Json, Walk, attributes_of, entries_of, fields_of
from .walk_modules import by_name, globals_of, is_users, module_of

BUILT_IN = (types.BuiltinFunctionType, types.MethodWrapperType)
DESCRIPTORS = (
    *(types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType),
    *(types.GetSetDescriptorType, types.MemberDescriptorType),
)


def kind_of(thing: Any) -> Describer | None:
    """The function that describes a piece of code; None for other objects."""
    for kinds, describer in KINDS:
        if isinstance(thing, kinds):
            return describer
    return None


@functools.cache
def _version_of_python() -> str:
    return f"{platform.python_implementation()} {'.'.join(platform.python_version_tuple()[:2])}"


def owner_of(kind: type) -> str:
    """Whose class it is; one that does not stand where it says, or was made in a function, is looked at by its code."""
    module = getattr(kind, "__module__", None)
    owner = origin_of(module if isinstance(module, str) else None)
    if owner == USERS or named(kind) is not None:
        return owner
    functions = [value for value in vars(kind).values() if isinstance(value, types.FunctionType)]
    homes = {origin_of(function.__globals__.get("__name__")) for function in functions}
    return USERS if USERS in homes else owner


def named_class(walk: Walk, kind: type, path: str) -> dict[str, Json]:
    """A class that a name tells, and what the user's own code has put into it."""
    record = by_name(walk, kind.__module__, kind.__qualname__)
    if kind not in walk.put:
        walk.put[kind] = put_into(kind)
    put = walk.put[kind]
    return {**record, "put into it": fields_of(walk, put, path, own=False)} if put else record


def _function(walk: Walk, thing: types.FunctionType, path: str, own: bool) -> Json:
    name = named(thing)
    if name is None:
        thing = unwrapped(thing)
        name = named(thing)
    if name is not None:
        own_name = by_name(walk, *name)
        return {"function": own_name["pdeflow"]} if "pdeflow" in own_name else own_name
    with walk.meeting(thing) as again:
        if again is not None:
            return again
        dispatch = _single_dispatch(thing)
        if dispatch is not None:
            return {"singledispatch": walk.of(dispatch, f"{path}.registry")}
        home = str(thing.__globals__.get("__name__"))
        owner = origin_of(home)
        if owner == USERS:
            walk.code.append(thing)
        record = _body(walk, thing, path, owner)
        held = {
            "defaults": thing.__defaults__,
            "keyword defaults": thing.__kwdefaults__,
            "attributes": vars(thing) or None,
        }
        for name, part in held.items():
            if part is not None:
                words = path if name == "attributes" else f"{path}.{name.replace('keyword ', 'kw')}"
                record[name] = _held(walk, part, words, own=owner == OWN)
        if thing.__closure__:
            record["closure"] = {
                name: _cell(walk, cell, f"{path}.closure[{name!r}]", owner == OWN)
                for name, cell in zip(thing.__code__.co_freevars, thing.__closure__, strict=True)
            }
        if owner == USERS:
            found = globals_of(walk, reach(thing.__code__), thing.__globals__, path)
            if found:
                record["globals"] = found
        return record


def _held(walk: Walk, part: Any, path: str, own: bool) -> Json:
    if isinstance(part, dict):
        return fields_of(walk, part, path, own)
    return [walk.of(item, f"{path}[{i}]", own) for i, item in enumerate(part)]


def _body(walk: Walk, thing: types.FunctionType, path: str, owner: str) -> dict[str, Json]:
    """The function itself: of this package the name of what made it, of others the code."""
    home, qualname = str(thing.__globals__.get("__name__")), thing.__code__.co_qualname
    if owner == OWN and "<lambda>" not in qualname:
        return {"function": f"{recorded_module(home)}.{qualname}"}
    record = {"function": thing.__name__, "code": _code(walk, thing.__code__, path, False)}
    if owner == USERS:
        return record
    return {**record, "within": by_name(walk, home, qualname)}


def unwrapped(thing: types.FunctionType) -> types.FunctionType:
    """The function behind a check of array shapes, which wraps the package's own functions while tests run."""
    while str(thing.__globals__.get("__name__")).startswith("jaxtyping.") and hasattr(thing, "__wrapped__"):
        thing = thing.__wrapped__
    return thing


def _single_dispatch(thing: types.FunctionType) -> Any:
    """The functions of a generic function by the class of their first argument, else None."""
    if thing.__globals__.get("__name__") != "functools" or not hasattr(thing, "registry"):
        return None
    registry: Any = thing.registry
    return sorted(registry.items(), key=lambda item: (item[0].__module__, item[0].__qualname__))


def _cell(walk: Walk, cell: types.CellType, path: str, own: bool) -> Json:
    """What a variable of an enclosing function holds; two functions may share it, and change it for each other."""
    with walk.meeting(cell, keep=not own) as again:
        if again is not None:
            return again
        try:
            content = cell.cell_contents
        except ValueError:  # not set yet
            return {"constant": "unset"}
        return walk.of(content, path, own)


def _code(walk: Walk, code: types.CodeType, path: str, own: bool) -> Json:
    found = instructions(code)
    return {
        "python": _version_of_python(),
        "instructions": found.digest,
        "constants": entries_of(walk, found.constants, f"{path}.constants", own=False),
    }


def _method(walk: Walk, thing: types.MethodType, path: str, own: bool) -> Json:
    return {"method": walk.of(thing.__func__, path), "of": walk.of(thing.__self__, f"{path}.__self__")}


def _built_in(walk: Walk, thing: Any, path: str, own: bool) -> Json:
    """A function in C, or a method of an object of such a class."""
    bound = getattr(thing, "__self__", None)
    if bound is None or isinstance(bound, types.ModuleType):
        module = getattr(thing, "__module__", None) or getattr(bound, "__name__", None)
        home = sys.modules.get(module or "")
        if home is not None and is_users(home):
            return {"function": thing.__name__, "of": walk.of(home, path)}
        if thing in (eval, exec, globals):
            return walk.refuse(thing, path, f"under another name than {thing.__name__} it reaches globals unseen.")
        if module is None:
            return walk.refuse(thing, path, "it does not say in which module it stands.")
        return by_name(walk, module, thing.__qualname__)
    return {"method": thing.__name__, "of": walk.of(bound, f"{path}.__self__")}


def _descriptor(walk: Walk, thing: Any, path: str, own: bool) -> Json:
    return {"descriptor": thing.__name__, "of": walk.of(thing.__objclass__, f"{path}.__objclass__")}


def _partial(walk: Walk, thing: Any, path: str, own: bool) -> Json:
    with walk.meeting(thing, keep=not own) as again:
        if again is not None:
            return again
        record = {
            "partial": walk.of(thing.func, f"{path}.func"),
            "arguments": entries_of(walk, thing.args, f"{path}.args", own=False),
            "keywords": fields_of(walk, thing.keywords, f"{path}.keywords", own=False),
        }
        state = attributes_of(thing)
        kind = type(thing)
        if kind not in (functools.partial, functools.partialmethod):
            record["class"] = walk.of(kind, path)
        if state and kind is not functools.partialmethod:
            record["state"] = fields_of(walk, state, path, own=False)
        return record


def _remembering(walk: Walk, thing: Any, path: str, own: bool) -> Json:
    """A function under functools.lru_cache, by the function and the settings, not by what it remembers."""
    name = named(thing)
    if name is not None:
        return by_name(walk, *name)
    with walk.meeting(thing) as again:
        if again is not None:
            return again
        settings = dict(thing.cache_parameters())
        return {
            "remembering": walk.of(thing.__wrapped__, path),
            "settings": fields_of(walk, settings, path, own=False),
            **_further(walk, thing, path),
        }


def _further(walk: Walk, thing: Any, path: str, known: tuple[str, ...] = ()) -> dict[str, Json]:
    """The attributes of a wrapper beside those that it has always, or takes over from what it wraps."""
    wrapped = getattr(thing, "__wrapped__", None)
    taken = {*known, *functools.WRAPPER_ASSIGNMENTS, "__wrapped__", "cache_parameters", "lock"}
    further = {
        name: value
        for name, value in attributes_of(thing).items()
        if name not in taken and getattr(wrapped, "__dict__", {}).get(name, taken) is not value
    }
    return {"state": fields_of(walk, further, path, own=False)} if further else {}


def _wrapper(*parts: str) -> Describer:
    """Describes a wrapper of functions by its class and these attributes."""

    def describe_wrapper(walk: Walk, thing: Any, path: str, own: bool) -> Json:
        with walk.meeting(thing) as again:
            if again is not None:
                return again
            record = {part: walk.of(getattr(thing, part), f"{path}.{part}".removesuffix(".__func__")) for part in parts}
            return {"wrapper": walk.of(type(thing), path), **record, **_further(walk, thing, path, parts)}

    return describe_wrapper


def _ufunc(walk: Walk, thing: np.ufunc, path: str, own: bool) -> Json:
    """A ufunc of numpy or scipy; its other attributes depend on who has looked at it before."""
    for module in ("numpy", "numpy._core.umath", "scipy.special", "scipy.special._ufuncs"):
        if resolve(module, thing.__name__) is thing:
            return by_name(walk, module, thing.__name__)
    return walk.refuse(thing, path, "the function behind a ufunc of your own cannot be seen.")


def _signature(walk: Walk, thing: inspect.Signature, path: str, own: bool) -> Json:
    parameters = [
        [one.name, int(one.kind), walk.of(one.default, f"{path}.{one.name}")] for one in thing.parameters.values()
    ]
    return {"signature": parameters}


def _proxy(walk: Walk, thing: Any, path: str, own: bool) -> Json:
    return {"mappingproxy": walk.of(dict(thing), path, own)}


# the first that fits counts
KINDS: tuple[tuple[Any, Describer], ...] = (
    (types.FunctionType, _function),
    (types.MethodType, _method),
    (BUILT_IN, _built_in),
    (DESCRIPTORS, _descriptor),
    (types.ModuleType, module_of),
    (types.CodeType, _code),
    (types.CellType, _cell),
    (types.MappingProxyType, _proxy),
    (np.ufunc, _ufunc),
    ((functools.partial, functools.partialmethod), _partial),
    (functools._lru_cache_wrapper, _remembering),
    ((staticmethod, classmethod), _wrapper("__func__")),
    (property, _wrapper("fget", "fset", "fdel")),
    (functools.cached_property, _wrapper("func", "attrname")),
    (functools.singledispatchmethod, _wrapper("func", "dispatcher")),
    (inspect.Signature, _signature),
)
