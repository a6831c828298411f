"""Figures of laws: densities on the line and in the plane, draws on two coordinate axes."""

from collections.abc import Sequence
from typing import Any, cast, overload

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..._core.errors import BadInput, NotAvailable
from ..._core.validate import count, known_arguments, real_array
from ...laws import Law
from ...problems.problem import Problem
from ...trajectory import Trajectory
from .plane import planes
from .style import COLOURS, TRUTH, clean, panel

Times = Sequence[float] | np.ndarray | None


@overload
def density(
    trajectory: Trajectory,
    truth: Trajectory | Problem | None = ...,
    times: Times = ...,
    *,
    points: int = ...,
    ax: None = ...,
) -> Figure: ...
@overload
def density(
    trajectory: Trajectory, truth: Trajectory | Problem | None = ..., times: Times = ..., *, points: int = ..., ax: Axes
) -> Axes: ...
@overload
def density(
    trajectory: Trajectory,
    truth: Trajectory | Problem | None = ...,
    times: Times = ...,
    *,
    points: int = ...,
    ax: Sequence[Axes],
) -> Sequence[Axes]: ...
@known_arguments
def density(
    trajectory: Trajectory,
    truth: Trajectory | Problem | None = None,
    times: Times = None,
    *,
    points: int = 400,
    ax: Axes | Sequence[Axes] | None = None,
) -> Figure | Axes | Sequence[Axes]:
    """Densities of a trajectory on the line or in the plane, each with that of the truth.

    Parameters
    ----------
    trajectory : Trajectory
        In dimension 1 or 2. On the line point masses are drawn as histograms of equal-count bins (nothing is
        smoothed), in the plane as dots; laws with a piecewise constant density as they are. In the plane each time has
        a panel, all with one scale of colours.
    truth : Trajectory or Problem, optional
        What is drawn behind it; of a Problem its exact laws. In the plane: lines of equal density that enclose 50, 90
        and 99 % of its mass.
    times : (k,) array_like, optional
        The times to draw; the default is all that are stored.
    points : int
        Number of points of a smooth curve on the line.
    ax : matplotlib.axes.Axes or sequence of them, optional
        Where to draw, e.g. axes of plt.subplots(), in the plane one for each time; the default is a new figure.

    Returns
    -------
    matplotlib.figure.Figure or matplotlib.axes.Axes
        A new figure, which a notebook shows as the last line of a cell; or `ax`, whose figure is yours to show.

    Raises
    ------
    NotAvailable
        In higher dimensions, and for a time that is not stored.
    BadInput
        For another number of axes than the figure has panels.
    """
    if trajectory.dim > 2:
        raise NotAvailable(
            f"The trajectory has dim {trajectory.dim}. density draws dim 1 and 2. Draw samples on two axes: "
            "pf.plot.projections, or the errors."
        )
    times = trajectory.times if times is None else np.atleast_1d(real_array(times, "times"))
    if trajectory.dim == 2:
        truths = None if truth is None else [_true_law(truth, t) for t in times]
        return planes([trajectory.at(t) for t in times], truths, [f"t = {t:g}" for t in times], ax)
    drawn, axes = panel(cast(Any, ax), (6.4, 4.0))
    for i, t in enumerate(times):
        colour = COLOURS[i % len(COLOURS)]
        law = trajectory.at(t)
        if truth is not None:
            axes.plot(
                *_curve(_true_law(truth, t), points), color=TRUTH, lw=2.4, alpha=0.35, label="truth" if i == 0 else None
            )
        axes.plot(*_curve(law, points), color=colour, lw=1.2, label=f"t = {t:g}")
    axes.set(xlabel="x", ylabel="density")
    axes.legend(frameon=False)
    clean(axes)
    return drawn


def _true_law(truth: Trajectory | Problem, t: float) -> Law:
    if isinstance(truth, Trajectory):
        return truth.at(t)
    if truth.exact is None:
        raise NotAvailable(
            f"Problem {truth.name!r} has no exact law. A truth is a Trajectory, or a Problem with exact laws. Pass a "
            "finer run or a reference."
        )
    return truth.exact(t)


def _curve(law: Law, points: int) -> tuple[np.ndarray, np.ndarray]:
    """x and density for drawing one 1-D law."""
    steps = law.density_steps()
    if steps is not None:
        return _stairs(*steps)
    atoms = law.atoms()
    if atoms is not None:
        bins = int(np.clip(len(atoms[0]) ** (1 / 3), 5, 80))
        edges = np.unique(law.quantile(np.linspace(0, 1, bins + 1)))
        edges[-1] = np.nextafter(edges[-1], np.inf)
        return _stairs(
            edges, np.diff(np.concatenate([[0.0], law.cdf(np.nextafter(edges[1:], -np.inf))])) / np.diff(edges)
        )
    levels = np.concatenate([[1e-6], np.linspace(1e-3, 1 - 1e-3, points), [1 - 1e-6]])
    ends = law.quantile(np.array([1e-6, 1 - 1e-6]))
    x = np.union1d(law.quantile(levels), np.linspace(ends[0], ends[1], points))
    return x, np.exp(law.log_density(x[:, None]))


def _stairs(edges: np.ndarray, heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat(edges, 2), np.concatenate([[0.0], np.repeat(heights, 2), [0.0]])


@overload
def projections(
    law: Law, n: int = ..., *, rng: np.random.Generator, axes: tuple[int, int] = ..., ax: None = ...
) -> Figure: ...
@overload
def projections(law: Law, n: int = ..., *, rng: np.random.Generator, axes: tuple[int, int] = ..., ax: Axes) -> Axes: ...
@known_arguments
def projections(
    law: Law, n: int = 2000, *, rng: np.random.Generator, axes: tuple[int, int] = (0, 1), ax: Axes | None = None
) -> Figure | Axes:
    """Draws of a law in d >= 2 on two coordinate axes.

    Parameters
    ----------
    law : Law
        The law.
    n : int
        Number of draws.
    rng : numpy.random.Generator
        Where the draws come from.
    axes : (int, int)
        The two coordinates, counted from 0.
    ax : matplotlib.axes.Axes, optional
        Where to draw, e.g. axes of plt.subplots(); the default is a new figure.

    Returns
    -------
    matplotlib.figure.Figure or matplotlib.axes.Axes
        A new figure, which a notebook shows as the last line of a cell; or `ax`, whose figure is yours to show.

    Raises
    ------
    BadInput
        For axes that the law does not have.
    """
    if law.dim < 2 or not all(0 <= axis < law.dim for axis in axes):
        raise BadInput(
            f"axes = {axes}, and the law has dim {law.dim}. Two axes below the dimension are needed. In dim 1 use "
            "plot.density."
        )
    x = law.sample(count(n, "n"), rng)
    drawn, plane = panel(ax, (4.4, 4.2))
    plane.plot(x[:, axes[0]], x[:, axes[1]], ".", ms=2, alpha=0.4, color=COLOURS[0])
    plane.set(xlabel=f"x_{axes[0] + 1}", ylabel=f"x_{axes[1] + 1}", aspect="equal")
    clean(plane)
    return drawn
