"""Every public name that a page mentions exists, and every public name stands in the API pages."""

import re
import types
from pathlib import Path

import pytest

import pdeflow as pf
import pdeflow.applications  # a module that is loaded only by its name

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_in_pages_exist(page):
    names = set(re.findall(r"\bpf\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)", page.read_text(encoding="utf-8")))
    for dotted in names:
        thing = pf
        for name in dotted.split("."):
            assert hasattr(thing, name), f"{page.name}: pf.{dotted}"
            thing = getattr(thing, name)


def _public(module) -> set[str]:
    """Names that a folder lists in __all__; of a module without one, the functions and classes that it defines."""
    if hasattr(module, "__all__"):
        names = [name for name in module.__all__ if not name.startswith("_")]
    else:
        names = [
            name
            for name, thing in vars(module).items()
            if not name.startswith("_") and callable(thing) and getattr(thing, "__module__", None) == module.__name__
        ]
    return {name for name in names if not isinstance(getattr(module, name), types.ModuleType)}


def test_every_public_name_stands_in_the_api_pages():
    pages = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "api").glob("*.md"))
    documented = set(re.findall(r"^\.\. auto(?:class|function|data):: pdeflow\.(?:\w+\.)*(\w+)$", pages, re.M))
    modules = [getattr(pf, name) for name in dir(pf) if isinstance(getattr(pf, name), types.ModuleType)]
    assert len(modules) > 10
    public = _public(pf).union(*map(_public, modules))
    missing = sorted(public - documented)
    assert not missing, f"Add to a page in docs/api: {missing}"
    for dotted in re.findall(r"^\.\. auto\w+:: pdeflow\.([\w.]+)$", pages, re.M):
        thing = pf
        for name in dotted.split("."):
            thing = getattr(thing, name)
