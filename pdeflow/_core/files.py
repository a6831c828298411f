"""Files that appear whole or not at all: written under a temporary name beside their place, synced, then moved."""

import contextlib
import os
import secrets
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import BadInput, PdeflowError
from .short_text import shown


def place_of(path: Any) -> Path:
    """The place that `path` names, links followed; `BadInput` for what is no path, a folder, or a file without the
    right to write it."""
    try:
        place = Path(path).resolve()
    except (TypeError, ValueError, OSError, RuntimeError):  # no path at all, a null byte, links in a circle
        raise BadInput(f"The path is {shown(path, 80)}. It must name a file. Pass a str or a Path.") from None
    try:
        folder, there = place.is_dir(), place.exists()
    except OSError as reason:  # a folder on the way may not be entered, a disk fails
        raise BadInput(
            f"{str(path)!r} cannot be looked at: {reason.strerror or reason}. Change the rights of its folder, or "
            "choose a place that you may write to."
        ) from reason
    if folder:
        raise BadInput(f"{str(path)!r} is a folder. It must name a file. Append a file name to it.")
    if there and not os.access(place, os.W_OK):
        raise BadInput(f"{str(path)!r} must not be written. Change its rights, or choose another name.")
    return place


def write_whole(
    place: Path, write: Callable[[Any], object], *, text: bool = False, error: type[PdeflowError] = BadInput
) -> None:
    """Let write(file) fill a new file and move it to `place`; a device or a pipe is written directly.

    Parameters
    ----------
    place : Path
        Where the file goes, as `place_of` returns it. A file that is there is replaced, and keeps its rights.
    write : callable
        Called with the open file.
    text : bool
        Whether the file holds text, in UTF-8 with line ends as they are written.
    error : type
        The kind of error that is raised where the system refuses; what was there before is then as it was.
    """
    temporary = temporary_name(place)
    how: dict[str, Any] = {"mode": "w", "encoding": "utf-8", "newline": ""} if text else {"mode": "wb"}
    direct = False
    try:
        direct = place.exists() and not place.is_file()
        with open(place if direct else temporary, **how) as file:
            write(file)
            file.flush()
            if not direct:
                os.fsync(file.fileno())
        if not direct:
            if place.exists():
                shutil.copymode(place, temporary)
            os.replace(temporary, place)
    except OSError as reason:
        raise error(
            f"{str(place)!r} cannot be written: {reason.strerror or reason}. What was there before is untouched. "
            "Make the folder, free space, or choose a place that you may write to.",
            errno=reason.errno,
        ) from reason
    finally:
        with contextlib.suppress(OSError):  # read-only by now: the reason above is the one to hear
            temporary.unlink(missing_ok=True)  # in the way of nothing once it was moved
    if not direct:
        _sync_folder(place.parent)


def temporary_name(place: Path) -> Path:
    """A name beside `place` that nobody else uses, in which `writer_is_dead` can read who writes it."""
    stem = os.fsencode(place.stem)[:64].decode("utf-8", "ignore")  # file systems allow 255 bytes in all
    return place.with_name(f".{stem}.{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}.tmp")


def writer_is_dead(temporary: Path) -> bool:
    """Whether the process that made a temporary file is gone; only a process of this machine can be asked.

    A process that began after the file was last written has only inherited the number. An hour is allowed for the
    clocks of the disk and of the process; a file that is spared for it is found next time.
    """
    import psutil  # signal 0 of os.kill, which asks on Unix, ends the process on Windows

    name, said, number = temporary.name, f".{socket.gethostname()}.", ""
    if said in name:
        number = name.rpartition(said)[2].split(".")[0]
    if not number.isdecimal():
        return False
    try:
        writer = psutil.Process(int(number))
        if writer.status() == psutil.STATUS_ZOMBIE:
            return True
        return writer.create_time() > temporary.stat().st_mtime + 3600
    except psutil.NoSuchProcess:
        return True
    except (
        psutil.AccessDenied,
        OverflowError,
        OSError,
    ):  # another user's, no number, or the file is gone
        return False


def _sync_folder(folder: Path) -> None:
    """Make the move reach the disk too, where the system can sync a folder (not on Windows)."""
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
