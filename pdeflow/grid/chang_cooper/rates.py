"""The grid of a line, and the rates at which mass jumps between its cells, which leave the Gibbs law as it is."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from ..._core.errors import BadInput
from ..._core.shapes import Values
from ..domain import Edges, open_ends
from ..line_potential import potential_values, values_on_cells
from . import elimination

Links = Float[np.ndarray, " links"]  # one number per pair of neighbouring cells

STEEP = 2.0  # of V/T from a cell to the next: above, the weight at the edge moves mass too fast


@dataclass(frozen=True)
class Grid:
    """What the steps of a run share.

    Attributes
    ----------
    edges : (n + 1,)
        Cell edges.
    values : (n,)
        V at the centres.
    temperature : float
        T.
    up, down : (n - 1,)
        Jump rates j -> j+1 and j+1 -> j, in 1/time.
    tail_mass, stationary_tail : float
        Initial and stationary mass outside the grid.
    open_ends : tuple of str
        The ends that mass may want to leave by, see `domain.open_ends`.
    half : Grid or None
        Half as many cells between the same ends, which tell whether these resolve the flow; None below 6 cells.
    """

    edges: Edges
    values: Values
    temperature: float
    up: Links
    down: Links
    tail_mass: float
    stationary_tail: float
    open_ends: tuple[str, ...] = ()
    half: "Grid | None" = None
    factors: dict[float, np.ndarray] = field(default_factory=dict, repr=False, compare=False)  # saves work only

    def factor(self, dt: float) -> np.ndarray:
        """The elimination of I - dt L, made once per dt."""
        if dt not in self.factors:
            self.factors[dt] = elimination.factor(self.up, self.down, dt)
        return self.factors[dt]


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


def prepared(potential: Any, temperature: float, edges: Edges, finer: Grid | None = None) -> Grid:
    """The rates between the cells with these edges, without the masses outside.

    finer : where V is infinite or no number at a centre of the wider cells, the mean of V beside it stands for it.
    """
    centers = (edges[1:] + edges[:-1]) / 2
    try:
        values = values_on_cells(potential, edges, temperature)
    except BadInput:
        if finer is None:
            raise
        values = np.interp(centers, (finer.edges[1:] + finer.edges[:-1]) / 2, finer.values)
    h = (edges[-1] - edges[0]) / len(values)
    rate = temperature / h**2
    open_at = open_ends(potential, temperature, edges, values) if finer is None else ()
    up, down = jump_weights(potential, temperature, edges, values)
    return Grid(edges, values, temperature, rate * up, rate * down, 0.0, 0.0, open_at)
