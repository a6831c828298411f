"""What modules are, and what code finds in them: the globals that it looks up and the imports that it makes."""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

from .bytecode import Chain, Import, Reach
from .origin import NOWHERE, OWN, USERS, in_installed_place, named, origin_of, version_of
from .recorded_names import recorded_module
from .walk import Json, Walk, digest, fields_of
from .walk_installed import put_among_built_in_names, put_later, put_where_looked_up

OF_A_MODULE = {"__name__", "__spec__", "__loader__", "__package__", "__builtins__", "__doc__", "__cached__"}
WHOLE = {"eval", "exec", "globals", "compile"}  # with these, code may reach any global
NO_MODULE = {"constant": "no such module"}
# With these, code may reach any module.
COMPUTED = {
    *("import_module", "__import__", "f_globals", "__globals__"),
    *("exec_module", "load_module", "run_module", "run_path", "resolve_name"),
}


def by_name(walk: Walk, module: str, qualname: str) -> Json:
    """Code of this package or of an installed one."""
    if origin_of(module) == OWN:
        return {"pdeflow": f"{recorded_module(module)}.{qualname}"}
    record = {"named": f"{module}.{qualname}"}
    return {**record, "version": version_of(module)} if walk.versions else record


def globals_of(walk: Walk, found: Reach, namespace: dict[str, Any], path: str) -> dict[str, Json]:
    """The globals that code may look up, by value. A user's module counts by those of its attributes that are used."""
    of_sys = found.of_sys | {
        attribute
        for name, chains in found.names.items()
        if namespace.get(name) is sys
        for attribute in (chain[0] for chain in chains if chain)
    }
    _require_no_computed_name(walk, found, of_sys, namespace, path)
    record: dict[str, Json] = {}
    names = _names_reached(found, namespace)
    for name in sorted(names):
        if name in OF_A_MODULE:
            continue
        here = f"{path}.globals[{name!r}]"
        if name in namespace:
            record[name] = _global(walk, namespace[name], names[name], here)
            continue
        built_in = put_among_built_in_names(walk, namespace, name, here)
        if built_in is not NOWHERE:
            record[name] = built_in
    return record | _imports_of(walk, found, of_sys, namespace, path)


def _global(walk: Walk, value: Any, chains: frozenset[Chain], path: str) -> Json:
    """A global by value; in a module of one's own, and beside what defines itself in others, what is looked up."""
    if isinstance(value, types.ModuleType) and is_users(value):
        return _used(walk, value, chains, path)
    record = walk.of(value, path)
    if isinstance(value, types.ModuleType) or (isinstance(value, types.FunctionType | type) and named(value)):
        return _with_put(record, put_where_looked_up(walk, value, chains, path))
    return record


def _with_put(record: Json, put: dict[str, Json]) -> Json:
    if not put:
        return record
    if "put into it" in record:
        put = {**record["put into it"], **put}
    return {**record, "put into it": put}


def _names_reached(found: Reach, namespace: dict[str, Any]) -> dict[str, frozenset[Chain]]:
    """The globals that are looked up, with the chains of attributes; all of them where code is made from a text."""
    of_built_ins = {
        chain[0] for name, chains in found.names.items() if namespace.get(name) is builtins for chain in chains if chain
    }
    imported = found.words if any(one.module == "builtins" for one in found.imports) else set()
    if not WHOLE & (found.names.keys() - namespace.keys() | of_built_ins | imported):
        return found.names
    every = {name: frozenset({()}) for name in namespace if name not in ("__file__", "__path__")}
    return found.names | every


def _imports_of(
    walk: Walk, found: Reach, of_sys: frozenset[str], namespace: dict[str, Any], path: str
) -> dict[str, Json]:
    """What the import statements within functions would find."""
    record: dict[str, Json] = {}
    for one in sorted(found.imports, key=repr):
        what = _imported(walk, one, namespace, found.words, path)
        if what == NO_MODULE and "path" in of_sys:
            why = f"it imports {one.module}, which is not found before the code has changed sys.path."
            what = walk.refuse(namespace, f"{path}.import[{one.module!r}]", why)
        record[f"import {'.' * one.level}{one.module} {' '.join(one.names)}"] = what
    return record


def _require_no_computed_name(
    walk: Walk, found: Reach, of_sys: frozenset[str], namespace: dict[str, Any], path: str
) -> None:
    """Refuse code that may find modules and their globals without naming them where this can be seen."""
    ways = {
        name for name in found.words & COMPUTED if not callable(namespace.get(name)) or _finds_modules(namespace[name])
    }
    ways |= {f"sys.{name}" for name in of_sys & {"modules"}}
    ways |= {"sys.modules" for one in found.imports if one.module == "sys" and "modules" in one.names}
    ways |= {name for name in found.names if namespace.get(name) is sys.modules or _finds_modules(namespace.get(name))}
    if ways:
        why = f"it finds modules or globals by a computed name ({', '.join(sorted(ways))}). Write import statements"
        walk.refuse(namespace.get(sorted(ways)[0]), path, why)


def _finds_modules(thing: Any) -> bool:
    return thing is importlib.import_module or thing is builtins.__import__


def _used(walk: Walk, module: types.ModuleType, chains: frozenset[tuple[str, ...]], path: str) -> Json:
    """The attributes of a user's module that are looked up; all of it where it is used in another way."""
    if () in chains:
        return walk.of(module, path)
    record: dict[str, Json] = {}
    for first in sorted({chain[0] for chain in chains}):
        value = vars(module).get(first, NOWHERE)
        rest = frozenset(chain[1:] for chain in chains if chain[0] == first)
        if value is NOWHERE:
            value = _submodule(module, first)
        if value is NOWHERE:
            record[first] = _made_when_asked(walk, module, first, path)
        elif isinstance(value, types.ModuleType) and is_users(value):
            record[first] = _used(walk, value, rest, f"{path}.{first}")
        else:
            record[first] = walk.of(value, f"{path}.{first}")
    return {"module": record}


def _submodule(module: types.ModuleType, name: str) -> Any:
    """A module of a package that nobody has imported yet, else NOWHERE."""
    if not hasattr(module, "__path__"):
        return NOWHERE
    try:
        return importlib.import_module(f"{module.__name__}.{name}")
    except ImportError:
        return NOWHERE


def _made_when_asked(walk: Walk, module: types.ModuleType, name: str, path: str) -> Json:
    """An attribute that does not stand in a module, but may be made by its `__getattr__` or its class."""
    record: dict[str, Json] = {"constant": "unset"}
    if "__getattr__" in vars(module):
        record["__getattr__"] = walk.of(vars(module)["__getattr__"], f"{path}.__getattr__")
    if type(module) is not types.ModuleType:
        record["class"] = walk.of(type(module), f"{path}.__class__")
        if origin_of(type(module).__module__) != USERS and hasattr(module, name):  # one that loads it late
            record["value"] = walk.of(getattr(module, name), f"{path}.{name}")
    return record


def _imported(walk: Walk, one: Import, namespace: dict[str, Any], words: frozenset[str], path: str) -> Json:
    """What an import statement inside a function would find."""
    here = f"{path}.import[{one.module!r}]"
    package = namespace.get("__package__") or str(namespace.get("__name__", "")).rpartition(".")[0]
    try:
        name = importlib.util.resolve_name("." * one.level + one.module, package) if one.level else one.module
        if name not in sys.modules and _would_be_installed(name):
            return by_name(walk, name, "")
        module = importlib.import_module(name)
    except ImportError:
        return NO_MODULE
    if not is_users(module):
        top = module if one.names or "." not in name else sys.modules[name.partition(".")[0]]
        return _with_put(by_name(walk, module.__name__, ""), put_later(walk, top, words, here))
    if one.names and "*" not in one.names:
        return _used(walk, module, frozenset((taken,) for taken in one.names), here)
    if "." not in name or one.level:
        return walk.of(module, here)
    top = name.partition(".")[0]  # which `import a.b` binds
    return [walk.of(module, here), walk.of(sys.modules[top], f"{path}.import[{top!r}]")]


def _would_be_installed(name: str) -> bool:
    """Whether a module that is not loaded yet is an installed one, so that it need not be loaded to be told."""
    top = name.partition(".")[0]
    if top in sys.builtin_module_names:
        return True
    spec = importlib.util.find_spec(top)  # a file beside the study may have the name of a standard module
    if spec is None or spec.origin is None:
        return False
    return spec.origin in ("built-in", "frozen") or in_installed_place(spec.origin)


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
        record: dict[str, Json] = {"module": fields_of(walk, _namespace(thing), path, own=False)}
        if type(thing) is not types.ModuleType:
            record["class"] = walk.of(type(thing), f"{path}.__class__")
        return record


def _namespace(module: types.ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name not in OF_A_MODULE | {"__file__", "__path__"}}
