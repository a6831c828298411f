"""What the recipes of references in the plane share: which schemes are held against each other, and what is stored.

A recipe reads this file by `runpy`, as recipes are no package. Each function returns a trajectory and the keywords of
`pf.reference.save`, `checks_made` among them: a pair of schemes that does not agree stops the recipe.
"""

from dataclasses import replace

import numpy as np

import pdeflow as pf


def edges(box, cells):
    """Of equal cells, for each axis."""
    return [np.linspace(box["lower"], box["upper"], cells + 1)] * 2


def kept(flow, method, checks, words):
    """(trajectory, keywords) of a run by refinement; words : the docstring of a recipe and its source."""
    doc, source = words
    error = flow.stats["error"]
    keywords = {"error": error, "method": method, "seed": 0, "source": source, "title": doc.split("\n")[0]}
    return pf.Trajectory(flow.times, flow.laws, {"steps": flow.stats["steps"]}), {**keywords, "checks_made": checks}


def at_first_time(flow):
    """The run up to its first time, with its own error bar."""
    return pf.Trajectory(flow.times[:1], flow.laws[:1], {"error": flow.stats["error"]})


def linear(problem, box, times, lifted, words, *, stored, cells, dt, particles, particle_dt, dual_dt=None, finer=1):
    """Chang-Cooper, extrapolated, against finite volumes, the lifted run, particles, and JKO steps at the first time.

    lifted : {name: run} of a problem on the line, or of several. dual_dt : the longest JKO step; None takes none.
    finer : how many times `stored` cells an axis finite volumes begin with.
    """

    cells_kept = edges(box, stored)

    def refined(method, first, dt=dt, at=times, axes=cells_kept, **more):
        return pf.from_refinement(problem, method, dt, first, times=at, axes=axes, **more)

    grid = pf.grid.ChangCooper(time_order=2, **box)
    runs = {"ChangCooper": refined(grid, cells)}
    runs["FiniteVolume"] = refined(pf.grid.FiniteVolume(stepping="implicit", **box), finer * stored)
    cloud = pf.solve(problem, pf.particle.EulerMaruyama(particles=particles), dt=particle_dt, times=times)
    functions = {"x1": lambda x: x[:, 0], "|x|²": lambda x: np.sum(x * x, axis=1), "V": problem.energy.potential.value}
    checks = pf.agreement({**runs, **lifted}, clouds={f"{particles} particles": cloud}, functions=functions)
    flow = runs["ChangCooper"]
    if dual_dt is not None:
        dual = pf.grid.BackAndForthJKO(tolerance=1e-5, **box)
        steps = refined(dual, stored, dual_dt, times[:1], order=1.0)
        checks |= pf.agreement({"ChangCooper": at_first_time(flow), "BackAndForthJKO at the first time": steps})
    slow = np.arange(round(times[0] / dt), round(times[-1] / dt) + 1) * dt
    checks["weak residual"] = pf.checks.weak_residual(problem, refined(grid, cells, dt / 2, slow, None))
    return kept(flow, replace(grid, cells=4 * cells), checks, words)


def with_fronts(
    problem,
    box,
    times,
    words,
    *,
    stored,
    cells,
    dt,
    order,
    dual_dt,
    dual_cells,
    tolerance,
    dual_order=1.0,
    dual_limit=False,
    slow_dt=None,
):
    """Finite volumes, the finest run as it is, against JKO steps by duality, whose step goes to 0 with the cells.

    stored : a number of equal cells, or the edges of cells of an axis, a wide one of which holds a front that no grid
    resolves. dual_limit : whether JKO steps are extrapolated to 0. slow_dt : between the times of the weak form, whose
    integrals are those of a spline; dt unless given.
    """

    def axes(first):
        return edges(box, min(stored, first)) if isinstance(stored, int) else [np.array(stored)] * 2

    def refined(method, first, dt, **more):
        return pf.from_refinement(problem, method, dt, first, times=times, axes=axes(first), **more)

    volumes = pf.grid.FiniteVolume(stepping="implicit", **box)
    flow = refined(volumes, cells, dt, order=order, extrapolate=False)
    dual = pf.grid.BackAndForthJKO(tolerance=tolerance, **box)
    steps = refined(dual, dual_cells, dual_dt, order=dual_order, extrapolate=dual_limit)
    checks = pf.agreement({"FiniteVolume": flow, "BackAndForthJKO": steps})
    slow_dt = dt if slow_dt is None else slow_dt
    slow = np.arange(round(times[0] / slow_dt), round(times[-1] / slow_dt) + 1) * slow_dt
    run = pf.solve(problem, replace(volumes, cells=2 * cells), dt=slow_dt / 2, times=slow)
    checks["weak residual of half as many cells"] = pf.checks.weak_residual(problem, run)
    return kept(flow, replace(volumes, cells=4 * cells), checks, words)


def aggregation(mass, strength, times, words, tolerance=1e-4):
    """Aggregation-diffusion from the uniform law on [-3, 3]² by `with_fronts`, with the kernel -strength exp(-|z|²)/π.

    The sides of the square are edges of cells, and its front, which is thinner than a cell at mass 1, lies in a stored
    cell of width 0.8. The longest step of both schemes is the first time: the front moves by about a cell in it.
    """
    # a mass M makes the kernel M times and the diffusion M² times as strong; the strength is that of the kernel alone
    problem = pf.problems.aggregation_diffusion(mass * strength, diffusion=0.1 / strength**2, horizon=times[-1])
    stored = np.concatenate([[-3.8, -3.2], np.linspace(-2.4, 2.4, 25), [3.2, 3.8]])
    sizes = {"stored": stored, "cells": 152, "dt": times[0], "order": 1.5, "slow_dt": times[0] / 4}
    dual = {"dual_dt": times[0], "dual_cells": 76, "tolerance": tolerance, "dual_limit": True}
    return problem, *with_fronts(problem, {"lower": -3.8, "upper": 3.8}, times, words, **sizes, **dual)
