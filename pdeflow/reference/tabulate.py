"""Laws of a user's own kind, tabulated for a file: as masses of grid cells where that is possible, else as samples."""

from collections.abc import Sequence

import numpy as np

from .._core.errors import PdeflowError
from .._core.shapes import Values, Vector
from ..laws import GridLaw, Law, Particles
from ..laws.cell_integrals import cell_masses

CELLS = {1: 1000, 2: 128}  # cells per axis, by dimension
SAMPLES = 10_000
SEED = 0
OUTSIDE = 1e-9  # the most mass that may lie outside the grid: GridLaw asks for a sum of one to 1e-8


def tabulated(laws: Sequence[Law]) -> tuple[list[Law], str]:
    """Laws that a file can hold in place of `laws`, and what they are, in words.

    In dimension 1 and 2 the laws become `GridLaw`s on one grid with the masses of its cells, from the distribution
    function or by quadrature of the density, if all but 1e-9 of the mass lies on a grid. Otherwise each becomes 10,000
    samples by the seed 0.
    """
    kinds = " and ".join(dict.fromkeys(type(law).__name__ for law in laws))
    grids, why = _on_grid(laws)
    if grids:
        cells = " x ".join(str(n) for n in grids[0].mass.shape)
        return list(grids), f"user law {kinds}, stored as masses of {cells} cells ({why})"
    clouds = [Particles(law.sample(SAMPLES, np.random.default_rng(SEED))) for law in laws]
    return list(clouds), (
        f"user law {kinds}, stored as {SAMPLES} samples by seed {SEED} ({why}); the error bar does not count that they "
        "are samples"
    )


def _on_grid(laws: Sequence[Law]) -> tuple[list[GridLaw], str]:
    """The laws on one grid and how their masses were found, or an empty list and why there is none."""
    dims = {law.dim for law in laws}
    if len(dims) > 1 or not dims <= set(CELLS):
        return [], f"grids are made in dimension 1 and 2, and this is {max(dims)}"
    low, high = _box(laws)
    for _ in range(6):  # until the mass outside is negligible: each round doubles the box
        axes = [np.linspace(a, b, CELLS[len(low)] + 1) for a, b in zip(low, high)]
        try:
            found = [cell_masses(law, axes) for law in laws]
        except PdeflowError as error:
            return [], f"there are no cell masses: {_first(error)}"
        if max(1 - float(masses.mass.sum()) for masses in found) <= OUTSIDE:
            try:
                return [GridLaw(axes, masses.mass) for masses in found], found[0].how
            except PdeflowError as error:
                return [], f"the cell masses make no law: {_first(error)}"
        low, high = low - (high - low) / 2, high + (high - low) / 2
    return [], f"more than {OUTSIDE:g} of the mass lies outside every grid that was tried"


def _first(error: PdeflowError) -> str:
    """The first sentence of an error: what was found."""
    return str(error).split(". ")[0].rstrip(".")


def _box(laws: Sequence[Law]) -> tuple[Vector, Vector]:
    """The box of the supports where it is known and bounded, else of samples with a margin of half their spread."""
    lows: list[Values] = []
    highs: list[Values] = []
    for law in laws:
        box = law.support()
        if box is None or not np.isfinite(box).all():
            x = law.sample(SAMPLES, np.random.default_rng(SEED))
            margin = (x.max(axis=0) - x.min(axis=0)) / 2 + 1e-6 * (1 + np.abs(x).max(axis=0))
            box = x.min(axis=0) - margin, x.max(axis=0) + margin
        lows.append(np.asarray(box[0], dtype=float))
        highs.append(np.asarray(box[1], dtype=float))
    return np.min(lows, axis=0), np.max(highs, axis=0)
