"""The inner loop: one JKO step as a minimisation over convex maps."""

import math

import torch

from ..._core.errors import Diverged, NotConverged
from ..maps.signed import shrink
from ..runtime import out_of_memory
from .log_det import mean_log_det

WAIT = 0.2  # share of the budget in which only the quadratic learns: else the hidden layers take up what is affine, badly in the tails
CHECK = 10  # iterations between two looks at the gradient
BETAS = (0.9, 0.98)  # of Adam


def train(energy, move, batches, log_det, dt, method):
    """The report of minimising dt times the JKO functional over maps, for at most `method.iterations` batches.

    move : ConvexMap of torch tensors, changed in place. batches : iteration -> points (n, d). log_det : Exact or Stochastic.
    The learning rate of Adam rises over the first iterations and falls to zero as a cosine; weights that must be non-negative
    are projected after every step, those that the quadratic must outweigh shrunk (`signed`; the gradient is then measured
    without projection, and keeps the pull against that condition where it binds); the hidden layers wait for the first fifth of the budget. Adam's first moment is the measured gradient: the loop ends when its norm falls below
    tolerance·dt (the loss is free of units, so this is the accuracy of the map a unit of time), or when the budget is spent.
    """
    arrays = {name: array.requires_grad_() for name, array in move.trained().items() if array.numel()}
    weights = {name: array for name, array in arrays.items() if name == "weight" or name.endswith("mixing")}
    bounded = {} if method.network.signed else weights
    quadratic = [arrays["root"], arrays["shift"]]
    hidden = [array for name, array in arrays.items() if name not in weights and name not in ("root", "shift")]
    groups = [
        {"params": quadratic, "lr": method.learning_rate},
        {"params": hidden, "lr": method.learning_rate},
        {"params": list(weights.values()), "lr": method.learning_rate / math.sqrt(len(move.weight))},
    ]
    optimiser = torch.optim.Adam(groups, betas=BETAS, fused=True)
    rates = [group["lr"] for group in groups]
    norm, iteration, stopped = math.inf, 0, "iterations"
    try:
        with out_of_memory():
            first = objective(energy, move, batches(0), dt)
            while iteration < method.iterations and stopped == "iterations":
                for group, rate in zip(optimiser.param_groups, rates):
                    waits = group is not optimiser.param_groups[0] and iteration < WAIT * method.iterations
                    group["lr"] = 0.0 if waits else rate * _schedule(iteration, method.iterations)
                loss = _step(energy, move, batches(iteration), log_det, dt, optimiser)
                iteration += 1
                if not math.isfinite(loss):
                    raise Diverged(
                        f"the loss is {loss}. It must stay finite. Use a smaller learning_rate than {method.learning_rate:g} or dtype='float64'."
                    )
                with torch.no_grad():
                    for array in bounded.values():
                        array.clamp_(min=0)  # the projection onto convex networks
                    if method.network.signed:
                        shrink(move)
                if iteration % CHECK == 0 or iteration == method.iterations:
                    norm = _measured(optimiser, bounded, iteration)
                    if norm <= method.training.tolerance * dt:
                        stopped = "gradient"
            last = objective(energy, move, batches(iteration), dt)
            _require_convex(bounded)
    except (Diverged, NotConverged) as fault:
        fault.facts["iteration"] = iteration
        raise
    return {
        "loss_first": first, "loss": last, "iterations": iteration, "stopped": stopped, "gradient_norm": norm,
    }  # fmt: skip


def objective(energy, move, x, dt):
    """dt F/s² + transport of the map on the points x, with the exact log-determinant on the first 256 of them."""
    with torch.no_grad():
        jet = move.at(x)
        loss = _without_entropy(energy, jet, x, dt).item()
        if not math.isfinite(loss):
            raise Diverged(f"the loss is {loss}. It must stay finite. Use a smaller learning_rate or dtype='float64'.")
        if energy.internal is not None:
            loss -= dt * energy.internal.temperature * mean_log_det(jet.some(256))
        return loss / move.scale**2


def _step(energy, move, x, log_det, dt, optimiser):
    optimiser.zero_grad(set_to_none=True)
    jet = move.at(x)
    loss = _without_entropy(energy, jet, x, dt)
    if energy.internal is not None and math.isfinite(loss.item()):
        loss = loss - dt * energy.internal.temperature * log_det.surrogate(jet)
    loss = loss / move.scale**2
    value = loss.item()
    if math.isfinite(value):
        loss.backward()
        optimiser.step()
    return value


def _without_entropy(energy, jet, x, dt):
    """dt times the JKO functional but for the entropy, which enters as -dt T log det ∇²ψ (that of the law before is a constant)."""
    moved = jet.gradient()
    loss = ((x - moved) ** 2).sum(-1).mean() / 2
    if energy.potential is not None:
        loss = loss + dt * energy.potential.value(moved).mean()
    if energy.interaction is not None:
        half = len(moved) // 2
        shifts = sorted({1, 1 + half // 3, 1 + half // 2, half} - {0})  # pairs of distinct points: E W without bias
        pairs = sum(energy.interaction.value(moved - moved.roll(shift, 0)).mean() for shift in shifts)
        loss = loss + dt * pairs / (2 * len(shifts))
    return loss


def _schedule(iteration, most):
    """The share of the learning rate: a linear rise over a tenth of the budget (at most 20), then a cosine to zero."""
    rise = max(1, min(20, most // 10))
    return min(1.0, (iteration + 1) / rise) * (1 + math.cos(math.pi * iteration / most)) / 2


def _measured(optimiser, weights, iteration):
    """Norm of the projected mean gradient: of a weight at zero only the part that would raise it counts."""
    total, correction = 0.0, 1 - BETAS[0] ** iteration
    bounded = {id(array) for array in weights.values()}
    for group in optimiser.param_groups:
        for array in group["params"]:
            mean = optimiser.state[array]["exp_avg"] / correction
            if id(array) in bounded:
                mean = torch.where((array <= 0) & (mean > 0), 0 * mean, mean)
            total += (mean * mean).sum().item()
    return math.sqrt(total)


def _require_convex(weights):
    for name, array in weights.items():
        if not (array >= 0).all():
            raise Diverged(
                f"{name} has an entry of {array.min().item():.3g}, so the network is not convex. These weights must be >= 0. "
                "Use a smaller learning_rate or dtype='float64'."
            )
