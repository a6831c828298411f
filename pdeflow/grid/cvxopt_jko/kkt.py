"""The KKT system of a transport program whose energy sees row sums only, reduced by Woodbury's identity."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve


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
    """Solves, for K as a vector of n·k entries, row-major, weights p (k,) and Hessian H = L Lᵀ (n, n) of the energy,

        [ P   Aᵀ  -D⁻¹ ] [x]   [bx]       P x = Rᵀ H R x,   (R x)_i = Σ_j p_j x_ij (masses of the new cells),
        [ A   0    0   ] [y] = [by]       (A x)_j = Σ_i x_ij (column sums),
        [ -I  0   -D   ] [z]   [bz]       D = diag(d), the scaling of the inequalities x >= 0; z is returned scaled.

    Eliminating z and x leaves Θ = d² (n, k) in S = diag(Θp²) - Θ diag(p²/colsum Θ) Θᵀ, a graph Laplacian, and (I +
    LᵀSL) w = Lᵀa, positive definite with smallest eigenvalue >= 1 even at the end of the iterations. O(n²) memory,
    O(n²k) to form S and O(n³/3) to factorise. The diagonal of S is summed from its off-diagonal entries, without
    cancellation.
    """

    def __init__(self, mass, n, root):
        self.p, self.n, self.root = mass, n, root

    def factor(self, d):
        """Take the scaling d (n·k,).

        Raises ArithmeticError where the reduced matrix is not positive definite in floating point.
        """
        self.d = d.reshape(self.n, -1)
        self.theta = self.d * self.d
        self.column = self.theta.sum(0)
        if self.root is None:
            return self
        b = self.theta * (self.p / np.sqrt(self.column))
        s = -(b @ b.T)
        np.fill_diagonal(s, 0.0)
        np.fill_diagonal(s, -s.sum(1))
        s = self.root[:, None] * s * self.root if self.root.ndim == 1 else self.root.T @ s @ self.root
        s[np.diag_indices(len(s))] += 1.0
        try:
            self.cholesky = cho_factor(s, lower=True, overwrite_a=True, check_finite=False)
        except np.linalg.LinAlgError as error:
            raise ArithmeticError(f"reduced KKT matrix: {error}") from None
        return self

    def solve(self, x, y, z):
        """Right-hand sides in, solution out, in place: x (n·k,), y (k,), z (n·k,)."""
        x, z = x.reshape(self.n, -1), z.reshape(self.n, -1)
        moved = self.theta * x - z  # Θ (bx - bz/d²)
        sums = y.copy()
        rest = moved.sum(0) - sums
        if self.root is None:
            y[:] = rest / self.column
            x[:] = moved - self.theta * y
        else:
            a = moved @ self.p - self.theta @ (self.p * rest / self.column)
            down, up = (self.root * a, None) if self.root.ndim == 1 else (self.root.T @ a, self.root)
            w = cho_solve(self.cholesky, down, check_finite=False)
            v = self.root * w if up is None else up @ w
            y[:] = (rest - self.p * (v @ self.theta)) / self.column
            x[:] = moved - self.theta * (np.multiply.outer(v, self.p) + y)
        # near the end Θ spans 20 orders of magnitude and the difference above loses the column sums: once more for y
        missing = (sums - x.sum(0)) / self.column
        x += self.theta * missing
        y -= missing
        z += x
        z /= -self.d


class Operators:
    """The program's matrices as functions on CVXOPT vectors (as numpy views): nothing of size n² x n² is stored."""

    def __init__(self, mass, n, root):
        self.mass, self.n, self.root = mass, n, root
        self.kkt = StructuredKKT(mass, n, root)

    def hessian(self, u, v, alpha=1.0, beta=0.0):
        out = _scaled(v, beta).reshape(self.n, -1)
        if self.root is not None:
            q, root = _view(u).reshape(self.n, -1) @ self.mass, self.root
            force = root * root * q if root.ndim == 1 else root @ (root.T @ q)
            out += alpha * np.multiply.outer(force, self.mass)

    def bound(self, u, v, alpha=1.0, beta=0.0, trans="N"):
        out = _scaled(v, beta)
        out -= alpha * _view(u)

    def sums(self, u, v, alpha=1.0, beta=0.0, trans="N"):
        out = _scaled(v, beta)
        if trans == "N":
            out += alpha * _view(u).reshape(self.n, -1).sum(0)
        else:
            out.reshape(self.n, -1)[...] += alpha * _view(u)

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
