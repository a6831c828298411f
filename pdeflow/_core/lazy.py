"""Submodules and their names, loaded when first used, so that importing a folder imports no heavy library."""

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .short_text import did_you_mean, shown


def missing_name(module: str, name: str, valid: Iterable[str]) -> AttributeError:
    """The error for a name that a module does not have, with the nearest one that it has."""
    listed = f"It has: {', '.join(valid)}."
    return AttributeError(f"module {module!r} has no attribute {shown(name, 200)}. {listed}{did_you_mean(name, valid)}")


def lazy_names(
    package: str, where: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package whose public names live in submodules.

    Parameters
    ----------
    package : str
        Dotted name of the package.
    where : mapping of str to str
        Public name -> submodule that defines it, relative to the package; "" where the name is a submodule itself
        and "path:" followed by a dotted path where it is a module that lives deeper.

    Notes
    -----
    The package repeats the same names as plain imports under `typing.TYPE_CHECKING`, which is what editors and type
    checkers read; a test holds the two against each other.
    """

    def get(name: str) -> Any:
        if name not in where:
            raise missing_name(package, name, where)
        place = where[name]
        if place == "":
            value = importlib.import_module(f".{name}", package)
        elif place.startswith("path:"):
            value = importlib.import_module(f".{place[5:]}", package)
        else:
            value = getattr(importlib.import_module(f".{place}", package), name)
        setattr(sys.modules[package], name, value)
        return value

    return get, lambda: sorted(where), list(where)
