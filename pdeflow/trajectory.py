"""Trajectory: laws in time. Exact solutions, stored references, finer runs and runs under test are all trajectories."""

from dataclasses import dataclass, field

import numpy as np

from ._core.errors import BadInput, NotAvailable
from ._core.validate import count, positive, real_array, saved_times
from .laws import Law, Product
from .problems.exact_jko import jko_iterates


@dataclass(frozen=True)
class Trajectory:
    """times : increasing (k,). laws : one Law a time. stats : seconds, first_call_seconds, steps. history : one report a step."""

    times: np.ndarray
    laws: tuple
    stats: dict = field(default_factory=dict)
    history: list = field(default_factory=list)

    def __post_init__(self):
        times = np.atleast_1d(real_array(self.times, "times"))
        laws = tuple(self.laws)
        if times.ndim != 1 or len(times) != len(laws) or len(times) == 0 or np.any(np.diff(times) <= 0):
            raise BadInput(
                f"{len(laws)} laws at times {times}. There must be one law a time, times increasing. Match and sort them."
            )
        if not all(isinstance(law, Law) for law in laws):
            odd = next(law for law in laws if not isinstance(law, Law))
            raise BadInput(
                f"A law of the trajectory is {odd!r}. Each must be a pdeflow Law. Wrap it, e.g. Particles(x) or GridLaw(edges, mass)."
            )
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "laws", laws)

    def at(self, t: float) -> Law:
        """The law stored at time t (to 1e-9 relative). Nothing is interpolated: another t raises `NotAvailable`."""
        nearest = int(np.argmin(np.abs(self.times - t)))
        if not abs(self.times[nearest] - t) <= 1e-9 * max(abs(t), abs(self.times[nearest])):
            raise NotAvailable(
                f"t = {t} is not stored. Stored times: {self.times.tolist()}. Ask for it: solve(..., times=[...])."
            )
        return self.laws[nearest]

    def described(self) -> dict:
        """What makes it another truth, for `fingerprint`: not how long it took."""
        stats = {key: value for key, value in self.stats.items() if key not in ("seconds", "first_call_seconds")}
        return {"trajectory": {"times": self.times, "laws": self.laws, "stats": stats}}

    @property
    def final(self) -> Law:
        return self.laws[-1]

    @property
    def dim(self) -> int:
        return self.final.dim


def time_grid(times, dt):
    """Times as an increasing array and the number of steps of length dt to each; `BadInput` if one is no multiple."""
    times = saved_times(times)
    steps = np.rint(times / dt)
    off = np.abs(steps * dt - times) > 1e-9 * np.maximum(times, dt)
    if off.any():
        t = times[np.argmax(off)]
        k = max(1, round(t / dt))
        raise BadInput(
            f"time {t} is no multiple of dt = {dt} (t/dt = {t / dt:.12g}). Save times must be multiples of dt to 1e-9. "
            f"Save at {k * dt:.12g}, or use dt = {t / k:.12g}."
        )
    return times, steps.astype(int).tolist()


def exact(problem, times=None) -> Trajectory:
    """The exact solution of `problem` at `times` (default: the horizon). Raises `NotAvailable` if it has none."""
    if problem.exact is None:
        raise NotAvailable(
            f"Problem {problem.name!r} has no exact solution for this initial law. Possible truths: a stored reference, a finer run "
            "(pf.finer), or for separable problems pf.lift of a 1-D run. Pass one as against=."
        )
    times = saved_times((problem.horizon,) if times is None else times)
    return Trajectory(times, [problem.exact(float(t)) for t in times])


def exact_jko(problem, *, dt, times=None) -> Trajectory:
    """The JKO iterates ρ_{k+1} = argmin F(ρ) + W2²(ρ, ρ_k)/(2 dt) themselves, where they are closed.

    Closed for Gaussians under quadratic energies and entropy, commuting or not (docs/math.md 4.1), Barenblatt profiles in
    any dimension (1.1, 1.2) and the interaction flows of 2.2; else `NotAvailable`.
    """
    dt = positive(dt, "dt")
    times, marks = time_grid((problem.horizon,) if times is None else times, dt)
    iterates = jko_iterates(problem, dt)
    laws, done, law = [], -1, None
    for mark in marks:
        while done < mark:
            law, done = next(iterates), done + 1
        laws.append(law)
    return Trajectory(times, laws, {"steps": done})


def lift(trajectory: Trajectory, dim: int) -> Trajectory:
    """The product law of `dim` copies of a 1-D trajectory: the truth of a separable problem in dim dimensions."""
    if trajectory.dim != 1:
        raise BadInput(
            f"The trajectory has dim {trajectory.dim}. Only a 1-D trajectory lifts to a product. Solve the 1-D problem."
        )
    dim = count(dim, "dim")
    return Trajectory(
        trajectory.times, [Product([law] * dim) for law in trajectory.laws], dict(trajectory.stats), trajectory.history
    )
