"""Text files written whole or not at all."""

import os
import secrets
import shutil
from pathlib import Path

from .._core.errors import BadInput


def write_text(path, write):
    """write(file) into a temporary name beside `path`, then `os.replace`; a link is followed, a device or pipe written directly.

    The place is tried before `write` is called. Raises `BadInput` for what is no path, a folder, or a place that cannot be written.
    """
    try:
        target = Path(path).resolve()
    except (TypeError, ValueError, OSError, RuntimeError):  # no path at all, a null byte, links in a circle
        raise BadInput(f"The path is {path!r}. It must name a file. Pass a str or a Path.") from None
    if target.is_dir():
        raise BadInput(f"{str(path)!r} is a folder. It must name a file. Append a file name, e.g. table.csv.")
    if target.exists() and not os.access(target, os.W_OK):
        raise BadInput(f"{str(path)!r} must not be written. Mend its rights, or choose another name.")
    direct = target.exists() and not target.is_file()
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with open(target if direct else temporary, "w", encoding="utf-8", newline="") as file:
            write(file)
            file.flush()
            if not direct:
                os.fsync(file.fileno())
        if not direct:
            if target.exists():
                shutil.copymode(target, temporary)
            os.replace(temporary, target)
    except OSError as error:
        raise BadInput(
            f"{str(path)!r} cannot be written: {error.strerror}. A file that was there is unchanged. "
            "Make the folder, free space, or choose another place."
        ) from error
    finally:
        if not direct:
            temporary.unlink(missing_ok=True)
