"""Checking a reference file: everything that schema 1 promises, as a list of what is wrong."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from .._core.errors import BadInput, BadReference, NotAvailable
from .._core.validate import known_arguments
from ..laws import Law
from ..laws.cells import cell_volumes
from ..problems.registry import CATALOGUE
from .read import Attributes, Reference, contents, laws_of, load
from .schema import AXES, Variable, content_sha256, text_sha256

JSON = ("params", "config", "versions", "stats", "left_out")


@known_arguments
def check(path: str | os.PathLike[str]) -> list[str]:
    """What is wrong with a reference file.

    Parameters
    ----------
    path : str or path
        The file; nothing that is in it makes this function raise.

    Returns
    -------
    list of str
        One sentence per fault; empty means valid.
    """
    try:
        attributes, variables = contents(path)
    except (BadReference, BadInput) as error:
        return [str(error)]
    problems = [*_attributes(attributes), *_axes(variables)]
    problems += [
        f"{name} has a number that is not finite" for name, v in variables.items() if not np.isfinite(v.data).all()
    ]
    if problems:
        return problems  # what follows computes with the numbers
    try:
        reference, laws = load(path), laws_of(path, attributes, variables)
    except BadReference as error:
        return [str(error)]
    return [
        *_problem(attributes),
        *_moments(attributes, laws, variables),
        *_grid(variables),
        *_dimension(reference),
    ]


def _problem(attributes: Attributes) -> Iterator[str]:
    name = attributes["problem"]
    if name not in CATALOGUE and "problem_source" not in attributes:
        known = ", ".join(sorted(CATALOGUE))
        yield f"problem {name!r} is not in the catalogue ({known}) and problem_source is missing"


def _attributes(attributes: Attributes) -> Iterator[str]:
    for name in (*JSON, *({"checks_made"} & attributes.keys())):
        try:
            json.loads(attributes[name])
        except ValueError as error:
            yield f"attribute {name} is not JSON: {error}"
    if text_sha256(attributes["config"]) != attributes["config_sha256"]:
        yield "config_sha256 is not the SHA-256 of config"
    if attributes["status"] != "complete":
        yield f"status is {attributes['status']!r}, not 'complete'"
    for name in ("error", "error_stderr"):
        if not (np.isfinite(attributes[name]) and attributes[name] >= 0):
            yield f"{name} is {attributes[name]}, not finite and >= 0"
    if attributes["content_sha256"] is None or len(attributes["content_sha256"]) != 64:
        yield "content_sha256 is not a SHA-256"


def _axes(variables: Mapping[str, Variable]) -> Iterator[str]:
    scales = {name: v.data for name, v in variables.items() if v.dims == (name,)}
    for name, (dims, data, _) in variables.items():
        if "" in dims or len(dims) != data.ndim:
            yield f"{name}: an axis carries no dimension scale (axes {dims}, shape {data.shape})"
            continue
        if len(set(dims)) < len(dims):
            yield f"{name}: two axes carry one dimension scale {dims}"
        for dim, size in zip(dims, data.shape):
            if dim not in scales or len(scales[dim]) != size:
                yield f"{name}: its axis {dim} has {size} entries, the scale {len(scales.get(dim, ()))}"
    if np.any(np.diff(variables["time"].data) <= 0):
        yield "time does not increase"


def _moments(attributes: Attributes, laws: Sequence[Law], variables: Mapping[str, Variable]) -> Iterator[str]:
    """The stored numbers that follow from the laws do follow from them."""
    if attributes["content_sha256"] != content_sha256(variables):
        yield "content_sha256 is not the SHA-256 of the data sets"
    if attributes.get("copies") is not None:
        laws = [(law.factors() or (law,))[0] for law in laws]
    for name in ("mean", "cov"):
        if name not in variables:
            continue
        try:
            own = np.stack([getattr(law, name)() for law in laws])
        except NotAvailable:
            yield f"{name} is stored, but {attributes['law']} has none"
            continue
        if own.shape != variables[name].data.shape:
            yield f"{name} has shape {variables[name].data.shape}, the laws say {own.shape}"
        elif not np.allclose(own, variables[name].data, rtol=1e-9, atol=1e-9):  # another machine sums in another order
            yield f"{name} is not that of the laws: it is off by {np.max(np.abs(own - variables[name].data)):.3g}"


def _grid(variables: Mapping[str, Variable]) -> Iterator[str]:
    if "mass" not in variables:
        return
    mass = variables["mass"].data
    volume = cell_volumes([variables[f"{name}_edges"].data for name in AXES[: mass.ndim - 1]])
    for name, own, scale in (
        ("density", mass / volume, (mass / volume).max()),
        ("mass_error", mass.reshape(len(mass), -1).sum(axis=1) - 1, 1.0),
    ):
        if name not in variables:
            yield f"the variable {name} is missing"
        elif variables[name].data.shape != own.shape or np.max(np.abs(variables[name].data - own)) > 1e-12 * scale:
            yield f"{name} does not follow from mass and edges"


def _dimension(reference: Reference) -> Iterator[str]:
    if reference.problem is not None and reference.problem.dim != reference.trajectory.dim:
        yield f"the problem has dim {reference.problem.dim}, the laws {reference.trajectory.dim}"
