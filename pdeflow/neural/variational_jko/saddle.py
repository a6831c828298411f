"""The saddle loop: one JKO step as min over maps, max over test functions."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from ..._core.errors import Diverged
from ..maps.training import schedule
from .dual_ascent import DualAscent
from .map_descent import ConvexDescent, ResidualDescent

Batches = Callable[[int], torch.Tensor]  # iteration -> points (n, d)


def find_saddle(
    force: Callable[[torch.Tensor], torch.Tensor] | None,
    move: ConvexDescent | ResidualDescent,
    dual: DualAscent | None,
    batches: Batches,
    dt: float,
    outer: int,
    inner: int,
    rates: tuple[float, float],
) -> dict:
    """Alternates ascent steps of the test function with descent steps of the map [fan2022iclr, Algorithm 1].

    Parameters
    ----------
    force : callable or None
        ∇V + ∇W*ρ at points y, (n, d) -> (n, d).
    move, dual : in training
        The map, and the test function or None without internal energy.
    batches : callable
        Iteration -> points of the law (n, d).
    outer, inner : int
        Descent steps, and ascent steps before each of them.
    rates : (float, float)
        Learning rates of the map and of the test function; both rise over the first iterations and fall to zero as a
        cosine.

    Returns
    -------
    dict
        iterations, and gradient_norm of the map.

    Notes
    -----
    The slope of the map's objective by the moved points y = T(x) is y - x + dt (∇V + ∇W*ρ + ∇δU)(y), δU of the test
    function as it is: where h is optimal this is the slope of the JKO functional itself (the derivative of h does not
    enter, by the envelope theorem).
    """
    iteration = 0
    try:
        for iteration in range(outer):
            share = schedule(iteration, outer)
            x = batches(iteration)
            y = move(x)
            slope = y - x
            _require_finite(slope, "map", rates[0])
            if force is not None:
                slope = slope + dt * force(y)
            if dual is not None:
                z = dual.follow(y)
                for _ in range(inner):
                    dual.climb(z, rates[1] * share)
                slope = slope + dt * dual.force(z)
            _require_finite(slope, "force on the particles", rates[0])
            move.descend(slope / len(slope), rates[0] * share, iteration / outer)
    except Diverged as fault:
        fault.facts["iteration"] = iteration
        raise
    return {"iterations": outer, "gradient_norm": move.norm()}


def _require_finite(slope, what, rate):
    if not math.isfinite(slope.sum().item()):
        raise Diverged(
            f"the {what} is not finite. It must stay finite. Use a smaller learning_rate than {rate:g}, a smaller dt, "
            "or "
            "dtype='float64'."
        )


def fit(dual: DualAscent, batches: Batches, iterations: int, rate: float) -> None:
    """Fits the test function alone to the law that the batches are of."""
    for iteration in range(iterations):
        z = dual.follow(batches(iteration))
        dual.climb(z, rate * schedule(iteration, iterations))
