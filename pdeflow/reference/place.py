"""Where a reference file goes, and what may be replaced there."""

from pathlib import Path

from .._core.errors import BadInput, BadReference
from .._core.files import place_of
from .read import contents, parse


def target(path) -> Path:
    """The path to write to, or `BadInput` if it is no name of a (regular) file in an existing folder."""
    place = place_of(path)
    if place.exists() and not place.is_file():
        raise BadInput(
            f"{place} exists and is no regular file (a device, pipe or socket). A reference is a file. Choose another name."
        )
    if not place.parent.is_dir():
        raise BadInput(
            f"The folder {place.parent} does not exist. A file is written into an existing folder. Create it first."
        )
    return place


def standing(path: Path):
    """Attributes of the reference at `path`, or None where nothing is; `BadInput` where something else is."""
    if not path.exists():
        return None
    try:
        return contents(path)[0]
    except BadReference as error:
        raise BadInput(
            f"{path} exists and is no valid reference file ({error}) It is not replaced. Choose another name, remove it, or pass overwrite=True."
        ) from error


def refuse_other_question(path, old, raw):
    """`BadInput` where the file at `path`, of the attributes `old`, answers another question than the new file `raw`."""
    if old is None:
        return
    new = parse(raw)[0]
    if all(old[name] == new[name] for name in ("problem_sha256", "config_sha256")):
        return
    raise BadInput(
        f"{path} exists and answers another question: it holds {_question(old)}; the new file is {_question(new)}. It is not replaced. "
        "Choose another name, or pass overwrite=True."
    )


def _question(attributes):
    facts = (
        f"problem {attributes['problem']} {attributes['params']}, method {attributes['method']} {attributes['config']}"
    )
    facts = facts if len(facts) <= 300 else f"{facts[:297]}..."
    return f"{facts} (problem {attributes['problem_sha256'][:12]}, config {attributes['config_sha256'][:12]})"


__all__ = ["refuse_other_question", "standing", "target"]
