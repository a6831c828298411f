"""finer: a finer run of the same scheme as the truth, with its own error estimate."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from .._core.validate import count, known_arguments, positive
from .._core.value import Value
from ..method import solve
from ..problems.problem import Problem
from ..trajectory import Trajectory


@dataclass(frozen=True)
class Finer(Value):
    """The truth that `finer` makes: a callable (problem, times) -> Trajectory.

    It keeps its runs, so that a study of many methods runs it once.
    """

    method: Any
    dt: float
    seed: int = 0
    # of each instance, by problem (held, so that its id stays its own) and times; no field, as it is no question
    _kept: ClassVar[dict[Any, tuple[Problem, Trajectory]]]

    def __post_init__(self):
        positive(self.dt, "dt")
        count(self.seed, "seed", 0)
        object.__setattr__(self, "_kept", {})

    def __call__(self, problem: Problem, times: Sequence[float] | None = None) -> Trajectory:
        """The run at dt, with the run at 2 dt as stats["coarser"]."""
        key = id(problem), None if times is None else tuple(times)
        if key not in self._kept:
            coarser = solve(problem, self.method, dt=2 * self.dt, times=times, seed=self.seed)
            run = solve(problem, self.method, dt=self.dt, times=times, seed=self.seed)
            stats = {**run.stats, "coarser": coarser}
            self._kept[key] = problem, replace(run, stats=stats)
        return self._kept[key][1]


@known_arguments
def finer(method: Any, dt: float, seed: int = 0) -> Finer:
    """Self-convergence: the run of `method` at a finer step as the truth of a study.

    Parameters
    ----------
    method : Method
        The scheme whose run is the truth, usually the one under test.
    dt : float
        Its step. The times of the study must be multiples of 2 dt.
    seed : int
        Seed of the runs.

    Returns
    -------
    Finer
        For `Study(..., against=finer(method, dt))`.

    Notes
    -----
    The scheme also runs at 2 dt. The distance of the two runs is the truth's own error, `truth_error` in the table (for
    a scheme of order p it is 2^p - 1 times the error at dt). Where it exceeds a tenth of the smallest error used, the
    verdict is `inconclusive`: take dt at least 16 to 32 times below the finest step under test.
    """
    return Finer(method, dt, seed)
