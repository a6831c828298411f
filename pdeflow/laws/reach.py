"""How far a law reaches in a direction, from what it says of itself."""

import numpy as np

from .._core.shapes import Numbers, Vector
from .base import Law


def reach(law: Law, direction: Vector, tail: float) -> tuple[float, float] | None:
    """An interval of directionᵀx that leaves about `tail` of a law outside at each end; None if none is known."""
    if not np.any(direction):
        return 0.0, 0.0
    for way in (_of_atoms, _of_mixture, _of_line, _of_factors, _of_image, _of_support):
        found = way(law, direction, tail)
        if found is not None:
            return found
    return None


def _of_atoms(law: Law, direction: Vector, tail: float) -> tuple[float, float] | None:
    atoms = law.atoms()
    return None if atoms is None else (float((atoms[0] @ direction).min()), float((atoms[0] @ direction).max()))


def _of_mixture(law: Law, direction: Vector, tail: float) -> tuple[float, float] | None:
    mixture = law.gaussian_components()
    if mixture is None or len(mixture[1]) < 2:
        return None
    parts = [reach(part, direction, tail) for weight, part in zip(*mixture) if weight > 0]
    known = [part for part in parts if part is not None]
    return min(low for low, _ in known), max(high for _, high in known)


def _of_line(law: Law, direction: Vector, tail: float) -> tuple[float, float] | None:
    """By the quantiles of the law on the line that the direction sees."""
    length = float(np.linalg.norm(direction))
    line, scale = (law, float(direction[0])) if law.dim == 1 else (law.projected(direction / length), length)
    if line is None or "quantile" not in line.answers():
        return None
    ends = np.sort(scale * np.asarray(line.quantile(np.array([tail, 1 - tail])), dtype=float))
    return float(ends[0]), float(ends[1])


def _of_factors(law: Law, direction: Vector, tail: float) -> tuple[float, float] | None:
    factors = law.factors()
    if factors is None or len(factors) < 2:
        return None
    ends = np.cumsum([part.dim for part in factors])
    parts = [reach(part, direction[end - part.dim : end], tail) for part, end in zip(factors, ends)]
    known = [part for part in parts if part is not None]
    return None if len(known) < len(parts) else (sum(low for low, _ in known), sum(high for _, high in known))


def _of_image(law: Law, direction: Vector, tail: float) -> tuple[float, float] | None:
    """Of the base law, where all maps are affine."""
    pushed = law.pushed_from()
    if pushed is None or not all(move.affine for move in pushed[1]):
        return None
    offset = 0.0
    for move in reversed(pushed[1]):
        offset, direction = offset + float(direction @ move.shift), move.matrix.T @ direction
    found = reach(pushed[0], direction, tail)
    return None if found is None else (found[0] + offset, found[1] + offset)


def _of_support(law: Law, direction: Vector, tail: float) -> tuple[float, float] | None:
    box = law.support()
    if box is None or not np.isfinite(box).all():
        return None
    middle, half = direction @ (box[0] + box[1]) / 2, np.abs(direction) @ (box[1] - box[0]) / 2
    return float(middle - half), float(middle + half)


def reach_along_axes(law: Law, tail: float) -> Numbers | None:
    """The `reach` along every coordinate axis, (d, 2), or None where one of them is not known."""
    parts = [reach(law, axis, tail) for axis in np.eye(law.dim)]
    known = [part for part in parts if part is not None]
    return np.array(known) if len(known) == law.dim else None
