"""Two reference files side by side, and one in words."""

import json
import os
from collections.abc import Mapping

import numpy as np

from .._core.validate import known_arguments
from .read import contents, load
from .schema import Variable

UNCOMPARED = ("created",)  # differs between any two runs and says nothing about the content


@known_arguments
def diff(path_a: str | os.PathLike[str], path_b: str | os.PathLike[str]) -> list[str]:
    """The differences of two reference files.

    Parameters
    ----------
    path_a, path_b : str or path
        The files.

    Returns
    -------
    list of str
        Attributes that differ (but for the date), and the largest |a - b| of each variable; empty means equal.

    Raises
    ------
    BadReference
        For a file that `load` refuses.
    """
    (first, data), (second, other) = contents(path_a), contents(path_b)
    found = []
    for name in sorted(set(first) | set(second)):
        if name not in UNCOMPARED and first.get(name) != second.get(name):
            found.append(f"attribute {name}: {_short(first.get(name))} | {_short(second.get(name))}")
    return found + [line for line, _, _ in variable_differences(data, other)]


def variable_differences(data: Mapping[str, Variable], other: Mapping[str, Variable]) -> list[tuple[str, float, float]]:
    """(sentence, largest |a - b|, size of a) of each variable that differs; |a - b| is inf where shapes differ."""
    found = []
    for name in sorted(set(data) | set(other)):
        if name not in data or name not in other:
            found.append((f"variable {name}: only in the {'first' if name in data else 'second'}", np.inf, 1.0))
            continue
        a, b = data[name], other[name]
        if a.dims != b.dims or a.data.shape != b.data.shape:
            found.append(
                (f"variable {name}: {_shape(a)} | {_shape(b)}", np.inf, 1.0),
            )
        elif not np.array_equal(a.data, b.data):
            gap = float(np.max(np.abs(a.data - b.data)))
            gap = gap if np.isfinite(gap) else np.inf
            found.append((f"variable {name}: max |a - b| = {gap:.3g}", gap, _size(name, data)))
    return found


def _size(name: str, data: Mapping[str, Variable]) -> float:
    """The largest entry of a variable, or of what it is a difference of: it may itself be round-off."""
    largest = float(np.max(np.abs(data[name].data)))
    if name == "mass_error":
        return 1.0
    if name == "mean" and "cov" in data:
        return max(largest, float(np.sqrt(np.max(np.abs(data["cov"].data)))))
    return largest


@known_arguments
def describe_file(path: str | os.PathLike[str]) -> str:
    """What a reference file holds, as text for a terminal.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    str
        Its attributes and variables, one per line.

    Raises
    ------
    BadReference
        For a file that `load` refuses.
    """
    reference = load(path)
    attributes, variables = contents(path)
    copies = f"product of {attributes['copies']} copies of " if "copies" in attributes else ""
    lines = [
        attributes["title"],
        "",
        f"problem   {attributes['problem']} {attributes['params']}",
        f"          {reference.provenance['problem_note']}",
        f"laws      {copies}{attributes['law']} in dimension {reference.trajectory.dim}",
        *([f"          {attributes['law_note']}"] if "law_note" in attributes else []),
        f"times     {', '.join(f'{t:g}' for t in reference.times)}",
        f"error     {reference.error}",
        f"method    {attributes['method']} {attributes['config']}",
        f"seed      {attributes['seed']}",
        f"made      {attributes['created']}, git {attributes['git']}, recipe {attributes['recipe'] or 'none'}",
        f"versions  {', '.join(f'{name} {version}' for name, version in json.loads(attributes['versions']).items())}",
        f"source    {attributes['source'] or 'none'}; license {attributes['license']}",
        f"schema    {attributes['pdeflow_schema']}, content {attributes['content_sha256']}",
    ]
    left_out = json.loads(attributes["left_out"])
    lines += [f"left out  {name}: {why}" for name, why in left_out.items()]
    made = json.loads(attributes.get("checks_made", "{}"))
    lines += [
        f"checked   {name}: {value if isinstance(value, str) else format(value, '.3g')}" for name, value in made.items()
    ]
    width = max(len(name) for name in variables)
    lines += ["", "variables"]
    lines += [
        f"  {name:<{width}}  {_shape(variable)}  {variable.about}" for name, variable in sorted(variables.items())
    ]
    return "\n".join(lines)


def _shape(variable: Variable) -> str:
    return "(" + ", ".join(f"{dim} {size}" for dim, size in zip(variable.dims, variable.data.shape)) + ")"


def _short(value: object, length: int = 100) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= length else text[: length - 3] + "..."
