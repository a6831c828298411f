"""agreement: whether runs of schemes that have nothing in common agree within their error bars, and with particles."""

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from .._core.errors import BadInput, NotAvailable, NotConverged
from .._core.estimate import Estimate
from .._core.quadrature import cell_nodes
from .._core.shapes import Points, Values
from .._core.short_text import shown
from .._core.validate import known_arguments, positive
from ..laws.cell_integrals import cell_masses
from ..laws.cells import center_weights
from ..metrics import l1
from ..trajectory import Trajectory


@known_arguments
def agreement(
    runs: Mapping[str, Trajectory],
    *,
    clouds: Mapping[str, Trajectory] | None = None,
    functions: Mapping[str, Callable[[Points], Values]] | None = None,
    most: float = 4.0,
) -> dict[str, float]:
    """What is measured where runs of several schemes are held against each other, for `checks_made` of a reference.

    Parameters
    ----------
    runs : mapping of str to Trajectory
        Two or more by the names of their schemes, at the same times, each with an `Estimate` in l1 as
        `stats["error"]`: those of `from_refinement`. The first is the one that clouds are held against.
    clouds : mapping of str to Trajectory, optional
        Runs on particles, at the same times.
    functions : mapping of str to callable, optional
        By names such as "E|x|²": f of points (n, d) to (n,), whose means under a cloud and the first run are compared.
    most : float
        The most standard errors of a cloud by which a mean may differ.

    Returns
    -------
    dict of str to float
        "error bar of A", "l1 distance of A and B", "mean of f under cloud less that under A" at the time where it is
        largest in units of the "standard error of it", which follows.

    Raises
    ------
    NotConverged
        Where two runs differ at a time by more than the sum of their error bars, and where a mean differs by more than
        `most` standard errors.
    BadInput
        For fewer than two runs or one without an error bar, for other times, and for clouds without functions.

    Notes
    -----
    An error bar by refinement says how far a scheme is from its own limit. That the limits of two schemes whose fluxes,
    steps and codes share nothing are one law within these bars is the evidence that it is that of the equation
    [docs/math.md 14.2]. Distances are Σ|Δm| over the coarser cells of two laws; with a law that is no grid, over those
    of the grid. Means under a law on a grid are sums over centres of cells, of fourth order in the width, whose error
    must be small beside the standard error.
    """
    most = positive(most, "most")
    clouds, functions = dict(clouds or {}), dict(functions or {})
    if not isinstance(runs, Mapping):
        raise BadInput(
            f"runs is a {type(runs).__name__}. It must be a mapping of names to trajectories. Pass {{name: run, ...}}."
        )
    times = _common_times({**runs, **clouds})
    if len(runs) < 2 or bool(clouds) != bool(functions):
        raise BadInput(
            f"{len(runs)} runs, {len(clouds)} clouds and {len(functions)} functions. At least two runs are compared in "
            "l1, and clouds by the means of functions. Pass two runs, and clouds= and functions= together."
        )
    bars = {name: _errors(name, run) for name, run in runs.items()}
    found = {f"error bar of {name}": float(bar.max()) for name, bar in bars.items()}
    for one, other in combinations(runs, 2):
        pairs = zip(runs[one].laws, runs[other].laws, strict=True)
        gaps = np.array([l1(first, second).value for first, second in pairs])
        allowed = bars[one] + bars[other]
        worst = int(np.argmax(gaps - allowed))
        if not gaps[worst] <= allowed[worst]:
            raise NotConverged(
                f"{one} and {other} differ by {gaps[worst]:.3g} in l1 at t = {times[worst]:g}, and their error bars "
                f"are {bars[one][worst]:.3g} and {bars[other][worst]:.3g}. Schemes with one limit agree within the "
                "sum. Refine both; if they stay apart, one of them solves another equation.",
                distance=float(gaps[worst]),
            )
        found[f"l1 distance of {one} and {other}"] = float(gaps.max())
    first = next(iter(runs), "")
    for name, cloud in clouds.items():
        for label, function in functions.items():
            found |= _mean_gap(label, function, (name, cloud), (first, runs[first]), most)
    return found


def _finite_values(label: str, function: Callable[[Points], Values], x: Points) -> Values:
    """The function at the points, or `BadInput` where these are not n finite numbers."""
    values = np.asarray(function(x), dtype=float)
    if values.shape != (len(x),) or not np.isfinite(values).all():
        raise BadInput(
            f"The function {label!r} gives shape {values.shape} at {len(x)} points, or numbers that are not finite. It "
            f"must give ({len(x)},) finite numbers. Correct it."
        )
    return values


def _common_times(runs: Mapping[str, Trajectory]) -> Values:
    """The times of all runs, or `BadInput`."""
    every = {name: np.asarray(run.times, dtype=float) for name, run in runs.items()}
    times = next(iter(every.values()), np.zeros(0))
    for name, mine in every.items():
        if mine.shape != times.shape or not np.allclose(mine, times, rtol=1e-12, atol=1e-12):
            raise BadInput(
                f"The times of {name!r} are {shown(mine.tolist())}, those of {next(iter(every))!r} "
                f"{shown(times.tolist())}. Laws of one time are compared. Save all runs at the same times."
            )
    return times


def _errors(name: str, run: Trajectory) -> Values:
    """The error bar of a run at each of its times."""
    error: Any = run.stats.get("error")
    if not isinstance(error, Estimate) or error.metric != "l1":
        raise BadInput(
            f"The run {name!r} has {shown(error)} as stats['error']. It must be an Estimate in l1. Make it by "
            "pf.from_refinement, or give the Trajectory one."
        )
    return np.broadcast_to(np.asarray(run.stats.get("errors", error.value), dtype=float), (len(run.laws),))


def _mean_gap(
    label: str,
    function: Callable[[Points], Values],
    named_cloud: tuple[str, Trajectory],
    named_run: tuple[str, Trajectory],
    most: float,
) -> dict[str, float]:
    """The difference of the means of a function and its standard error, where it is largest in units of that."""
    (cloud_name, cloud), (run_name, run) = named_cloud, named_run
    gaps, errors = [], []
    for law, points in zip(run.laws, cloud.laws, strict=True):
        atoms, axes = points.atoms(), law.grid_axes()
        if atoms is None or axes is None:
            raise NotAvailable(
                f"{cloud_name!r} has {shown(points)}, and {run_name!r} {shown(law)}. A cloud is the run of a method on "
                "particles, and the first run has laws on grids. Pass such runs."
            )
        x, weight = atoms
        values = _finite_values(label, function, x)
        inside = float(weight @ values)
        if np.ptp(values) <= 1e-12 * np.abs(values).max():
            raise BadInput(
                f"The function {label!r} is {inside:.6g} at all points of {cloud_name!r}. The mean of a constant tells "
                "no two laws apart. Pass a function that varies."
            )
        nodes, share = cell_nodes(axes, 1)[0], center_weights(cell_masses(law, axes).mass).ravel()
        gaps.append(inside - float(share @ _finite_values(label, function, nodes)))
        errors.append(float(np.sqrt(weight**2 @ (values - inside) ** 2)))
    scores = np.abs(gaps) / np.array(errors)
    worst = int(np.argmax(scores))
    if not scores[worst] <= most:
        raise NotConverged(
            f"The mean of {label} at t = {cloud.times[worst]:g} is {gaps[worst]:.3g} larger under {cloud_name} than "
            f"under {run_name}: {scores[worst]:.3g} standard errors, where at most {most:g} is accepted. Take a "
            "smaller step for the particles and finer cells; if it stays, one of them solves another equation.",
            difference=float(gaps[worst]),
        )
    return {
        f"mean of {label} under {cloud_name} less that under {run_name}": float(gaps[worst]),
        f"standard error of the mean of {label} under {cloud_name}": float(errors[worst]),
    }
