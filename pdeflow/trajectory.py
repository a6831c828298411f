"""Trajectory: laws in time. Exact solutions, stored references, finer runs and runs under test are all trajectories."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from itertools import islice, pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._core.errors import BadInput, NotAvailable
from ._core.shapes import Values
from ._core.short_text import shown
from ._core.validate import count, instance_of, known_arguments, positive, real, real_array, saved_times
from ._core.value import Value
from .laws import Law, Product
from .problems.exact_jko import jko_iterates
from .problems.problem import Problem


@dataclass(frozen=True)
class Trajectory(Value):
    """Laws at increasing times.

    Parameters
    ----------
    times : (k,) array
        Increasing times, in units of the problem's time.
    laws : sequence of Law
        One law per time.
    stats : dict
        Facts about the whole: `seconds`, `first_call_seconds` and `steps` of a run, `error` of a truth.
    history : list of dict
        One report of the method per step, with `step` and `time`.
    problem : Problem or applications.Filter, optional
        What the laws are the answer to, where that is known: `solve`, `exact` and all that is made of them say it, and
        `reference.save` refuses to store them as the answer to another one.

    Raises
    ------
    BadInput
        For times that do not increase or do not match the laws, and for a law that is none.

    Notes
    -----
    Two are equal where times, laws and stats are, but for the seconds that they took: two runs with one seed are equal.
    """

    times: Values
    laws: Sequence[Law]
    stats: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list, repr=False)
    problem: Any = field(default=None, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        times = np.atleast_1d(real_array(self.times, "times"))
        if isinstance(self.laws, Law) or not isinstance(self.laws, Iterable):
            raise BadInput(f"laws is {shown(self.laws)}. It must be a sequence of laws, one per time. Pass [law, ...].")
        laws = tuple(self.laws)
        if times.ndim != 1 or len(times) != len(laws) or len(times) == 0 or np.any(np.diff(times) <= 0):
            raise BadInput(
                f"{len(laws)} laws at times {shown(times.tolist())}. There must be one law per time, and times must "
                "increase. Match and sort them."
            )
        if not all(isinstance(law, Law) for law in laws):
            odd = next(law for law in laws if not isinstance(law, Law))
            raise BadInput(
                f"A law of the trajectory is {shown(odd)}. Each must be a pdeflow Law. Wrap it, e.g. Particles(x) or "
                "GridLaw(edges, mass)."
            )
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "laws", laws)

    def at(self, t: float) -> Law:
        """The law stored at time t.

        Parameters
        ----------
        t : float
            One of `times`, to 1e-9 relative. Nothing is interpolated.

        Raises
        ------
        NotAvailable
            For any other t.
        BadInput
            For what is no number.
        """
        t = real(t, "t")
        nearest = int(np.argmin(np.abs(self.times - t)))
        if not abs(self.times[nearest] - t) <= 1e-9 * max(abs(t), abs(self.times[nearest])):
            raise NotAvailable(
                f"t = {t} is not stored. Stored times: {shown(self.times.tolist())}. Ask for it: "
                "solve(..., times=[...])."
            )
        return self.laws[nearest]

    def described(self) -> dict[str, Any]:
        """What makes it another truth, for `fingerprint`: not how long it took."""
        stats = {key: value for key, value in self.stats.items() if key not in ("seconds", "first_call_seconds")}
        return {"trajectory": {"times": self.times, "laws": self.laws, "stats": stats}}

    def _repr_html_(self) -> str:
        """The laws by time in a notebook, up to 20 of them, and the stats."""
        keep = (
            range(len(self.laws)) if len(self.laws) <= 20 else [*range(10), *range(len(self.laws) - 10, len(self.laws))]
        )
        lines = [f"<tr><td>{self.times[i]:.6g}</td><td>{escape(shown(self.laws[i], 300))}</td></tr>" for i in keep]
        note = f"<p>{len(self.laws)} laws, stats: {escape(shown(self.stats))}</p>"
        return f"<table><tr><th>time</th><th>law</th></tr>\n{chr(10).join(lines)}\n</table>{note}"

    @property
    def final(self) -> Law:
        """The law at the last time."""
        return self.laws[-1]

    @property
    def dim(self) -> int:
        """Dimension of the space."""
        return self.final.dim


def time_grid(times: ArrayLike, dt: float) -> tuple[Values, list[int]]:
    """Saved times and the number of steps to each.

    Parameters
    ----------
    times : array_like
        Increasing times >= 0, shape (k,).
    dt : float
        Length of a step, > 0.

    Returns
    -------
    times : (k,) array
    steps : list of int
        times[i] = steps[i] dt, to 1e-9 relative.

    Raises
    ------
    BadInput
        If a time is no multiple of dt; the message names the nearest one.
    """
    grid = saved_times(times)
    steps = np.rint(grid / dt)
    off = np.abs(steps * dt - grid) > 1e-9 * np.maximum(grid, dt)
    if off.any():
        t = float(grid[np.argmax(off)])
        k = max(1, round(t / dt))
        raise BadInput(
            f"time {t} is no multiple of dt = {dt} (t/dt = {t / dt:.12g}). Save times must be multiples of dt to 1e-9. "
            f"Save at {k * dt:.12g}, or use dt = {t / k:.12g}."
        )
    return grid, steps.astype(int).tolist()


@known_arguments
def exact(problem: Problem, times: ArrayLike | None = None) -> Trajectory:
    """The exact solution of a problem.

    Parameters
    ----------
    problem : Problem
        A problem that knows its exact flow.
    times : array_like, optional
        Increasing times since the start, >= 0, shape (k,); the horizon by default. They may pass it.

    Raises
    ------
    NotAvailable
        If the problem has no exact flow from its initial law.
    """
    instance_of(problem, "problem", Problem)
    if problem.exact is None:
        raise NotAvailable(
            f"Problem {shown(problem.name, 200)} has no exact solution for this initial law. Possible truths: a stored "
            "reference, or a finer run (pf.finer), which for problems of pf.problems.rotated, separable and radial "
            "runs on the line in any dimension. Pass one as against=."
        )
    grid = saved_times((problem.horizon,) if times is None else times)
    return Trajectory(grid, [problem.exact(float(t)) for t in grid], problem=problem)


@known_arguments
def exact_jko(problem: Problem, *, dt: float, times: ArrayLike | None = None) -> Trajectory:
    """The JKO iterates ρ_{k+1} = argmin F(ρ) + W2²(ρ, ρ_k)/(2 dt) themselves, where they are closed.

    Parameters
    ----------
    problem : Problem
        One with a closed sequence: Gaussians under quadratic energies and entropy, commuting or not (docs/math.md 4.1),
        Barenblatt profiles in any dimension (docs/math.md 1.1, 1.2), and the interaction flows of docs/math.md 2.2.
    dt : float
        Length of a step, > 0.
    times : array_like, optional
        Increasing multiples of dt, shape (k,); the horizon by default.

    Raises
    ------
    NotAvailable
        If no closed sequence is known.
    """
    instance_of(problem, "problem", Problem)
    dt = positive(dt, "dt")
    found = of_iterates(jko_iterates(problem, dt), (problem.horizon,) if times is None else times, dt)
    return replace(found, problem=problem)


def of_iterates(iterates: Iterator[Law], times: ArrayLike, dt: float) -> Trajectory:
    """The laws at `times`, multiples of dt, of an iterator over the laws after 0, 1, 2, ... steps of dt."""
    grid, marks = time_grid(times, dt)
    laws = [next(islice(iterates, mark - before - 1, None)) for before, mark in pairwise([-1, *marks])]
    return Trajectory(grid, laws, {"steps": marks[-1]})


@known_arguments
def lift(trajectory: Trajectory, dim: int) -> Trajectory:
    """The product law of `dim` copies of a 1-D trajectory: the truth of a separable problem in `dim` dimensions.

    Parameters
    ----------
    trajectory : Trajectory
        Laws on the line.
    dim : int
        Number of copies, >= 1.

    Raises
    ------
    BadInput
        If the laws do not live on the line.
    """
    if not isinstance(trajectory, Trajectory):
        raise BadInput(f"trajectory is {shown(trajectory)}. It must be a Trajectory. Pass a run, or pf.exact(problem).")
    if trajectory.dim != 1:
        raise BadInput(
            f"The trajectory has dim {trajectory.dim}. Only a 1-D trajectory lifts to a product. Solve the 1-D problem."
        )
    dim = count(dim, "dim")
    laws = [Product([law] * dim) for law in trajectory.laws]
    return Trajectory(trajectory.times, laws, dict(trajectory.stats), trajectory.history)
