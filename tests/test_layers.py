"""The import table of the design, held against the imports that the files really have (also those inside functions)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "pdeflow"
FILES = sorted(ROOT.rglob("*.py"))

GROUND = {"errors", "estimate", "arrays", "lazy"}
COMPILED = {"compiled", "pair_sums", "mean_field"}
ENERGY = GROUND | COMPILED | {"laws", "potentials", "interactions", "energy"}
PROBLEM = ENERGY | {"problem", "analytic", "trajectory", "fingerprint"}
METHOD = PROBLEM | {"method", "problems"}
EVERYTHING = None

# part of the package -> what it may import of the package, besides itself
TABLE = {
    "errors": set(), "estimate": set(), "lazy": set(), "arrays": {"errors"},
    "laws": GROUND, "potentials": GROUND | {"laws"}, "interactions": GROUND, "fingerprint": GROUND | {"laws"},
    "compiled": set(), "pair_sums": {"compiled"}, "mean_field": GROUND | COMPILED | {"interactions"},
    "energy": ENERGY, "problem": ENERGY, "analytic": ENERGY | {"problem"}, "trajectory": PROBLEM, "method": PROBLEM, "problems": PROBLEM,
    "grid": METHOD, "particle": METHOD, "neural": METHOD,
    "metrics": ENERGY, "checks": ENERGY,
    "reference": PROBLEM | {"problems"},
    "study": METHOD | {"metrics", "reference"},
    "plot": METHOD | {"metrics", "reference", "study"},
    "report": METHOD | {"metrics", "reference", "study", "plot"},
    "applications": EVERYTHING, "cli": EVERYTHING, "__main__": EVERYTHING, "__init__": EVERYTHING,
}  # fmt: skip

CONFINED = {
    "torch": ("neural/",), "cvxopt": ("grid/jko_cvxopt.py",), "h5py": ("reference/",), "matplotlib": ("plot.py",), "ot": ("metrics/",),
}  # fmt: skip


def _imports(path):
    """(line, dotted name) of all that a file imports; names of the package as absolute paths."""
    package = ["pdeflow", *path.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            if prefix == "pdeflow":  # from . import name: the name is the module (but for __version__)
                names = [alias.name for alias in node.names if alias.name != "__version__"]
                yield from ((node.lineno, f"pdeflow.{name}") for name in names)
            else:
                yield node.lineno, prefix


def _part(path):
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_arrows(path):
    part, inside = _part(path), str(path.relative_to(ROOT))
    assert part in TABLE, f"{inside} is in no row of the table"
    for line, name in _imports(path):
        top, *rest = name.split(".")
        if top == "pdeflow" and rest and TABLE[part] is not None:
            assert rest[0] == part or rest[0] in TABLE[part], f"{inside}:{line} imports {name}"
        if top in CONFINED:
            assert inside.startswith(CONFINED[top]), (
                f"{inside}:{line} imports {top}, which lives in {CONFINED[top]} only"
            )


def test_the_parser_sees_relative_and_inner_imports(tmp_path):
    names = {name for _, name in _imports(ROOT / "energy.py")}
    assert {"pdeflow.errors", "pdeflow.laws", "numpy", "scipy.special"} <= names
    names = {name for _, name in _imports(ROOT / "laws" / "gaussian.py")}
    assert {"pdeflow.arrays", "pdeflow.laws.base"} <= names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_small(path):
    lines = path.read_text().count("\n")
    assert lines <= 300, f"{path.name} has {lines} lines"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_catches_everything(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {getattr(kind, "id", getattr(kind, "attr", None)) for kind in kinds}
            assert not names & {None, "Exception"}, f"{path.name}:{node.lineno} catches everything"
            if "BaseException" in names:  # allowed for cleaning up only: it must raise again
                assert any(isinstance(inner, ast.Raise) for inner in ast.walk(node)), f"{path.name}:{node.lineno}"
