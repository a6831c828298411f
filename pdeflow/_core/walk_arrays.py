"""What arrays and tensors hold: dtype, shape and content, whatever the order in memory."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from .walk import Describer, Json, Walk, digest, entries_of, fields_of, number, shortened, values


def kind_of(thing: Any) -> Describer | None:
    """The function that describes an array, a number of numpy, a dtype or a tensor; None for other objects."""
    if type(thing) is np.ndarray:
        return _array
    if isinstance(thing, np.generic) and type(thing) is thing.dtype.type:
        return _scalar
    if isinstance(thing, np.dtype):
        return _dtype_record
    torch = sys.modules.get("torch")  # a tensor cannot exist without it
    return _tensor if torch is not None and isinstance(thing, torch.Tensor) else None


def _dtype_record(walk: Walk, thing: np.dtype, path: str, own: bool) -> Json:
    return {"dtype": _dtype(walk, thing, path)}


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
        parts: Any = dtype.fields
        return [[name, _dtype(walk, parts[name][0], path)] for name in dtype.names]
    if dtype.subdtype is not None:
        return [_dtype(walk, dtype.subdtype[0], path), list(dtype.subdtype[1])]
    return dtype.newbyteorder("<").str if dtype.kind not in "OT" else dtype.kind


def _doubles(array: np.ndarray) -> Iterator[np.ndarray]:
    """Three float64 arrays whose sum is the array of long doubles, real and imaginary part apart."""
    whole: Any = array
    for part in (whole.real, whole.imag) if array.dtype.kind == "c" else (whole,):
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
        if thing.grad_fn is not None:
            return walk.refuse(thing, path, "torch would differentiate it by a graph that is not seen: detach() it.")
        if thing.grad is not None:
            record["grad"] = walk.of(thing.grad, f"{path}.grad")
        if type(thing) is not import_of.Tensor:  # a Parameter, or a class of the user's
            record["class"] = walk.of(type(thing), path)
        if type(thing) is not import_of.Tensor or vars(thing):
            record["state"] = fields_of(walk, dict(vars(thing)), path, own=False)
        for hooks in ("_backward_hooks", "_post_accumulate_grad_hooks"):
            called = getattr(thing, hooks, None)
            if called:
                record[hooks] = entries_of(walk, called.values(), f"{path}.{hooks}", own=False)
        if thing.layout is not import_of.strided:
            if thing.layout is not import_of.sparse_coo:
                return walk.refuse(thing, path, f"its layout is {thing.layout}.")
            thing = thing.detach().coalesce()
            return {**record, "indices": walk.of(thing.indices(), path), "values": walk.of(thing.values(), path)}
        if thing.is_meta or thing.is_quantized:
            return walk.refuse(thing, path, "it has no plain content.")
        content = thing.detach().cpu().resolve_conj().resolve_neg().contiguous()
        return {**record, "sha256": digest(content.reshape(-1).view(import_of.uint8).numpy().tobytes())}
