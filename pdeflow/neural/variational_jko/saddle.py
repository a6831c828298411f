"""The saddle loop: one JKO step as min over maps, max over test functions."""

import math

from ..._core.errors import Diverged


def train(force, move, dual, batches, dt, method):
    """Alternates `inner` ascent steps of the test function with one descent step of the map, `outer` times [fan2022iclr, Algorithm 1].

    The slope of the map's objective by the moved points y = T(x) is y - x + dt (∇V + ∇W*ρ + ∇δU)(y), δU of the test function as it is:
    where h is optimal this is the slope of the JKO functional itself (the derivative of h does not enter, by the envelope theorem).
    Both rates rise over the first iterations and fall to zero as a cosine. The report has the iterations and the mean gradients.
    """
    iteration = 0
    try:
        for iteration in range(method.outer):
            share = schedule(iteration, method.outer)
            x = batches(iteration)
            y = move(x)
            slope = y - x
            if not math.isfinite(slope.sum().item()):
                raise _not_finite("map", method)
            if force is not None:
                slope = slope + dt * force(y)
            if dual is not None:
                z = dual.follow(y)
                for _ in range(method.inner):
                    dual.climb(z, method.networks.test_rate * share)
                slope = slope + dt * dual.force(z)
            if not math.isfinite(slope.sum().item()):
                raise _not_finite("force on the particles", method)
            move.descend(slope / len(slope), method.learning_rate * share, iteration / method.outer)
    except Diverged as fault:
        fault.facts["iteration"] = iteration
        raise
    return {"iterations": method.outer, "gradient_norm": move.norm()}


def _not_finite(what, method):
    return Diverged(
        f"the {what} is not finite. It must stay finite. Use a smaller learning_rate than {method.learning_rate:g}, a smaller dt, or dtype='float64'."
    )


def fit(dual, points, batches, iterations, rate):
    """Fits the test function alone: to the law of points(batch), for `iterations` batches."""
    for iteration in range(iterations):
        z = dual.follow(points(batches(iteration)))
        dual.climb(z, rate * schedule(iteration, iterations))


def schedule(iteration, most):
    """The share of the learning rate: a linear rise over a tenth of the budget (at most 20), then a cosine to zero."""
    rise = max(1, min(20, most // 10))
    return min(1.0, (iteration + 1) / rise) * (1 + math.cos(math.pi * iteration / most)) / 2
