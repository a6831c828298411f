"""Values of a potential at points of the line, and its walls: the points beyond which it is infinite."""

from typing import Any

import numpy as np

from .._core.errors import BadInput
from .._core.shapes import Row, Values

SCANNED = 513  # points of the scan for a wall
PARTS = 16  # that the interval of a wall is cut into, again and again


def potential_values(potential: Any, x: Values) -> Values:
    """V at the points x (n,), checked for kind, shape and finiteness; `BadInput` names the first bad point."""
    if potential is None:
        return np.zeros(len(x))
    with np.errstate(all="ignore"):  # a fault shows as a non-finite value, which is named below
        raw = potential.value(x[:, None])
    if not isinstance(raw, np.ndarray) or raw.dtype.kind not in "fiu" or raw.shape != x.shape:
        kind = f"an array of {raw.dtype}, shape {raw.shape}" if isinstance(raw, np.ndarray) else type(raw).__name__
        raise BadInput(
            f"The potential returned {kind} for x of shape {(len(x), 1)}. It must be a real array of shape "
            f"{x.shape}. Sum over the last axis."
        )
    bad = ~np.isfinite(raw)
    if bad.any():
        i = int(np.argmax(bad))
        raise BadInput(
            f"The potential is {raw[i]} at x = {x[i]:.12g}. It must be finite on the whole grid. Correct it there, or "
            "pass lower= and upper= that leave the point out.",
            x=float(x[i]), value=float(raw[i]),
        )  # fmt: skip
    return raw.astype(float)


def values_on_cells(potential: Any, edges: Row, temperature: float) -> Values:
    """V of the cells with these edges (n + 1,): what a potential says itself, else V at their centres."""
    own = getattr(potential, "cell_values", None)
    if own is None:
        return potential_values(potential, (edges[1:] + edges[:-1]) / 2)
    return np.asarray(own(edges, temperature), dtype=float)


def values_with_walls(potential: Any, x: Values) -> Values:
    """V at the points x (n,) of a way outwards: from the first point on where V is inf all are inf, and are not asked.

    `BadInput` for what is nan, -inf or of another kind or shape.
    """
    try:
        return potential_values(potential, x)
    except BadInput as error:
        if error.facts.get("value") != np.inf:
            raise
        bad = x == np.ravel(error.facts["x"])[0]
        if not bad.any():
            raise
        i = int(np.argmax(bad))
    values = np.full(len(x), np.inf)
    if i > 0:
        values[:i] = potential_values(potential, x[:i])
    return values


def wall_towards(potential: Any, inside: float, outside: float) -> float:
    """The last point on the way from `inside`, where V is finite, to `outside` that no wall cuts off."""
    a, b = float(inside), float(outside)
    x = np.linspace(a, b, SCANNED)
    while True:
        beyond = np.isinf(values_with_walls(potential, x))
        if not beyond.any():
            return b
        i = int(np.argmax(beyond))
        if i == 0:
            raise BadInput(
                f"The potential is inf at x = {a:.12g}, where the initial law has its median. It must be finite where "
                "the law has mass. Start from a law between the walls.",
                x=a,
            )
        a, b = float(x[i - 1]), float(x[i])
        # the position of a wall has no more digits than floats have there, or than the length of the scan has
        if abs(b - a) <= max(2 * float(np.spacing(max(abs(a), abs(b)))), 1e-16 * abs(outside - inside)):
            return a
        x = np.linspace(a, b, PARTS + 1)


def is_wall(potential: Any, x: float) -> bool:
    """Whether V cannot be evaluated at x."""
    try:
        potential_values(potential, np.array([float(x)]))
    except BadInput:
        return True
    return False


class WithEnds:
    """A potential with walls at given ends, None for none: it is not asked for its values beyond them."""

    def __init__(self, potential: Any, lower: float | None, upper: float | None):
        self.potential = potential
        self.lower = -np.inf if lower is None else lower
        self.upper = np.inf if upper is None else upper

    def __repr__(self) -> str:
        return repr(self.potential)

    def value(self, x: np.ndarray) -> Values:
        """V at points (n, 1) of a way outwards, see `values_with_walls`; inf beyond the ends."""
        values = np.full(len(x), np.inf)
        inside = (x[:, 0] >= self.lower) & (x[:, 0] <= self.upper)
        if inside.any():
            values[inside] = values_with_walls(self.potential, x[inside, 0])
        return values
