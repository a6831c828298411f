"""What a class is: its bases, its attributes and its metaclass, the user's by value and others by name."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any

from .origin import USERS, named
from .walk import Describer, Json, Walk, attributes_of, fields_of
from .walk_code import BUILT_IN, DESCRIPTORS, named_class, owner_of
from .walk_modules import by_name

# What the interpreter writes into a class by itself, what says where it stands, and what only people and tools read.
NOT_TOLD = {
    *("__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__annotations__", "__annotate__"),
    *("__annotations_cache__", "__annotate_func__", "__firstlineno__", "__static_attributes__"),
    *("__abstractmethods__", "_abc_impl", "__slotnames__", "__orig_bases__", "__parameters__", "__type_params__"),
}
MADE_AT_RUN_TIME = 1 << 9  # of a class's flags: Python code has made it, or C code by a call
IN_C = (*BUILT_IN, *DESCRIPTORS)
OF_A_MEMBER = {"_name_", "_value_", "__objclass__", "_sort_order_"}
OF_AN_ENUMERATION = {
    *("_member_names_", "_member_map_", "_value2member_map_", "_unhashable_values_", "_hashable_values_"),
    *("_unhashable_values_map_", "_generate_next_value_", "_sort_order_", "__new__", "_new_member_"),
    *("_use_args_", "_member_type_", "_value_repr_"),
}


def kind_of(thing: Any) -> Describer | None:
    """The function that describes a class; None for other objects."""
    return _class if isinstance(thing, type) else None


def _class(walk: Walk, kind: type, path: str, own: bool) -> Json:
    """A class of this package or of an installed one by name, one of the user's by all that is in it."""
    if owner_of(kind) != USERS:
        if named(kind) is not None:
            return named_class(walk, kind, path)
        if _is_in_c(kind):
            return by_name(walk, kind.__module__, kind.__qualname__)
    with walk.meeting(kind) as again:
        if again is not None:
            return again
        walk.code.append(kind)
        record: dict[str, Json] = {
            "class": kind.__qualname__.rpartition(".")[2],
            "bases": [walk.of(base, f"{path}.{base.__qualname__}") for base in kind.__bases__],
        }
        if type(kind) is not type:
            record["metaclass"] = walk.of(type(kind), f"{path}.metaclass")
        inside = {name: value for name, value in vars(kind).items() if name not in NOT_TOLD}
        if "__dataclass_fields__" in inside:
            record["fields"] = _fields(walk, inside.pop("__dataclass_fields__"), path)
        if isinstance(kind, enum.EnumType):
            inside = _without_members(kind, inside)
            record["members"] = [[name, *_member(walk, one, path)] for name, one in kind.__members__.items()]
        record["attributes"] = fields_of(walk, inside, f"{path}.{kind.__qualname__.rpartition('.')[2]}", own=False)
        return record


def _is_in_c(kind: type) -> bool:
    """Whether a class that stands under no name was made in C, so that no user can make another one of its name."""
    if not kind.__flags__ & MADE_AT_RUN_TIME:
        return True
    inside = (value for name, value in vars(kind).items() if name not in NOT_TOLD)
    bases = (base for base in (*kind.__bases__, type(kind)) if named(base) is None)
    return all(isinstance(value, IN_C) for value in inside) and all(_is_in_c(base) for base in bases)


def _member(walk: Walk, one: Any, path: str) -> list[Json]:
    """The value of a member of an enumeration, and the attributes that it has got beside."""
    further = {name: value for name, value in attributes_of(one).items() if name not in OF_A_MEMBER}
    record = [walk.of(one._value_, path)]
    return [*record, fields_of(walk, further, f"{path}.{one._name_}", own=False)] if further else record


def _fields(walk: Walk, fields: dict[str, Any], path: str) -> Json:
    """The fields of a dataclass in their order, but for their annotations."""
    settings = ("default", "default_factory", "init", "repr", "hash", "compare", "kw_only", "metadata")
    return [
        [name, getattr(one._field_type, "name", ""), [_setting(walk, getattr(one, part), path) for part in settings]]
        for name, one in fields.items()
    ]


def _setting(walk: Walk, value: Any, path: str) -> Json:
    missing = isinstance(value, type(dataclasses.MISSING))  # a worker may have a copy of it
    return {"constant": "missing"} if missing else walk.of(value, path)


def _without_members(kind: Any, inside: dict[str, Any]) -> dict[str, Any]:
    """What an enumeration defines beside its members; what the enum module has put in follows from these."""
    return {
        name: value
        for name, value in inside.items()
        if name not in kind.__members__
        and name not in OF_AN_ENUMERATION
        and not (name.startswith("__") and value is getattr(enum.Enum, name, None))
        and not (name.startswith("__") and value is getattr(kind._member_type_, name, None))
    }
