"""Whose code an object is: this package's, an installed package's (told by name and version), or the user's own."""

import contextlib
import functools
import hashlib
import importlib.metadata
import importlib.util
import platform
import site
import sys
import sysconfig
from pathlib import Path
from types import FunctionType
from typing import Any

OWN, INSTALLED, USERS = "pdeflow", "installed", "the user's"

NOWHERE = object()  # what `resolve` gives where nothing stands under a name


@functools.cache
def _homes() -> tuple[Path, ...]:
    """Folders of the standard library and of installed packages."""
    paths = sysconfig.get_paths()
    homes = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib") if paths.get(name)}
    homes.add(site.getusersitepackages())
    return tuple(Path(home).resolve() for home in homes)


def origin_of(module: str | None) -> str:
    """Whose module this is, told by its file: OWN, INSTALLED (the standard library too) or USERS."""
    if not module or module == "__main__":
        return USERS
    if module == "pdeflow" or module.startswith("pdeflow."):
        return OWN
    loaded = sys.modules.get(module)
    top = module.partition(".")[0]
    if loaded is None:  # an installed package may have more modules than anybody has loaded
        return USERS if top == module else origin_of(top)
    file = getattr(loaded, "__file__", None)
    if file is None:  # built in, frozen, a namespace package, or made by hand
        spec = getattr(loaded, "__spec__", None)
        if spec is not None and spec.origin in ("built-in", "frozen"):
            return INSTALLED
        return USERS if top == module else origin_of(top)
    return INSTALLED if in_installed_place(str(file)) else USERS


@functools.cache
def in_installed_place(file: str) -> bool:
    """Whether a file lies where packages are installed."""
    place = Path(file).resolve()
    if {"site-packages", "dist-packages"} & set(place.parts):
        return True
    return any(place.is_relative_to(home) for home in _homes())


def version_of(module: str) -> str:
    """Name and version of the package that a module belongs to, or the digest of its file where it has no version."""
    return _version(module.partition(".")[0])


@functools.cache
def _version(top: str) -> str:
    if top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return "Python " + ".".join(platform.python_version_tuple()[:2])
    try:
        return f"{top} {importlib.metadata.version(top)}"
    except importlib.metadata.PackageNotFoundError:
        pass  # a module may have another name than its distribution
    found = importlib.metadata.packages_distributions().get(top)
    if found:
        return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in sorted(set(found)))
    said = getattr(sys.modules.get(top), "__version__", None)
    if isinstance(said, str):
        return f"{top} {said}"
    spec = importlib.util.find_spec(top)
    if spec is not None and spec.origin and Path(spec.origin).is_file():
        return f"{top} {hashlib.sha256(Path(spec.origin).read_bytes()).hexdigest()}"
    return f"{top}, no version"


def resolve(module: str | None, qualname: str | None) -> Any:
    """What stands under a dotted name in a loaded module, or NOWHERE."""
    thing = sys.modules.get(module or "", NOWHERE)
    for part in (qualname or "<nothing>").split("."):
        if thing is NOWHERE:
            break
        thing = vars(thing).get(part, NOWHERE) if isinstance(thing, type) else _of_module(thing, part)
        if isinstance(thing, staticmethod | classmethod):
            thing = thing.__func__
    return thing


def _of_module(thing: Any, part: str) -> Any:
    return getattr(thing, "__dict__", {}).get(part, NOWHERE)


def named(thing: Any) -> tuple[str, str] | None:
    """(module, name within it) under which code of this package or of an installed one stands; None for other code."""
    module, qualname = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(qualname, str) or origin_of(module) == USERS:
        return None
    if isinstance(thing, FunctionType) and origin_of(thing.__globals__.get("__name__")) == USERS:
        return None  # a user's function that was put into another module
    if module not in sys.modules:  # as numpy.rec, under which numpy has its record arrays
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    return (module, qualname) if resolve(module, qualname) is thing else None
