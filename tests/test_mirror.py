"""Every module of the package has a file of tests at the mirrored path."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(
    path.relative_to(ROOT / "pdeflow")
    for path in (ROOT / "pdeflow").rglob("*.py")
    if path.name not in ("__init__.py", "__main__.py")
)
WITHOUT: set[str] = set()  # modules that have no such file yet


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_has_its_tests(module):
    tests = ROOT / "tests" / module.parent / f"test_{module.name}"
    there = tests.is_file() and "def test_" in tests.read_text(encoding="utf-8")
    assert there != (str(module) in WITHOUT), f"{module}: {tests.relative_to(ROOT)}"
