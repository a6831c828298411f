"""Laws and internal energies are asked, never recognised: their classes are tested for in their own folders only."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "pdeflow"
LAWS = {
    "Barenblatt", "Chi", "FromQuantile", "Gaussian", "GaussianMixture", "GridLaw", "Particles", "Product",
    "PushForward", "Quantiles", "Radial", "Ring", "Semicircle", "Uniform",
}  # fmt: skip
INTERNAL = {"Entropy", "Power", "SumOfEnergies"}
TESTS = ("isinstance", "issubclass", "instance_of")
FOREIGN = {"laws": LAWS, "energies": INTERNAL}  # folder that may recognise -> the classes it defines


def _names(node):
    """Every name inside an expression, attributes by their last part, and words that are written out."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Attribute):
            yield inner.attr
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


def _asks_for_type(node):
    """Whether an expression is type(x), type(x).__name__, x.__class__ or the like."""
    return any(
        (isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "type")
        or (isinstance(inner, ast.Attribute) and inner.attr in ("__class__", "__name__", "__qualname__"))
        for inner in ast.walk(node)
    )


def recognised(tree, classes):
    """(line, class) of every test of a class by isinstance, issubclass, a comparison of types or names, or a match."""
    for node in ast.walk(tree):
        tested = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TESTS:
            tested = node.args[1:]
        elif isinstance(node, ast.Compare) and _asks_for_type(node):
            tested = [node]
        elif isinstance(node, ast.MatchClass):
            tested = [node.cls]
        for part in tested:
            yield from ((node.lineno, name) for name in _names(part) if name in classes)


def _found():
    for path in sorted(ROOT.rglob("*.py")):
        inside = str(path.relative_to(ROOT))
        for folder, classes in FOREIGN.items():
            if not inside.startswith(f"{folder}/"):
                for line, name in recognised(ast.parse(path.read_text(encoding="utf-8")), classes):
                    yield inside, line, name


def test_nobody_recognises_a_law_or_an_internal_energy():
    found = [f"{inside}:{line} tests for {name}" for inside, line, name in _found()]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        "isinstance(law, Gaussian)",
        "isinstance(law, GridLaw | Particles)",
        "isinstance(law, (laws.Gaussian, int))",
        "issubclass(kind, pf.laws.Gaussian)",
        "instance_of(law, 'law', Gaussian)",
        "type(law) is Gaussian",
        "type(law).__name__ == 'Gaussian'",
        "law.__class__ in (Gaussian, Ring)",
        "type(law).__name__ in {'Ring', 'Gaussian'}",
        "match law:\n    case Gaussian():\n        pass",
    ],
)
def test_the_search_sees(code):
    assert {name for _, name in recognised(ast.parse(code), LAWS)} & {"Gaussian", "GridLaw"}


@pytest.mark.parametrize(
    "code", ["isinstance(law, Law)", "Gaussian(0.0, 1.0)", "type(law).__name__", "x == 'Gaussian'"]
)
def test_the_search_does_not_see(code):
    assert not list(recognised(ast.parse(code), LAWS))
