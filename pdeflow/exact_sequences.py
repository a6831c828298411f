"""Exact JKO sequences that take a solver: of problems made of parts on the line, or of a radius."""

from collections.abc import Sequence

from numpy.typing import ArrayLike

from ._core.errors import NotAvailable
from ._core.validate import instance_of, known_arguments
from .grid import QuantileJKO
from .method import solve
from .problems.problem import Problem
from .trajectory import Trajectory, exact_jko

POINTS = 4001, 2001  # quantile levels of the sequence, and of the coarser one that tells its error


@known_arguments
def jko_sequence(problem: Problem, *, dt: float, times: ArrayLike | None = None) -> Trajectory:
    """The JKO iterates themselves: `exact_jko` where they are closed, else each part of the problem by `QuantileJKO`.

    Parameters
    ----------
    problem : Problem
        One that `exact_jko` knows, or one of `problems.rotated`, `separable` and `radial` whose parts are known or live
        on the line.
    dt : float
        Length of a step, > 0.
    times : array_like, optional
        Increasing multiples of dt, shape (k,); the horizon by default.

    Returns
    -------
    Trajectory
        Where `QuantileJKO` took part, `stats["coarser"]` is the same sequence on half as many levels. Errors are of
        second order in the levels, so that a third of the distance of the two is the error of this one. Each step is
        minimised to round-off, which is checked, see `QuantileJKO`.

    Raises
    ------
    NotAvailable
        For a problem without closed iterates and without such parts.
    PdeflowError
        Of `QuantileJKO`, for a part that it cannot treat.

    Notes
    -----
    Rotations keep W2, and move V and W along. The minimiser over all laws from a product is a product where the energy
    is a sum over the blocks, because W2² and ∫ρ log ρ are at least the sums over the marginals of the blocks. Between
    laws that are invariant under rotations W2 is that of the radii [docs/math.md 10.7].
    """
    instance_of(problem, "problem", Problem)
    try:
        return exact_jko(problem, dt=dt, times=times)
    except NotAvailable:
        if problem.structure is None:
            raise
    fine, coarser = (_joined(problem, dt, times, points) for points in POINTS)
    return Trajectory(fine.times, fine.laws, {**fine.stats, "coarser": coarser}, problem=problem)


def _joined(problem: Problem, dt: float, times: ArrayLike | None, points: int) -> Trajectory:
    """The sequence of a problem with a structure, from those of its parts."""
    structure = problem.structure
    if structure is None:
        try:
            return exact_jko(problem, dt=dt, times=times)
        except NotAvailable:
            if problem.dim > 1:
                raise
        run = solve(problem, QuantileJKO(points=points), dt=dt, times=times)
        return Trajectory(run.times, run.laws, {"steps": run.stats["steps"]})
    parts: Sequence[Trajectory] = [_joined(part, dt, times, points) for part in structure.parts]
    laws = [structure.join(laws) for laws in zip(*[part.laws for part in parts], strict=True)]
    return Trajectory(parts[0].times, laws, {"steps": parts[0].stats["steps"]})
