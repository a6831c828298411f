"""The walk through an object that tells what it is: each part by its value, and what cannot be told by its path.

Plain data are described here, arrays and tensors in `walk_arrays`, the state of objects in `walk_state`, functions in
`walk_code`, classes in `walk_classes`, modules and what code finds in them in `walk_modules`.
"""

from __future__ import annotations

import hashlib
import json
import math
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np

from .errors import BadInput

Json = Any  # None, bool, int, float, str, lists and dicts with text keys of these
Describer = Callable[["Walk", Any, str, bool], Json]

LONG = 64  # a description with more entries than this is recorded by their number and their digest
CURE = (
    "Give the object that holds it a method described() that returns, as plain data, what makes it another question; "
    "or run without a store."
)


def text_of(description: Json) -> str:
    """A description as JSON text with sorted keys and no spaces."""
    return json.dumps(description, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(text: str | bytes) -> str:
    """SHA-256 in hex; a lone surrogate, which UTF-8 does not have, counts too."""
    return hashlib.sha256(text.encode(errors="surrogatepass") if isinstance(text, str) else text).hexdigest()


class Walk:
    """One walk. What has been met before is named by the number of its first meeting, which also ends cycles.

    Two things that are one object are told from two equal objects where they can change: a list that is held twice is
    another state than two lists. Within objects of this package, `own` is True: their parameters are values, which
    they never change, and a number counts by its value: 1 is 1.0, and -0.0 is 0.0.

    Parameters
    ----------
    kinds : tuple of callable
        Each gives the function that describes a thing, or None where it knows none; the first answer counts.
    versions : bool
        Whether the versions of installed packages and of Python count.
    """

    def __init__(self, kinds: tuple[Callable[[Any], Describer | None], ...], versions: bool = True):
        self.kinds = kinds
        self.versions = versions
        self.code: list[Any] = []  # the user's functions and classes, in the order in which they are met
        self.lenient = 0  # above 0 inside the class of an object that has told by described() what it is
        self.put: dict[type, dict[str, Any]] = {}  # what was put into classes that are told by their names
        self._met: dict[int, tuple[int, Any]] = {}  # holds the thing too, so that its id stays its own
        self._count = 0

    def of(self, thing: Any, path: str, own: bool = False) -> Json:
        """The description of a thing.

        Parameters
        ----------
        thing : object
            What is described.
        path : str
            Where it stands, for messages.
        own : bool
            Whether it is a parameter of an object of this package.

        Raises
        ------
        BadInput
            Where it cannot be told; the message has the path.
        """
        plain = PLAIN.get(type(thing))
        if plain is not None:
            return plain(thing, own)
        container = CONTAINERS.get(type(thing))
        if container is not None:
            if own and type(thing) in (list, tuple):
                numbers = _numbers(thing)
                if numbers is not None:
                    return numbers
            return container(self, thing, path, own)
        for kind_of in self.kinds:
            describer = kind_of(thing)
            if describer is not None:
                return describer(self, thing, path, own)
        raise AssertionError("the last of the kinds describes every object")

    @contextmanager
    def meeting(self, thing: Any, keep: bool = True) -> Iterator[Json]:
        """None at the first meeting, else the description that names it; without `keep` only a cycle names it."""
        met = self._met.get(id(thing))
        if met is not None:
            yield {"again": met[0]}
            return
        self._met[id(thing)] = self._count, thing
        self._count += 1
        yield None
        if not keep:
            del self._met[id(thing)]

    def aside(self, thing: Any, path: str, own: bool) -> Json:
        """The description of a member of an unordered set: what other members have met does not count."""
        if type(thing) in PLAIN:
            return self.of(thing, path, own)
        met, count = dict(self._met), self._count
        try:
            return self.of(thing, path, own)
        finally:
            self._met, self._count = met, count

    def refuse(self, thing: Any, path: str, why: str) -> Json:
        """Raise, or leave a mark where the object that holds the thing has told by described() what it is."""
        if self.lenient:
            return {"not told": type(thing).__qualname__}
        refuse(thing, path, why)


def refuse(thing: Any, path: str, why: str) -> NoReturn:
    """`BadInput` for a thing that cannot be told."""
    kind = f"{type(thing).__module__}.{type(thing).__qualname__}".removeprefix("builtins.")
    raise BadInput(
        f"{path} is of type {kind}, which cannot be described for the record: {why.rstrip('.')}. Possible: numbers, "
        "texts, arrays, containers, laws, functions, classes, and objects whose whole state Python can tell. " + CURE
    )


def number(value: float, own: bool) -> Json:
    """A number by its value, or by its type and its value."""
    if own and float(value) == value:
        value = float(value) + 0.0
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    return value if abs(value) < 1 << 64 else {"int": hex(value)}  # long ones have no decimal text


def _big_or_number(value: int, own: bool) -> Json:
    return number(value, own and abs(value) < 1 << 1023)


PLAIN: dict[type, Callable[[Any, bool], Json]] = {
    type(None): lambda thing, own: None,
    bool: lambda thing, own: thing,
    str: lambda thing, own: thing,
    int: _big_or_number,
    float: number,
    complex: lambda thing, own: {"complex": [number(thing.real, own), number(thing.imag, own)]},
    bytes: lambda thing, own: {"bytes": len(thing), "sha256": digest(thing)},
    type(Ellipsis): lambda thing, own: {"constant": "Ellipsis"},
    type(NotImplemented): lambda thing, own: {"constant": "NotImplemented"},
}


def shortened(kind: str, entries: list[Json]) -> Json:
    """The entries of a container under the name of its kind; many of them by their number and digest."""
    if len(entries) > LONG:
        return {kind: len(entries), "sha256": digest(text_of(entries))}
    return {kind: entries}


def entries_of(walk: Walk, things: Iterable[Any], path: str, own: bool) -> list[Json]:
    """The descriptions of the members of a sequence."""
    return [
        plain(item, own) if (plain := PLAIN.get(type(item))) else walk.of(item, f"{path}[{i}]", own)
        for i, item in enumerate(things)
    ]


def pairs_of(walk: Walk, things: dict[Any, Any], path: str, own: bool) -> list[Json]:
    """The descriptions of the keys and values of a mapping, in its order."""
    return [
        [walk.of(key, f"{path}.keys()[{i}]", own), walk.of(value, f"{path}[{key_text(key)}]", own)]
        for i, (key, value) in enumerate(things.items())
    ]


def key_text(key: Any) -> str:
    """A key for a path: short ones as they are."""
    return repr(key) if isinstance(key, str | int | float) and len(repr(key)) <= 40 else f"<{type(key).__name__}>"


def fields_of(walk: Walk, things: dict[str, Any], path: str, own: bool) -> dict[str, Json]:
    """The descriptions of named parts, whose order is no behaviour."""
    return {name: walk.of(things[name], f"{path}.{name}", own) for name in sorted(things)}


def attributes_of(thing: Any) -> dict[str, Any]:
    """The instance's dictionary and the slots that are set."""
    found = dict(getattr(thing, "__dict__", {}))
    for kind in type(thing).__mro__:
        if "__slots__" not in vars(kind):
            continue
        for name, slot in vars(kind).items():
            if isinstance(slot, types.MemberDescriptorType) and hasattr(thing, name):
                found.setdefault(name, slot.__get__(thing, type(thing)))
    return found


def _list(walk: Walk, thing: list[Any], path: str, own: bool) -> Json:
    with walk.meeting(thing, keep=not own) as again:
        if again is None:
            entries = entries_of(walk, thing, path, own)
            return entries if len(entries) <= LONG else shortened("list", entries)
        return again


def _tuple(walk: Walk, thing: tuple[Any, ...], path: str, own: bool) -> Json:
    entries = entries_of(walk, thing, path, own)
    return (entries if len(entries) <= LONG else shortened("list", entries)) if own else shortened("tuple", entries)


def _dict(walk: Walk, thing: dict[Any, Any], path: str, own: bool) -> Json:
    """A loop over a dict follows its order, so that the order counts, but in parameters of this package."""
    with walk.meeting(thing, keep=not own) as again:
        if again is None:
            pairs = pairs_of(walk, thing, path, own)
            return shortened("dict", sorted(pairs, key=text_of) if own else pairs)
        return again


def _set(kind: str) -> Callable[[Walk, Any, str, bool], Json]:
    def describe_set(walk: Walk, thing: Any, path: str, own: bool) -> Json:
        with walk.meeting(thing, keep=kind == "set" and not own) as again:
            if again is None:
                members = [walk.aside(item, f"{path}.{kind}[{key_text(item)}]", own) for item in thing]
                return shortened(kind, sorted(members, key=text_of))
            return again

    return describe_set


def _range(walk: Walk, thing: range, path: str, own: bool) -> Json:
    return {"range": [thing.start, thing.stop, thing.step]}


def _slice(walk: Walk, thing: slice, path: str, own: bool) -> Json:
    return {"slice": [walk.of(part, path, own) for part in (thing.start, thing.stop, thing.step)]}


def _bytearray(walk: Walk, thing: bytearray, path: str, own: bool) -> Json:
    with walk.meeting(thing, keep=not own) as again:
        return {"bytearray": len(thing), "sha256": digest(bytes(thing))} if again is None else again


CONTAINERS: dict[type, Callable[[Walk, Any, str, bool], Json]] = {
    list: _list,
    tuple: _tuple,
    dict: _dict,
    set: _set("set"),
    frozenset: _set("frozenset"),
    range: _range,
    slice: _slice,
    bytearray: _bytearray,
}


def _numbers(thing: Any) -> Json:
    """The description of a list of numbers as that of an array, which is what this package makes of it, else None."""
    if not thing or not isinstance(thing[0], int | float | list | tuple | np.number):
        return None
    if not all(type(leaf) in (int, float) or isinstance(leaf, np.number) for leaf in _leaves(thing)):
        return None
    try:
        found = np.asarray(thing)
    except ValueError:  # ragged
        return None
    return values(found) if found.dtype.kind in "iuf" else None


def _leaves(thing: Any) -> Iterator[Any]:
    for item in thing:
        if type(item) in (list, tuple):
            yield from _leaves(item)
        else:
            yield item


def values(array: np.ndarray) -> Json:
    """A numeric array among the parameters of this package, by its shape and its values."""
    exact = np.asarray(array, dtype=np.float64)
    if not np.array_equal(exact, array, equal_nan=True):
        return None
    exact = exact + 0.0  # without -0.0
    if exact.ndim == 0:
        return number(float(exact), own=True)
    if exact.size <= 16:
        return {"array": list(exact.shape), "values": [number(value, own=True) for value in exact.ravel().tolist()]}
    return {"array": list(exact.shape), "sha256": digest(np.ascontiguousarray(exact, dtype="<f8").tobytes())}
