"""What the user's code finds in modules of this package, in installed ones and among the built-in names beside what
these define: numbers, texts, containers and arrays by value, and whatever the user's own code has put there.

A module is told by its name and version, so that only what may have been put into it later is described.
"""

from __future__ import annotations

import builtins
import dis
import functools
import importlib.util
import sys
import types
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from .bytecode import Chain, reach
from .origin import NOWHERE, USERS, origin_of
from .patches import Body, body_of, code_of_module, has_users_code
from .walk import CONTAINERS, PLAIN, Json, Walk

MADE_BY_PYTHON = 1 << 9  # of a class's flags: no class that C code holds for itself
ABOUT_A_MODULE = {"__builtins__", "__cached__", "__file__", "__loader__", "__path__", "__spec__"}
STATE_OF_THE_PROCESS = ("sys", "os", "posix", "nt", "warnings", "logging", "gc", "__main__")


def put_where_looked_up(walk: Walk, holder: Any, chains: Iterable[Chain], path: str) -> dict[str, Json]:
    """What chains of attributes find in an installed module, class or function beside what its name tells.

    An empty chain passes a module on as a whole: all counts that was put into it later.
    """
    record: dict[str, Json] = {}
    below: dict[str, set[Chain]] = {}
    for chain in chains:
        if chain:
            below.setdefault(chain[0], set()).add(chain[1:])
        elif isinstance(holder, types.ModuleType):
            record |= put_later(walk, holder, frozenset(vars(holder)), path)
    for name in sorted(below.keys() - ABOUT_A_MODULE):
        value, here = _stands_in(holder, name), f"{path}.{name}"
        if value is NOWHERE:
            continue
        if _counts(holder, value) or (_is_from_elsewhere(holder, value) and _was_put(holder, name, value)):
            record[name] = walk.of(value, here)
        elif isinstance(value, types.ModuleType) or (callable(value) and hasattr(value, "__dict__")):
            found = put_where_looked_up(walk, value, below[name] - {()}, here)
            record |= {name: {"put into it": found}} if found else {}
    return record


def put_later(walk: Walk, module: types.ModuleType, words: frozenset[str], path: str) -> dict[str, Json]:
    """What stands under these names in an installed module, or in modules in it, and was put there later.

    A module that nobody has loaded yet has nothing of this, so that it need not be loaded to be told.
    """
    record: dict[str, Json] = {}
    pending, seen = [(module, "")], {id(module)}
    while pending:
        one, above = pending.pop()
        for name in sorted((words & vars(one).keys()) - ABOUT_A_MODULE):
            value = vars(one)[name]
            if isinstance(value, types.ModuleType) and not _is_users(value):
                if id(value) not in seen and words != vars(module).keys():
                    seen.add(id(value))
                    pending.append((value, f"{above}{name}."))
            elif (_counts(one, value) or _is_from_elsewhere(one, value)) and _was_put(one, name, value):
                record[f"{above}{name}"] = walk.of(value, f"{path}.{above}{name}")
    return record


def put_among_built_in_names(walk: Walk, namespace: dict[str, Any], name: str, path: str) -> Json:
    """What stands under a built-in name in place of what Python puts there, or NOWHERE."""
    table = namespace.get("__builtins__", builtins)
    value = (vars(table) if isinstance(table, types.ModuleType) else table).get(name, NOWHERE)
    if value is NOWHERE or _is_built_in(name, value):
        return NOWHERE
    return walk.of(value, path)


def _is_built_in(name: str, value: Any) -> bool:
    if value is None or value in (True, False, Ellipsis, NotImplemented):
        return name in ("None", "True", "False", "Ellipsis", "NotImplemented", "__debug__")
    if type(value).__module__ == "_sitebuiltins":  # exit, quit, copyright, credits, license, help
        return True
    if not isinstance(value, types.BuiltinFunctionType | type) or value.__module__ not in ("builtins", "io", "_io"):
        return False
    if isinstance(value, type) and value.__flags__ & MADE_BY_PYTHON:
        return False
    return name == value.__name__ or (value is OSError and name in ("IOError", "EnvironmentError", "WindowsError"))


def _stands_in(holder: Any, name: str) -> Any:
    """What stands under a name; a module may load it only now, and descriptors are not asked."""
    for one in holder.__mro__ if isinstance(holder, type) else (holder,):
        if name in vars(one):
            return vars(one)[name]
    if not isinstance(holder, types.ModuleType) or "__getattr__" not in vars(holder):
        return NOWHERE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that will go
        try:
            return getattr(holder, name, NOWHERE)
        except ImportError:
            return NOWHERE


def _counts(holder: Any, value: Any) -> bool:
    """Whether something in an installed module counts beside the name and the version of the module."""
    if isinstance(value, types.ModuleType):
        return _is_users(value)
    if type(value) in PLAIN:
        return True
    if _is_users_own(value):
        return True
    if _package_of(holder) in STATE_OF_THE_PROCESS:
        return False
    return type(value) in CONTAINERS or isinstance(value, np.ndarray) or _is_tensor(value)


def _is_users_own(value: Any) -> bool:
    if isinstance(value, types.ModuleType):
        return False
    if has_users_code(value):
        return True
    kind = value if isinstance(value, type) else type(value)
    if not kind.__flags__ & MADE_BY_PYTHON or kind.__module__.startswith("_cython"):
        return False
    return origin_of(kind.__module__) == USERS


def _is_from_elsewhere(holder: Any, value: Any) -> bool:
    """Whether a value in a module is of another package than the module."""
    code = isinstance(value, type) or isinstance(getattr(value, "__name__", None), str)
    home = getattr(value if code else type(value), "__module__", None)
    return isinstance(home, str) and home.partition(".")[0] != _package_of(holder)


def _package_of(holder: Any) -> str:
    home = holder.__name__ if isinstance(holder, types.ModuleType) else getattr(holder, "__module__", None)
    return str(home).partition(".")[0]


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _is_users(module: types.ModuleType) -> bool:
    return sys.modules.get(module.__name__) is not module or origin_of(module.__name__) == USERS


def _was_put(module: Any, name: str, value: Any) -> bool:
    """Whether this was put into a module from outside, as far as the text of the module tells."""
    if _is_users_own(value):
        return True
    if not isinstance(module, types.ModuleType):
        return False
    body = _body(module.__name__)
    if body is None or name.startswith("_") or module.__name__ in STATE_OF_THE_PROCESS:
        return False
    if name in body.constants:
        return type(value) is not type(body.constants[name]) or value != body.constants[name]
    return name not in body.names


@functools.cache
def _body(module: str) -> Body | None:
    """What the text of a module defines; None for a module without a text."""
    code = code_of_module(module)
    if code is None:
        return None
    body = body_of(code)
    declared = {
        str(step.argval)
        for inner in _within(code)
        if dis.opmap["STORE_GLOBAL"] in inner.co_code[::2]
        for step in dis.get_instructions(inner)
        if step.opname == "STORE_GLOBAL"
    }
    constants = {name: value for name, value in body.constants.items() if name not in declared}
    return Body(constants, body.functions, body.names | declared | _taken(module, code))


def _taken(module: str, code: types.CodeType) -> set[str]:
    """The names that a module has taken over from modules of which it takes all."""
    package = getattr(sys.modules.get(module), "__package__", None) or ""
    found: set[str] = set()
    for one in reach(code).imports:
        if "*" in one.names:
            source = importlib.util.resolve_name("." * one.level + one.module, package) if one.level else one.module
            found |= vars(sys.modules[source]).keys() if source in sys.modules else set()
    return found


def _within(code: types.CodeType) -> Iterator[types.CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield inner
            yield from _within(inner)
