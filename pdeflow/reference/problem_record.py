"""A problem as attributes of a file, and back: a registered builder with its arguments, or name and source text."""

import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from .._core import fingerprint, fingerprint_first
from .._core.errors import PdeflowError
from .._core.short_text import cut, shown
from ..laws import from_spec
from ..problems.problem import Problem
from ..problems.registry import CATALOGUE, rebuild

PARTS = ("name", "energy", "initial")  # what makes a problem the same truth; any stored time may be asked


def problem_sha256(problem: Problem, version: int = fingerprint.VERSION) -> str:
    """What makes a problem the same truth: name, energy and start, not the horizon, nor what packages are installed.

    version : of the fingerprint, as a file states it; files of the first edition state none.
    """
    parts = {part: getattr(problem, part) for part in PARTS}
    if version == 1:
        return fingerprint_first.sha256(parts)
    return fingerprint.sha256(list(parts.values()), "problem", versions=False)


def same_truth(problem: Problem, stored: Problem | None, attributes: Mapping[str, Any]) -> bool:
    """Whether a file with these attributes, of the problem `stored` if it was rebuilt, is the truth of `problem`."""
    if stored is not None:
        return problem_sha256(problem) == problem_sha256(stored)
    version = attributes.get("fingerprint", 1)
    if version == 1:
        fingerprint_first.require_told({part: getattr(problem, part) for part in PARTS})
    return problem_sha256(problem, version) == attributes["problem_sha256"]


def differing(problem: Problem, other: Problem) -> str:
    """Which of name, energy and start two problems do not share."""
    pairs = [(part, getattr(problem, part), getattr(other, part)) for part in PARTS]
    prints = [(part, *(fingerprint.sha256(one, part, versions=False) for one in both)) for part, *both in pairs]
    return ", ".join(part for part, one, another in prints if one != another)


def other_flow(problem: Problem, answered: Problem) -> str:
    """In words, that `answered` has another energy or start than `problem`; "" where it has not. Names may differ."""
    parts = [part for part in differing(problem, answered).split(", ") if part in ("energy", "initial")]
    if not parts:
        return ""
    one, other = (f"{shown(each.name, 80)} with {cut(plain_text(each.params), 300)}" for each in (answered, problem))
    return f"problem {one}, and not {other}, which has another {' and another '.join(parts)}."


def record(problem: Problem) -> dict[str, str | int]:
    """Attributes from which `recall` rebuilds the problem, or its description and source text where no builder can."""
    facts: dict[str, str | int] = {
        "problem": problem.name,
        "problem_sha256": problem_sha256(problem),
        "fingerprint": fingerprint.VERSION,
    }
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
    parts = {"params": problem.params, "energy": problem.energy, "initial": problem.initial}
    return {
        **facts,
        "params": params or fingerprint.canonical(problem.params, "params"),
        "problem_description": fingerprint.canonical(parts, "problem", versions=False),
        "problem_source": _source(parts),
    }


def config_text(method: Any) -> str:
    """The settings of a method as JSON text: what has no code of the user's in it is told by its fields, for people."""
    own = not list(fingerprint.users_code(method))
    return fingerprint_first.canonical(method) if own else fingerprint.canonical(method, "method", versions=False)


def same_question(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether the attributes of two files name one problem and one method."""
    if json.loads(old["config"]) != json.loads(new["config"]):
        return False
    if old.get("fingerprint", 1) == new.get("fingerprint", 1):
        return old["problem_sha256"] == new["problem_sha256"]
    if "problem_description" in {**old, **new} or old.get("overrides") != new.get("overrides"):
        return False  # what versions of the fingerprint said of a user's own objects cannot be compared
    facts = [(one["problem"], json.loads(one["params"])) for one in (old, new)]
    return facts[0] == facts[1]


def plain_text(params: Mapping[str, Any]) -> str:
    """The parameters of a problem for a message, objects among them by their type."""
    return json.dumps(dict(params), default=lambda thing: f"<{type(thing).__name__}>", skipkeys=True)


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
    if problem_sha256(problem, attributes.get("fingerprint", 1)) != attributes["problem_sha256"]:
        return problem, "rebuilt, but not equal to the last bit: another machine or version made the file"
    own = ", by a builder of the user's own" if "problem_source" in attributes else ""
    return problem, f"rebuilt from the catalogue{own}"


def _builder(name: str) -> dict[str, str]:
    """The source of a builder that was registered outside the package, which a reader without it needs."""
    build = getattr(CATALOGUE[name], "__wrapped__", CATALOGUE[name])
    source = _source(build)
    return {"problem_source": source} if source else {}


def _replaced(problem: Problem, text: str) -> Problem:
    """`problem` with another start and horizon, as `dataclasses.replace` gives it."""
    overrides = json.loads(text)
    return replace(problem, initial=from_spec(overrides["initial"]), horizon=overrides["horizon"])


def _same(twin: Problem, problem: Problem) -> bool:
    return twin.horizon == problem.horizon and problem_sha256(twin) == problem_sha256(problem)


def _source(thing: Any) -> str:
    """The text of the user's own functions and classes, for people: where it cannot be found, it is left out."""
    return "\n\n".join(dict.fromkeys(_texts(fingerprint.users_code(thing))))


def _texts(code: Iterable[Any]) -> Iterator[str]:
    for one in code:
        try:
            yield inspect.getsource(one)
        except (OSError, TypeError):  # typed at a prompt
            continue
