"""Schema 1 of a reference file: its user block, its variables for each kind of law, and its hashes.

The first 512 bytes (the HDF5 user block) are text that follows from the rest of the file: schema, length and SHA-256.
A reader compares them before any HDF5 code runs, because a damaged HDF5 header can make the library raise almost
anything, or crash. The layout of the rest is in references/README.md.
"""

import hashlib
import json
from typing import NamedTuple

import numpy as np

from .. import laws as library
from .._core import fingerprint
from .._core.errors import BadInput, NotAvailable
from ..laws import GridLaw, Particles, Product, Quantiles, from_spec

SCHEMA = 1
BLOCK = 512
AXES = ("x", "y", "z")

ROOT_TEXT = (
    "title", "problem", "params", "problem_sha256", "law", "method", "config", "config_sha256", "content_sha256", "versions",
    "git", "created", "status", "error_metric", "error_how", "source", "license", "Conventions", "stats", "left_out", "recipe",
)  # fmt: skip
ROOT_NUMBERS = ("error", "error_stderr")

# The parameters of the closed forms and the axes that follow `time`. Barenblatt's own time would clash with the axis.
PARAMETERS = {
    "Barenblatt": {"m": (), "time": (), "center": ("dim",)},
    "Gaussian": {"mean": ("dim",), "cov": ("dim", "dim_2")},
    "GaussianMixture": {
        "weights": ("component",),
        "means": ("component", "dim"),
        "covs": ("component", "dim", "dim_2"),
    },
    "Ring": {"radius": (), "center": ("dim",)},
    "Semicircle": {"radius": (), "center": ()},
    "Uniform": {"low": ("dim",), "high": ("dim",)},
}
STORABLE = ("GridLaw", "Particles", "Quantiles", *PARAMETERS)


class Variable(NamedTuple):
    """One data set: the names of its axes, its float64 data, and a line that says what it is."""

    dims: tuple
    data: np.ndarray
    about: str = ""


def shown(value) -> str:
    """A value for an error message: short plain ones as they are, others (whole trajectories) by their type."""
    if value is None or (isinstance(value, str | bytes | int | float) and len(repr(value)) <= 80):
        return repr(value)
    return f"of type {type(value).__name__}"


def block(body) -> bytes:
    """The user block that belongs to the bytes after it."""
    text = (
        f"pdeflow reference file, schema {SCHEMA}\nbytes after this block: {len(body)}\n"
        f"sha256 of them: {hashlib.sha256(body).hexdigest()}\nHDF5 begins at byte {BLOCK}.\n"
    )
    return text.encode().ljust(BLOCK, b"\n")


def content_sha256(variables: dict) -> str:
    """SHA-256 over name, axes, shape and little-endian bytes of every data set, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(variables):
        dims, data, _ = variables[name]
        digest.update(json.dumps([name, list(dims), list(data.shape)]).encode())
        digest.update(np.ascontiguousarray(data, dtype="<f8").tobytes())
    return digest.hexdigest()


def text_sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def parameter_name(kind: str, field: str) -> str:
    return "barenblatt_time" if (kind, field) == ("Barenblatt", "time") else field


def encode(times, laws):
    """(kind, copies, variables) of a trajectory. copies is None, or k where every law is a product of k equal blocks.

    Raises `BadInput` where the laws are not of one kind and shape, `NotAvailable` for a kind that no file can hold.
    """
    laws, copies = _blocks(laws)
    kinds = sorted({type(law).__name__ for law in laws})
    if len(kinds) > 1:
        raise BadInput(
            f"The laws of the trajectory are of the kinds {', '.join(kinds)}. A file holds one kind. Convert them to one, or save several files."
        )
    kind = kinds[0]
    variables = {"time": Variable(("time",), np.asarray(times, dtype=float), "time since the start of the problem")}
    if kind in STORABLE and type(laws[0]) is getattr(library, kind):
        encoder = {"GridLaw": _encode_grid, "Particles": _encode_particles, "Quantiles": _encode_quantiles}.get(kind)
        variables |= encoder(laws) if encoder else _encode_parameters(kind, laws)
    else:
        raise NotAvailable(
            f"A law of kind {kind} has no place in a reference file. Possible: {', '.join(STORABLE)}, and products of equal ones. "
            "Tabulate it and say so in the error bar: Quantiles(law.quantile(levels), levels) with finite end quantiles for a "
            "1-D law, Particles(law.sample(n, rng)) for any other."
        )
    variables |= _moments(laws, variables)
    return kind, copies, variables


def _blocks(laws):
    if not all(isinstance(law, Product) for law in laws):
        return list(laws), None
    copies = {len(law.laws) for law in laws}
    for law in laws:
        first = law.laws[0]
        if len(copies) > 1 or any(
            part is not first and fingerprint.sha256(part) != fingerprint.sha256(first) for part in law.laws
        ):
            raise NotAvailable(
                f"{law!r} is a product of different laws. A file holds products of equal blocks (pf.lift). Save each factor's "
                "trajectory in a file of its own and multiply after loading."
            )
    return [law.laws[0] for law in laws], copies.pop()


def _stack(laws, of, what):
    """of(law) for every law, stacked over time; `BadInput` if the shapes differ."""
    parts = [np.asarray(of(law), dtype=float) for law in laws]
    if len({part.shape for part in parts}) > 1:
        raise BadInput(
            f"{what} has the shapes {sorted({part.shape for part in parts})} over time. A file holds one shape. Save the times apart."
        )
    return np.stack(parts)


def _constant(laws, of, what):
    first = np.asarray(of(laws[0]), dtype=float)
    if not all(np.array_equal(of(law), first) for law in laws):
        raise BadInput(
            f"{what} changes over time. A file holds one. Save the times apart, or map the laws to one grid."
        )
    return first


def _encode_parameters(kind, laws):
    specs = [law.spec() for law in laws]
    return {
        parameter_name(kind, field): Variable(
            ("time", *dims), _stack(specs, lambda spec, field=field: spec[field], field), f"{field} of {kind}"
        )
        for field, dims in PARAMETERS[kind].items()
    }


def _encode_grid(laws):
    if len({law.dim for law in laws}) > 1:
        raise BadInput(
            f"The grids have dimensions {sorted({law.dim for law in laws})}. A file holds one. Save them apart."
        )
    variables, names = {}, AXES[: laws[0].dim]
    for i, name in enumerate(names):
        edges = _constant(laws, lambda law, i=i: law.axes[i], f"The grid along {name}")
        variables[name] = Variable((name,), laws[0].centers[i], f"centres of the cells along {name}")
        variables[f"{name}_edges"] = Variable((f"{name}_edges",), edges, f"edges of the cells along {name}")
    mass, density = _stack(laws, lambda law: law.mass, "mass"), _stack(laws, lambda law: law.density, "density")
    variables["mass"] = Variable(("time", *names), mass, "probability of each cell")
    variables["density"] = Variable(("time", *names), density, "mass / volume of each cell")
    error = np.array([law.mass_error for law in laws])
    lowest = density.reshape(len(laws), -1).min(axis=1)
    variables["mass_error"] = Variable(("time",), error, "sum of the masses minus one")
    variables["min_density"] = Variable(("time",), lowest, "smallest density of a cell")
    return variables


def _encode_particles(laws):
    weights = _stack(laws, lambda law: law.weights, "weights")
    return {
        "samples": Variable(("time", "sample", "dim"), _stack(laws, lambda law: law.x, "x"), "positions"),
        "weights": Variable(("time", "sample"), weights, "probability of each sample"),
        "weighted": Variable(
            ("time",),
            np.array([0.0 if law.equal else 1.0 for law in laws]),
            "0: equal weights 1/n; 1: weights were given",
        ),
        "mass_error": Variable(("time",), weights.sum(axis=1) - 1, "sum of the weights minus one"),
    }


def _encode_quantiles(laws):
    levels = _constant(laws, lambda law: law.levels, "The mesh of levels")
    q = _stack(laws, lambda law: law.q, "q")
    return {
        "level": Variable(("level",), levels, "levels of the quantile function, linear in between"),
        "quantile": Variable(("time", "level"), q, "quantile at each level"),
    }


def _moments(laws, variables):
    moments = {}
    for name, dims in (("mean", ("time", "dim")), ("cov", ("time", "dim", "dim_2"))):
        if name in variables:
            continue
        try:
            moments[name] = Variable(dims, np.stack([getattr(law, name)() for law in laws]), f"{name} of the law")
        except NotAvailable:
            continue  # a law that does not know it: the variable is left out
    return moments


def with_index_axes(variables: dict) -> dict:
    """`variables` plus a float64 index axis 0, 1, 2, ... for every axis that has no coordinate of its own."""
    sizes = {dim: size for dims, data, _ in variables.values() for dim, size in zip(dims, data.shape)}
    index = {
        dim: Variable((dim,), np.arange(size, dtype=float), f"index of {dim}")
        for dim, size in sizes.items()
        if dim not in variables
    }
    return {**variables, **index}


def law_variables(kind: str, dim_names=()) -> list[str]:
    """Names of the variables from which laws of this kind are rebuilt; `dim_names` are the axes of the grid."""
    if kind in PARAMETERS:
        return [parameter_name(kind, field) for field in PARAMETERS[kind]]
    return {
        "GridLaw": ["mass", *(f"{name}_edges" for name in dim_names)],
        "Particles": ["samples", "weights", "weighted"],
        "Quantiles": ["quantile", "level"],
    }[kind]


def decode(kind: str, copies, variables: dict) -> list:
    """The laws that `encode` described, bit for bit; every variable named by `law_variables` must be present."""
    data = {name: variable.data for name, variable in variables.items()}
    count = len(data["time"])
    if kind in PARAMETERS:
        laws = [_closed_form(kind, data, k) for k in range(count)]
    elif kind == "GridLaw":
        edges = [data[f"{name}_edges"] for name in AXES[: data["mass"].ndim - 1]]
        laws = [GridLaw(edges, mass) for mass in data["mass"]]
    elif kind == "Particles":
        laws = [
            Particles(x, w if given else None)
            for x, w, given in zip(data["samples"], data["weights"], data["weighted"])
        ]
    else:
        laws = [Quantiles(q, data["level"]) for q in data["quantile"]]
    return laws if copies is None else [Product([law] * copies) for law in laws]


def _closed_form(kind, data, k):
    fields = {field: data[parameter_name(kind, field)][k] for field in PARAMETERS[kind]}
    if kind == "Barenblatt":
        fields["dim"] = len(fields["center"])
    return from_spec({"law": kind, **fields})
