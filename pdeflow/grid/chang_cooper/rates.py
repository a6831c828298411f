"""The rates at which mass jumps between neighbouring cells of a line, which leave the Gibbs law as it is."""

from typing import Any

import numpy as np
from jaxtyping import Float

from ..._core.shapes import Values
from ..domain import Edges
from ..line_potential import potential_values

Links = Float[np.ndarray, " links"]  # one number per pair of neighbouring cells

STEEP = 2.0  # of V/T from a cell to the next: above, the weight at the edge moves mass too fast


def bernoulli(w) -> np.ndarray:
    """B(w) = w / (e^w - 1), B(0) = 1, to round-off for every finite w (B(w) - B(-w) = -w)."""
    w = np.asarray(w, dtype=float)
    size = np.abs(w)
    near = size < 1e-4
    middle = np.where(near, 1.0, np.minimum(size, 700.0))  # expm1 overflows above 709
    with np.errstate(under="ignore"):
        falling = np.where(size > 700.0, size * np.exp(-size), middle / np.expm1(middle))
        rising = np.where(near, 1.0, size) / -np.expm1(-np.where(near, 1.0, size))
        series = 1 - w / 2 + w * w / 12  # next term w⁴/720 < 1e-18
    return np.where(near, series, np.where(w > 0, falling, rising))


def jump_weights(potential: Any, temperature: float, edges: Edges, values: Values) -> tuple[Links, Links]:
    """h²/T times the rates of j -> j+1 and j+1 -> j; values : V of the cells (n,), whose Gibbs law they leave as it is.

    A potential that says the V of its cells varies within them, as that of a radius does: there the weight exp(-V/T) at
    the edge between two cells, over that of the cell, stands for B(w), unless it changes by more than `STEEP`.
    """
    w = np.diff(values) / temperature
    up, down = bernoulli(w), bernoulli(-w)
    gentle = np.abs(w) < STEEP
    if getattr(potential, "cell_values", None) is None or not gentle.any():
        return up, down
    between = potential_values(potential, edges[1:-1][gentle])
    up[gentle] = np.exp((values[:-1][gentle] - between) / temperature)
    down[gentle] = np.exp((values[1:][gentle] - between) / temperature)
    return up, down
