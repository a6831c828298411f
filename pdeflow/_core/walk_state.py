"""What objects hold: Python objects by their attributes, others as they pickle."""

from __future__ import annotations

import collections
import copyreg
import functools
import inspect
import pickle
import sys
import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from . import walk_code
from .errors import NotAvailable
from .origin import INSTALLED, OWN, USERS, named, origin_of, resolve
from .patches import put_on
from .walk import Describer, Json, Walk, attributes_of, entries_of, fields_of, pairs_of, shortened
from .walk_modules import by_name

# What objects that hold more than Python can tell raise when they are asked for their state.
NO_STATE = (TypeError, ValueError, AttributeError, RuntimeError, NotImplementedError, pickle.PickleError)

LIVE = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, types.FrameType, types.TracebackType)

# The methods with which a class tells pickle what it holds.
FOR_PICKLE = {"__reduce__", "__reduce_ex__", "__getstate__", "__getnewargs__", "__getnewargs_ex__"}

# How the members of a built-in container or value are read, whatever a subclass has overridden.
CONTENT: dict[type, Callable[[Any], Any]] = {
    collections.defaultdict: lambda thing: [
        collections.defaultdict.default_factory.__get__(thing),  # type: ignore[attr-defined]
        dict(dict.items(thing)),
    ],
    collections.OrderedDict: lambda thing: list(collections.OrderedDict.items(thing)),  # which may be moved
    list: lambda thing: list(list.__iter__(thing)),
    tuple: lambda thing: tuple(tuple.__iter__(thing)),
    dict: lambda thing: dict(dict.items(thing)),
    set: lambda thing: set(set.__iter__(thing)),
    frozenset: lambda thing: frozenset(frozenset.__iter__(thing)),
    str: str.__str__,
    bytes: lambda thing: bytes.__getitem__(thing, slice(None)),
    bytearray: lambda thing: bytearray(bytearray.__iter__(thing)),
    int: int.__int__,
    float: float.__float__,
    complex: lambda thing: complex(thing.real, thing.imag),
    BaseException: lambda thing: [thing.args, _members_in_c(thing)],
    np.ndarray: lambda thing: thing.view(np.ndarray),
    np.generic: lambda thing: np.generic.__array__(thing)[()],
}


def _members_in_c(thing: BaseException) -> dict[str, Any]:
    """What the classes of built-in errors hold beside the arguments, as OSError holds the name of a file."""
    kinds = type(thing).__mro__[: type(thing).__mro__.index(BaseException)]
    members = {
        name: slot for kind in reversed(kinds) if kind.__module__ == "builtins" for name, slot in vars(kind).items()
    }
    return {
        name: slot.__get__(thing)
        for name, slot in sorted(members.items())
        if isinstance(slot, types.MemberDescriptorType)
    }


def kind_of(thing: Any) -> Describer:
    """The function that describes an object that is neither plain data, nor an array, nor code."""
    return _object


def _object(walk: Walk, thing: Any, path: str, own: bool) -> Json:
    """An instance; one of this package is told from others by its values alone."""
    by_value = walk_code.owner_of(type(thing)) == OWN
    with walk.meeting(thing, keep=not by_value) as again:
        if again is not None:
            return again
        for_singletons = _singleton(thing)
        if for_singletons is not None:
            return for_singletons
        if by_value:
            return _own(walk, thing, path)
        name = named(thing) if callable(thing) else None
        if name is not None:
            return by_name(walk, *name)
        described = _own_words(type(thing))
        if described is not None:
            return _in_own_words(walk, thing, path)
        if walk_code.owner_of(type(thing)) == USERS:
            return _users(walk, thing, path)
        return _installed(walk, thing, path)


def _singleton(thing: Any) -> Json:
    """The global generators of random numbers, whose state belongs to the process and not to the question."""
    numpy_own, python_own = np.random.mtrand, sys.modules.get("random")
    if thing is getattr(numpy_own, "_rand", None):
        return {"global": "numpy.random"}
    if python_own is not None and thing is getattr(python_own, "_inst", None):
        return {"global": "random"}
    torch = sys.modules.get("torch")
    if torch is not None and thing is getattr(torch, "default_generator", None):
        return {"global": "torch.default_generator"}
    return None


def _own_words(kind: type) -> Any:
    """The method described() of the user's class, or None; one that this package wrote is about its own part only."""
    for base in kind.__mro__:
        if "described" in vars(base):
            return vars(base)["described"] if walk_code.owner_of(base) != OWN else None
    return None


def _in_own_words(walk: Walk, thing: Any, path: str) -> Json:
    words = thing.described()
    walk.lenient += 1
    try:
        kind = walk.of(type(thing), path)
    finally:
        walk.lenient -= 1
    return {"object": kind, "described": walk.of(words, f"{path}.described()")}


def _own(walk: Walk, thing: Any, path: str) -> Json:
    """An object of this package: its class by the name that files record, and its parameters."""
    kind = type(thing)
    record = walk_code.named_class(walk, kind, path)
    cached = _without_caches(walk, thing, _cached(thing), path)
    put = {**put_on(thing), **cached}
    if put:
        record["put on it"] = fields_of(walk, put, path, own=False)
    if hasattr(kind, "spec") and hasattr(kind, "sample"):  # a law
        try:
            return {**record, "law": walk.of(thing.spec(), path, own=True)}
        except NotAvailable:
            pass  # it is data
    elif hasattr(thing, "described"):
        return {**record, "described": walk.of(thing.described(), path, own=True)}
    parts = {f.name: getattr(thing, f.name) for f in fields(thing)} if is_dataclass(thing) else attributes_of(thing)
    parameters = {name: value for name, value in parts.items() if name not in _cached(thing)}
    return {**record, "parameters": fields_of(walk, parameters, path, own=True)}


def _users(walk: Walk, thing: Any, path: str) -> Json:
    """An object of a class of the user's: the class, all attributes, and what a built-in base holds."""
    kind = type(thing)
    record = {"object": walk.of(kind, path)}
    base = next((base for base in kind.__mro__ if base in CONTENT), None)
    if base is not None:
        record["content"] = walk.of(CONTENT[base](thing), path)
    elif _holds_more(thing):
        record["base"] = _state_of_base(walk, thing, path)
    record["state"] = fields_of(walk, _without_caches(walk, thing, attributes_of(thing), path), path, own=False)
    return record


def _state_of_base(walk: Walk, thing: Any, path: str) -> Json:
    """What a base in C holds. The base is asked, since a class of the user's may tell pickle another thing."""
    kinds = type(thing).__mro__
    told = {name for kind in kinds if walk_code.owner_of(kind) == USERS for name in FOR_PICKLE & vars(kind).keys()}
    if not told and type(thing) not in copyreg.dispatch_table:
        return _reduced(walk, thing, path)
    for base in kinds[:-1]:  # without object, which would ask the class again
        if walk_code.owner_of(base) != USERS and "__reduce__" in vars(base) and told <= {"__reduce__", "__reduce_ex__"}:
            return _made_again(walk, thing, vars(base)["__reduce__"](thing), path)
    return walk.refuse(thing, path, f"what a base of it holds is not told by pickle ({', '.join(sorted(told))}).")


def _cached(thing: Any) -> dict[str, Any]:
    """The attributes that stand under the name of a cached property."""
    return {
        name: value
        for name, value in getattr(thing, "__dict__", {}).items()
        if isinstance(inspect.getattr_static(type(thing), name, None), functools.cached_property)
    }


def _without_caches(walk: Walk, thing: Any, parts: dict[str, Any], path: str) -> dict[str, Any]:
    """The attributes but for those that a cached_property has left and would leave again."""
    kept = dict(parts)
    for name, value in _cached(thing).items():
        made: Any = inspect.getattr_static(type(thing), name)
        if _same(walk, made.func(thing), value, path):
            del kept[name]
    return kept


def _same(walk: Walk, one: Any, other: Any, path: str) -> bool:
    if one is other:
        return True
    first, second = Walk(walk.kinds, walk.versions), Walk(walk.kinds, walk.versions)
    first.lenient = second.lenient = walk.lenient
    return first.of(one, path) == second.of(other, path)


def _holds_more(thing: Any) -> bool:
    """Whether the object is larger than its attributes, so that a base in C keeps something of its own."""
    kind = type(thing)
    slots = sum(
        isinstance(slot, types.MemberDescriptorType)
        for base in kind.__mro__
        if "__slots__" in vars(base)
        for slot in vars(base).values()
    )
    managed_dict, managed_weakref = kind.__flags__ & (1 << 4), kind.__flags__ & (1 << 3)
    pointer = object.__basicsize__ // 2
    extra = (kind.__dictoffset__ != 0 and not managed_dict) + (kind.__weakrefoffset__ > 0 and not managed_weakref)
    return kind.__itemsize__ > 0 or kind.__basicsize__ > object.__basicsize__ + pointer * (slots + extra)


def _installed(walk: Walk, thing: Any, path: str) -> Json:
    """An object of an installed package's class, by what it would be pickled as."""
    if isinstance(thing, LIVE):
        return walk.refuse(thing, path, "it is in the middle of running.")
    special = _special(thing)
    if special is not None:
        return special(walk, thing, path, False)
    return _reduced(walk, thing, path)


def _special(thing: Any) -> Describer | None:
    package = type(thing).__module__.partition(".")[0]
    if package in ("ctypes", "_ctypes", "cffi", "_cffi_backend") and not _plain_number(thing):
        return lambda walk, thing, path, own: walk.refuse(thing, path, "it stands for memory or code outside Python.")
    if package == "numba" and hasattr(thing, "py_func"):
        return _dispatcher
    if package == "numba" and hasattr(getattr(thing, "_dispatcher", None), "py_func"):
        return lambda walk, thing, path, own: walk.of(thing._dispatcher, path)
    if package == "numba" and hasattr(thing, "gufunc_builder"):
        return lambda walk, thing, path, own: {
            "gufunc": walk.of(thing.gufunc_builder.py_func, path),
            "signature": thing.gufunc_builder.signature,
        }
    if isinstance(thing, np.vectorize):
        return _vectorized
    if package == "torch" and type(thing).__name__ == "Generator":
        return lambda walk, thing, path, own: {
            "torch.Generator": str(thing.device),
            "state": walk.of(thing.get_state(), path),
        }
    return None


def _plain_number(thing: Any) -> bool:
    return hasattr(thing, "value") and type(thing.value) in (int, float, bool, bytes)


def _dispatcher(walk: Walk, thing: Any, path: str, own: bool) -> Json:
    """A compiled function of numba: the Python function and how it is compiled, not what has been compiled so far."""
    options = {key: value for key, value in thing.targetoptions.items() if key != "boundscheck" or value is not None}
    return {"compiled": walk.of(thing.py_func, path), "options": walk.of(dict(sorted(options.items())), path)}


def _vectorized(walk: Walk, thing: Any, path: str, own: bool) -> Json:
    names = ("pyfunc", "otypes", "signature", "excluded", "cache")
    return {"numpy.vectorize": fields_of(walk, {name: getattr(thing, name) for name in names}, path, own=False)}


def _reduced(walk: Walk, thing: Any, path: str) -> Json:
    """The parts from which pickle would make the object again; containers and code among them are walked through."""
    registered = copyreg.dispatch_table.get(type(thing))
    try:
        parts: Any = thing.__reduce_ex__(4) if registered is None else registered(thing)
    except RecursionError:  # a RuntimeError too; the walk as a whole is too deep
        raise
    except NO_STATE as error:
        return walk.refuse(thing, path, f"it has no state that Python can tell ({str(error).rstrip('.')}).")
    if isinstance(parts, str):  # the name of a global
        module = getattr(thing, "__module__", None) or _module_with(thing, parts)
        if module is None or origin_of(module) == USERS or resolve(module, parts) is not thing:
            return walk.refuse(thing, path, f"it is known by the name {parts} alone.")
        return by_name(walk, module, parts)
    return _made_again(walk, thing, parts, path)


def _made_again(walk: Walk, thing: Any, parts: tuple[Any, ...], path: str) -> Json:
    padded: list[Any] = [*parts, None, None, None]
    make, arguments, state, items, pairs = padded[:5]
    record = {
        "made by": walk.of(make, f"{path}.__reduce_ex__"),
        "arguments": entries_of(walk, arguments, path, own=False),
    }
    if state is not None:
        record["state"] = _state(walk, _lasting(thing, state), path)
    hidden = _hidden(thing, state)
    if hidden:
        record["put on it"] = fields_of(walk, hidden, path, own=False)
    if items is not None:
        record["items"] = shortened("list", entries_of(walk, list(items), path, own=False))
    if pairs is not None:
        record["pairs"] = shortened("dict", pairs_of(walk, dict(pairs), path, own=False))
    return record


def _hidden(thing: Any, state: Any) -> dict[str, Any]:
    """The attributes of an object of an installed package that neither pickle keeps nor the package's class sets."""
    parts = state if isinstance(state, tuple) else (state,)
    kept = {name for part in parts if isinstance(part, dict) for name in part}
    if walk_code.owner_of(type(thing)) == USERS or getattr(thing, "__dict__", {}).keys() <= kept:
        return {}
    return {name: value for name, value in put_on(thing).items() if name not in kept}


def _module_with(thing: Any, name: str) -> str | None:
    """An installed module in which the object stands under this name."""
    for module in list(sys.modules):
        loaded = sys.modules.get(module)
        if getattr(loaded, "__dict__", {}).get(name) is thing and origin_of(module) == INSTALLED:
            return module
    return None


def _state(walk: Walk, state: Any, path: str) -> Json:
    """The state that pickle keeps: attributes by their names, anything else as it is."""
    if isinstance(state, tuple) and len(state) == 2 and all(part is None or _is_fields(part) for part in state):
        return [None if part is None else fields_of(walk, part, path, own=False) for part in state]
    attributes: Any = state
    return fields_of(walk, attributes, path, own=False) if _is_fields(state) else walk.of(state, path)


def _is_fields(state: Any) -> bool:
    return type(state) is dict and all(type(name) is str for name in state)


def _lasting(thing: Any, state: Any) -> Any:
    """The state without what the object only remembers of its past use."""
    if not _is_fields(state):
        return state
    sparse = type(thing).__module__.startswith("scipy.sparse")
    return {
        name: value
        for name, value in state.items()
        if not (sparse and name.startswith("_has_"))
        and not isinstance(getattr(type(thing), name, None), functools.cached_property)
    }
