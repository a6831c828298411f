"""Submodules and their names, loaded when first used, so that importing a folder imports no heavy library."""

import importlib


def lazy_names(package: str, where: dict):
    """`__getattr__`, `__dir__` and `__all__` of a package whose public names live in `where`: {name: submodule}."""

    def get(name):
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}. It has: {', '.join(where)}.")
        return getattr(importlib.import_module(f".{where[name]}", package), name)

    return get, lambda: sorted(where), list(where)
