"""The inner loop: one JKO step as a minimisation over convex maps."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from ..._core.errors import Diverged, NotConverged
from ..maps.training import ConvexTraining, schedule
from ..runtime import out_of_memory
from .jko_functional import JKOFunctional
from .log_det import Exact, Stochastic

CHECK = 10  # iterations between two looks at the gradient
BETAS = (0.9, 0.98)  # of Adam


def minimise(
    functional: JKOFunctional,
    training: ConvexTraining,
    batches: Callable[[int], torch.Tensor],
    log_det: Exact | Stochastic,
    dt: float,
    most: int,
    learning_rate: float,
    tolerance: float,
) -> dict:
    """Minimises the JKO functional over convex maps, for at most `most` batches.

    Parameters
    ----------
    functional : JKOFunctional
        Of the energy.
    training : ConvexTraining
        The map, changed in place.
    batches : callable
        Iteration -> points (n, d).
    log_det : Exact or Stochastic
        How the gradient of the log-determinant is found.
    dt : float
        Time step.
    most : int
        Iterations at most, one batch each.
    learning_rate : float
        The largest of Adam.
    tolerance : float
        Of the norm of the gradient, over dt.

    Returns
    -------
    dict
        loss_first, loss, iterations, stopped, gradient_norm.

    Notes
    -----
    The learning rate of Adam rises over the first iterations and falls to zero as a cosine; weights that must be
    non-negative are projected after every step, those that the quadratic must outweigh shrunk (`maps/signed.py`; the
    gradient is then measured without projection, and keeps the pull against that condition where it binds); the hidden
    layers wait for the first fifth of the budget. Adam's first moment is the measured gradient: the loop ends when its
    norm falls below tolerance·dt (the loss is free of units, so this is the accuracy of the map per unit of time), or
    when the budget is spent.
    """
    groups = [{"params": list(arrays.values()), "lr": learning_rate / divisor} for arrays, divisor in training.groups]
    optimiser = torch.optim.Adam(groups, betas=BETAS, fused=True)
    rates = [group["lr"] for group in groups]
    norm, iteration, stopped = math.inf, 0, "iterations"
    try:
        with out_of_memory():
            first = functional.value(training.map, batches(0), dt)
            while iteration < most and stopped == "iterations":
                _set_rates(optimiser, rates, iteration, most, training.wait)
                descend(functional, training, batches(iteration), log_det, dt, optimiser)
                iteration += 1
                if iteration % CHECK == 0 or iteration == most:
                    norm = _measured(optimiser, training.bounded, iteration)
                    if norm <= tolerance * dt:
                        stopped = "gradient"
            last = functional.value(training.map, batches(iteration), dt)
            _require_convex(training.bounded)
    except (Diverged, NotConverged) as fault:
        fault.facts["iteration"] = iteration
        raise
    return {"loss_first": first, "loss": last, "iterations": iteration, "stopped": stopped, "gradient_norm": norm}


def descend(
    functional: JKOFunctional,
    training: ConvexTraining,
    x: torch.Tensor,
    log_det: Exact | Stochastic,
    dt: float,
    optimiser: torch.optim.Optimizer,
) -> None:
    """One step of the optimiser by the batch x (n, d), and the projection onto convex networks."""
    optimiser.zero_grad(set_to_none=True)
    loss = functional.surrogate(training.map, x, log_det, dt)
    value = loss.item()
    if not math.isfinite(value):
        raise Diverged(f"the loss is {value}. It must stay finite. Use a smaller learning_rate or dtype='float64'.")
    loss.backward()
    optimiser.step()
    training.project()


def _set_rates(optimiser, rates, iteration, most, wait):
    """The learning rates of the groups for this iteration; the first group, the quadratic, does not wait."""
    for group, rate in zip(optimiser.param_groups, rates):
        waits = group is not optimiser.param_groups[0] and iteration < wait * most
        group["lr"] = 0.0 if waits else rate * schedule(iteration, most)


def _measured(optimiser, bounded, iteration):
    """Norm of the projected mean gradient: of a weight at zero only the part that would raise it counts."""
    total, correction = 0.0, 1 - BETAS[0] ** iteration
    at_bound = {id(array) for array in bounded.values()}
    for group in optimiser.param_groups:
        for array in group["params"]:
            mean = optimiser.state[array]["exp_avg"] / correction
            if id(array) in at_bound:
                mean = torch.where((array <= 0) & (mean > 0), 0 * mean, mean)
            total += (mean * mean).sum().item()
    return math.sqrt(total)


def _require_convex(bounded):
    for name, array in bounded.items():
        if not (array >= 0).all():
            raise Diverged(
                f"{name} has an entry of {array.min().item():.3g}, so the network is not convex. These weights must "
                "be >= 0. "
                "Use a smaller learning_rate or dtype='float64'."
            )
