"""Recipes: how each reference file was made, and whether it can be made again.

A recipe is a Python file with a function `make() -> (problem, trajectory, keywords of save)`. It is an ordinary user of the
public API; it lives outside the package because it calls methods, which this folder must not know.
"""

import re
import runpy
from pathlib import Path

from .._core.errors import BadInput, BadReference, NotAvailable
from .._core.files import write_whole
from .diff import variable_differences
from .place import refuse_other_question, standing, target
from .read import contents, parse
from .schema import shown
from .write import image

# Across machines and library versions the last bits of sums, exp and linear solves differ; 1e-10 of the largest entry of a
# variable is a thousand times what thousands of tridiagonal solves were seen to differ by, and far below any stored error.
TOLERANCE = 1e-10


def recipes(directory=None) -> list[str]:
    """Names of the recipes in `directory` (default: references/recipes here, else beside the package)."""
    return sorted(path.stem for path in _folder(directory).glob("*.py") if not path.name.startswith("_"))


def make(name, directory=".", *, overwrite=False) -> Path:
    """Run a recipe (a name of `recipes()`, or the path of a .py file), write directory/NAME.h5 and return that path.

    An older file of the same recipe is replaced. Raises `BadInput` where the name is taken by anything else, under the rules
    of `save`; overwrite=True replaces that too.
    """
    recipe = _find(name, file=Path(directory) / f"{name}.h5")
    path = target(Path(directory) / f"{recipe.stem}.h5")
    old = None if overwrite else standing(path)
    raw = _image(recipe)
    if old is not None and old["recipe"] != recipe.stem:
        refuse_other_question(path, old, raw)
    write_whole(path, lambda file: file.write(raw), error=BadReference)
    return path


def verify(path, directory=None, tolerance=TOLERANCE) -> list[str]:
    """Make the file again in memory and compare: what differs; empty means it was reproduced.

    Equal content hashes are best; otherwise each variable may differ by `tolerance` times its largest entry. The recipe
    is the one named in the file, looked for in `directory`, beside the file (recipes/), and where `recipes()` looks.
    """
    attributes, variables = contents(path)
    name = attributes["recipe"]
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        return [f"{path} names no recipe ({name!r}); it cannot be made again"]
    beside = Path(path).resolve().parent / "recipes" / f"{name}.py"
    recipe = beside if directory is None and beside.is_file() else _find(name, directory)
    remade, again = parse(_image(recipe))
    problems = [
        f"attribute {key}: {attributes.get(key)!r}, made again: {remade.get(key)!r}"
        for key in ("problem", "params", "overrides", "law", "copies", "config", "method", "seed", "error_metric")
        if attributes.get(key) != remade.get(key)
    ]
    if attributes["content_sha256"] == remade["content_sha256"]:
        return problems
    return problems + [
        f"{line} (made again; tolerance {tolerance * size:.3g})"
        for line, gap, size in variable_differences(variables, again)
        if not gap <= tolerance * size
    ]


def _image(recipe: Path) -> bytes:
    make = runpy.run_path(str(recipe)).get("make")
    if not callable(make):
        raise BadInput(
            f"{recipe} has no function make(). A recipe has one, which returns (problem, trajectory, keywords). Add it."
        )
    result = make()
    if not (isinstance(result, tuple) and len(result) == 3 and isinstance(result[2], dict)):
        raise BadInput(
            f"make() of {recipe} returned {_kinds(result)}. It must be (problem, trajectory, keywords of save). Return these three."
        )
    problem, trajectory, keywords = result
    return image(problem, trajectory, **{"recipe": recipe.stem, **keywords})


def _kinds(result):
    if isinstance(result, tuple):
        return f"a tuple ({', '.join(type(part).__name__ for part in result)})"
    return shown(result)


def _folder(directory=None) -> Path:
    homes = (
        [Path(directory)]
        if directory is not None
        else [Path("references/recipes"), _checkout() / "references" / "recipes"]
    )
    for home in homes:
        if home.is_dir():
            return home
    raise NotAvailable(
        f"There is no folder of recipes: {', '.join(map(str, homes))}. They come with the source repository, not with the installed "
        "package. Run inside a checkout, or pass the path of a recipe file."
    )


def _checkout() -> Path:
    return Path(__file__).resolve().parents[2]


def _find(name, directory=None, file=None) -> Path:
    """The recipe's path. file : what it would make; an error says so if that is not there either (a mistyped file name)."""
    path = Path(name)
    if path.suffix == ".py":
        if path.is_file():
            return path
        raise BadInput(f"{path} does not exist. A recipe is a .py file with a function make(). Correct the path.")
    folder = _folder(directory)
    if (folder / f"{name}.py").is_file() and str(name) in recipes(folder):
        return folder / f"{name}.py"
    missing = f", and the file {file} does not exist" if file is not None and not file.exists() else ""
    raise BadInput(
        f"There is no recipe {str(name)!r}{missing}. {folder} has: {', '.join(recipes(folder))}. Take one of these or the path of a .py file."
    )
