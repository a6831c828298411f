"""The JKO step of a potential alone, node by node: it is exact where the potential has kinks, too.

Without internal energy and interaction the minimiser of F + W2²/(2 dt) moves each quantile by itself [jko1998, eq. (14)
along quantiles]: Q_new(s) minimises (x - Q(s))²/(2 dt) + V(x) over x.
"""

from typing import Any

import numpy as np

from ..._core.errors import NotConverged
from .kinks import find_kinks
from .mesh import Nodes
from .terms import PotentialTerm

MOST_DOUBLINGS = 60  # of the way that is searched for a minimum
MOST_HALVINGS = 1100  # from the largest float to the smallest


def slopes(potential: Any, x: Nodes) -> Nodes:
    """V' at the points x (n,)."""
    return np.asarray(potential.grad(x[:, None]), dtype=float)[:, 0]


def kinks_in_reach(term: PotentialTerm, y: Nodes, dt: float) -> list[float]:
    """Where V' jumps on the way that a step of length dt from the nodes y may take, for a convex V."""
    moved = y - dt * slopes(term.potential, y)
    lower, upper = float(min(y.min(), moved.min())), float(max(y.max(), moved.max()))
    # a law that rests on a kink in a point still has it in reach
    beyond = max((upper - lower) / 64, 1e-6 * max(abs(lower), abs(upper))) or 1e-3 * float(np.sqrt(dt))
    return [k for k, _ in find_kinks(term.potential, lower - beyond, upper + beyond)]


def proximal_step(potential: Any, y: Nodes, dt: float, kinks: list[float]) -> tuple[Nodes, int]:
    """The nodes x that minimise (x - y)²/(2 dt) + V(x) downhill from y, and how often intervals were halved.

    Each x lies where (x - y)/dt + V'(x) changes its sign between neighbouring floats: there 0 lies in the subgradient,
    which is all that a minimum of a convex V needs. Where V is not convex the minimum is one downhill from y.
    """
    start = slopes(potential, y)
    low, high = _bracket(potential, y, start, dt)
    span = max(float(y[-1] - y[0]), float(np.max(high - low)))
    finest = np.maximum(np.spacing(np.maximum(np.abs(low), np.abs(high))), np.finfo(float).eps * span)
    halvings = 0
    while np.any(high - low > finest) and halvings < MOST_HALVINGS:
        middle = low + (high - low) / 2
        up = (middle - y) / dt + slopes(potential, middle) > 0
        low, high = np.where(up, low, middle), np.where(up, middle, high)
        halvings += 1
    x = low + (high - low) / 2
    for k in kinks:
        x = np.where((k >= low - finest) & (k <= high + finest), k, x)
    values = np.asarray(potential.value(np.concatenate([x, y])[:, None]), dtype=float)
    after, before = values[: len(y)] + (x - y) ** 2 / (2 * dt), values[len(y) :]
    # a rise that is not round-off: of the values, and of the node, which the slope turns into energy
    grain = 8 * np.finfo(float).eps * (np.abs(before) + np.abs(after) + np.abs(start) * (np.abs(y) + span))
    if np.any(after > before + grain):
        i = int(np.argmax(after - before - grain))
        raise NotConverged(
            f"Node {i} at x = {y[i]:.10g} finds no minimum downhill: the one at {x[i]:.10g} lies higher. V is not "
            "convex there. Use a smaller dt, or add a small Entropy.",
            node=i,
        )
    return x, halvings


def _bracket(potential: Any, y: Nodes, start: Nodes, dt: float) -> tuple[Nodes, Nodes]:
    """Intervals [low, high] from y downhill to where the derivative of the node's objective has the other sign.

    For a convex V that is y - dt V'(y) at the latest.
    """
    way = -dt * start
    far = y + way
    for _ in range(MOST_DOUBLINGS):
        rising = ((far - y) / dt + slopes(potential, far)) * np.sign(way) >= 0
        if rising.all():
            return np.minimum(y, far), np.maximum(y, far)
        way = np.where(rising, way, 2 * way)
        far = y + way
    i = int(np.argmin(rising))
    raise NotConverged(
        f"The objective of node {i} falls from x = {y[i]:.10g} out to {far[i]:.10g}. A step needs a minimum. Use a "
        "smaller dt.",
        node=i,
    )
