"""The import table of the design, held against the imports that the files really have (also those inside functions)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "pdeflow"
FILES = sorted(ROOT.rglob("*.py"))

GROUND = {"_core"}
LAWS = GROUND | {"laws"}
ENERGIES = LAWS | {"energies"}
PROBLEMS = ENERGIES | {"problems"}
TRAJECTORY = PROBLEMS | {"trajectory"}
METHOD = TRAJECTORY | {"method", "by_parts"}
STUDY = METHOD | {"metrics", "reference", "exact_sequences"}
EVERYTHING = None

# part of the package -> what it may import of the package, besides itself
TABLE = {
    "_core": set(),
    "laws": GROUND,
    "energies": LAWS,
    "problems": ENERGIES,
    "trajectory": PROBLEMS,
    "by_parts": PROBLEMS,
    "method": TRAJECTORY | {"by_parts"},
    "grid": METHOD,
    "exact_sequences": METHOD | {"grid"},
    "particle": METHOD,
    "neural": METHOD,
    "metrics": ENERGIES,
    "checks": METHOD,
    "reference": TRAJECTORY | {"metrics"},
    "study": STUDY,
    "case": STUDY | {"study"},
    "report": STUDY | {"study"},
    "applications": EVERYTHING,
    "cli": EVERYTHING,
    "__main__": EVERYTHING,
    "__init__": EVERYTHING,
}

CONFINED = {
    "torch": ("neural/",),
    "cvxopt": ("grid/cvxopt_jko/solver.py",),
    "h5py": ("reference/", "case/"),
    "matplotlib": ("report/plot/",),
    "ot": ("metrics/",),
}


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
    names = {name for _, name in _imports(ROOT / "energies" / "energy.py")}
    assert {"pdeflow._core.errors", "pdeflow.laws", "numpy", "pdeflow.energies.mean_field"} <= names
    names = {name for _, name in _imports(ROOT / "laws" / "gaussian.py")}
    assert {"pdeflow._core.validate", "pdeflow.laws.base"} <= names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_small(path):
    lines = path.read_text().count("\n")
    assert lines <= 400, f"{path.name} has {lines} lines"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_catches_everything(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {getattr(kind, "id", getattr(kind, "attr", None)) for kind in kinds}
            assert not names & {None, "Exception"}, f"{path.name}:{node.lineno} catches everything"
            if "BaseException" in names:  # allowed for cleaning up only: it must raise again
                assert any(isinstance(inner, ast.Raise) for inner in ast.walk(node)), f"{path.name}:{node.lineno}"
