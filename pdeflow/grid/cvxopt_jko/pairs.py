"""The pairs (new cell, old cell) whose couplings are variables: all of them, or a band that follows the mass."""

from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import cho_factor, cho_solve, cho_solve_banded, cholesky_banded

from ..._core.compiled import compiled
from ..._core.shapes import Numbers, Values

WIDE = 3  # a band of more than this part of all rows is factorised as a full matrix

Places = Int[np.ndarray, " _"]  # numbers of cells
Columns = Float[np.ndarray, " k"]  # one number per old cell that moves
OnPairs = Float[np.ndarray, " pairs"]  # one number per pair


class Pairs:
    """n new cells (rows), k old ones (columns), and numbers x on the pairs of them that count.

    Attributes
    ----------
    n, k : int
        Numbers of rows and columns.
    size : int
        How many pairs there are.
    """

    n: int
    k: int
    size: int

    def per_row(self, v: Values) -> OnPairs:
        """v_i on each pair (i, j)."""
        raise NotImplementedError

    def per_column(self, y: Columns) -> OnPairs:
        """y_j on each pair (i, j)."""
        raise NotImplementedError

    def row_sums(self, x: OnPairs, c: Columns) -> Values:
        """Σ_j x_ij c_j, (n,)."""
        raise NotImplementedError

    def column_sums(self, x: OnPairs, v: Values | None = None) -> Columns:
        """Σ_i v_i x_ij, (k,); v = 1 where it is left out."""
        raise NotImplementedError

    def factor(self, b: OnPairs, root: Numbers) -> Any:
        """A function w -> (I + LᵀSL)⁻¹ w for the graph Laplacian S whose entries off the diagonal are those of -BBᵀ.

        Its diagonal is summed from its other entries, without cancellation. Raises ArithmeticError where the matrix is
        not positive definite in floating point.
        """
        raise NotImplementedError


class AllPairs(Pairs):
    """Every pair, as a matrix (n, k)."""

    def __init__(self, n: int, k: int):
        self.n, self.k, self.size = n, k, n * k

    def per_row(self, v: Values) -> OnPairs:
        return np.broadcast_to(v[:, None], (self.n, self.k)).reshape(-1)

    def per_column(self, y: Columns) -> OnPairs:
        return np.broadcast_to(y, (self.n, self.k)).reshape(-1)

    def row_sums(self, x: OnPairs, c: Columns) -> Values:
        return x.reshape(self.n, -1) @ c

    def column_sums(self, x: OnPairs, v: Values | None = None) -> Columns:
        x = x.reshape(self.n, -1)
        return x.sum(0) if v is None else v @ x

    def factor(self, b: OnPairs, root: Numbers) -> Any:
        b = b.reshape(self.n, -1)
        s = -(b @ b.T)
        np.fill_diagonal(s, 0.0)
        np.fill_diagonal(s, -s.sum(1))
        return _full_factor(s, root)


class Band(Pairs):
    """For each old cell the new cells from `first` up to, and without, `end`.

    The pairs are kept column by column. No column is empty.
    """

    def __init__(self, n: int, first: Places, end: Places):
        self.n, self.k, self.first, self.end = n, len(first), first, end
        widths = end - first
        self.offsets = np.concatenate([[0], np.cumsum(widths)])
        self.size = int(self.offsets[-1])
        self.columns = np.repeat(np.arange(self.k), widths)
        self.rows = np.arange(self.size) - self.offsets[self.columns] + first[self.columns]

    @cached_property
    def width(self) -> int:
        """The number of rows of the widest column: entries of S further than that from its diagonal are 0."""
        return int((self.end - self.first).max())

    def per_row(self, v: Values) -> OnPairs:
        return v[self.rows]

    def per_column(self, y: Columns) -> OnPairs:
        return y[self.columns]

    def row_sums(self, x: OnPairs, c: Columns) -> Values:
        return np.bincount(self.rows, x * c[self.columns], self.n)

    def column_sums(self, x: OnPairs, v: Values | None = None) -> Columns:
        return np.add.reduceat(x if v is None else x * v[self.rows], self.offsets[:-1])

    def factor(self, b: OnPairs, root: Numbers) -> Any:
        s = band_laplacian(b, self.first, self.offsets, self.n, self.width)
        if root.ndim == 2 or self.width * WIDE > self.n:
            full = np.zeros((self.n, self.n))
            for d in range(self.width):
                i = np.arange(self.n - d)
                full[i + d, i] = full[i, i + d] = s[d, : self.n - d]
            return _full_factor(full, root)
        for d in range(self.width):
            s[d, : self.n - d] *= root[d:] * root[: self.n - d]
        s[0] += 1.0
        try:
            lower = cholesky_banded(s, overwrite_ab=True, lower=True, check_finite=False)
        except np.linalg.LinAlgError as error:
            raise ArithmeticError(f"reduced KKT matrix: {error}") from None
        return lambda w: cho_solve_banded((lower, True), w, check_finite=False)

    def widened(self, rows: Places, columns: Places) -> "Band":
        """The band that has these pairs too, with one new cell beyond each."""
        first, end = self.first.copy(), self.end.copy()
        np.minimum.at(first, columns, np.maximum(rows - 1, 0))
        np.maximum.at(end, columns, np.minimum(rows + 2, self.n))
        return Band(self.n, first, end)


def _full_factor(s: Numbers, root: Numbers) -> Any:
    s = root[:, None] * s * root if root.ndim == 1 else root.T @ s @ root
    s[np.diag_indices(len(s))] += 1.0
    try:
        cholesky = cho_factor(s, lower=True, overwrite_a=True, check_finite=False)
    except np.linalg.LinAlgError as error:
        raise ArithmeticError(f"reduced KKT matrix: {error}") from None
    return lambda w: cho_solve(cholesky, w, check_finite=False)


@compiled(cache=True)
def band_laplacian(b, first, offsets, n, width):
    """The diagonals d = 0, ..., width - 1 on and below the main one of the Laplacian with links -Σ_j b_ij b_lj."""
    s = np.zeros((width, n))
    for j in range(len(first)):
        start, size = offsets[j], offsets[j + 1] - offsets[j]
        for a in range(size):
            for d in range(1, size - a):
                s[d, first[j] + a] -= b[start + a] * b[start + a + d]
    for d in range(1, width):
        for i in range(n - d):
            s[0, i] -= s[d, i]
            s[0, i + d] -= s[d, i]
    return s


@compiled(cache=True)
def highest_reach(x, y, values, double_dt):
    """max_j (values_j - (x_i - y_j)²/(2 dt)) of each i over all j, and the first j that has it; x and y increase.

    That j does not fall as i grows, because the cost is convex: the maximum of the middle i bounds those on both sides.
    """
    best, where = np.empty(len(x)), np.empty(len(x), np.int64)
    pending = [(0, len(x), 0, len(y) - 1)]
    while len(pending) > 0:
        start, end, low, high = pending.pop()
        if start == end:
            continue
        i = (start + end) // 2
        top, at = -np.inf, low
        for j in range(low, high + 1):
            off = x[i] - y[j]
            value = values[j] - off * off / double_dt
            if value > top:
                top, at = value, j
        best[i], where[i] = top, at
        if top == -np.inf:  # no bound for the others
            pending.append((start, i, low, high))
            pending.append((i + 1, end, low, high))
        else:
            pending.append((start, i, low, at))
            pending.append((i + 1, end, at, high))
    return best, where
