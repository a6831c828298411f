"""A method that runs on the parts of a problem: rotated, separable and radial problems are solved where they live."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._core.errors import Unsupported
from ._core.value import Value
from .laws import Law
from .problems.problem import Problem


@dataclass(frozen=True, eq=False)
class PartStates:
    """The states of the parts, one each, and what makes a law of the whole of their laws."""

    states: tuple[Any, ...]
    join: Callable[[Sequence[Law]], Law]


@dataclass(frozen=True)
class ByParts(Value):
    """`method` on each different part of a problem with a structure.

    What the verbs of the method take beyond problem, state, dt and rng is handed on.
    """

    method: Any

    def init(self, problem: Problem, rng: np.random.Generator | None, **options: Any) -> PartStates:
        """The parts at their starts; random methods draw for one part after the other."""
        structure = _structure(problem, self.method)
        states = [by_parts(part, self.method).init(part, rng, **options) for part in structure.parts]
        return PartStates(tuple(states), structure.join)

    def step(
        self, problem: Problem, state: PartStates, dt: float, rng: np.random.Generator | None, **options: Any
    ) -> PartStates:
        """One step of each part."""
        return self._moved("step", problem, state, dt, rng, **options)

    def advance(
        self,
        problem: Problem,
        state: PartStates,
        dt: float,
        steps: int,
        rng: np.random.Generator | None,
        **options: Any,
    ) -> PartStates:
        """Many steps of each part."""
        return self._moved("advance", problem, state, dt, steps, rng, **options)

    def _moved(self, verb: str, problem: Problem, state: PartStates, *arguments: Any, **options: Any) -> PartStates:
        parts = _structure(problem, self.method).parts
        moved = [
            getattr(by_parts(part, self.method), verb)(part, each, *arguments, **options)
            for part, each in zip(parts, state.states, strict=True)
        ]
        return PartStates(tuple(moved), state.join)

    def law(self, state: PartStates) -> Law:
        """The law of the whole."""
        return state.join([self._of(each).law(each) for each in state.states])

    def report(self, state: PartStates) -> dict[str, Any]:
        """The report of the one part, or under `parts` those of all, in their order."""
        reports = [dict(self._of(each).report(each)) for each in state.states if hasattr(self.method, "report")]
        return reports[0] if len(reports) == 1 else {"parts": reports} if reports else {}

    def _of(self, state: Any) -> Any:
        """The method to which a state belongs."""
        return self if isinstance(state, PartStates) else self.method


def _structure(problem: Problem, method: Any) -> Any:
    """The structure of a problem, or `Unsupported` where its start took it away."""
    if problem.structure is None:
        raise Unsupported(
            f"{type(method).__name__} runs on the parts of {problem.name!r}, and the start {problem.initial!r} is not "
            "made of starts of these. Start from a law that is: a rotated or radial one, a product."
        )
    return problem.structure


def by_parts(problem: Problem, method: Any) -> Any:
    """The method itself, or `ByParts` of it where the problem has parts and the method runs on them.

    A method that has `treats_parts = True` says that its steps commute with rotations, products and radial laws: of
    the part problem, in its own dimension, it makes what it would make of the whole.
    """
    return ByParts(method) if problem.structure is not None and getattr(method, "treats_parts", False) else method
