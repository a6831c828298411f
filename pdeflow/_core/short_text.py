"""Texts of bounded length: what stands in a repr or in a message, whatever the object holds."""

import difflib
import math
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any

LONGEST_REPR = 900  # characters
LONGEST_MESSAGE = 1_900
IN_FULL = 16  # entries of a container or an array that are shown in full, so that short ones can be read back
FIRST = 3  # entries that are shown of a longer one
DEEPEST = 6  # containers inside containers; also ends a list that holds itself


def cut(text: str, longest: int = LONGEST_REPR) -> str:
    """`text`, or its beginning and its end with the number of characters between them."""
    if len(text) <= longest:
        return text
    note = f" ... ({len(text)} characters in all) ... "
    head = (longest - len(note)) // 2
    return text[:head] + note + text[-(longest - len(note) - head) :]


def shown(value: Any, longest: int = LONGEST_REPR, depth: int = 0) -> str:
    """The repr of `value` in at most `longest` characters, without ever building the whole of a long one.

    Containers and arrays of up to 16 entries are shown in full where there is room, longer ones by their first entries
    and their length or shape.
    """
    if isinstance(value, str | bytes):
        if len(value) <= longest // 2:
            return cut(repr(value), longest)
        return cut(f"{value[: longest // 2]!r} ... ({len(value)} characters in all)", longest)
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    if not isinstance(value, type) and all(hasattr(value, name) for name in ("dtype", "shape", "tolist", "ndim")):
        return cut(_array(value), longest)
    if type(value) in _BRACKETS or (isinstance(value, Mapping) and type(value).__module__ == "builtins"):
        return cut(_container(value, longest, depth), longest)
    return cut(repr(value), longest)


_BRACKETS = {list: "[]", tuple: "()", set: "{}", frozenset: "{}"}


def _array(array: Any) -> str:
    if array.ndim == 0 or any(not isinstance(length, int) for length in array.shape):
        return repr(array)
    kind = "tensor" if hasattr(array, "new_tensor") else "array"
    if math.prod(array.shape) <= IN_FULL:
        return f"{kind}({shown(array.tolist())})"
    first = shown(array[(0,) * (len(array.shape) - 1)][:FIRST].tolist())
    return f"{kind} of shape {tuple(array.shape)}, {first[:-1]}, ...{first[-1]}"


def _container(things: Any, longest: int, depth: int) -> str:
    left, right = "{}" if isinstance(things, Mapping) else _BRACKETS[type(things)]
    if depth >= DEEPEST:
        return f"{left}...{right}"
    if not things:
        return repr(things)
    if isinstance(things, AbstractSet):
        things = _in_order(things)
    pairs = isinstance(things, Mapping)
    entries: Iterable[Any] = things.items() if pairs else things
    some = len(things) if len(things) <= IN_FULL else FIRST
    room, texts = longest - 32, []
    for entry in islice(entries, some):
        text = _entry(entry, pairs, room, depth + 1)
        if texts and len(text) > room:
            break
        texts.append(text)
        room -= len(text) + 2
    if len(texts) < len(things):
        texts.append(f"... {len(things)} in all")
    elif isinstance(things, tuple) and len(things) == 1:
        texts[-1] += ","
    return left + ", ".join(texts) + right


def _in_order(things: AbstractSet[Any]) -> Any:
    """A small set of plain values sorted by their text, so that it reads the same in every process."""
    plain = all(isinstance(thing, str | int | float) for thing in islice(things, 99))
    return sorted(things, key=repr) if plain and len(things) <= IN_FULL else things


def _entry(entry: Any, is_pair: bool, room: int, depth: int) -> str:
    """An entry of a container, or a key and its value, in about the room that is left."""
    share = max(room // 2, 40)
    if is_pair:
        return f"{shown(entry[0], share, depth)}: {shown(entry[1], share, depth)}"
    return shown(entry, max(share, min(room, 200)), depth)


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """The end of a message about a name that is none of `valid`: the nearest of them, where there is one."""
    near = difflib.get_close_matches(name[:200], list(valid), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else " Use one of these."
