"""Lazy packages: what type checkers read under TYPE_CHECKING is what the package loads."""

import ast
import importlib
from pathlib import Path

import pytest

import pdeflow as pf
from pdeflow._core.lazy import lazy_names

ROOT = Path(pf.__file__).parent
LAZY = [path for path in sorted(ROOT.rglob("__init__.py")) if "lazy_names(" in path.read_text(encoding="utf-8")]


def visible(path):
    """Names that are imported under TYPE_CHECKING, with the module each comes from, relative to the package."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            for line in node.body:
                assert isinstance(line, ast.ImportFrom)
                yield from ((alias.asname or alias.name, line.module or "", alias.name) for alias in line.names)


@pytest.mark.parametrize("path", LAZY, ids=lambda path: str(path.parent.relative_to(ROOT.parent)))
def test_type_checkers_see_the_lazy_names(path):
    package = ".".join(path.parent.relative_to(ROOT.parent).parts)
    module = importlib.import_module(package)
    names = list(visible(path))
    assert {name for name, *_ in names} == set(module.__all__) - {"__version__"}
    for name, source, original in names:
        place = importlib.import_module(f".{source}" if source else ".", package)
        seen = getattr(place, original, None)
        if seen is None:
            seen = importlib.import_module(f"{place.__name__}.{original}")
        assert getattr(module, name) is seen, name


def test_there_are_lazy_packages():
    assert {"pdeflow", "neural"} <= {path.parent.name for path in LAZY}


def test_an_unknown_name_lists_the_known_ones():
    get, names, public = lazy_names("pdeflow", {"solve": "method", "checks": ""})
    assert names() == ["checks", "solve"] and public == ["solve", "checks"]
    with pytest.raises(AttributeError, match=r"has no attribute 'slove'\. It has: solve, checks"):
        get("slove")
