"""Where a reference file goes: what may be replaced there, and the move into place as a whole."""

import os
import secrets
from pathlib import Path

from .._core.errors import BadInput, BadReference
from .read import contents, parse
from .schema import shown


def target(path) -> Path:
    """The path to write to, or `BadInput` if it is no name of a (regular) file in an existing folder."""
    try:
        path = Path(path)
    except TypeError:
        raise BadInput(f"path is {shown(path)}. It must be the name of a file. Pass e.g. 'out/ou_1d.h5'.") from None
    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise BadInput(f"{path} is a folder. A reference is one file. Pass e.g. {path / 'reference.h5'}.")
    if path.exists() and not path.is_file():
        raise BadInput(
            f"{path} exists and is no regular file (a device, pipe or socket). A reference is a file. Choose another name."
        )
    if not path.parent.is_dir():
        raise BadInput(
            f"The folder {path.parent} does not exist. A file is written into an existing folder. Create it first."
        )
    return path


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


def write(path: Path, raw: bytes):
    """Move `raw` into place as a whole, or raise `BadReference` and leave what was there."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise BadReference(
            f"{path} could not be written: {error.strerror or error} ({len(raw)} bytes). What was there before is untouched. "
            "Free space or choose a folder you may write to.",
            errno=error.errno,
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder):
    """The rename reaches the disk too, where the system can sync a folder (not on Windows)."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass  # some network file systems cannot sync a folder; the file itself is whole and in place
    finally:
        os.close(handle)


__all__ = ["refuse_other_question", "standing", "target", "write"]
