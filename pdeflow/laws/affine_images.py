"""What affine maps make of vectors, boxes and Gaussians, exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._core.shapes import Matrix, Vector
from .gaussian import Gaussian
from .maps import Map

ROUNDED = 64 * float(np.finfo(float).eps)  # per dimension, of the entries of AᵀA for a matrix meant to be orthogonal


def affine_image(x: Vector, move: Map) -> Vector:
    """A x + b of one vector, for an affine map."""
    return x @ move.matrix.T + move.shift


def composed(maps: Sequence[Map]) -> tuple[Matrix, Vector]:
    """(A, b) of the affine map that one or more affine maps make, the first one first."""
    matrix, shift = maps[0].matrix, maps[0].shift
    for move in maps[1:]:
        matrix, shift = move.matrix @ matrix, affine_image(shift, move)
    return matrix, shift


def moved_gaussian(law: Gaussian, maps: Sequence[Map]) -> Gaussian:
    """The Gaussian that affine maps make of one: by the composed map, whose covariance is made symmetric to the bit."""
    if not maps:
        return law
    matrix, shift = composed(maps)
    return law.moved(matrix, law.mean() @ matrix.T + shift)


def stretches_alike(move: Map) -> bool:
    """Whether T(x) = c x + b with one number c > 0."""
    if not move.affine:
        return False
    factor = move.matrix[0, 0]
    return bool(factor > 0 and np.array_equal(move.matrix, factor * np.eye(move.dim)))


def keeps_distances(move: Map) -> bool:
    """Whether T(x) = A x + b with AᵀA = I to the round-off of a product of rotations."""
    if not move.affine:
        return False
    return bool(np.abs(move.matrix.T @ move.matrix - np.eye(move.dim)).max() <= ROUNDED * move.dim)


def turns_about_origin(move: Map) -> bool:
    """Whether the map is a rotation or a reflection about the origin."""
    return move.affine and not move.shift.any() and keeps_distances(move)


def image_of_box(move: Map, low: Vector, high: Vector) -> tuple[Vector, Vector] | None:
    """The smallest box of the image of a law in the smallest box [low, high]; None unless axes go to axes."""
    axis = move.matrix != 0 if move.affine else np.zeros((move.dim, move.dim), dtype=bool)
    if not (axis.sum(axis=0) == 1).all() or not (axis.sum(axis=1) == 1).all():
        return None
    which, factor = axis.argmax(axis=1), move.matrix[axis]  # rows in order, with one entry each
    ends = np.stack([factor * low[which], factor * high[which]]) + move.shift
    return ends.min(axis=0), ends.max(axis=0)
