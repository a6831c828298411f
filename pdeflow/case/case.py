"""Case: a problem with the times, levels and metrics in which it is judged, and the standard ones by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .. import metrics as all_metrics
from .. import problems
from .._core.errors import BadInput, Unsupported, unknown_field
from .._core.short_text import shown
from .._core.validate import instance_of, positive, saved_times, text
from .._core.value import Value
from ..problems.problem import Problem
from ..reference import Reference
from ..trajectory import exact, time_grid
from .answers import ANSWERS

# which metrics an answer of each kind determines
ANSWERABLE = {
    "samples": ("w2", "sliced_w2", "energy_distance", "mean_error", "cov_error", "bures"),
    "masses": ("l1", "l2", "kl", "sym_kl", "w2", "mean_error", "cov_error", "bures"),
    "quantiles": ("w2", "mean_error", "cov_error", "bures"),
    "moments": ("mean_error", "cov_error", "bures"),
}
METRICS = tuple(dict.fromkeys(name for names in ANSWERABLE.values() for name in names))


@dataclass(frozen=True)
class Case(Value):
    """A problem, the times, the levels and the metrics in which it is judged, for a program in any language.

    Parameters
    ----------
    problem : Problem
        What is to be solved.
    times : (k,) array_like
        When answers are asked, in the unit of the problem's time, increasing.
    levels : (n,) array_like
        The steps dt for which answers are asked, from coarse to fine; every time is a multiple of each.
    metrics : sequence of str, optional
        Names of `pdeflow.metrics`. An answer is judged in those of them that its kind determines: masses have an l1
        distance, samples have none. The default is w2 (sliced_w2 in more dimensions), l1, mean_error and cov_error; for
        a stored truth it is the metric in which that truth states its own error.
    truth : Reference, optional
        A stored truth, where the problem has no exact law.
    name : str, optional
        What files and messages call it; by default the name of the problem.

    Raises
    ------
    BadInput
        For a time that is no multiple of a level, an unknown metric, metrics that no answer determines in this
        dimension, and a problem without a truth at these times.
    """

    problem: Problem
    times: Sequence[float]
    levels: Sequence[float]
    metrics: Sequence[str] | None = None
    truth: Reference | None = None
    name: str = ""

    def __post_init__(self) -> None:
        instance_of(self.problem, "problem", Problem)
        if self.truth is not None:
            instance_of(self.truth, "truth", Reference)
        if self.problem.energy.time_dependent:
            raise Unsupported(
                f"The potential of {shown(self.problem.name, 200)} depends on time: it is code, which no folder "
                "holds. A case is a problem with fixed constants. Judge the program by a Study with pf.External."
            )
        times = tuple(saved_times(self.times).tolist())
        steps = [self.levels] if isinstance(self.levels, int | float) else list(self.levels)
        levels = tuple(sorted((positive(level, "levels") for level in steps), reverse=True))
        if not levels or len(set(levels)) != len(levels):
            raise BadInput(
                f"levels are {shown(self.levels)}. They must be at least one step, each once. Pass [0.25, 0.125, ...]."
            )
        for level in levels:
            time_grid(times, level)
        if self.truth is None and self.problem.exact is None:
            raise BadInput(
                f"Problem {shown(self.problem.name, 200)} has no exact law for this start. A case needs a truth. Pass "
                "truth=pf.reference.load(file), or take another start."
            )
        for name, value in (("times", times), ("levels", levels), ("metrics", self._metrics())):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "name", text(self.name, "name") or self.problem.name)
        if not self.answers():
            raise BadInput(
                f"metrics are {shown(self.metrics)}. No kind of answer determines any of them in dimension "
                f"{self.problem.dim}. Add one that samples have, such as sliced_w2 or mean_error."
            )
        self.against()(self.problem, times)  # a stored truth may lack a time, or belong to another problem

    def _metrics(self) -> tuple[str, ...]:
        if self.metrics is None:
            if self.truth is not None and self.truth.error.metric in METRICS:
                return (self.truth.error.metric,)
            return ("w2" if self.problem.dim == 1 else "sliced_w2", "l1", "mean_error", "cov_error")
        names = (self.metrics,) if isinstance(self.metrics, str) else tuple(self.metrics)
        for name in names:
            if name not in METRICS:
                raise unknown_field("pdeflow.metrics for cases", str(name), METRICS, "metric")
        if not names or len(set(names)) != len(names):
            raise BadInput(f"metrics are {shown(names)}. They must be at least one, each once. Pass e.g. ['w2'].")
        return names

    def against(self) -> Callable[..., Any]:
        """The truth, as a study takes it."""
        return exact if self.truth is None else self.truth

    def measured(self, answer: str) -> dict[str, Callable[..., Any]]:
        """The metrics in which an answer of this kind is judged, by name.

        Parameters
        ----------
        answer : {"samples", "masses", "quantiles", "moments"}
            The kind.

        Raises
        ------
        BadInput
            Where it determines none of the metrics of the case.
        """
        assert self.metrics is not None  # set above
        names = [name for name in self.metrics if name in ANSWERABLE[answer]]
        if not names:
            raise BadInput(
                f"The case {self.name!r} is judged in {', '.join(self.metrics)}, which {answer} do not determine. "
                f"Possible answers: {', '.join(self.answers())}. Answer in one of these."
            )
        return {name: getattr(all_metrics, name) for name in names}

    def answers(self) -> list[str]:
        """The kinds of answer in which a program may answer."""
        assert self.metrics is not None  # set above
        dim = self.problem.dim
        there = [kind for kind in ANSWERS if (kind != "quantiles" or dim == 1) and (kind != "masses" or dim <= 3)]
        return [kind for kind in there if set(self.metrics) & set(ANSWERABLE[kind])]


def _halved(first: float, count: int) -> list[float]:
    return [first / 2**k for k in range(count)]


UNIT = {"times": [0.5, 1.0], "levels": _halved(1 / 4, 5)}
SHORT = {"times": [0.01, 0.02], "levels": _halved(0.005, 5)}
STILL = {"metrics": ["w2", "l1", "cov_error"]}  # the mean does not move

_STANDARD: Mapping[str, tuple[Callable[[], Problem], dict[str, Any]]] = {
    "ou_1d": (problems.ou, UNIT),
    "ou_2d": (partial(problems.ou, dim=2, seed=0), UNIT),
    "ou_10d": (partial(problems.ou, dim=10, seed=0), UNIT),
    "heat_1d": (problems.heat, {**UNIT, **STILL}),
    "mixture_ou_1d": (problems.mixture_ou, UNIT),
    "porous_medium_1d": (problems.porous_medium, {**SHORT, **STILL}),
    "porous_medium_2d": (partial(problems.porous_medium, dim=2), {**SHORT, "metrics": ["sliced_w2", "cov_error"]}),
    "mckean_vlasov_ou_1d": (problems.mckean_vlasov_ou, UNIT),
    "newtonian_1d": (problems.newtonian_1d, {**UNIT, **STILL}),
    "log_repulsion_1d": (problems.log_repulsion, {**UNIT, **STILL}),
}
STANDARD = tuple(_STANDARD)  # names of the standard cases


def standard(name: str) -> Case:
    """A standard case: a problem of the catalogue with an exact law, two times and five levels.

    Parameters
    ----------
    name : str
        One of `pdeflow.case.STANDARD`.

    Raises
    ------
    UnknownField
        For another name; the message has the nearest one.
    """
    if name not in _STANDARD:
        raise unknown_field("pdeflow.case", str(name), _STANDARD, "standard case")
    build, asked = _STANDARD[name]
    return Case(build(), **asked, name=name)
