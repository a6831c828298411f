"""Whether matrices are symmetric and semi-definite, and whether an operator has the adjoint that is given."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from .._core.errors import BadInput
from .._core.shapes import Numbers
from .._core.validate import real_array


def symmetry(matrix: ArrayLike, *, tolerance: float = 1e-10) -> float:
    """The relative asymmetry max abs(A - Aᵀ) / max abs(A) of a square matrix.

    Parameters
    ----------
    matrix : (d, d) array_like
        The matrix A, in any unit.
    tolerance : float
        The largest relative asymmetry that passes.

    Returns
    -------
    float
        The asymmetry, without unit; 0 for a matrix of zeros.

    Raises
    ------
    BadInput
        Where it exceeds `tolerance`: it names the entry. Also for a matrix that is empty, not square or not finite.
    """
    matrix = _square(matrix)
    size = np.max(np.abs(matrix)) or 1.0
    skew = np.abs(matrix - matrix.T) / size
    i, j = (int(k) for k in np.unravel_index(np.argmax(skew), skew.shape))
    if skew[i, j] > tolerance:
        raise BadInput(
            f"A[{i}, {j}] = {matrix[i, j]:.10g} but A[{j}, {i}] = {matrix[j, i]:.10g}. The matrix must be symmetric to "
            f"{tolerance:g} relative. Pass (A + Aᵀ)/2 if that is meant.",
            entry=(i, j),
        )
    return float(skew[i, j])


def semidefinite(matrix: ArrayLike, *, tolerance: float = 1e-10) -> float:
    """The smallest eigenvalue of a symmetric matrix.

    Parameters
    ----------
    matrix : (d, d) array_like
        The matrix A, symmetric to 1e-10 relative.
    tolerance : float
        How far below zero the eigenvalue may lie, relative to max abs(A).

    Returns
    -------
    float
        The smallest eigenvalue of (A + Aᵀ)/2, in the unit of A.

    Raises
    ------
    BadInput
        If it lies below -tolerance · max abs(A), and for a matrix that `symmetry` refuses.
    """
    matrix = _square(matrix)
    symmetry(matrix)
    smallest = float(np.linalg.eigvalsh((matrix + matrix.T) / 2)[0])
    if smallest < -tolerance * np.max(np.abs(matrix)):
        raise BadInput(
            f"The smallest eigenvalue is {smallest:.6g}. It must be >= 0 (to {tolerance:g} of the largest entry). "
            "Check the signs, or remove the direction.",
            smallest=smallest,
        )
    return smallest


def _square(matrix: ArrayLike) -> Numbers:
    matrix = real_array(matrix, "matrix", ndim=2)
    if matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise BadInput(f"matrix has shape {matrix.shape}. It must be square and not empty. Pass a (d, d) array.")
    return matrix


def adjoint(
    forward: Callable[[Numbers], ArrayLike],
    transpose: Callable[[Numbers], ArrayLike],
    shape: tuple[int, int],
    rng: np.random.Generator,
    *,
    tolerance: float = 1e-10,
) -> float:
    """Test whether ⟨A u, v⟩ = ⟨u, Aᵀ v⟩ for a linear operator A that two callables give.

    Parameters
    ----------
    forward : callable
        u of shape (columns,) to A u of shape (rows,).
    transpose : callable
        v of shape (rows,) to Aᵀ v of shape (columns,).
    shape : (int, int)
        (rows, columns) of A.
    rng : numpy.random.Generator
        Draws u and v, with standard normal entries.
    tolerance : float
        The largest relative difference that passes.

    Returns
    -------
    float
        The difference of the two products, relative to the norm of A u times that of v.

    Raises
    ------
    BadInput
        Where the difference exceeds `tolerance`, and for answers of a wrong shape.
    """
    rows, columns = shape
    u, v = rng.standard_normal(columns), rng.standard_normal(rows)
    image, back = np.asarray(forward(u)), np.asarray(transpose(v))
    if image.shape != (rows,) or back.shape != (columns,):
        raise BadInput(
            f"forward gives shape {image.shape}, transpose {back.shape}. They must be ({rows},) and ({columns},). "
            "Return arrays of these shapes."
        )
    size = max(np.linalg.norm(image) * np.linalg.norm(v), np.finfo(float).tiny)
    error = float(abs(image @ v - u @ back) / size)
    if not error <= tolerance:
        raise BadInput(
            f"⟨Au, v⟩ = {image @ v:.12g}, ⟨u, Aᵀv⟩ = {u @ back:.12g}. They must agree to {tolerance:g}, but "
            "transpose is not that of forward. Correct one of the two.",
            error=error,
        )
    return error
