"""What was asked, as canonical JSON data, and its SHA-256: names runs of a study and stamps reference files."""

import functools
import hashlib
import inspect
import json
from dataclasses import fields, is_dataclass

import numpy as np

from .errors import BadInput, NotAvailable
from .recorded_names import recorded_module


def describe(thing):
    """`thing` as JSON data that two equal questions share and two different ones do not.

    Dataclasses by their fields, laws by their parameters or data, arrays by a digest, functions by name, source, defaults and
    closure. Raises `BadInput` for an object it cannot describe.
    """
    if thing is None or isinstance(thing, bool | int | str):
        return thing
    if isinstance(thing, float):
        return thing if np.isfinite(thing) else repr(thing)
    if isinstance(thing, np.generic):
        return describe(thing.item())
    if isinstance(thing, np.ndarray):
        if thing.size <= 16:
            return describe(thing.tolist())
        return {"array": list(thing.shape), "sha256": hashlib.sha256(np.ascontiguousarray(thing).tobytes()).hexdigest()}
    if isinstance(thing, dict):
        return {str(key): describe(value) for key, value in sorted(thing.items(), key=lambda item: str(item[0]))}
    if isinstance(thing, list | tuple | range):
        return [describe(item) for item in thing]
    if isinstance(thing, slice):  # a Product of tabulated laws holds some
        return ["slice", describe(thing.start), describe(thing.stop), describe(thing.step)]
    if hasattr(type(thing), "spec") and hasattr(type(thing), "sample"):  # a law
        try:
            return thing.spec()
        except NotAvailable:
            return _of_attributes(thing)
    if isinstance(thing, type):
        return f"{recorded_module(thing.__module__)}.{thing.__qualname__}"
    if isinstance(thing, np.ufunc):  # its attributes depend on who has looked at it before
        return f"numpy.{thing.__name__}"
    if isinstance(thing, functools.partial):
        return {"partial": describe(thing.func), "args": describe(thing.args), "keywords": describe(thing.keywords)}
    if hasattr(thing, "described"):  # an object that knows which of its parts make another question
        return describe(thing.described())
    if is_dataclass(thing):
        record = {"type": type(thing).__qualname__, **{f.name: describe(getattr(thing, f.name)) for f in fields(thing)}}
        if not type(thing).__module__.startswith("pdeflow."):  # a user's own scheme: its code is part of the question
            bases = [kind for kind in type(thing).__mro__ if not kind.__module__.startswith(("pdeflow.", "builtins"))]
            record["source"] = [_source(kind) for kind in bases]
        return record
    if inspect.isroutine(thing):
        return _of_function(thing)
    if hasattr(thing, "__dict__"):
        return _of_attributes(thing)
    raise BadInput(
        f"{thing!r} cannot be described for the record. Possible: numbers, arrays, dataclasses, laws, functions, plain objects. Wrap it in one."
    )


def _of_attributes(thing):
    kind = type(thing)
    record = {"type": f"{recorded_module(kind.__module__)}.{kind.__qualname__}"}
    if not kind.__module__.startswith("pdeflow."):
        record["source"] = _source(kind)
    return {**record, **{key: describe(value) for key, value in sorted(vars(thing).items())}}


def _of_function(function):
    if inspect.ismethod(function):
        return {"method": function.__name__, "of": describe(function.__self__)}
    record = {"function": f"{recorded_module(function.__module__ or '')}.{function.__qualname__}"}
    if (function.__module__ or "").startswith("pdeflow.") and not function.__closure__:
        return record
    record["source"] = _source(function)
    if getattr(function, "__defaults__", None):
        record["defaults"] = describe(function.__defaults__)
    if getattr(function, "__closure__", None):
        record["closure"] = {
            name: describe(cell.cell_contents)
            for name, cell in zip(function.__code__.co_freevars, function.__closure__)
        }
    return record


def _source(thing):
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        code = getattr(thing, "__code__", None)
        return (
            "source not available"
            if code is None
            else {"code": code.co_code.hex(), "constants": repr(code.co_consts), "names": list(code.co_names)}
        )


def canonical(thing) -> str:
    """`describe(thing)` as JSON text with sorted keys and no spaces."""
    return json.dumps(describe(thing), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(thing) -> str:
    """Hex digest of `canonical(thing)`."""
    return hashlib.sha256(canonical(thing).encode()).hexdigest()
