"""A problem as attributes of a file, and back: a registered builder with its arguments, or name and source text."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from .._core import fingerprint
from .._core.errors import PdeflowError
from ..laws import from_spec
from ..problems.problem import Problem
from ..problems.registry import CATALOGUE, rebuild


def problem_sha256(problem: Problem) -> str:
    """What makes a problem the same truth: name, energy and start, not the horizon: any stored time may be asked."""
    return fingerprint.sha256({"name": problem.name, "energy": problem.energy, "initial": problem.initial})


def differing(problem: Problem, other: Problem) -> str:
    """Which of name, energy and start two problems do not share."""
    pairs = [(part, getattr(problem, part), getattr(other, part)) for part in ("name", "energy", "initial")]
    return ", ".join(part for part, a, b in pairs if fingerprint.sha256(a) != fingerprint.sha256(b))


def record(problem: Problem) -> dict[str, str]:
    """Attributes from which `recall` rebuilds the problem, or its description and source text where no builder can."""
    facts = {"problem": problem.name, "problem_sha256": problem_sha256(problem)}
    try:
        params = json.dumps(dict(problem.params), allow_nan=False)
    except (TypeError, ValueError):
        params = None  # the user's own objects: described below, never rebuilt
    if params is not None and problem.name in CATALOGUE:
        try:
            facts |= _builder(problem.name)
            twin = rebuild(problem.name, json.loads(params))
            if _same(twin, problem):
                return {**facts, "params": params}
            overrides = {"initial": problem.initial.spec(), "horizon": float(problem.horizon)}
            text = json.dumps(overrides, allow_nan=False)
            if _same(_replaced(twin, text), problem):
                return {**facts, "params": params, "overrides": text}
        except (PdeflowError, TypeError, ValueError):
            pass  # not a state that the builder can reach
    description = fingerprint.describe({"params": problem.params, "energy": problem.energy, "initial": problem.initial})
    return {
        **facts,
        "params": params or fingerprint.canonical(problem.params),
        "problem_description": fingerprint.canonical(description),
        "problem_source": "\n\n".join(dict.fromkeys(_sources(description))),
    }


def recall(attributes: Mapping[str, Any]) -> tuple[Problem | None, str]:
    """The problem that `record` described, or None, and a note that says why it is None or what is odd."""
    if "problem_description" in attributes:
        return None, "made of a user's own callables or laws: see problem_description and problem_source"
    try:
        problem = rebuild(attributes["problem"], json.loads(attributes["params"]))
        if "overrides" in attributes:
            problem = _replaced(problem, attributes["overrides"])
    except (PdeflowError, TypeError, ValueError, KeyError) as error:
        # a later builder may refuse old arguments in any of these ways, and one of a user's own may be unknown here
        return None, f"this version of pdeflow cannot rebuild it: {error}"
    if problem_sha256(problem) != attributes["problem_sha256"]:
        return problem, "rebuilt, but not equal to the last bit: another machine or version made the file"
    own = ", by a builder of the user's own" if "problem_source" in attributes else ""
    return problem, f"rebuilt from the catalogue{own}"


def _builder(name: str) -> dict[str, str]:
    """The source of a builder that was registered outside the package, which a reader without it needs."""
    build = getattr(CATALOGUE[name], "__wrapped__", CATALOGUE[name])
    source = "\n\n".join(_sources(fingerprint.describe(build)))
    return {"problem_source": source} if source else {}


def _replaced(problem: Problem, text: str) -> Problem:
    """`problem` with another start and horizon, as `dataclasses.replace` gives it."""
    overrides = json.loads(text)
    return replace(problem, initial=from_spec(overrides["initial"]), horizon=overrides["horizon"])


def _same(twin: Problem, problem: Problem) -> bool:
    return twin.horizon == problem.horizon and problem_sha256(twin) == problem_sha256(problem)


def _sources(description: Any) -> Iterator[str]:
    if isinstance(description, dict):
        if isinstance(description.get("source"), str):
            yield description["source"]
        description = list(description.values())
    if isinstance(description, list):
        for part in description:
            yield from _sources(part)
