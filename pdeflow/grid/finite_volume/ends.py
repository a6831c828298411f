"""What FiniteVolume does with mass at the ends of its domain: initial mass outside, and mass that arrives there."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..._core.errors import BadInput, Unsupported
from ..._core.shapes import Numbers, Row
from ...laws import Law
from ..domain import MASS_TOLERANCE, RIM_SHARE
from .cells import Cells

FAR = 1e3  # lengths of the domain beyond its ends that count as all that is outside


def own_edges(law: Law, cells: Sequence[int]) -> tuple[Row, ...] | None:
    """The edges of a law that is constant on so many equal cells an axis, else None."""
    own = law.grid_axes()
    if own is None or [len(axis) - 1 for axis in own] != list(cells):
        return None
    equal = [np.linspace(axis[0], axis[-1], len(axis)) for axis in own]
    same = all(np.allclose(a, b, rtol=0.0, atol=1e-12 * (b[-1] - b[0])) for a, b in zip(own, equal))
    return own if same else None


def initial_masses(law: Law, edges: tuple[Row, ...]) -> tuple[Numbers, float]:
    """(the masses of the law in the cells, what lies outside put into the outermost, that mass)."""
    known = law.cell_masses(edges)
    if known is None:
        raise Unsupported(
            f"The masses of {law!r} in the cells of a grid are not known exactly. They are for products, mixtures of "
            "Gaussians with diagonal covariances, grids, and on the line. Start from one of these, e.g. a GridLaw."
        )
    if known.outside > MASS_TOLERANCE:
        box = [(float(axis[0]), float(axis[-1])) for axis in edges]
        raise BadInput(
            f"The domain {box} is too small: the initial law has mass {known.outside:.3g} outside; at most "
            f"{MASS_TOLERANCE:g} is accepted. Widen lower= and upper=.",
            outside=known.outside,
        )
    if known.outside == 0:
        return np.array(known.mass, dtype=float), 0.0
    wide = []
    for axis in edges:
        far = FAR * (axis[-1] - axis[0])
        wide.append(np.concatenate([[axis[0] - far], axis[1:-1], [axis[-1] + far]]))
    whole = law.cell_masses(wide)
    return np.array((known if whole is None else whole).mass, dtype=float), float(known.outside)


def rim_masses(mass: Numbers) -> Numbers:
    """The mass in the outermost cells (or the outermost hundredth) at the lower and upper end of each axis (d, 2)."""
    rims = []
    for axis, n in enumerate(mass.shape):
        along, rim = mass.sum(axis=tuple(i for i in range(mass.ndim) if i != axis)), max(1, n // RIM_SHARE)
        rims.append([float(along[:rim].sum()), float(along[-rim:].sum())])
    return np.array(rims)


def refuse_arrivals(potential: Any, mass: Numbers, before: Numbers, cells: Cells, when: str) -> None:
    """`BadInput` where more than `MASS_TOLERANCE` of the mass has come to an end of the domain that is no wall.

    before : the masses at the start of the step. An end beside which V is not finite is a wall.
    """
    now, was = rim_masses(mass), rim_masses(before)
    for axis, end in np.argwhere((now > MASS_TOLERANCE) & (now > was)):
        edges, name = cells.edges[axis], ("lower", "upper")[end]
        if potential is not None and _is_wall(potential, cells, int(axis), int(end)):
            continue
        raise BadInput(
            f"Mass {now[axis, end]:.3g} lies in the outermost cells at the {name} end {edges[-end]:.6g} of axis "
            f"{axis} {when}, and more comes: the no-flux end piles it up; at most {MASS_TOLERANCE:g} is accepted. "
            f"Widen {name}= so that the flow stays inside up to the horizon. If a wall is meant there, let V be inf "
            "beyond it.",
            axis=int(axis),
            end=name,
            mass=float(now[axis, end]),
        )


def _is_wall(potential: Any, cells: Cells, axis: int, end: int) -> bool:
    """Whether V is not finite half a cell beyond the middle of an end."""
    x = np.array([[(edges[0] + edges[-1]) / 2 for edges in cells.edges]])
    x[0, axis] = cells.edges[axis][-end] + (end - 0.5) * cells.widths[axis]
    try:
        with np.errstate(all="ignore"):
            return not np.isfinite(np.asarray(potential.value(x), dtype=float)).all()
    except BadInput:  # by which FromFunction answers where V is not finite
        return True
