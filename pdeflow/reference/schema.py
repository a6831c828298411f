"""Schema 2 of a reference file: its seal, its variables for each kind of law, and its hashes.

The last 512 bytes are text that follows from the rest of the file: schema, length and SHA-256. A reader compares them
before any HDF5 code runs, because a damaged HDF5 header can make the library raise almost anything, or crash. In files
of schema 1 this text comes first, as an HDF5 user block. The layout of the rest is in references/README.md.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .._core import fingerprint
from .._core.errors import BadInput, NotAvailable
from ..laws import Law, Product
from ..laws.fields import from_fields, is_grid, is_users_own, needed_fields, stored_kind, stored_kinds
from .tabulate import tabulated

SCHEMA = 2  # since 2 the seal comes last, so that a file begins as every HDF5 file does
BLOCK = 512  # bytes of the seal
WORDS = b"pdeflow reference file, schema "
AXES = ("x", "y", "z")

ROOT_TEXT = (
    *("title", "problem", "params", "problem_sha256", "law", "method", "config", "config_sha256", "content_sha256"),
    *("versions", "git", "created", "status", "error_metric", "error_how", "source", "license", "Conventions"),
    *("stats", "left_out", "recipe"),
)
ROOT_NUMBERS = ("error", "error_stderr")

# What a variable is, for readers without pdeflow; the parameters of closed forms are named by themselves.
ABOUT = {
    **{name: f"centres of the cells along {name}" for name in AXES},
    **{f"{name}_edges": f"edges of the cells along {name}" for name in AXES},
    "mass": "probability of each cell",
    "density": "mass / volume of each cell",
    "min_density": "smallest density of a cell",
    "samples": "positions",
    "weighted": "0: equal weights 1/n; 1: weights were given",
    "level": "levels of the quantile function, linear in between",
    "quantile": "quantile at each level",
    "radial_dim": (
        "dimension of the space; the law is invariant under rotations about 0, and all variables but mean and cov are "
        "those of the law of |x|"
    ),
}
ABOUT_OF = {
    "GridLaw": {"mass_error": "sum of the masses minus one"},
    "Particles": {"weights": "probability of each sample", "mass_error": "sum of the weights minus one"},
    "DensityAtPoints": {
        "weights": "probability of each sample",
        "mass_error": "sum of the weights minus one",
        "log_values": "log density at each sample",
        "relative": "0: log_values is the log density; 1: it lacks a constant",
    },
    "KernelDensity": {
        "weights": "probability of each sample",
        "kernel_root": "R, lower triangular: a kernel has the covariance R R^T",
        "kernel_factor": "bandwidth relative to the covariance of the samples",
    },
    "Barenblatt": {"barenblatt_time": "time of Barenblatt"},
}


class Variable(NamedTuple):
    """One data set: the names of its axes, its float64 data, and a line that says what it is."""

    dims: tuple[str, ...]
    data: np.ndarray
    about: str = ""


def seal(body: bytes | memoryview) -> bytes:
    """The last 512 bytes of a file, which belong to the bytes before them."""
    text = (
        f"pdeflow reference file, schema {SCHEMA}\nbytes before this text: {len(body)}\n"
        f"sha256 of them: {hashlib.sha256(body).hexdigest()}\n"
    )
    return text.encode().ljust(BLOCK, b"\n")


def user_block(body: bytes | memoryview) -> bytes:
    """The first 512 bytes of a file of schema 1, which belong to the bytes after them."""
    text = (
        f"pdeflow reference file, schema 1\nbytes after this block: {len(body)}\n"
        f"sha256 of them: {hashlib.sha256(body).hexdigest()}\nHDF5 begins at byte {BLOCK}.\n"
    )
    return text.encode().ljust(BLOCK, b"\n")


def content_sha256(variables: Mapping[str, Variable]) -> str:
    """SHA-256 over name, axes, shape and little-endian bytes of every data set, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(variables):
        dims, data, _ = variables[name]
        digest.update(json.dumps([name, list(dims), list(data.shape)]).encode())
        digest.update(np.ascontiguousarray(data, dtype="<f8").tobytes())
    return digest.hexdigest()


def text_sha256(text: str) -> str:
    """Hex digest of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


class Encoded(NamedTuple):
    """What a file holds of the laws of a trajectory.

    kind : the name by which they are rebuilt. copies : k where every law is a product of k equal blocks, else None.
    variables : the data sets. note : what a user's own laws were stored as, "" for others.
    """

    kind: str
    copies: int | None
    variables: dict[str, Variable]
    note: str


def encode(times: ArrayLike, laws: Sequence[Law]) -> Encoded:
    """The data sets of a trajectory.

    Raises `BadInput` where the laws are not of one kind and shape, `NotAvailable` for a law that no file can hold.
    """
    blocks, copies = _blocks(laws)
    note = ""
    if any(is_users_own(law) and stored_kind(law) is None for law in blocks):
        blocks, note = tabulated(blocks)
    kind = _one_kind(blocks)
    variables = {"time": Variable(("time",), np.asarray(times, dtype=float), "time since the start of the problem")}
    variables |= _variables(kind, blocks)
    variables |= _moments(blocks, variables)
    return Encoded(kind, copies, variables, note)


def _blocks(laws: Sequence[Law]) -> tuple[list[Law], int | None]:
    """The laws, or one block of each where every law is a product of equally many equal blocks."""
    products = [factors for factors in (law.factors() for law in laws) if factors is not None]
    if len(products) < len(laws):
        return list(laws), None
    copies = {len(factors) for factors in products}
    for law, factors in zip(laws, products):
        first = factors[0]
        if len(copies) > 1 or any(
            part is not first and fingerprint.sha256(part) != fingerprint.sha256(first) for part in factors
        ):
            raise NotAvailable(
                f"{law!r} is a product of different laws. A file holds products of equal blocks (pf.lift). Save each "
                "factor's trajectory in a file of its own and multiply after loading."
            )
    return [factors[0] for factors in products], copies.pop()


def _one_kind(laws: Sequence[Law]) -> str:
    """The name of the one kind that all laws are of."""
    names = sorted({stored_kind(law) or type(law).__name__ for law in laws})
    if len(names) > 1:
        raise BadInput(
            f"The laws of the trajectory are of the kinds {', '.join(names)}. A file holds one kind. Convert them to "
            "one, or save several files."
        )
    kind = stored_kind(laws[0])
    if kind is None:
        raise NotAvailable(
            f"A law of kind {names[0]} has no place in a reference file. Possible: {', '.join(stored_kinds())}, "
            "products of equal ones, and laws of your own. Tabulate it and count that in the error bar: "
            "Quantiles(law.quantile(levels), levels) with finite end quantiles for a 1-D law, "
            "Particles(law.sample(n, rng)) for any other; save_flow keeps a PushForward as it is."
        )
    return kind


def _variables(kind: str, laws: Sequence[Law]) -> dict[str, Variable]:
    """The fields of the laws, stacked over time; coordinates are the same at all times."""
    fields = [law.fields() or {} for law in laws]
    if len({tuple(own) for own in fields}) > 1:
        raise BadInput(
            f"The laws have dimensions {sorted({law.dim for law in laws})}. A file holds one. Save them in several "
            "files."
        )
    return {name: _stacked(kind, name, axes, [own[name][1] for own in fields]) for name, (axes, _) in fields[0].items()}


def _stacked(kind: str, name: str, axes: tuple[str, ...], arrays: Sequence[ArrayLike]) -> Variable:
    """One field at all times: a coordinate once, anything else with the time as its first axis."""
    parts = [np.asarray(array, dtype=float) for array in arrays]
    about = ABOUT_OF.get(kind, {}).get(name) or ABOUT.get(name) or f"{name} of {kind}"
    if axes == (name,):
        if not all(np.array_equal(part, parts[0]) for part in parts):
            words = f"The grid along {name.removesuffix('_edges')}" if name[0] in AXES else f"The mesh of {name}s"
            raise BadInput(
                f"{words} changes over time. A file holds one. Save the times in several files, or map the laws to one "
                "grid."
            )
        return Variable(axes, parts[0], about)
    shapes = {part.shape for part in parts}
    if len(shapes) > 1:
        raise BadInput(
            f"{name} has the shapes {sorted(shapes)} over time. A file holds one shape. Save the times in several "
            "files."
        )
    return Variable(("time", *axes), np.stack(parts), about)


def _moments(laws: Sequence[Law], variables: dict[str, Variable]) -> dict[str, Variable]:
    moments = {}
    for name, dims in (("mean", ("time", "dim")), ("cov", ("time", "dim", "dim_2"))):
        if name in variables:
            continue
        try:
            moments[name] = Variable(dims, np.stack([getattr(law, name)() for law in laws]), f"{name} of the law")
        except NotAvailable:
            continue  # a law that does not know it: the variable is left out
    return moments


def with_index_axes(variables: dict[str, Variable]) -> dict[str, Variable]:
    """`variables` plus a float64 index axis 0, 1, 2, ... for every axis that has no coordinate of its own."""
    sizes = {dim: size for dims, data, _ in variables.values() for dim, size in zip(dims, data.shape)}
    index = {
        dim: Variable((dim,), np.arange(size, dtype=float), f"index of {dim}")
        for dim, size in sizes.items()
        if dim not in variables
    }
    return {**variables, **index}


def decode(kind: str, copies: int | None, variables: dict[str, Variable]) -> list[Law]:
    """The laws that `encode` described, bit for bit; the fields that `needed_fields` names must be present."""
    grid = AXES[: variables["mass"].data.ndim - 1] if is_grid(kind) else ()
    fields = {name: variables[name] for name in needed_fields(kind, grid)}
    laws: list[Law] = []
    for k in range(len(variables["time"].data)):
        now = {name: data[k] if dims != (name,) else data for name, (dims, data, _) in fields.items()}
        laws.append(from_fields(kind, now))
    return laws if copies is None else [Product([law] * copies) for law in laws]
