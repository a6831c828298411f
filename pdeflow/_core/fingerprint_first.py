"""The fingerprint of the first edition (version 1), with which its reference files are compared, and nothing else.

It took the source text of a user's functions and classes, and of other objects the attributes. `require_told` refuses
what it could not tell from other questions.
"""

import functools
import hashlib
import inspect
import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from .errors import BadInput, NotAvailable
from .recorded_names import recorded_module


def describe(thing: Any) -> Any:
    """What an object is, as JSON data that two equal questions share and two different ones do not.

    Parameters
    ----------
    thing : object
        Dataclasses are described by their fields, laws by their parameters or data, arrays by a digest, functions by
        name, source, defaults and closure.

    Raises
    ------
    BadInput
        For an object that cannot be described.
    """
    for description in (_of_data, _of_numpy, _of_container, _of_object):
        found = description(thing)
        if found is not _UNKNOWN:
            return found
    raise BadInput(
        f"{thing!r} cannot be described for the record. Possible: numbers, arrays, dataclasses, laws, functions, plain "
        "objects. Wrap it in one."
    )


_UNKNOWN = object()  # None is a description


def _of_data(thing: Any) -> Any:
    if thing is None or isinstance(thing, bool | int | str):
        return thing
    if isinstance(thing, float):
        return thing if np.isfinite(thing) else repr(thing)
    return _UNKNOWN


def _of_numpy(thing: Any) -> Any:
    if isinstance(thing, np.generic):
        return describe(thing.item())
    if isinstance(thing, np.ufunc):  # its attributes depend on who has looked at it before
        return f"numpy.{thing.__name__}"
    if not isinstance(thing, np.ndarray):
        return _UNKNOWN
    if thing.size <= 16:
        return describe(thing.tolist())
    return {"array": list(thing.shape), "sha256": hashlib.sha256(np.ascontiguousarray(thing).tobytes()).hexdigest()}


def _of_container(thing: Any) -> Any:
    if isinstance(thing, dict):
        return {str(key): describe(value) for key, value in sorted(thing.items(), key=lambda item: str(item[0]))}
    if isinstance(thing, list | tuple | range):
        return [describe(item) for item in thing]
    if isinstance(thing, slice):  # a Product of tabulated laws holds some
        return ["slice", describe(thing.start), describe(thing.stop), describe(thing.step)]
    return _UNKNOWN


def _of_object(thing: Any) -> Any:
    if hasattr(type(thing), "spec") and hasattr(type(thing), "sample"):  # a law
        try:
            return thing.spec()
        except NotAvailable:
            return _of_attributes(thing)
    if isinstance(thing, type):
        return f"{recorded_module(thing.__module__)}.{thing.__qualname__}"
    if isinstance(thing, functools.partial):
        return {"partial": describe(thing.func), "args": describe(thing.args), "keywords": describe(thing.keywords)}
    if hasattr(thing, "described"):  # an object that knows which of its parts make another question
        return describe(thing.described())
    if is_dataclass(thing):
        return _of_dataclass(thing)
    if inspect.isroutine(thing):
        return _of_function(thing)
    return _of_attributes(thing) if hasattr(thing, "__dict__") else _UNKNOWN


def _of_dataclass(thing: Any) -> dict[str, Any]:
    asked = [f for f in fields(thing) if not (f.metadata.get("later") and getattr(thing, f.name) == f.default)]
    record = {"type": type(thing).__qualname__, **{f.name: describe(getattr(thing, f.name)) for f in asked}}
    if not type(thing).__module__.startswith("pdeflow."):  # a user's own scheme: its code is part of the question
        bases = [kind for kind in type(thing).__mro__ if not kind.__module__.startswith(("pdeflow.", "builtins"))]
        record["source"] = [_source(kind) for kind in bases]
    return record


def _of_attributes(thing: Any) -> dict[str, Any]:
    kind = type(thing)
    record = {"type": f"{recorded_module(kind.__module__)}.{kind.__qualname__}"}
    if not kind.__module__.startswith("pdeflow."):
        record["source"] = _source(kind)
    return {**record, **{key: describe(value) for key, value in sorted(vars(thing).items())}}


def _of_function(function: Any) -> dict[str, Any]:
    if inspect.ismethod(function):
        return {"method": function.__name__, "of": describe(function.__self__)}
    # checks of the names of arguments and, while tests run, of array shapes wrap the functions of the package
    while getattr(function, "__globals__", {}).get("__name__", "").startswith(("jaxtyping.", "pdeflow._core.validate")):
        function = function.__wrapped__
    record: dict[str, Any] = {"function": f"{recorded_module(function.__module__ or '')}.{function.__qualname__}"}
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


def _source(thing: Any) -> Any:
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        code = getattr(thing, "__code__", None)
        return (
            "source not available"
            if code is None
            else {"code": code.co_code.hex(), "constants": repr(code.co_consts), "names": list(code.co_names)}
        )


def canonical(thing: Any) -> str:
    """`describe(thing)` as JSON text with sorted keys and no spaces."""
    return json.dumps(describe(thing), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(thing: Any) -> str:
    """Hex digest of `canonical(thing)`."""
    return hashlib.sha256(canonical(thing).encode()).hexdigest()


def require_told(thing: Any) -> None:
    """`BadInput` where the first edition could not have told the thing from others: its files say too little then.

    Functions and classes that look up the user's own globals are such things, and objects of other packages.
    """
    from .fingerprint import describe as describe_now

    for part in _parts(describe_now(thing)):
        for key, what in UNTOLD.items():
            if key in part:
                raise BadInput(
                    f"A file of the first edition was asked about a problem with {what}, which its fingerprint did not "
                    "see. It cannot be told whether it is the truth of this problem. Make the file again."
                )


UNTOLD = {
    "globals": "a function that looks up globals of yours",
    "made by": "an object of another package",
    "tensor": "a tensor of torch",
}


def _parts(description: Any) -> Iterator[dict[str, Any]]:
    """All dicts in a description; globals that are code of installed packages count for nothing."""
    if isinstance(description, dict):
        told = {
            name: value
            for name, value in description.get("globals", {}).items()
            if not (isinstance(value, dict) and value.keys() & {"named", "pdeflow"})
        }
        kept = {key: value for key, value in description.items() if key != "globals"}
        yield kept | ({"globals": told} if told else {})
        description = list(kept.values())
    if isinstance(description, list):
        for part in description:
            yield from _parts(part)
