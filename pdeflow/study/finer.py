"""finer: a finer run of the same scheme as the truth, with its own error estimate."""

from dataclasses import dataclass
from typing import Any

from .._core.fingerprint import sha256
from .._core.validate import count, positive
from ..method import solve
from ..trajectory import Trajectory


@dataclass(frozen=True)
class Finer:
    """Callable (problem, times) -> Trajectory, see `finer`. Runs are kept, so that a study of many methods runs it once."""

    method: Any
    dt: float
    seed: int = 0

    def __post_init__(self):
        positive(self.dt, "dt")
        count(self.seed, "seed", 0)
        object.__setattr__(self, "_kept", {})  # not a field: two equal questions stay equal

    def __call__(self, problem, times=None) -> Trajectory:
        key = sha256([problem, None if times is None else list(times)])
        if key not in self._kept:
            coarser = solve(problem, self.method, dt=2 * self.dt, times=times, seed=self.seed)
            run = solve(problem, self.method, dt=self.dt, times=times, seed=self.seed)
            self._kept[key] = Trajectory(run.times, run.laws, {**run.stats, "coarser": coarser}, run.history)
        return self._kept[key]


def finer(method, dt, seed=0) -> Finer:
    """Self-convergence: `Study(..., against=finer(method, dt))` takes the run of `method` at dt as the truth.

    The scheme also runs at 2 dt; the distance of the two runs is the truth's own error, `truth_error` in the table (for a
    scheme of order p it is 2^p - 1 times the error at dt). times must be multiples of 2 dt. Where it exceeds a tenth of the
    smallest error used, the verdict is `inconclusive`: take dt at least 16 to 32 times below the finest step under test.
    """
    return Finer(method, dt, seed)
