"""Walls of a potential, beyond which it is infinite: particles that follow its gradient would walk through them."""

from typing import Any

import numpy as np

from ..._core.errors import BadInput, NotAvailable, Unsupported
from ..._core.shapes import Points

PROBES = 512  # particles that are moved to see whether a wall is near
REACHES = (-4.0, -1.0, -0.25, 0.25, 1.0, 4.0)  # how far, in units of √(2 T horizon)
CLIMB = 745.0  # exp(-CLIMB) is 0: a potential that rises by CLIMB T before it overflows is no wall for particles


def refuse_walls(potential: Any, x: Points) -> None:
    """`Unsupported` where V is inf at a particle of x (n, d)."""
    if not _finite(potential, x):
        i = _first_infinite(potential, x)
        raise Unsupported(
            f"The potential is inf at the particle x = {x[i].tolist()}, so there is a wall. EulerMaruyama follows the "
            "gradient alone and walks through walls. Use ChangCooper (or CvxoptJKO), whose grids end at a wall, or a "
            "potential that rises to it steeply but is finite.",
            x=x[i].tolist(),
        )


def refuse_reachable_walls(potential: Any, x: Points, reach: float, temperature: float) -> None:
    """`Unsupported` where V is inf at a particle of x (n, d), or at one moved by what noise may do to the horizon.

    reach : √(2 T horizon). A potential that overflows far away is no wall: there V rises by more than 745 T before.
    """
    refuse_walls(potential, x)
    some = x[:: -(-len(x) // PROBES)]
    for share in REACHES if reach > 0 else ():
        moved = some + share * reach
        if _finite(potential, moved):
            continue
        i = _first_infinite(potential, moved)
        inside, outside = some[i : i + 1], moved[i : i + 1]
        start = float(potential.value(inside)[0])
        while True:
            middle = (inside + outside) / 2
            if np.array_equal(middle, inside) or np.array_equal(middle, outside):
                break
            if _finite(potential, middle):
                inside = middle
            else:
                outside = middle
        if float(potential.value(inside)[0]) - start < CLIMB * temperature:
            refuse_walls(potential, outside)


def _finite(potential: Any, x: Points) -> bool:
    """False where V is inf at one of the points; what else is wrong with V is no matter of walls."""
    value = getattr(potential, "value", None)
    if value is None:
        return True
    try:
        with np.errstate(all="ignore"):  # an overflow shows as inf
            values = np.asarray(value(x.copy()), dtype=float)
    except NotAvailable:
        return True
    except BadInput as error:
        return getattr(error, "value", 0.0) != np.inf
    return not np.isposinf(values).any()


def _first_infinite(potential: Any, x: Points) -> int:
    """The index of the first point where V is inf."""
    low, high = 0, len(x)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if not _finite(potential, x[low:middle]) else (middle, high)
    return low
