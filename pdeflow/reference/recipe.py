"""Recipes: how each reference file was made, and whether it can be made again.

A recipe is a Python file with a function `make() -> (problem, trajectory, keywords of save)`. It is an ordinary user of
the public API; it lives outside the package because it calls methods, which this folder must not know.
"""

import os
import re
import runpy
from pathlib import Path

from .._core.errors import BadInput, BadReference, NotAvailable
from .._core.files import write_whole
from .._core.short_text import shown
from .._core.validate import known_arguments
from .diff import variable_differences
from .read import contents, parse
from .write import image, refuse_other_question, standing, target

# Across machines and library versions the last bits of sums, exp and linear solves differ; 1e-10 of the largest entry
# of a variable is a thousand times what thousands of tridiagonal solves differed by, and far below any stored error.
TOLERANCE = 1e-10
# An error bar is a difference of such numbers, or their round-off itself.
ERROR_TOLERANCE, ROUND_OFF = 1e-2, 1e-11


@known_arguments
def recipes(directory: str | os.PathLike[str] | None = None) -> list[str]:
    """Names of the recipes in a folder.

    Parameters
    ----------
    directory : str or path, optional
        The default is references/recipes here, else beside the package.

    Returns
    -------
    list of str
        Sorted.

    Raises
    ------
    NotAvailable
        Where there is no such folder.
    """
    return sorted(path.stem for path in _folder(directory).glob("*.py") if not path.name.startswith("_"))


@known_arguments
def make(name: str | os.PathLike[str], directory: str | os.PathLike[str] = ".", *, overwrite: bool = False) -> Path:
    """Run a recipe and write its reference file.

    Parameters
    ----------
    name : str or path
        A name of `recipes()`, or the path of a .py file.
    directory : str or path
        Where NAME.h5 goes.
    overwrite : bool
        Whether to replace, under the rules of `save`, a file of that name that is not an older file of the same recipe.

    Returns
    -------
    Path
        The path of the file.

    Raises
    ------
    BadInput
        For a recipe that does not exist or gives the wrong things, and where the name is taken.
    """
    recipe = _find(name, file=Path(directory) / f"{name}.h5")
    path = target(Path(directory) / f"{recipe.stem}.h5")
    old = None if overwrite else standing(path)
    raw = _image(recipe)
    if old is not None and old["recipe"] != recipe.stem:
        refuse_other_question(path, old, raw)
    write_whole(path, lambda file: file.write(raw), error=BadReference)
    return path


@known_arguments
def verify(
    path: str | os.PathLike[str], directory: str | os.PathLike[str] | None = None, tolerance: float = TOLERANCE
) -> list[str]:
    """Make the file again in memory and compare.

    Parameters
    ----------
    path : str or path
        A reference file that names its recipe.
    directory : str or path, optional
        Where to look for the recipe; the default is recipes/ beside the file, then where `recipes()` looks.
    tolerance : float
        Unless the content hashes are equal, each variable may differ by this share of its largest entry.

    Returns
    -------
    list of str
        What differs, the error bar by more than 1 % included; empty means that the file was reproduced.
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
    was, now = float(attributes["error"]), float(remade["error"])
    if not abs(now - was) <= ERROR_TOLERANCE * was + ROUND_OFF:
        problems.append(f"attribute error: {was:.3g}, made again: {now:.3g}")
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
            f"make() of {recipe} returned {_kinds(result)}. It must be (problem, trajectory, keywords of save). Return "
            "these three."
        )
    problem, trajectory, keywords = result
    return image(problem, trajectory, **{"recipe": recipe.stem, **keywords})


def _kinds(result: object) -> str:
    if isinstance(result, tuple):
        return f"a tuple ({', '.join(type(part).__name__ for part in result)})"
    return shown(result, 80)


def _folder(directory: str | os.PathLike[str] | None = None) -> Path:
    homes = (
        [Path(directory)]
        if directory is not None
        else [Path("references/recipes"), _checkout() / "references" / "recipes"]
    )
    for home in homes:
        if home.is_dir():
            return home
    raise NotAvailable(
        f"There is no folder of recipes: {', '.join(map(str, homes))}. They come with the source repository, not with "
        "the installed package. Run inside a checkout, or pass the path of a recipe file."
    )


def _checkout() -> Path:
    return Path(__file__).resolve().parents[2]


def _find(
    name: str | os.PathLike[str], directory: str | os.PathLike[str] | None = None, file: Path | None = None
) -> Path:
    """The recipe's path. file : what it would make; an error names it if it is missing too (a mistyped file name)."""
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
        f"There is no recipe {str(name)!r}{missing}. {folder} has: {', '.join(recipes(folder))}. Pass one of these or "
        "the path of a .py file."
    )
