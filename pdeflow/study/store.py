"""Store: one file a run, written whole or not at all, named by the hash of what was asked."""

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from .._core.errors import BadInput
from .._core.files import temporary_name, write_whole, writer_is_dead
from .._core.fingerprint import VERSION

# 2: a run as the truth has an unknown error, not none; 3: rows have a scale; 4: named by a versioned fingerprint;
# 5: rows have a null level; 6: rows have CPU seconds, memory and steps
SCHEMA = 6
FIELDS = {"schema", "fingerprint", "question", "result", "sha256"}


class Store:
    """A folder of finished runs, made and tried for writing before any run starts; what dead writers left is removed.

    Two writers may share it: a file appears whole, and both would write the same rows.

    Parameters
    ----------
    folder : str or path
        It is made where it does not exist. A relative one is taken from the current folder of now, and stays there.

    Raises
    ------
    BadInput
        Where it cannot be made or written to.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        if folder == "":
            raise BadInput("store is ''. It must be the name of a folder. Pass '.' for the current one, or None.")
        try:
            self.folder = Path(folder).absolute()
        except TypeError:
            raise BadInput(
                f"store is {folder!r}. It must be a folder. Pass a str or a Path, or None to keep nothing."
            ) from None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = temporary_name(self.folder / "probe")
            probe.write_text("")
            probe.unlink()
        except OSError as error:
            raise BadInput(
                f"store is {str(folder)!r}: {error.strerror}. It must be a folder that can be written. Choose another, "
                "or change its rights."
            ) from error
        for leftover in self.folder.glob(".*.tmp"):
            if writer_is_dead(leftover):
                with contextlib.suppress(OSError):  # of another user, in a folder of several
                    leftover.unlink(missing_ok=True)

    def path(self, key: str) -> Path:
        """Where the run with this hash is kept."""
        return self.folder / f"{key}.json"

    def load(self, key: str) -> Any:
        """The result of the run `key`, or None if there is none or the file is not whole; `BadInput` if unreadable."""
        try:
            record = json.loads(self.path(key).read_text(encoding="utf-8"))
        except (FileNotFoundError, IsADirectoryError, UnicodeDecodeError, json.JSONDecodeError):
            return None
        except OSError as error:
            raise BadInput(
                f"{str(self.path(key))!r}, a run of the store, cannot be read: {error.strerror or error}. A file "
                "of the store must be readable, or not there. Change its rights, or choose another store.",
                errno=error.errno,
            ) from error
        if not isinstance(record, dict) or set(record) != FIELDS:
            return None
        whole = (
            record["schema"] == SCHEMA
            and record["sha256"] == _digest(record["question"], record["result"])
            and record["fingerprint"] == VERSION
            and key_of(record["question"]) == key
        )
        return decode(record["result"]) if whole else None

    def save(self, question: Any, result: Any) -> None:
        """Write the result under the hash of its question, whole or not at all."""
        result = encode(result)
        record = {
            "schema": SCHEMA,
            "fingerprint": VERSION,
            "question": question,
            "result": result,
            "sha256": _digest(question, result),
        }
        write_whole(
            self.path(key_of(question)), lambda file: json.dump(record, file, indent=1, allow_nan=False), text=True
        )


def key_of(question: Any) -> str:
    """The name of a run's file: the digest of its question, which is JSON data, and of the fingerprint's version."""
    return _digest(VERSION, question)


def _digest(question: Any, result: Any) -> str:
    text = json.dumps([question, result], sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def encode(thing: Any) -> Any:
    """JSON data in which a float is its hexadecimal text, so that every bit and every NaN comes back."""
    if isinstance(thing, float | np.floating):
        return {"float": float(thing).hex()}
    if isinstance(thing, np.integer):
        return int(thing)
    if isinstance(thing, dict):
        return {str(key): encode(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [encode(item) for item in thing]
    return thing


def decode(thing: Any) -> Any:
    """Inverse of `encode`."""
    if isinstance(thing, dict):
        if set(thing) == {"float"}:
            return float.fromhex(thing["float"])
        return {key: decode(value) for key, value in thing.items()}
    return [decode(item) for item in thing] if isinstance(thing, list) else thing
