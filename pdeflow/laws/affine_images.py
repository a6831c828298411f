"""What affine maps make of vectors, boxes and Gaussians, exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._core.shapes import Vector
from .gaussian import Gaussian
from .maps import Map


def affine_image(x: Vector, move: Map) -> Vector:
    """A x + b of one vector, for an affine map."""
    return x @ move.matrix.T + move.shift


def moved_gaussian(law: Gaussian, maps: Sequence[Map]) -> Gaussian:
    """The Gaussian that affine maps make of one: by the composed map, whose covariance is made symmetric to the bit."""
    if not maps:
        return law
    matrix, shift = maps[0].matrix, maps[0].shift
    for move in maps[1:]:
        matrix, shift = move.matrix @ matrix, affine_image(shift, move)
    return law.moved(matrix, law.mean() @ matrix.T + shift)


def stretches_alike(move: Map) -> bool:
    """Whether T(x) = c x + b with one number c > 0."""
    if not move.affine:
        return False
    factor = move.matrix[0, 0]
    return bool(factor > 0 and np.array_equal(move.matrix, factor * np.eye(move.dim)))


def image_of_box(move: Map, low: Vector, high: Vector) -> tuple[Vector, Vector] | None:
    """The smallest box of the image of a law in the smallest box [low, high]; None unless axes go to axes."""
    axis = move.matrix != 0 if move.affine else np.zeros((move.dim, move.dim), dtype=bool)
    if not (axis.sum(axis=0) == 1).all() or not (axis.sum(axis=1) == 1).all():
        return None
    which, factor = axis.argmax(axis=1), move.matrix[axis]  # rows in order, with one entry each
    ends = np.stack([factor * low[which], factor * high[which]]) + move.shift
    return ends.min(axis=0), ends.max(axis=0)
