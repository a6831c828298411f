"""Files of answers: CSV, NPZ or HDF5; each says its level, time and seed, and is checked whole before it is used."""

import io
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from .._core.errors import BadInput
from .._core.short_text import shown
from .._core.validate import numbers
from ..laws import Law
from .answers import arrays_of, law_of, require_answer
from .text_answers import KEYS, blocks_of, decoded, law_of_block

PLAIN = tuple(key for key in KEYS if key != "rows")  # what NPZ and HDF5 say of themselves: they cannot be cut unseen
# what numpy and zipfile, and what h5py, raise on files that are cut, damaged, encrypted or packed in unknown ways
ODD_NPZ = (ValueError, OSError, EOFError, KeyError, RuntimeError, TypeError, zipfile.BadZipFile, zlib.error)
ODD_HDF5 = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, OverflowError)
SUFFIXES = (".csv", ".txt", ".npz", ".h5", ".hdf5")
EXAMPLE = "# answer=samples dt=0.125 time=0.5 seed=0 rows=1000"


class Result(NamedTuple):
    """One answer of a program: its kind, step, time and seed, the law that it is, and where it stands."""

    answer: str
    dt: float
    time: float
    seed: int
    law: Law
    where: str


class Part(NamedTuple):
    """An answer in a file that is not read yet: what it says of itself, where it stands, and how it becomes a law."""

    head: Mapping[str, Any]
    where: str
    law: Callable[[str, int], Law]


def law_of_data(data: bytes, answer: str, dim: int, where: str, asked: Mapping[str, float]) -> Law:
    """The law that a program wrote, as text, NPZ or HDF5.

    Parameters
    ----------
    data : bytes
        All that it wrote.
    answer : {"samples", "masses", "quantiles", "moments"}
        What it is.
    dim : int
        Dimension of the space.
    where : str
        What messages call it.
    asked : mapping
        The dt, time and seed that the program was given; where it says some of them itself, they must agree.

    Raises
    ------
    BadInput, Diverged
        For what is no such answer.
    """
    parts = _parts(data, where)
    if len(parts) != 1:
        raise BadInput(
            f"{where} holds {len(parts)} answers. It must be one: the program is called once for each level, time and "
            "seed. Write the answer that it was asked for."
        )
    (part,) = parts
    for key, value in part.head.items():
        if key == "rows":  # the text is held against it when it is read
            continue
        agrees = value == answer if key == "answer" else agree(_number(value, key, part.where), asked[key])
        if not agrees:
            wanted = answer if key == "answer" else asked[key]
            raise BadInput(
                f"{part.where} says {key}={shown(value)}. It was asked for {key}={wanted!r}. Answer what is asked."
            )
    return part.law(answer, dim)


def read_results(path: Path, dim: int) -> list[Result]:
    """All answers of a file, or of the files of a folder in the order of their names.

    Parameters
    ----------
    path : Path
        A folder, or one file.
    dim : int
        Dimension of the space.

    Raises
    ------
    BadInput, Diverged
        For the first file that is no answer; the message names the file and the line.
    """
    results = []
    for file in files_of(path):
        try:
            data = file.read_bytes()
        except OSError as error:
            raise BadInput(
                f"{str(file)!r} cannot be read: {error.strerror or error}. A result must be a file that you may read. "
                "Change its rights."
            ) from error
        parts = _parts(data, str(file))
        if not parts:
            raise BadInput(f"{file}: there is no answer in it. It must begin with a line such as `{EXAMPLE}`. Add it.")
        results += [_result(part, dim) for part in parts]
    return results


def files_of(path: Path) -> list[Path]:
    """The files of results that `path` names."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise BadInput(f"{str(path)!r} is not there. Results are a file or a folder of files. Pass where they are.")
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and not file.name.startswith("."))
    if not files:
        raise BadInput(
            f"{str(path)!r} has no file of results. Their names end with {', '.join(SUFFIXES)}. Write them there."
        )
    return files


def _result(part: Part, dim: int) -> Result:
    """The answer of a part, after a look at what it says of itself."""
    missing = [key for key in ("answer", "dt", "time") if key not in part.head]
    if missing:
        raise BadInput(
            f"{part.where} does not say {', '.join(missing)}. An answer says what it is: in CSV by a line such as "
            f"`{EXAMPLE}`, in NPZ by arrays of these names, in HDF5 by attributes. Add what is missing."
        )
    answer = str(part.head["answer"])
    require_answer(answer, dim, part.where)
    dt, time = (_number(part.head[key], key, part.where) for key in ("dt", "time"))
    seed = _number(part.head.get("seed", 0), "seed", part.where)
    if dt <= 0 or time < 0 or seed < 0 or seed != int(seed):
        raise BadInput(
            f"{part.where} says dt={dt:g}, time={time:g}, seed={seed:g}. A step is > 0, a time >= 0, and a seed a "
            "whole number >= 0. Correct it."
        )
    return Result(answer, dt, time, int(seed), part.law(answer, dim), part.where)


def _number(value: Any, key: str, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not np.isfinite(number):
        raise BadInput(f"{where} says {key}={shown(value, 100)}. It must be a finite number. Correct it.")
    return number


def agree(one: float, other: float) -> bool:
    """Whether two numbers are the same step or time, to 1e-9 relative."""
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other))


def _parts(data: bytes, where: str) -> list[Part]:
    """The answers in a file, by what its first bytes say that it is."""
    if data.startswith(b"PK\x03\x04"):
        return _parts_of_npz(data, where)
    if data.startswith(b"\x89HDF\r\n\x1a\n"):
        return _parts_of_hdf5(data, where)
    blocks = blocks_of(decoded(data, where))
    return [
        Part(
            block.head,
            f"{where}, line {block.line}",
            lambda answer, dim, block=block: law_of_block(block, answer, dim, where),
        )
        for block in blocks
    ]


def _parts_of_npz(data: bytes, where: str) -> list[Part]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            content = {name: file[name] for name in file.files}
    except ODD_NPZ as error:
        raise BadInput(f"{where} is no whole NPZ file: {error}. It must hold plain arrays. Write it again.") from error
    return [_part_of_arrays(content, content, where)]


def _parts_of_hdf5(data: bytes, where: str) -> list[Part]:
    """The root where it says what it is, and every group that does."""
    parts: list[Part] = []
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            groups: list[Any] = [file]
            file.visititems(lambda name, item: groups.append(item) if isinstance(item, h5py.Group) else None)
            for group in groups:
                datasets = {name: item[()] for name, item in group.items() if isinstance(item, h5py.Dataset)}
                if datasets:
                    parts.append(_part_of_arrays(dict(group.attrs), datasets, f"{where}{group.name.rstrip('/')}"))
    except ODD_HDF5 as error:
        raise BadInput(f"{where} is no whole HDF5 file: {error}. It must open in h5py. Write it again.") from error
    return parts


def _part_of_arrays(head: Mapping[str, Any], content: Mapping[str, Any], where: str) -> Part:
    known = {key: _plain(head[key]) for key in PLAIN if key in head}
    arrays = {str(name): array for name, array in content.items() if name not in PLAIN}  # h5py may give bytes
    return Part(known, where, lambda answer, dim: _law_of_arrays(answer, arrays, dim, where))


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.ndarray | np.generic) and np.size(value) == 1 else value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _law_of_arrays(answer: str, arrays: Mapping[str, Any], dim: int, where: str) -> Law:
    require_answer(answer, dim, where)
    names = arrays_of(answer, dim)
    if set(arrays) != set(names):
        raise BadInput(
            f"{where} holds the arrays {', '.join(sorted(arrays)) or '(none)'}. An answer of {answer} in dimension "
            f"{dim} holds {', '.join(names)}, and no others. Name them so."
        )
    plain = {name: numbers(arrays[name], f"{where}: {name}") for name in names}

    def at(name: str, index: tuple[int, ...]) -> str:
        return f"{where}, {name}{list(index)}"

    return law_of(answer, plain, dim, where, at)
