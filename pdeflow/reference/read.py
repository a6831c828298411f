"""Reading a reference file: the whole file is held against its digest before any HDF5 code sees it."""

import io
import json
import os
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .._core.errors import BadInput, BadReference, NotAvailable, PdeflowError
from .._core.estimate import Estimate
from .._core.short_text import cut, shown
from .._core.validate import known_arguments
from ..laws import Law
from ..laws.fields import is_grid, needed_fields, stored_kinds
from ..problems.problem import Problem
from ..trajectory import Trajectory
from .problem_record import differing, plain_text, recall, same_truth
from .schema import (
    AXES,
    BLOCK,
    ROOT_NUMBERS,
    ROOT_TEXT,
    SCHEMA,
    WORDS,
    Variable,
    decode,
    seal,
    user_block,
)

Attributes = dict[str, Any]  # int, float or str, as the schema says for each name

HDF5 = b"\x89HDF\r\n\x1a\n"  # how every HDF5 file without a user block begins
ODD_FILE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)  # what h5py raises on odd files


@dataclass(frozen=True)
class Reference:
    """A stored trajectory. Callable as (problem, times) -> Trajectory, so that it can be the truth of a Study.

    Parameters
    ----------
    problem : Problem or None
        The problem it belongs to; None where this program cannot rebuild it, as `provenance["problem_note"]` says.
    trajectory : Trajectory
        The stored laws.
    error : Estimate
        Their distance from the truth, in the metric `error.metric`.
    provenance : mapping
        The root attributes of the file (method, config, versions, git, created, ...), `problem_note`, and `law_note`
        where the laws are a user's own that were stored as grid masses or samples.
    """

    problem: Problem | None
    trajectory: Trajectory
    error: Estimate
    provenance: Mapping[str, Any]

    def __repr__(self) -> str:
        laws, (first, last) = self.provenance.get("law"), self.times[[0, -1]]
        return cut(
            f"Reference({self.provenance.get('problem')!r}, {len(self.times)} laws of kind {laws} at times "
            f"{first:g} to {last:g}, error={self.error})"
        )

    @property
    def times(self) -> np.ndarray:
        """The stored times, (k,)."""
        return self.trajectory.times

    def __call__(self, problem: Problem, times: Sequence[float] | np.ndarray | None = None) -> Trajectory:
        """The stored laws as the truth of a problem.

        Parameters
        ----------
        problem : Problem
            The stored one: name, energy and initial law must be the same.
        times : (k,) array_like, optional
            The default is its horizon.

        Returns
        -------
        Trajectory
            Its stats carry `error` and `error_metric`.

        Raises
        ------
        BadInput
            For a problem of another name, energy or start.
        NotAvailable
            For a time that is not stored.
        """
        name = self.provenance["problem"]
        self._own(problem, name)
        times = np.atleast_1d(np.asarray(problem.horizon if times is None else times, dtype=float))
        missing = [float(t) for t in times if not self._stores(t)]
        if missing:
            raise NotAvailable(
                f"t = {missing} is not stored in the reference of {name!r}. Stored times: {self.times.tolist()}. Ask "
                "for some of these."
            )
        laws = tuple(self.trajectory.at(t) for t in times)
        return Trajectory(times, laws, dict(self.trajectory.stats), problem=problem)

    def _own(self, problem: Problem, name: str) -> None:
        """`BadInput` unless `problem` is the stored one."""
        given = repr(problem)
        if isinstance(problem, Problem):
            if same_truth(problem, self.problem, self.provenance):
                return
            differ = "name, energy or initial" if self.problem is None else differing(problem, self.problem)
            params = plain_text(problem.params)
            given = f"problem {problem.name!r} with {params}, which differs in: {differ}"
        raise BadInput(
            f"This reference is the truth of problem {name!r} with {self.provenance['params']}, and was asked for "
            f"{given}. Name, energy and initial law must be the same. Use reference.problem, or a reference made for "
            "yours."
        )

    def _stores(self, t: float) -> bool:
        try:
            self.trajectory.at(t)
        except NotAvailable:
            return False
        return True


@known_arguments
def load(path: str | os.PathLike[str]) -> Reference:
    """The reference stored in a file.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    Reference
        The laws are those that were saved, bit for bit.

    Raises
    ------
    BadReference
        For a file that is missing, damaged, incomplete or too new.
    """
    attributes, variables = contents(path)
    if attributes["status"] != "complete":
        raise BadReference(f"{path} has status {attributes['status']!r}. A reference must be complete. Make it again.")
    error = Estimate(
        attributes["error"], attributes["error_stderr"], attributes["error_how"], attributes["error_metric"]
    )
    stats = {**_json(attributes, "stats", path), "error": error, "error_metric": error.metric}
    problem, note = recall(attributes)
    provenance = {**attributes, "problem_note": note}
    laws = tuple(laws_of(path, attributes, variables))
    return Reference(problem, Trajectory(variables["time"].data, laws, stats, problem=problem), error, provenance)


def contents(path: str | os.PathLike[str]) -> tuple[Attributes, dict[str, Variable]]:
    """The root attributes and the variables of a file.

    Everything that `load` needs is there and of the right type, else `BadReference` names it.
    """
    raw = verified(path)
    try:
        flow = _holds_flow(raw)
        attributes, variables = ({}, {}) if flow else parse(raw)
    except ODD_FILE as error:
        raise BadReference(f"{path} cannot be read by h5py as an HDF5 file: {error}. Get or make it again.") from error
    if flow:
        raise BadReference(f"{path} is the file of a trained flow. It is not a reference. Read it with load_flow.")
    _require(path, attributes, variables)
    return attributes, variables


def _holds_flow(raw: bytes) -> bool:
    with h5py.File(io.BytesIO(raw), "r") as file:
        return "pdeflow_flow" in file.attrs  # as `flow.save_flow` marks its files


def parse(raw: bytes) -> tuple[Attributes, dict[str, Variable]]:
    """(attributes, variables) of the bytes of a file, with no check at all."""
    with h5py.File(io.BytesIO(raw), "r") as file:
        attributes = {name: _plain(value) for name, value in file.attrs.items()}
        return attributes, {name: _variable(item) for name, item in file.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    return value.item() if isinstance(value, np.generic) else value


def _variable(item: h5py.Dataset) -> Variable:
    own = str(item.name)[1:]
    dims = (own,) if item.is_scale else tuple(str(dim[0].name)[1:] if len(dim) else "" for dim in item.dims)
    return Variable(dims, item[...], str(item.attrs.get("long_name", "")))


def _require(path: str | os.PathLike[str], attributes: Attributes, variables: dict[str, Variable]) -> None:
    """`BadReference` unless everything that `load` needs is there and of the right type."""
    for names, kind in ((ROOT_TEXT, str), (ROOT_NUMBERS, float)):
        wrong = [name for name in names if not isinstance(attributes.get(name), kind)]
        if wrong:
            raise BadReference(
                f"{path} lacks the root attributes {', '.join(wrong)}, or they are not of type {kind.__name__}. Schema "
                f"{SCHEMA} requires them. Make the file again."
            )
    if attributes.get("pdeflow_schema") not in range(1, SCHEMA + 1):
        raise BadReference(
            f"{path}: pdeflow_schema is {attributes.get('pdeflow_schema')!r}. It must be 1 to {SCHEMA}. Make it again."
        )
    kind = attributes["law"]
    if kind not in stored_kinds():
        possible = ", ".join(stored_kinds())
        raise BadReference(f"{path} holds laws of kind {kind!r}. Possible: {possible}. Make the file again.")
    _require_variables(path, kind, variables)


def _require_variables(path: str | os.PathLike[str], kind: str, variables: dict[str, Variable]) -> None:
    """`BadReference` unless the variables that make the laws are there, are float64, and say what their axes are."""
    grid = AXES[: variables["mass"].data.ndim - 1] if is_grid(kind) and "mass" in variables else ()
    needed = ("time", *needed_fields(kind, grid))
    for name in needed:
        if name not in variables:
            raise BadReference(
                f"{path} lacks the variable {name!r}, which laws of kind {kind} need. Make the file again."
            )
    for name, (_, data, _) in variables.items():
        if data.dtype != np.float64:
            raise BadReference(f"{path}: {name} is {data.dtype}. Every variable is float64. Make the file again.")
    for name in needed:
        dims, data, _ = variables[name]
        if "" in dims or len(dims) != data.ndim or (name == "time" and dims != ("time",)):
            raise BadReference(
                f"{path}: {name}: an axis carries no dimension scale (axes {dims}, shape {data.shape}), so that it is "
                "unknown which numbers belong to which time. Make the file again."
            )


def verified(path: str | os.PathLike[str]) -> bytes:
    """All bytes of the file after its seal was found to be the one that belongs to them, else `BadReference`."""
    raw = _bytes(path)
    schema = _schema_number(raw)
    if schema is not None and schema > SCHEMA:
        raise BadReference(
            f"{path} is of schema {schema}. This version of pdeflow reads schemas up to {SCHEMA}. Install a newer "
            "pdeflow."
        )
    view = memoryview(raw)
    if raw[-BLOCK:] == seal(view[:-BLOCK]) or raw[:BLOCK] == user_block(view[BLOCK:]):
        return raw
    at = 0 if raw.startswith(WORDS) else raw.rfind(WORDS)
    if at < 0:
        kind = "an HDF5 file without the seal of pdeflow" if raw.startswith(HDF5) else "not a pdeflow reference file"
        raise BadReference(
            f"{path} is {kind} ({len(raw)} bytes), or is truncated, or was changed after it was written. A reference "
            "is written by pdeflow.reference.save. Get or make it again; to change a file, load it and save another."
        )
    said = re.search(rb"bytes (?:after|before) this (?:block|text): (\d+)\n", raw[at : at + BLOCK])
    if said is not None and int(said[1]) + BLOCK != len(raw):
        raise BadReference(
            f"{path} is truncated or was added to: it has {len(raw)} bytes, and its seal says {int(said[1]) + BLOCK}. "
            "Get or make it again."
        )
    raise BadReference(
        f"{path} is damaged, or was changed after it was written: its bytes do not have the SHA-256 in its seal. "
        "Nothing in it is trusted. Get or make it again; to change a file, load it and save another."
    )


def _bytes(path: str | os.PathLike[str]) -> bytes:
    """All bytes of the file, unchecked."""
    try:
        return Path(path).read_bytes()
    except TypeError:
        raise BadInput(
            f"path is {shown(path, 80)}. It must be the name of a file. Pass e.g. 'references/ou_1d.h5'."
        ) from None
    except IsADirectoryError:
        raise BadReference(
            f"{path} is a folder. A reference is one file. Pass a file in it: {_files_in(path)}."
        ) from None
    except FileNotFoundError:
        raise BadReference(
            f"{path} does not exist. Its folder holds: {_files_in(Path(path).parent)}. Correct the name, or make the "
            "file: pdeflow reference make RECIPE."
        ) from None
    except OSError as error:
        raise BadReference(
            f"{path} cannot be read: {error.strerror or error}. Check its permissions and the disk."
        ) from error


def _files_in(folder: str | os.PathLike[str]) -> str:
    try:
        return ", ".join(sorted(name for name in os.listdir(folder) if name.endswith(".h5"))) or "no .h5 file"
    except OSError:
        return "nothing readable"


def _schema_number(raw: bytes) -> int | None:
    """The schema that the file claims, found without the HDF5 library (a damaged file must not reach it), or None.

    From the first line of the seal, or from the bytes of the root attribute `pdeflow_schema`: an HDF5 attribute
    message of version 1 (parts padded to 8 bytes) or 3 (unpadded) gives the sizes of name, type and shape before the
    name.
    """
    claims = []
    for text in (raw[:64], raw[-BLOCK:][:64]):
        first = text.split(b"\n")[0]
        if first.startswith(WORDS) and first[len(WORDS) :].isdigit():
            claims.append(int(first[len(WORDS) :]))
    name = b"pdeflow_schema\0"
    at = raw.find(name)
    while at >= 0:
        for version, gap, pad in ((1, 8, 8), (3, 9, 1)):
            start = at - gap
            if start >= 0 and raw[start] == version:
                sizes = struct.unpack_from("<HHH", raw, start + 2)
                data = at + sum(-(-size // pad) * pad for size in sizes)
                width = raw[at + -(-sizes[0] // pad) * pad + 4]
                number = raw[data : data + width] if sizes[0] == len(name) and width in (1, 2, 4, 8) else b""
                if number:
                    claims.append(int.from_bytes(number, "little", signed=True))
        at = raw.find(name, at + 1)
    return max(claims, default=None)


def _json(attributes: Attributes, name: str, path: str | os.PathLike[str]) -> Any:
    try:
        return json.loads(attributes[name])
    except ValueError as error:
        raise BadReference(f"{path}: the attribute {name} is not JSON ({error}). Make the file again.") from None


def laws_of(path: str | os.PathLike[str], attributes: Attributes, variables: dict[str, Variable]) -> list[Law]:
    """The laws of a file, or `BadReference` if its numbers make no laws."""
    try:
        return decode(attributes["law"], attributes.get("copies"), variables)
    except (PdeflowError, ValueError, IndexError, KeyError, TypeError) as error:  # numbers or shapes that make no law
        raise BadReference(
            f"{path}: its variables make no {attributes['law']}: {error} Make the file again."
        ) from error
