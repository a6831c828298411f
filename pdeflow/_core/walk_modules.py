"""What modules are, and what code finds in them: the globals that it looks up and the imports that it makes."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

from .bytecode import Import, Reach
from .origin import NOWHERE, OWN, USERS, in_installed_place, origin_of, version_of
from .recorded_names import recorded_module
from .walk import Json, Walk, digest, fields_of

OF_A_MODULE = {"__name__", "__spec__", "__loader__", "__package__", "__builtins__", "__doc__", "__cached__"}
WHOLE = {"eval", "exec", "globals", "compile"}  # with these, code may reach any global


def by_name(walk: Walk, module: str, qualname: str) -> Json:
    """Code of this package or of an installed one."""
    if origin_of(module) == OWN:
        return {"pdeflow": f"{recorded_module(module)}.{qualname}"}
    record = {"named": f"{module}.{qualname}"}
    return {**record, "version": version_of(module)} if walk.versions else record


def globals_of(walk: Walk, found: Reach, namespace: dict[str, Any], path: str) -> dict[str, Json]:
    """The globals that code may look up, by value. A user's module counts by those of its attributes that are used."""
    record: dict[str, Json] = {}
    every = any(name in WHOLE and name not in namespace for name in found.names)
    names = dict(found.names)
    if every:
        names |= {name: frozenset({()}) for name in namespace if name not in ("__file__", "__path__")}
    for name in sorted(names):
        if name not in namespace or name in OF_A_MODULE:
            continue
        here = f"{path}.globals[{name!r}]"
        value = namespace[name]
        if isinstance(value, types.ModuleType) and is_users(value):
            record[name] = _used(walk, value, names[name], here)
        else:
            record[name] = walk.of(value, here)
    for one in sorted(found.imports, key=repr):
        record[f"import {'.' * one.level}{one.module} {' '.join(one.names)}"] = _imported(walk, one, namespace, path)
    return record


def _used(walk: Walk, module: types.ModuleType, chains: frozenset[tuple[str, ...]], path: str) -> Json:
    """The attributes of a user's module that are looked up; all of it where it is used in another way."""
    if () in chains:
        return walk.of(module, path)
    record: dict[str, Json] = {}
    for first in sorted({chain[0] for chain in chains}):
        value = vars(module).get(first, NOWHERE)
        rest = frozenset(chain[1:] for chain in chains if chain[0] == first)
        if value is NOWHERE:
            record[first] = {"constant": "unset"}
        elif isinstance(value, types.ModuleType) and is_users(value):
            record[first] = _used(walk, value, rest, f"{path}.{first}")
        else:
            record[first] = walk.of(value, f"{path}.{first}")
    return {"module": record}


def _imported(walk: Walk, one: Import, namespace: dict[str, Any], path: str) -> Json:
    """What an import statement inside a function would find."""
    here = f"{path}.import[{one.module!r}]"
    package = namespace.get("__package__") or str(namespace.get("__name__", "")).rpartition(".")[0]
    try:
        name = importlib.util.resolve_name("." * one.level + one.module, package) if one.level else one.module
        if name not in sys.modules and _would_be_installed(name):
            return by_name(walk, name, "")
        module = importlib.import_module(name)
    except ImportError:
        return {"constant": "no such module"}
    if not is_users(module):
        return by_name(walk, module.__name__, "")
    if one.names and "*" not in one.names:
        return _used(walk, module, frozenset((taken,) for taken in one.names), here)
    return walk.of(module, here)


def _would_be_installed(name: str) -> bool:
    """Whether a module that is not loaded yet is an installed one, so that it need not be loaded to be told."""
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names:
        return True
    spec = importlib.util.find_spec(top)
    return spec is not None and spec.origin is not None and in_installed_place(spec.origin)


def is_users(module: types.ModuleType) -> bool:
    """A module that was loaded by hand is the user's, whatever its name."""
    name = module.__name__
    return sys.modules.get(name) is not module or origin_of(name) == USERS


def module_of(walk: Walk, thing: types.ModuleType, path: str, own: bool) -> Json:
    if not is_users(thing):
        return by_name(walk, thing.__name__, "")
    with walk.meeting(thing) as again:
        if again is not None:
            return again
        file = getattr(thing, "__file__", None)
        if file is not None and not str(file).endswith((".py", ".pyc", ".ipynb")) and Path(file).is_file():
            return {"compiled module": digest(Path(file).read_bytes())}
        return {"module": fields_of(walk, _namespace(thing), path, own=False)}


def _namespace(module: types.ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name not in OF_A_MODULE | {"__file__", "__path__"}}
