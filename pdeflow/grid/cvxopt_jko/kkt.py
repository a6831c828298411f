"""The KKT system of a transport program whose energy sees row sums only, reduced by Woodbury's identity."""

import numpy as np

from .pairs import Pairs


def square_root(hessian):
    """L with hessian = L Lᵀ: (n,) for a diagonal (n,), (n, n) for a positive semi-definite matrix, None for None."""
    if hessian is None or hessian.ndim == 1:
        return None if hessian is None else np.sqrt(hessian)
    diagonal = np.diag(hessian)
    size = np.sqrt(
        np.where(diagonal > 0, diagonal, 1.0)
    )  # entropies have 1/q there: scaled first, small entries keep their digits
    values, vectors = np.linalg.eigh(hessian / size / size[:, None])
    return (
        size[:, None] * vectors * np.sqrt(np.maximum(values, 0.0))
    )  # negative by round-off only: the kernel was checked


class StructuredKKT:
    """Solves, for K as a vector over pairs, weights p (k,) and Hessian H = L Lᵀ (n, n) of the energy,

        [ P   Aᵀ  -D⁻¹ ] [x]   [bx]       P x = Rᵀ H R x,   (R x)_i = Σ_j p_j x_ij (masses of the new cells),
        [ A   0    0   ] [y] = [by]       (A x)_j = Σ_i x_ij (column sums),
        [ -I  0   -D   ] [z]   [bz]       D = diag(d), the scaling of the inequalities x >= 0; z is returned scaled.

    Eliminating z and x leaves Θ = d² on the pairs in S = diag(Θp²) - Θ diag(p²/colsum Θ) Θᵀ, a graph Laplacian, and (I
    + LᵀSL) w = Lᵀa, positive definite with smallest eigenvalue >= 1 even at the end of the iterations. Over all pairs
    O(n²) memory, O(n²k) to form S and O(n³/3) to factorise; over a band of width b with a diagonal H O(nb²) for both.
    """

    def __init__(self, mass, pairs: Pairs, root):
        self.p, self.pairs, self.root = mass, pairs, root

    def factor(self, d):
        """Take the scaling d of the pairs.

        Raises ArithmeticError where the reduced matrix is not positive definite in floating point.
        """
        self.d = d
        self.theta = d * d
        self.column = self.pairs.column_sums(self.theta)
        if self.root is not None:
            b = self.theta * self.pairs.per_column(self.p / np.sqrt(self.column))  # S is -BBᵀ off its diagonal
            self.inverse = self.pairs.factor(b, self.root)
        return self

    def solve(self, x, y, z):
        """Right-hand sides in, solution out, in place: x and z on the pairs, y (k,)."""
        pairs, theta = self.pairs, self.theta
        moved = theta * x - z  # Θ (bx - bz/d²)
        sums = y.copy()
        rest = pairs.column_sums(moved) - sums
        if self.root is None:
            y[:] = rest / self.column
            x[:] = moved - theta * pairs.per_column(y)
        else:
            a = pairs.row_sums(moved, self.p) - pairs.row_sums(theta, self.p * rest / self.column)
            down, up = (self.root * a, None) if self.root.ndim == 1 else (self.root.T @ a, self.root)
            w = self.inverse(down)
            v = self.root * w if up is None else up @ w
            y[:] = (rest - self.p * pairs.column_sums(theta, v)) / self.column
            x[:] = moved - theta * (pairs.per_row(v) * pairs.per_column(self.p) + pairs.per_column(y))
        # near the end Θ spans 20 orders of magnitude and the difference above loses the column sums: once more for y
        missing = (sums - pairs.column_sums(x)) / self.column
        x += theta * pairs.per_column(missing)
        y -= missing
        z += x
        z /= -self.d


class Operators:
    """The program's matrices as functions on CVXOPT vectors (as numpy views): no matrix over two pairs is stored."""

    def __init__(self, mass, pairs: Pairs, root):
        self.mass, self.pairs, self.root = mass, pairs, root
        self.kkt = StructuredKKT(mass, pairs, root)

    def hessian(self, u, v, alpha=1.0, beta=0.0):
        out = _scaled(v, beta)
        if self.root is not None:
            q, root = self.pairs.row_sums(_view(u), self.mass), self.root
            force = root * root * q if root.ndim == 1 else root @ (root.T @ q)
            out += alpha * (self.pairs.per_row(force) * self.pairs.per_column(self.mass))

    def bound(self, u, v, alpha=1.0, beta=0.0, trans="N"):
        out = _scaled(v, beta)
        out -= alpha * _view(u)

    def sums(self, u, v, alpha=1.0, beta=0.0, trans="N"):
        out = _scaled(v, beta)
        if trans == "N":
            out += alpha * self.pairs.column_sums(_view(u))
        else:
            out += alpha * self.pairs.per_column(_view(u))

    def kktsolver(self, scaling):
        self.kkt.factor(_view(scaling["d"]))
        return lambda x, y, z: self.kkt.solve(_view(x), _view(y), _view(z))


def _view(vector):
    return np.asarray(vector).reshape(-1)


def _scaled(vector, beta):
    view = _view(vector)
    if beta == 0.0:
        view[:] = 0.0  # not beta * view: BLAS' rule, what was there may be NaN
    elif beta != 1.0:
        view *= beta
    return view
