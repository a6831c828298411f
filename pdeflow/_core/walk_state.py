"""What objects hold: arrays and tensors by their content, Python objects by their attributes, others as they pickle."""

from __future__ import annotations

import copyreg
import functools
import pickle
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from . import walk_code
from .errors import NotAvailable
from .origin import INSTALLED, OWN, USERS, named, origin_of, resolve
from .walk import Describer, Json, Walk, digest, entries_of, fields_of, number, pairs_of, shortened, values

# What objects that hold more than Python can tell raise when they are asked for their state.
NO_STATE = (TypeError, ValueError, AttributeError, RuntimeError, NotImplementedError, pickle.PicklingError)

LIVE = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, types.FrameType, types.TracebackType)

# How the members of a built-in container or value are read, whatever a subclass has overridden.
CONTENT: dict[type, Callable[[Any], Any]] = {
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
    BaseException: lambda thing: thing.args,
    np.ndarray: lambda thing: thing.view(np.ndarray),
}


def kind_of(thing: Any) -> Describer:
    """The function that describes an object that is neither plain data nor code."""
    if isinstance(thing, np.ndarray):
        return _array if type(thing) is np.ndarray else _object
    if isinstance(thing, np.generic):
        return _scalar
    if isinstance(thing, np.dtype):
        return lambda walk, thing, path, own: {"dtype": _dtype(walk, thing, path)}
    torch = sys.modules.get("torch")  # a tensor cannot exist without it
    if torch is not None and isinstance(thing, torch.Tensor):
        return _tensor
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
            return walk_code.by_name(walk, *name)
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
    if hasattr(kind, "spec") and hasattr(kind, "sample"):  # a law
        try:
            return {**record, "law": walk.of(thing.spec(), path, own=True)}
        except NotAvailable:
            pass  # it is data
    elif hasattr(thing, "described"):
        return {**record, "described": walk.of(thing.described(), path, own=True)}
    parts = {f.name: getattr(thing, f.name) for f in fields(thing)} if is_dataclass(thing) else _attributes(thing)
    return {**record, "parameters": fields_of(walk, _without_caches(walk, thing, parts, path), path, own=True)}


def _users(walk: Walk, thing: Any, path: str) -> Json:
    """An object of a class of the user's: the class, all attributes, and what a built-in base holds."""
    kind = type(thing)
    record = {"object": walk.of(kind, path)}
    base = next((base for base in kind.__mro__ if base in CONTENT), None)
    if base is not None:
        record["content"] = walk.of(CONTENT[base](thing), path)
    elif _holds_more(thing):
        record["base"] = _reduced(walk, thing, path)
    record["state"] = fields_of(walk, _without_caches(walk, thing, _attributes(thing), path), path, own=False)
    return record


def _attributes(thing: Any) -> dict[str, Any]:
    """The instance's dictionary and the slots that are set."""
    found = dict(getattr(thing, "__dict__", {}))
    for kind in type(thing).__mro__:
        if "__slots__" not in vars(kind):
            continue
        for name, slot in vars(kind).items():
            if isinstance(slot, types.MemberDescriptorType) and hasattr(thing, name):
                found.setdefault(name, slot.__get__(thing, type(thing)))
    return found


def _without_caches(walk: Walk, thing: Any, parts: dict[str, Any], path: str) -> dict[str, Any]:
    """The attributes but for those that a cached_property has left and would leave again."""
    kept = dict(parts)
    for name in parts:
        cached = next((vars(kind)[name] for kind in type(thing).__mro__ if name in vars(kind)), None)
        if isinstance(cached, functools.cached_property):
            if walk_code.owner_of(type(thing)) == OWN or _same(walk, cached.func(thing), parts[name], path):
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
        parts = thing.__reduce_ex__(4) if registered is None else registered(thing)
    except NO_STATE as error:
        return walk.refuse(thing, path, f"it has no state that Python can tell ({str(error).rstrip('.')}).")
    if isinstance(parts, str):  # the name of a global
        module = getattr(thing, "__module__", None) or _module_with(thing, parts)
        if module is None or origin_of(module) == USERS or resolve(module, parts) is not thing:
            return walk.refuse(thing, path, f"it is known by the name {parts} alone.")
        return walk_code.by_name(walk, module, parts)
    make, arguments, state, items, pairs = (*parts, None, None, None)[:5]
    record = {
        "made by": walk.of(make, f"{path}.__reduce_ex__"),
        "arguments": entries_of(walk, arguments, path, own=False),
    }
    if state is not None:
        record["state"] = _state(walk, _lasting(thing, state), path)
    if items is not None:
        record["items"] = shortened("list", entries_of(walk, list(items), path, own=False))
    if pairs is not None:
        record["pairs"] = shortened("dict", pairs_of(walk, dict(pairs), path, own=False))
    return record


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
    return fields_of(walk, state, path, own=False) if _is_fields(state) else walk.of(state, path)


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


def _scalar(walk: Walk, thing: np.generic, path: str, own: bool) -> Json:
    value = thing.item()
    if own and type(value) in (int, float):
        return number(value, own=True)
    if own and type(value) in (bool, str):
        return value
    return {"scalar": str(thing.dtype), "value": _array_record(walk, np.asarray(thing), path)}


def _array(walk: Walk, thing: np.ndarray, path: str, own: bool) -> Json:
    if own and thing.dtype.kind in "iuf":
        found = values(thing)
        if found is not None:
            return found
    with walk.meeting(thing, keep=not own) as again:
        return _array_record(walk, thing, path) if again is None else again


def _array_record(walk: Walk, array: np.ndarray, path: str) -> Json:
    """Shape, dtype and content, whatever the order in memory."""
    record: dict[str, Json] = {"array": list(array.shape), "dtype": _dtype(walk, array.dtype, path)}
    if array.dtype.names is not None:  # field by field: the bytes between fields are no content
        return {**record, "fields": [_array_record(walk, array[name], path) for name in array.dtype.names]}
    if array.dtype.kind == "O" or array.dtype.hasobject or array.dtype.kind == "T":
        return {**record, "items": shortened("list", entries_of(walk, array.ravel().tolist(), path, own=False))}
    if array.dtype.char in "gG":  # the bytes of a long double have gaps
        return {**record, "parts": [digest(part.tobytes()) for part in _doubles(array)]}
    flat = np.ascontiguousarray(array)
    flat = flat.astype(flat.dtype.newbyteorder("<"), copy=False)
    return {**record, "sha256": digest(flat.tobytes())}


def _dtype(walk: Walk, dtype: np.dtype, path: str) -> Json:
    if dtype.names is not None:
        assert dtype.fields is not None
        return [[name, _dtype(walk, dtype.fields[name][0], path)] for name in dtype.names]
    if dtype.subdtype is not None:
        return [_dtype(walk, dtype.subdtype[0], path), list(dtype.subdtype[1])]
    return dtype.newbyteorder("<").str if dtype.kind not in "OT" else dtype.kind


def _doubles(array: np.ndarray) -> Iterator[np.ndarray]:
    """Three float64 arrays whose sum is the array of long doubles, real and imaginary part apart."""
    for part in (array.real, array.imag) if array.dtype.kind == "c" else (array,):
        rest = np.ascontiguousarray(part)
        for _ in range(3):
            with np.errstate(all="ignore"):
                head = rest.astype("<f8")
                rest = np.where(np.isfinite(head), rest - head, 0)
            yield head


def _tensor(walk: Walk, thing: Any, path: str, own: bool) -> Json:
    """A tensor of torch: dtype, device, whether a gradient is asked, and content."""
    import_of = sys.modules["torch"]
    with walk.meeting(thing, keep=not own) as again:
        if again is not None:
            return again
        record: dict[str, Json] = {
            "tensor": list(thing.shape),
            "dtype": str(thing.dtype),
            "device": str(thing.device),
            "requires_grad": bool(thing.requires_grad),
        }
        if type(thing) is not import_of.Tensor:  # a Parameter, or a class of the user's
            record["class"] = walk.of(type(thing), path)
            record["state"] = fields_of(walk, dict(vars(thing)), path, own=False)
        if thing.layout is not import_of.strided:
            if thing.layout is not import_of.sparse_coo:
                return walk.refuse(thing, path, f"its layout is {thing.layout}.")
            thing = thing.detach().coalesce()
            return {**record, "indices": walk.of(thing.indices(), path), "values": walk.of(thing.values(), path)}
        if thing.is_meta or thing.is_quantized:
            return walk.refuse(thing, path, "it has no plain content.")
        content = thing.detach().cpu().resolve_conj().resolve_neg().contiguous()
        return {**record, "sha256": digest(content.reshape(-1).view(import_of.uint8).numpy().tobytes())}
